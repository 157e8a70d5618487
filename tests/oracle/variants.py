"""Where PyTorch's own tests do not call a function on its sample as it stands, and how they call it instead.

Its list names some small programs by the function in their middle; it tests derivatives of functions that read one
triangle of a matrix behind a step that makes the matrix symmetric or triangular (`gradcheck_wrapper`: elsewhere its
derivative is not that of the function); and it reads vectors that are unique only up to their sign through a function
that forgets the sign (`output_process_fn_grad`).  The keys are ``name`` or ``name.variant``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import retrograd as rg

PROGRAMS: dict[str, Callable[..., Any]] = {
    "einsum": lambda tensors, equation: rg.einsum(equation, tensors),
    "linalg.lstsq.grad_oriented": lambda a, b, driver: rg.linalg.lstsq(a, b, driver=driver)[:2],
    "linalg.pinv.singular": lambda a, b: rg.linalg.pinv(a @ b.mT),
}
"""What the list calls by the name of a function, written with ours."""


def symmetric(f: Callable[..., Any], x: Any, *args: Any, **kwargs: Any) -> Any:
    return f(x + x.mT, *args, **kwargs)


def triangular_first(f: Callable[..., Any], x: Any, *args: Any, upper: bool = False, **kwargs: Any) -> Any:
    return f(x.triu() if upper else x.tril(), *args, upper=upper, **kwargs)


def triangular_second(
    f: Callable[..., Any], x: Any, y: Any, *args: Any, upper: bool = False, **kwargs: Any
) -> Any:
    return f(x, y.triu() if upper else y.tril(), *args, upper=upper, **kwargs)


DERIVATIVES_BEHIND: dict[str, Callable[..., Any]] = {
    "cholesky": symmetric,
    "cholesky_inverse": triangular_first,
    "cholesky_solve": triangular_second,
    "linalg.cholesky": symmetric,
    "linalg.cholesky_ex": symmetric,
    "linalg.eigh": symmetric,
    "linalg.eigvalsh": symmetric,
    "linalg.pinv.hermitian": symmetric,
}
"""The step in front of the function where derivatives are compared."""

UP_TO_SIGN = {"linalg.eigh", "linalg.svd", "svd"}
"""Functions whose vectors may be turned round: values are read as PyTorch's tests read them."""


def key(op: Any, name: str) -> str:
    """``name``, with the variant of PyTorch's list if there is one."""
    variant = getattr(op, "variant_test_name", "")
    return f"{name}.{variant}" if variant else name
