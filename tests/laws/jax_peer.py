"""JAX as a second opinion, in a process of its own.

JAX starts threads as soon as it computes, and warns from then on in every process that forks, as the workers of a
data loader do.  So nobody imports it beside other tests: ``Jax`` starts this file as a program and asks it.  A question
and an answer are a line of JSON each; NumPy is all that the program shares with the test.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from types import SimpleNamespace, TracebackType
from typing import Any

import numpy as np


class Jax:
    """The program, from ``with`` to the end of its block."""

    def __enter__(self) -> Jax:
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.communicate()  # closes its input, which ends it

    def derivatives(self, lines: list[str], arrays: list[np.ndarray]) -> list[list[np.ndarray]]:
        """The gradient of a weighted sum of the expression, and that of a weighted sum of the gradient's sine."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps([lines, [a.tolist() for a in arrays]]) + "\n")
        stdin.flush()
        answer = json.loads(stdout.readline() or '"JAX has ended"')
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return [[np.array(g) for g in found] for found in answer]


def installed() -> bool:
    return importlib.util.find_spec("jax") is not None


def library() -> Any:
    """The names of PyTorch that the expressions for JAX use, made of JAX."""
    import jax

    jnp, nn = jax.numpy, jax.nn

    def along(f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, d, keepdim=False: f(x, axis=d, keepdims=keepdim) if keepdim else f(x, axis=d)

    return SimpleNamespace(
        **{name: getattr(jnp, name) for name in (
            "sin", "cos", "tanh", "exp", "log", "sqrt", "square", "expm1", "log1p", "sinh", "cosh", "sinc", "exp2", "hypot",
            "logaddexp", "abs", "tril", "triu", "einsum", "reshape", "ones", "eye", "float64",
        )},
        neg=jnp.negative, asinh=jnp.arcsinh, atan=jnp.arctan, atan2=jnp.arctan2, pow=jnp.power, reciprocal=jnp.reciprocal,
        rsqrt=jax.lax.rsqrt, erf=jax.lax.erf, erfc=jax.lax.erfc, lgamma=jax.lax.lgamma, digamma=jax.lax.digamma,
        sigmoid=nn.sigmoid, logit=jax.scipy.special.logit, t=jnp.transpose,
        softmax=along(nn.softmax), log_softmax=along(nn.log_softmax), cumsum=along(jnp.cumsum), cumprod=along(jnp.cumprod),
        logcumsumexp=lambda x, d: jax.lax.cumlogsumexp(x, axis=d % x.ndim), flip=lambda x, d: jnp.flip(x, d),
        roll=lambda x, n, d: jnp.roll(x, n, d),
        linalg=SimpleNamespace(det=jnp.linalg.det, inv=jnp.linalg.inv, solve=jnp.linalg.solve, cholesky=jnp.linalg.cholesky,
                               slogdet=jnp.linalg.slogdet, matrix_exp=jax.scipy.linalg.expm),
        nn=SimpleNamespace(functional=SimpleNamespace(
            softplus=nn.softplus, silu=nn.silu, gelu=lambda x: nn.gelu(x, approximate=False), logsigmoid=nn.log_sigmoid)),
    )  # fmt: skip


def answer(lines: list[str], arrays: list[Any], m: Any) -> list[Any]:
    import jax

    def loss(*values: Any) -> Any:
        names: dict[str, Any] = {"m": m, **dict(zip("abc", values, strict=True))}
        exec("\n".join(lines), names)
        value = names[f"v{len(lines) - 1}"]
        return (value.reshape(-1) * np.cos(np.arange(value.size))).sum()

    def of_gradient(*values: Any) -> Any:
        found = jax.grad(loss, argnums=(0, 1, 2))(*values)
        return sum((jax.numpy.sin(g).reshape(-1) * np.cos(np.arange(g.size))).sum() for g in found)

    both = jax.jit(
        lambda *values: tuple(jax.grad(f, argnums=(0, 1, 2))(*values) for f in (loss, of_gradient))
    )
    return [[np.asarray(g).tolist() for g in found] for found in both(*map(np.array, arrays))]


def main() -> None:
    told, sys.stdout = sys.stdout, sys.stderr  # what a library may print is no answer
    m = library()
    for line in sys.stdin:
        try:
            found: Any = answer(*json.loads(line), m)
        except Exception:
            found = traceback.format_exc()
        print(json.dumps(found), file=told, flush=True)


if __name__ == "__main__":
    main()
