"""Expressions made at random out of public functions, as lines of Python that Retrograd, PyTorch and JAX can run.

Three inputs a (2, 3), b (3,) and c (3, 3) go in; each line makes a new value of those before it, most often of the last
one, so that the graph is as deep as it is long.  All values stay of order one, and nothing comes near a pole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

SMOOTH = [
    "m.sin({x})", "m.cos({x})", "m.tanh({x})", "m.sigmoid({x})", "m.exp({x} * 0.3)", "m.log({x} * {x} + 1)",
    "m.sqrt({x} * {x} + 0.5)", "m.square({x})", "m.erf({x})", "m.atan({x})", "m.expm1({x} * 0.2)",
    "m.log1p({x} * {x})", "m.sinh({x} * 0.3)", "m.cosh({x} * 0.3)", "m.asinh({x})", "m.rsqrt({x} * {x} + 1)",
    "m.reciprocal({x} * {x} + 1)", "m.lgamma({x} * {x} + 1)", "m.digamma({x} * {x} + 1)", "m.sinc({x})",
    "m.exp2({x} * 0.3)", "m.erfc({x})", "m.logit(m.sigmoid({x}) * 0.8 + 0.1)", "m.pow({x} * {x} + 1, 1.3)",
    "m.nn.functional.softplus({x})", "m.nn.functional.silu({x})", "m.nn.functional.gelu({x})",
    "m.nn.functional.logsigmoid({x})", "m.neg({x})", "m.special.expit({x})", "m.special.i0({x} * 0.3)",
]  # fmt: skip
KINKED = [
    "m.abs({x})", "m.relu({x})", "m.clamp({x}, -0.5, 0.7)", "m.nn.functional.leaky_relu({x}, 0.1)",
    "m.nn.functional.elu({x})", "m.nn.functional.hardtanh({x})",
]  # fmt: skip
ALONG = [
    "m.softmax({x}, {d})", "m.log_softmax({x}, {d})", "m.cumsum({x}, {d})", "m.cumprod({x} * 0.5 + 1, {d})",
    "m.flip({x}, ({d},))", "m.roll({x}, 1, {d})", "m.logcumsumexp({x}, {d})", "m.cat([{x}, {x} * 0.5], {d})",
    "m.sum({x}, {d}, keepdim=True) + {x}", "m.mean({x}, {d}, keepdim=True) * {x}",
    "m.logsumexp({x}, {d}, keepdim=True) - {x}", "m.var({x}, {d}, keepdim=True) + {x}",
    "m.linalg.vector_norm({x} + 2, dim={d}, keepdim=True) * {x}", "m.prod({x} * 0.3 + 1, {d}, keepdim=True) * {x}",
    "m.index_select({x}, {d}, m.tensor([1, 0, 1]))", "m.movedim({x}, {d}, 0)", "m.diff({x}, dim={d})",
    "m.narrow({x}, {d}, 1, 1) * {x}", "m.nn.functional.normalize({x} + 2, dim={d})",
]  # fmt: skip
KINKED_ALONG = [
    "m.amax({x}, {d}, keepdim=True) - {x}", "m.amin({x}, {d}, keepdim=True) * {x}", "m.sort({x}, {d})[0]",
    "m.max({x}, {d}, keepdim=True)[0] + {x}", "m.topk({x}, 2, {d})[0]", "m.cummax({x}, {d})[0]",
]  # fmt: skip
MATRIX = [
    "m.tril({x})", "m.triu({x})", "m.t({x}) @ {x}", "{x} @ m.t({x}) * 0.5", "m.einsum('ij,kj->ik', {x}, {x})",
    "m.cov({x})", "m.kron({x}, m.ones(1, 2, dtype=m.float64))", "m.nn.functional.pad({x}, (1, 0))",
    "m.outer(m.sum({x}, 0), m.sum({x}, 1))", "m.rot90({x})", "m.diagonal({x})",
    "m.nn.functional.layer_norm({x}, ({x}.shape[-1],))", "m.addmm({x} @ m.t({x}), {x}, m.t({x}))",
    "m.tensordot({x}, {x}, 2) + {x}", "m.cdist({x}, {x} * 0.5 + 2)",
]  # fmt: skip
SQUARE = [
    "m.linalg.det({p}) * {x} * 0.3", "m.linalg.inv({p})", "m.linalg.solve({p}, {x})", "m.linalg.cholesky({p})",
    "m.linalg.slogdet({p})[1] + {x}", "m.linalg.matrix_exp({x} * 0.2)", "m.linalg.eigvalsh({p})", "m.linalg.pinv({p})",
    "m.linalg.matrix_power({x} * 0.5, 3)", "m.linalg.qr({p})[1]", "m.linalg.svdvals({p})", "m.trace({x}) * {x}",
]  # fmt: skip
BINARY = [
    "{x} + {y}", "{x} - {y}", "{x} * {y}", "{x} / ({y} * {y} + 1)", "m.atan2({x}, {y} * {y} + 1)",
    "m.hypot({x} + 2, {y})", "m.pow({x} * {x} + 1, m.tanh({y}))", "m.logaddexp({x}, {y})",
    "m.lerp({x} + 0 * {y}, {y} + 0 * {x}, 0.3)",
    "m.xlogy({x}, {y} * {y} + 1)", "m.addcmul({x}, {y}, {y}, value=0.3)", "m.where(m.tensor(True), {x}, {y})",
]  # fmt: skip
KINKED_BINARY = ["m.maximum({x}, {y})", "m.minimum({x}, {y})", "m.where({x} > {y}, {x}, {y} * 0.5)"]
JAX = {
    *SMOOTH[:28], *ALONG[:7], *MATRIX[:4], *SQUARE[:6], *BINARY[:8],
}  # fmt: skip
"""What JAX is asked about, too."""


def inputs(seed: int) -> list[np.ndarray]:
    r = np.random.default_rng(seed)
    return [r.uniform(-1.2, 1.2, shape) for shape in ((2, 3), (3,), (3, 3))]


def run(m: Any, lines: list[str], values: list[Any]) -> Any:
    """The last value of the expression."""
    names: dict[str, Any] = {"m": m, **dict(zip("abc", values, strict=True))}
    exec("\n".join(lines), names)
    return names[f"v{len(lines) - 1}"]


@st.composite
def expressions(draw: st.DrawFn, *, kinks: bool = False, jax: bool = False) -> tuple[list[str], int]:
    """Lines ``v0 = ...``, ``v1 = ...``, and the seed of the inputs."""

    def chosen(pool: list[str]) -> list[str]:
        return [form for form in pool if form in JAX] if jax else pool

    unary = chosen(SMOOTH) + (KINKED if kinks else [])
    along = chosen(ALONG) + (KINKED_ALONG if kinks else [])
    binary = chosen(BINARY) + (KINKED_BINARY if kinks else [])
    seed = draw(st.integers(0, 1000))
    names: dict[str, Any] = {"m": torch}
    names |= {k: torch.tensor(v) for k, v in zip("abc", inputs(seed), strict=True)}
    lines: list[str] = []
    for k in range(draw(st.integers(3, 12))):
        known = [n for n in names if n in "abc" or n[0] == "v"]
        x = f"v{k - 1}" if k and draw(st.integers(0, 4)) else draw(st.sampled_from(known))
        t = names[x]
        pools = [unary, unary, binary, binary]
        if t.ndim and min(t.shape) > 1:
            pools += [along, along]
        if t.ndim == 2:
            pools.append(chosen(MATRIX))
            if t.shape[0] == t.shape[1] > 1:
                pools += [chosen(SQUARE)] * 2
        form = draw(st.sampled_from(draw(st.sampled_from(pools))))
        y = draw(st.sampled_from(known))
        d = draw(st.integers(-t.ndim, t.ndim - 1)) if t.ndim else 0
        positive = f"({x} @ m.t({x}) * 0.2 + m.eye({t.shape[0] if t.ndim else 1}, dtype=m.float64))"
        body = form.format(x=x, y=y, d=d, p=positive)
        if fits(body, names):
            lines.append(f"v{len(lines)} = {body}")
            exec(lines[-1], names)
        else:
            lines.append(f"v{len(lines)} = m.tanh({x})")
            exec(lines[-1], names)
    return lines, seed


def fits(body: str, names: dict[str, Any]) -> bool:
    """Shapes fit, the result is small in number and in size, and it is of order one."""
    try:
        value = eval(body, names)
    except (RuntimeError, IndexError):
        return False
    return 0 < value.numel() <= 40 and value.ndim <= 3 and bool(value.abs().max() < 10)
