"""Values out of tensors, and tensors of other dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import inplace as i
from .device import device
from .errors import DTypeError, GradError, ShapeError, TraceError
from .functions import create as c
from .functions import elementwise as e
from .op import context
from .printing import text
from .types import DType, bool_, float32, float64, get_default_dtype, int32, int64, uint8

if TYPE_CHECKING:
    from .tensor import Tensor


_TYPES = {
    float32: "FloatTensor", float64: "DoubleTensor", int32: "IntTensor", int64: "LongTensor", uint8: "ByteTensor",
    bool_: "BoolTensor",
}  # fmt: skip
_DEVICES = ("cpu", "cuda", "mps", "xla", "meta", "xpu", "hpu", "ipu", "mtia", "privateuseone")


def _device(name: Any) -> device:
    return name if isinstance(name, device) else device(name)


class Conversions:
    """What turns a tensor into NumPy arrays, Python numbers, text, and tensors of other dtypes."""

    if TYPE_CHECKING:  # what the Tensor has
        _value: Any
        _type: Any
        _node: Any
        _requires: bool
        _parent: Any
        _stamp: int
        _base: Any

        @property
        def shape(self) -> tuple[int, ...]: ...
        @property
        def dtype(self) -> DType: ...
        @property
        def ndim(self) -> int: ...
        @property
        def requires_grad(self) -> bool: ...
        @property
        def grad_fn(self) -> Any: ...
        def numel(self) -> int: ...

    def numpy(self) -> np.ndarray[Any, Any]:
        """The NumPy array, sharing memory."""
        if self.requires_grad and context.grad_enabled:
            raise GradError(
                "numpy() of a tensor that requires a gradient would cut it off silently",
                hint="use .detach().numpy()",
            )
        return self._concrete("numpy()")

    def _concrete(self, what: str) -> np.ndarray[Any, Any]:
        if not isinstance(self._value, np.ndarray):
            raise TraceError(
                f"{what} needs the value of a tensor, but the function is being traced: there is no value yet",
                hint="use retrograd.where(condition, a, b) instead of `if`, or compute this outside the traced function",
            )
        if self._parent is not None and self._stamp != self._base._edits:
            i.refresh(self)
        return self._value

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.numel() != 1:
            raise ShapeError(
                f"item() of a tensor of shape {self.shape}", hint="use .tolist(), or reduce it first"
            )
        return self._concrete("item()").item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self._concrete("tolist()").tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.numpy()
        return (
            array.astype(dtype)
            if dtype is not None and array.dtype != dtype
            else (array.copy() if copy else array)
        )

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.numpy().__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self.numpy().__dlpack_device__()

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """NumPy's functions of a tensor give a tensor, as in PyTorch; no gradient passes."""
        return c.tensor(np.asarray(array))

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise ShapeError(
                f"the truth of a tensor of shape {self.shape} is ambiguous", hint="use .any() or .all()"
            )
        return bool(self._concrete("`if`, `while`, `and`, `or` or bool()"))

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.is_floating_point:
            raise DTypeError(
                f"only integer tensors can serve as an index, not {self.dtype!r}", hint="use int(x)"
            )
        return int(self.item())

    def __format__(self, spec: str) -> str:
        if self.ndim == 0 and isinstance(self._value, np.ndarray):
            return format(self.item(), spec)
        return format(self.item(), spec) if self.numel() == 1 and spec else str(self)

    def __repr__(self) -> str:
        if not isinstance(self._value, np.ndarray):
            return f"tensor({'traced' if not hasattr(self._value, 'tensor') else 'batched'} {self._type!r})"
        usual = (int64, bool_) if self.numel() else ()
        notes = [] if self.dtype in (*usual, get_default_dtype()) else [f"dtype={self.dtype!r}"]
        if self.grad_fn is not None:
            notes.append(f"grad_fn=<{self._node.op.__name__}Backward>")
        elif self._requires:
            notes.append("requires_grad=True")
        return text(self._concrete("repr"), notes)

    def to(
        self,
        *args: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: bool = False,
        copy: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        """Another dtype, given by name or by a tensor that has it; the only device is the CPU.

        ``x.to(dtype)``, ``x.to(device, dtype)``, ``x.to(other)``.  ``copy``: a new tensor even where nothing changes.
        """
        for a in args:
            if hasattr(a, "_type"):
                dtype = a.dtype
            elif isinstance(a, bool) or a is None:
                continue
            elif isinstance(a, str) and a.partition(":")[0] in _DEVICES:
                device = a
            else:
                dtype = a
        if device is not None:
            _device(device)
        out: Any = self if dtype is None else e.to_dtype(self, dtype)
        return out.clone() if copy and out is self else out

    def type(self, dtype: Any = None) -> Any:
        """The name of the tensor's type, such as ``retrograd.FloatTensor``, or a tensor of another type or dtype."""
        if dtype is None:
            return f"retrograd.{_TYPES[self.dtype]}"
        if isinstance(dtype, str):
            plain = dtype.rpartition(".")[2]
            dtype = next((kind for kind, name in _TYPES.items() if name == plain), dtype)
        return self.to(getattr(dtype, "makes", dtype))

    def type_as(self, other: Tensor) -> Tensor:
        return self.to(other.dtype)

    def float(self) -> Tensor:
        return e.to_dtype(self, float32)

    def half(self) -> Tensor:
        """Refused: float16 does not exist here."""
        raise DTypeError("float16 does not exist here", hint="use .float()")

    bfloat16 = half

    def double(self) -> Tensor:
        return e.to_dtype(self, float64)

    def int(self) -> Tensor:
        return e.to_dtype(self, int32)

    def long(self) -> Tensor:
        return e.to_dtype(self, int64)

    def byte(self) -> Tensor:
        return e.to_dtype(self, uint8)

    def bool(self) -> Tensor:
        return e.to_dtype(self, bool_)

    def cpu(self) -> Any:
        return self

    def cuda(self, device: Any = "cuda", *_: Any, **__: Any) -> Tensor:
        """Refused: the only device is the CPU."""
        _device("cuda")
        raise AssertionError

    def clone(self, *, memory_format: Any = None) -> Tensor:
        """A copy with its own memory; the gradient passes through."""
        # x - 0 is x for every x (x + 0 would lose the sign of -0), and its rule saves nothing, so x may change afterwards.
        return e.sub(self, 0) if self.dtype is not bool_ else e.bitwise_or(self, False)

    def contiguous(self, *, memory_format: Any = None) -> Any:
        """This tensor, or a copy in row-major order."""
        if not isinstance(self._value, np.ndarray) or self._value.flags.c_contiguous:
            return self
        out = self.clone()
        out._value = np.ascontiguousarray(out._value)  # a clone keeps the order in memory, as in PyTorch
        return out

    def new_tensor(
        self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Tensor:
        """A copy of ``data`` in the dtype of this tensor."""
        return c.tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_zeros(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        **_: Any,
    ) -> Tensor:
        """Zeros of these sizes in the dtype of this tensor."""
        shape = sizes if size is None else (size,)
        return c.zeros(*shape, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    new_empty = new_zeros

    def new_ones(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        **_: Any,
    ) -> Tensor:
        """Ones of these sizes in the dtype of this tensor."""
        shape = sizes if size is None else (size,)
        return c.ones(*shape, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_full(
        self,
        size: Any,
        fill_value: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        **_: Any,
    ) -> Tensor:
        """``fill_value`` everywhere, in the dtype of this tensor."""
        return c.full(size, fill_value, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)
