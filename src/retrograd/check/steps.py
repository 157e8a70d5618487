"""Watching the steps of a training loop: gradients that were not cleared, and updates that climb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .findings import Finding

CLIMBS, SHARE = 3, 0.8
"""Updates that go up the gradient are reported when so many do, and this share of all: momentum climbs now and then."""


class _Watch:
    """What arrived at each parameter since the last step, beside what lies in its ``.grad``."""

    def __init__(self, parameters: list[tuple[str, Any]]) -> None:
        self.parameters = parameters
        self.arrived: dict[int, Any] = {}
        self.steps = 0
        self.stale: list[str] = []
        self.climbs = 0

    def arrive(self, p: Any, gradient: Any) -> None:
        value = gradient.detach().numpy()
        have = self.arrived.get(id(p))
        self.arrived[id(p)] = value.copy() if have is None else have + value

    def before(self) -> list[Any]:
        """Called before the update: what lies in ``.grad`` must be what arrived."""
        self.steps += 1
        for name, p in self.parameters:
            if p.grad is None or id(p) not in self.arrived:
                continue
            held, new = p.grad.numpy(), self.arrived[id(p)]
            # Clipping makes gradients smaller, never larger and never of the other sign.
            slack = 1e-4 * np.abs(held).max(initial=0)
            larger = (np.abs(held) > np.abs(new) + slack) | ((held * new < 0) & (np.abs(held) > slack))
            if larger.any() and name not in self.stale:
                self.stale.append(name)
        return [p.detach().numpy().copy() for _, p in self.parameters]

    def after(self, before: list[Any]) -> None:
        """Called after the update: to first order, the loss has changed by Σ gradient·change."""
        rise = 0.0
        for (_, p), old in zip(self.parameters, before, strict=True):
            if id(p) in self.arrived:
                rise += float(np.sum(self.arrived[id(p)] * (p.detach().numpy() - old), dtype=np.float64))
        self.climbs += rise > 0
        self.arrived.clear()

    def findings(self) -> list[Finding]:
        out = []
        if self.stale:
            out.append(
                Finding(
                    "gradients not cleared",
                    f"parameter {self.stale[0]}"
                    + (f" and {len(self.stale) - 1} more" if self.stale[1:] else ""),
                    "its .grad holds more than this step's backward brought: gradients of earlier steps are added up",
                    "call optimizer.zero_grad() before every backward()",
                )
            )
        if self.climbs >= CLIMBS and self.climbs >= SHARE * self.steps:
            out.append(
                Finding(
                    "sign flip",
                    "the update",
                    f"{self.climbs} of {self.steps} updates went up the gradient, where the loss grows",
                    "an update subtracts: p -= lr * p.grad; and the loss is minimised, so it must not be negated",
                )
            )
        return out


@contextmanager
def watch(model: Any, optimizer: Any) -> Iterator[list[Finding]]:
    """Watch the training steps inside the block; the list is filled when it ends.

    >>> import retrograd as rg
    >>> from retrograd import nn, optim
    >>> net = nn.Linear(2, 1)
    >>> optimizer = optim.SGD(net.parameters(), lr=0.01)
    >>> with watch(net, optimizer) as findings:
    ...     for _ in range(3):
    ...         net(rg.rand(4, 2)).pow(2).mean().backward()   # zero_grad() is missing
    ...         optimizer.step()
    >>> [finding.code for finding in findings]
    ['gradients not cleared']
    """
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    seen = _Watch(named)
    hooks = [p.register_hook(lambda g, p=p: seen.arrive(p, g)) for _, p in named]
    step = optimizer.step

    def watched(*args: Any, **kwargs: Any) -> Any:
        before = seen.before()
        try:
            return step(*args, **kwargs)
        finally:
            seen.after(before)

    optimizer.step = watched
    findings: list[Finding] = []
    try:
        yield findings
    finally:
        for hook in hooks:
            hook.remove()
        del optimizer.step  # the method of its class shows again
        findings += seen.findings()
