"""Further names of arguments, and older orders of them, that PyTorch's functions take beside those of their signature.

Applied where functions are handed to users (`retrograd`, `Tensor`, `linalg`, `special`), so that calls inside cost nothing.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import UsageError
from .return_types import RETURNED, ValuesIndices

NUMPY = {"axis": "dim", "keepdims": "keepdim"}
"""NumPy's names, for whatever has the argument."""

_PIECES: dict[str, str] = dict.fromkeys(
    ("indices", "sections", "tensor_indices_or_sections"), "indices_or_sections"
)

OTHER: dict[str, dict[str, str]] = {
    "broadcast_to": {"size": "shape"},
    "cholesky_inverse": {"input": "L"},
    "cholesky_solve": {"input2": "L"},
    "copy": {"other": "src"},
    "det": {"A": "input"},
    "dot": {"other": "tensor"},
    "dsplit": _PIECES,
    "hsplit": _PIECES,
    "isin": {"element": "elements", "test_element": "test_elements"},
    "lstsq": {"input": "A", "b": "B"},
    "lu_solve": {"input": "b"},
    "householder_product": {"input2": "tau"},
    "ormqr": {"input2": "tau", "input3": "other"},
    "random": {"from": "from_"},
    "result_type": {"tensor": "tensor1", "scalar": "tensor2", "scalar1": "tensor1", "scalar2": "tensor2", "other": "tensor2"},
    "slogdet": {"A": "input"},
    "split": {"input": "tensor"},
    "tensor_split": _PIECES,
    "tensorsolve": {"input": "A", "other": "B"},
    "transpose": {"axis0": "dim0", "axis1": "dim1"},
    "triangular_solve": {"input": "b"},
    "uniform": {"from": "from_"},
    "vsplit": _PIECES,
}  # fmt: skip
"""By the function's name, what else PyTorch calls an argument: in its documentation or in its parser."""
_MATRIX = {
    "cholesky_ex",
    "cond",
    "eigh",
    "eigvalsh",
    "linalg_cholesky",
    "matrix_norm",
    "matrix_rank",
    "norm",
    "pinv",
}
OTHER |= {name: {"input": "A"} for name in _MATRIX | {"solve_triangular", "tensorinv"}}
_SHIFTED = {f"chebyshev_polynomial_{kind}" for kind in "tuvw"}
_PLAIN = {"hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p"}
OTHER |= {name: {"x": "input"} for name in _SHIFTED | _PLAIN | {f"shifted_{name}" for name in _SHIFTED}}

NUMBER_SECOND = {"addcdiv", "addcmul"}
"""f(input, value, tensor1, tensor2) for f(input, tensor1, tensor2, value=value)."""
NUMBERS_BEFORE = {"addbmm", "addmm", "addmv", "addr", "baddbmm"}
"""f(beta, input, alpha, a, b) and f(beta, input, a, b) for f(input, a, b, beta=beta, alpha=alpha)."""


def older(name: str, shown: str, operand: Any = None) -> Any:
    """Say that an order of arguments is an older one; the operand that came last in it."""
    warnings.warn(f"{name}: this order of arguments is deprecated; hint: {shown}", UserWarning, stacklevel=4)
    return operand


def _newer(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of an older order in the present one."""
    plain = name.rstrip("_")
    if plain in NUMBER_SECOND and len(args) == 4:
        older(name, f"{name}(input, tensor1, tensor2, value=...)")
        return (args[0], *args[2:]), {"value": args[1], **kwargs}
    if plain in NUMBERS_BEFORE and len(args) > 3:
        older(name, f"{name}(input, a, b, beta=..., alpha=...)")
        if hasattr(args[0], "_type"):  # a method: x.f(beta, alpha, a, b) or x.f(beta, a, b)
            numbers = {"beta": args[1]} | ({"alpha": args[2]} if len(args) == 5 else {})
            return (args[0], *args[-2:]), numbers | kwargs
        numbers = {"beta": args[0]} | ({"alpha": args[2]} if len(args) == 5 else {})
        return (args[1], *args[-2:]), numbers | kwargs
    return args, kwargs


@functools.cache
def widened(fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` with the further names and orders; itself where there are none.

    ``out=None`` is ignored: NumPy passes it when its own function, such as `numpy.sum`, is given a tensor.
    """
    code = inspect.unwrap(fn).__code__  # quicker than a signature: hundreds of functions are asked at import
    named = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    name = fn.__name__
    plain = name.rstrip("_")
    also = {k: v for k, v in {**NUMPY, **OTHER.get(plain, {})}.items() if v in named and k not in named}
    reordered = plain in NUMBER_SECOND | NUMBERS_BEFORE
    made = RETURNED.get(name)
    if not also and not reordered:
        return fn

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for k in also.keys() & kwargs.keys():
                if also[k] not in kwargs:
                    kwargs[also[k]] = kwargs.pop(k)
            if "out" in kwargs and kwargs["out"] is None:
                del kwargs["out"]
        if reordered:
            args, kwargs = _newer(name, args, kwargs)
        result = fn(*args, **kwargs)
        return made(*result) if made is not None and type(result) is ValuesIndices else result

    call.also = also  # type: ignore[attr-defined]
    return call


IN_A_TUPLE = {"flip": "dims", "permute": "dims", "reshape": "shape", "tile": "dims"}
"""Functions whose numbers stand in a tuple; only the methods of the same name take them one by one."""


def in_a_tuple(namespace: dict[str, Any]) -> None:
    """Put forms that insist on the tuple in the place of a module's functions, as PyTorch does."""
    for name, argument in IN_A_TUPLE.items():
        namespace[name] = _tupled(namespace[name], argument)


def _tupled(fn: Callable[..., Any], argument: str) -> Callable[..., Any]:
    @functools.wraps(fn)
    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        given = (*args, kwargs[argument]) if argument in kwargs else args
        if given and not (len(given) == 1 and isinstance(given[0], tuple | list)):
            listed = ", ".join(map(str, given)) + ("," if len(given) == 1 else "")
            raise UsageError(
                f"{fn.__name__} takes its {argument} in a tuple", hint=f"{fn.__name__}(x, ({listed}))"
            )
        return fn(input, *args, **kwargs)

    return call


def widen(namespace: Any, names: Iterable[str]) -> None:
    """Put the widened functions in the place of those of a module's globals or of a class."""
    held = namespace if isinstance(namespace, dict) else vars(namespace)
    for name in names:
        fn = held.get(name)
        if inspect.isfunction(fn) and (wide := widened(fn)) is not fn:
            namespace.__setitem__(name, wide) if held is namespace else setattr(namespace, name, wide)
