"""A graph as a drawing, in Graphviz's language."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def dot(graph: Any, values: dict[str, Array] | None, gradients: dict[str, Array] | None) -> str:
    """A box per op, an arrow per use; ``values`` and ``gradients`` put numbers on the boxes."""

    def label(v: Any, op: str = "") -> str:
        text = f"{op}\\n{v!r}" if op else repr(v)
        for word, numbers in (("value", values), ("gradient", gradients)):
            if numbers is not None and v.name in numbers:
                text += f"\\n{word} {_brief(np.asarray(numbers[v.name]))}"
        return text

    lines = [f'  "{v.name}" [shape=ellipse, label="{label(v)}"]' for v in (*graph.inputs, *graph.captured)]
    made_by = {v.name: eq.outputs[0].name for eq in graph.equations for v in eq.outputs}
    for eq in graph.equations:
        here = eq.outputs[0]
        lines.append(f'  "{here.name}" [shape=box, label="{label(here, eq.op.name)}"]')
        lines += [f'  "{made_by.get(v.name, v.name)}" -> "{here.name}"' for v in eq.inputs]
    for k, v in enumerate(graph.outputs):
        lines += [
            f'  "result {k}" [shape=plaintext]',
            f'  "{made_by.get(v.name, v.name)}" -> "result {k}"',
        ]
    return "\n".join(["digraph {", *lines, "}"])


def _brief(value: Array) -> str:
    """A number as it is; a tensor by the mean and the largest size of its entries."""
    if value.size == 1:
        return f"{value.reshape(-1)[0]:.6g}"
    return f"mean {value.mean():.6g}, largest {np.abs(value).max(initial=0):.6g}"
