"""Which layers and connections an error comes from: a reading of the gradient, for one example or a batch.

* The *error signal* of a layer is dLoss/d(its output): how much the loss would move if the layer's output moved.
* The *blame* of a connection is w·dLoss/dw: to first order, how much the loss would fall if the connection were cut
  (positive), or how much worse it would get (negative).  Mozer and Smolensky, "Skeletonization", NIPS 1988.

Both are first order: they tell what a small change would do, and a guess about a large one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .backward import grad
from .errors import GradError
from .tensor import Tensor

__all__ = ["Blame", "Connection", "Signal", "blame"]


class Signal(NamedTuple):
    """The error signal of one layer: the mean length of dLoss/d(output) over the examples."""

    layer: str
    size: float


class Connection(NamedTuple):
    """One entry of one parameter, its value, its gradient, and their product."""

    parameter: str
    place: tuple[int, ...]
    value: float
    gradient: float

    @property
    def blame(self) -> float:
        """value · gradient: what cutting it would take off the loss, to first order."""
        return self.value * self.gradient

    def __str__(self) -> str:
        place = ", ".join(map(str, self.place))
        return f"{self.parameter}[{place}] = {self.value:.4g}: cutting it would change the loss by about {-self.blame:+.4g}"


class Blame(NamedTuple):
    """The loss, the layers in the order of the forward pass, and the parameters with their gradients."""

    loss: float
    signals: list[Signal]
    gradients: dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]

    def scores(self) -> dict[str, np.ndarray[Any, Any]]:
        """Blame of every entry of every parameter, by the parameter's name."""
        return {name: value * gradient for name, (value, gradient) in self.gradients.items()}

    def ranking(self, top: int | None = None) -> list[Connection]:
        """Connections, the most blamed first."""
        names, scores = list(self.gradients), list(self.scores().values())
        flat = np.concatenate([s.reshape(-1) for s in scores])
        starts = np.cumsum([0, *(s.size for s in scores)])
        out = []
        for at in np.argsort(-flat, kind="stable")[:top]:
            k = int(np.searchsorted(starts, at, side="right")) - 1
            index = tuple(int(i) for i in np.unravel_index(int(at - starts[k]), scores[k].shape))
            value, gradient = self.gradients[names[k]]
            out.append(Connection(names[k], index, float(value[index]), float(gradient[index])))
        return out

    def rank(self, parameter: str, index: Sequence[int]) -> int:
        """Place of one connection in the ranking: 1 is the most blamed; equals share the better place."""
        scores = self.scores()
        own = scores[parameter][tuple(index)]
        return 1 + sum(int((s > own).sum()) for s in scores.values())

    def __str__(self) -> str:
        lines = [f"loss {self.loss:.6g}", "error signal by layer:"]
        lines += [f"  {s.layer}: {s.size:.4g}" for s in self.signals]
        lines += ["most blamed connections:", *(f"  {c}" for c in self.ranking(5))]
        return "\n".join(lines)


def blame(model: Any, loss: Callable[[Any, Any], Tensor], inputs: Tensor, target: Any) -> Blame:
    """The error of ``model`` on ``inputs``, divided among layers and connections; nothing is changed.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> report = blame(net, nn.MSELoss(), rg.rand(8, 2), rg.rand(8, 1))
    >>> [signal.layer for signal in report.signals]
    ['0', '1', '2']
    >>> len(report.ranking())
    13
    """
    parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
    if not parameters:
        raise GradError(
            "the model has no parameter that requires a gradient", hint="unfreeze one: p.requires_grad_()"
        )
    outputs: list[tuple[str, Tensor]] = []
    handles = []
    for name, part in model.named_modules():
        if not list(part.children()):

            def note(_: Any, __: Any, output: Any, name: str = name) -> None:
                if isinstance(output, Tensor) and output.requires_grad:
                    outputs.append((name or type(model).__name__, output))

            handles.append(part.register_forward_hook(note))
    try:
        value = loss(model(inputs), target)
    finally:
        for handle in handles:
            handle.remove()
    wanted = [*(t for _, t in outputs), *parameters.values()]
    found = grad(value, wanted, allow_unused=True)
    arrays = [
        np.zeros(t.shape) if g is None else g.numpy().astype(np.float64)
        for t, g in zip(wanted, found, strict=True)
    ]
    signals = [
        Signal(name, float(np.sqrt((a.reshape(len(a), -1) ** 2).sum(1)).mean()) if a.ndim and len(a) else 0.0)
        for (name, _), a in zip(outputs, arrays, strict=False)
    ]
    own = arrays[len(outputs) :]
    gradients = {
        n: (p.detach().numpy().astype(np.float64), g)
        for (n, p), g in zip(parameters.items(), own, strict=True)
    }
    return Blame(value.item(), signals, gradients)
