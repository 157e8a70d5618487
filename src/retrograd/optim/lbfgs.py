"""L-BFGS: Newton's direction from the last few gradients, for whole batches and small nets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..errors import TraceError, UsageError
from ..functions.create import zeros
from ..functions.shape import cat
from ..modes import enable_grad, no_grad
from ..op import context
from ..tensor import Tensor
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer
from .options import number


class LBFGS(Optimizer):
    """w ← w - t·H·g, where H is the inverse of the curvature that the last ``history_size`` changes of g show.

    ``step(closure)`` does up to ``max_iter`` such steps; the closure clears the gradients, computes the loss, calls
    ``backward`` and returns the loss.  ``line_search_fn="strong_wolfe"`` looks for t by evaluating the closure, up to
    ``max_eval`` times a call (default 1.25·max_iter); without it t is ``lr`` (at the first step lr/Σ|g|, if smaller).
    It stops where max|g| <= ``tolerance_grad``, or loss and weights change by less than ``tolerance_change``.
    One group of parameters only.  How far it goes depends on values, so it runs eagerly and cannot be traced.

    Nocedal, Math. Comp. 1980; Liu and Nocedal, Math. Prog. 1989.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 2 * rg.tensor([1.0, 10.0])).sum()
    ...     loss.backward()
    ...     return loss
    >>> round(optimizer.step(closure).item(), 4), [round(v, 4) for v in w.tolist()]
    (254.0, [3.0, 3.0])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise UsageError(
                f"LBFGS: line_search_fn is None or 'strong_wolfe', not {line_search_fn!r}",
                hint="line_search_fn='strong_wolfe'",
            )
        super().__init__(
            params,
            {
                "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
                "history_size": history_size, "line_search_fn": line_search_fn,
            },
        )  # fmt: skip
        if len(self.param_groups) != 1:
            raise UsageError(
                f"LBFGS takes one group of parameters, got {len(self.param_groups)}: all share one direction",
                hint="LBFGS(model.parameters())",
            )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to ``max_iter`` steps; returns the loss before the first."""
        if context.tracer is not None:
            raise TraceError(
                "LBFGS cannot be traced: how many steps it takes, and how far they go, depends on values",
                hint="call optimizer.step(closure) outside the traced function, or train with optim.Adam there",
            )
        if closure is None:
            raise UsageError(
                "LBFGS.step needs a closure, for it evaluates the loss several times",
                hint="def closure(): optimizer.zero_grad(); loss = ...; loss.backward(); return loss",
            )
        with no_grad():
            return self._minimize(enable_grad()(closure))

    def _minimize(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        lr, state = float(number(group["lr"])), self.state[group["params"][0]]
        tolerance, smallest_change = group["tolerance_grad"], group["tolerance_change"]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss, gradient = float(first_loss), self._gradient()
        state["func_evals"] += 1
        evaluations = 1
        if _largest(gradient) <= tolerance:
            return first_loss
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                state.update(d=-gradient, old_dirs=[], old_stps=[], ro=[], H_diag=1)
            else:
                self._remember(state, gradient, group["history_size"])
                state["d"] = _direction(state, gradient)
            direction = state["d"]
            state["prev_flat_grad"], state["prev_loss"] = gradient.clone(), loss
            state["t"] = min(1.0, 1.0 / gradient.abs().sum().item()) * lr if state["n_iter"] == 1 else lr
            slope = _dot(gradient, direction)
            if slope > -smallest_change:
                break
            used = 0
            if group["line_search_fn"] is not None:
                here = Point(0.0, loss, slope, gradient)
                found, used = strong_wolfe(
                    self._along(closure, direction), here, state["t"], _largest(direction),
                    max_evaluations=group["max_eval"] - evaluations, tolerance=smallest_change,
                )  # fmt: skip
                loss, gradient, state["t"] = found.loss, found.gradient, found.at
                self._move(state["t"], direction)
            else:
                self._move(state["t"], direction)
                if iteration < group["max_iter"]:  # after the last step nobody asks
                    loss, gradient, used = float(closure()), self._gradient(), 1
            evaluations += used
            state["func_evals"] += used
            if (
                evaluations >= group["max_eval"]
                or _largest(gradient) <= tolerance
                or _largest(direction) * abs(state["t"]) <= smallest_change
                or abs(loss - state["prev_loss"]) < smallest_change
            ):
                break
        return first_loss

    @staticmethod
    def _remember(state: dict[str, Any], gradient: Tensor, most: int) -> None:
        """Add the last step and the change of the gradient to the history, if the curvature between them is positive."""
        change, step = gradient - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = change.dot(step)
        if curvature.item() <= 1e-10:
            return
        history = (state["old_dirs"], state["old_stps"], state["ro"])
        if len(state["old_dirs"]) == most:
            for values in history:
                values.pop(0)
        for values, new in zip(history, (change, step, 1.0 / curvature), strict=True):
            values.append(new)
        state["H_diag"] = curvature / change.dot(change)

    def _along(self, closure: Callable[[], Any], direction: Tensor) -> Callable[[float], Point]:
        """Loss and slope at a distance along ``direction`` from where the parameters are now, and stay."""
        members = self.param_groups[0]["params"]
        start = [p.clone() for p in members]

        def evaluate(at: float) -> Point:
            self._move(at, direction)
            loss, gradient = float(closure()), self._gradient()
            for p, before in zip(members, start, strict=True):
                p.copy_(before)
            return Point(at, loss, _dot(gradient, direction), gradient)

        return evaluate

    def _move(self, by: float, direction: Tensor) -> None:
        done = 0
        for p in self.param_groups[0]["params"]:
            p.add_(direction[done : done + p.numel()].reshape(p.shape), alpha=by)
            done += p.numel()

    def _gradient(self) -> Tensor:
        """All gradients as one vector."""
        return cat(
            [
                zeros(p.numel(), dtype=p.dtype) if p.grad is None else p.grad.detach().reshape(-1)
                for p in self.param_groups[0]["params"]
            ]
        )


def _direction(state: dict[str, Any], gradient: Tensor) -> Tensor:
    """-H·g by the two loops over the history (Nocedal and Wright, algorithm 7.4)."""
    pairs = list(zip(state["old_dirs"], state["old_stps"], state["ro"], strict=True))
    q, weights = -gradient, []
    for change, step, inverse in reversed(pairs):
        weights.append((step.dot(q) * inverse).item())
        q.add_(change, alpha=-weights[-1])
    q = q * state["H_diag"]
    for (change, step, inverse), weight in zip(pairs, reversed(weights), strict=True):
        q.add_(step, alpha=weight - (change.dot(q) * inverse).item())
    return q


def _largest(x: Tensor) -> float:
    return x.abs().max().item()


def _dot(a: Tensor, b: Tensor) -> float:
    return a.dot(b).item()
