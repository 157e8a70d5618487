"""The kernels that programs are made of, as text: a change that was not meant shows here.

After a change that was meant: ``python tests/golden/test_kernels.py`` writes the files anew; read the difference.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.capture import Capture
from retrograd.graph import Graph
from retrograd.lower.native import rows
from retrograd.lower.native.expressions import EXPRESSIONS
from retrograd.lower.native.fuse import Loop, fuse
from retrograd.lower.native.kernel import Address
from retrograd.lower.native.level import LEVELS
from retrograd.lower.native.nest import LoopLowering
from retrograd.passes import standard
from retrograd.trace import stage

HERE = Path(__file__).parent
DIGESTS = HERE / "kernels.txt"
WHOLE = {"scale and add", "mean"}
"""Kept as text; of the others a digest."""


def _functions() -> dict[str, tuple[Any, list[rg.Tensor]]]:
    x, row = rg.zeros(8, 40), rg.zeros(40)
    return {
        "scale and add": (lambda x, y: x * 2 + y, [x, x]),
        "bias and relu": (lambda x, b: (x + b).relu(), [x, row]),
        "mean": (lambda x: x.mean(), [x]),
        "columns": (lambda x: (x * x).sum(0), [x]),
        "rows": (lambda x: x.sum(1), [x]),
        "transposed": (lambda x: x.t() + 1, [x]),
        "compare": (lambda x, y: rg.where(x > y, x, y), [x, x]),
        "gelu": (nn.functional.gelu, [x]),
        "sigmoid": (rg.sigmoid, [x]),
        "power": (lambda x, y: x**y, [x, x]),
        "double": (lambda x: (x.double() / 3).sum(), [x]),
        "integers": (lambda x: (x.long() % 5).amax(1), [x]),
    }


def graph_of(fn: Any, args: list[rg.Tensor]) -> Graph:
    return standard(stage(fn, args, Capture()))


def texts(level: str) -> dict[str, str]:
    out = {}
    for name, (fn, args) in _functions().items():
        graph = graph_of(fn, args)
        literals = {v: a for v, a in graph.captured.items() if v not in graph.sources}

        def literal(v: Any, literals: Any = literals) -> Any:
            return literals[v].reshape(-1)[0] if v in literals and literals[v].size == 1 else None

        for k, group in enumerate(fuse(graph, EXPRESSIONS).groups):
            if isinstance(group, Loop):
                low = LoopLowering(group, LEVELS[level], EXPRESSIONS, literal)
                out[f"{name} {k}"] = low.command(lambda view: Address(view.root)).kernel.text
    return out


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def summary() -> str:
    lines = [f"{level:9} {name:18} {digest(text)}" for level in LEVELS for name, text in texts(level).items()]
    return "\n".join(lines) + "\n"


def test_kernels_are_as_they_were() -> None:
    before, now = DIGESTS.read_text().splitlines(), summary().splitlines()
    changed = sorted(set(before) ^ set(now))
    assert not changed, f"{len(changed)} lines differ; if that was meant: python {Path(__file__).name}"


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_a_kernel_to_read(name: str) -> None:
    assert texts("avx512")[f"{name} 0"] == (HERE / f"{name.replace(' ', '_')}.ll").read_text()


def test_a_change_shows() -> None:
    """The control: another constant is another kernel."""
    one = graph_of(lambda x: x * 2, [rg.zeros(3)])
    two = graph_of(lambda x: x * 3, [rg.zeros(3)])
    kernels = []
    for graph in (one, two):
        (group,) = fuse(graph, EXPRESSIONS).groups
        assert isinstance(group, Loop)
        values = dict(graph.captured)

        def literal(v: Any, values: Any = values) -> Any:
            return np.asarray(values[v]).reshape(-1)[0] if v in values else None

        low = LoopLowering(group, LEVELS["avx2"], EXPRESSIONS, literal)
        kernels.append(low.command(lambda view: Address(view.root)).kernel.symbol)
    assert kernels[0] != kernels[1]
    assert rows is not None


if __name__ == "__main__":
    DIGESTS.write_text(summary())
    for name in WHOLE:
        (HERE / f"{name.replace(' ', '_')}.ll").write_text(texts("avx512")[f"{name} 0"])
