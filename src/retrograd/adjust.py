"""What the gradient asks for, in words, and how large an update was beside the error that caused it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .errors import GradError

__all__ = ["Update", "suggestions", "watch_update"]


def suggestions(model: Any, lr: float, top: int = 5) -> list[str]:
    """What plain gradient descent at rate ``lr`` would do to the ``top`` parameters with the steepest slope, in words.

    Reads the gradients that `backward` left; changes nothing.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> neuron = nn.Linear(1, 1, bias=False)
    >>> _ = nn.init.constant_(neuron.weight, 3.0)
    >>> (neuron(rg.tensor([[2.0]])) - 4).pow(2).sum().backward()
    >>> suggestions(neuron, lr=0.01)
    ['lower weight[0, 0] by 0.08: the loss rises by 8 for each unit that it grows']
    """
    entries: list[tuple[float, str, tuple[int, ...]]] = []
    for name, p in model.named_parameters():
        if p.grad is None:
            continue
        g = p.grad.numpy()
        for at in np.argsort(-np.abs(g), axis=None, kind="stable")[:top]:
            index = tuple(int(i) for i in np.unravel_index(int(at), g.shape))
            entries.append((float(g[index]), name, index))
    if not entries:
        raise GradError("no parameter has a gradient yet", hint="call loss.backward() first")
    entries.sort(key=lambda entry: -abs(entry[0]))
    return [_in_words(g, name, index, lr) for g, name, index in entries[:top]]


def _in_words(g: float, name: str, index: tuple[int, ...], lr: float) -> str:
    place = f"{name}[{', '.join(map(str, index))}]"
    if g == 0:
        return f"leave {place}: the loss does not depend on it here"
    verb, moves = ("lower", "rises") if g > 0 else ("raise", "falls")
    return (
        f"{verb} {place} by {lr * abs(g):.4g}: the loss {moves} by {abs(g):.4g} for each unit that it grows"
    )


class Update(NamedTuple):
    """One step: the loss before it, the length of the gradient, and the length of the change of each parameter."""

    loss: float
    gradient: float
    changes: dict[str, float]

    @property
    def change(self) -> float:
        """Length of the whole change: √Σ of squares."""
        return float(np.sqrt(sum(c * c for c in self.changes.values())))

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {c:.4g}" for name, c in self.changes.items())
        return f"error {self.loss:.6g}, gradient {self.gradient:.4g}, change {self.change:.4g} ({parts})"


def watch_update(model: Any, step: Callable[[], Any]) -> Update:
    """Run ``step`` (backward and update; it returns the loss) and report the size of the change beside the error.

    >>> from retrograd import nn, optim
    >>> import retrograd as rg
    >>> neuron = nn.Linear(1, 1, bias=False)
    >>> _ = nn.init.constant_(neuron.weight, 3.0)
    >>> optimizer = optim.SGD(neuron.parameters(), lr=0.01)
    >>> def step():
    ...     loss = (neuron(rg.tensor([[2.0]])) - 4).pow(2).sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> print(watch_update(neuron, step))
    error 4, gradient 8, change 0.08 (weight 0.08)
    """
    before = {name: p.detach().numpy().copy() for name, p in model.named_parameters()}
    loss = step()
    squares, changes = 0.0, {}
    for name, p in model.named_parameters():
        changes[name] = float(np.linalg.norm(p.detach().numpy().astype(np.float64) - before[name]))
        if p.grad is not None:
            squares += float(np.sum(p.grad.numpy().astype(np.float64) ** 2))
    return Update(float(loss), float(np.sqrt(squares)), changes)
