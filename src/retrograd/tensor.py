"""The Tensor: a value (a NumPy array) or, while a function is traced, a variable of its graph.

A tensor knows its type (shape and dtype), the node that made it if a gradient is recorded, and, for views, the tensor it
looks into.  It has no mathematics of its own: its methods are the functions of ``functions/`` and ``inplace.py``.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import inplace as i
from .backward import backward
from .errors import DTypeError, GradError, ShapeError, TraceError
from .functions import create as c
from .functions import elementwise as e
from .functions import index as ix
from .functions import linalg as la
from .functions import shape as s
from .grad import Node
from .methods import Methods
from .op import context, make_tensor
from .types import DType, TensorType, bool_, float32, float64, int32, int64, size, uint8


class Tensor(Methods):
    """A multi-dimensional array that can be differentiated; PyTorch's names and semantics.

    >>> import retrograd as rg
    >>> x = rg.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    _value: Any
    _type: TensorType
    _version: list[int]
    _node: Node | None = None
    _slot: int = 0
    _requires: bool = False
    _parent: Tensor | None = None
    _base: Any = None
    _replay: Any = None
    _owner: Tensor | None = None
    _edits: int = 0
    _stamp: int = 0
    _hooks: list[Callable[[Tensor], Any]] | None = None
    _retains: bool = False
    _why: str = ""
    _gradient: Tensor | None = None
    __array_priority__ = 1000

    def __init__(self, data: Any = (), *, requires_grad: bool = False) -> None:
        source = (
            data
            if isinstance(data, Tensor)
            else c.tensor(data, dtype=None if isinstance(data, np.ndarray) else float32)
        )
        self._value, self._type, self._version = source._value, source._type, [0]
        if requires_grad:
            self.requires_grad_()

    # -- what it is ---------------------------------------------------------------------------------------------------
    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        return self._type.shape

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._type.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._type.shape)

    @property
    def device(self) -> str:
        """Always "cpu"."""
        return "cpu"

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this tensor; None for leaves."""
        if self._parent is not None and self._stamp != self._base._edits:
            i.refresh(self)
        return self._node

    @property
    def is_leaf(self) -> bool:
        """True if no recorded op made it."""
        return self.grad_fn is None

    @property
    def requires_grad(self) -> bool:
        """True if a gradient is wanted with respect to it, or to something it was made of."""
        if self._parent is not None and self._stamp != self._base._edits:
            i.refresh(self)
        return self._requires or self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for a gradient with respect to this tensor (floating leaves only)."""
        if requires_grad and not self.dtype.is_floating_point:
            raise GradError(
                f"only floating tensors can require a gradient, not {self.dtype!r}",
                hint="convert it first: x.float().requires_grad_()",
            )
        if not requires_grad and self._node is not None:
            raise GradError("requires_grad can be switched off only for leaf tensors", hint="use .detach()")
        self._requires = requires_grad
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` added up here; None before."""
        return self._gradient

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and value._type != self._type:
            raise GradError(
                f"a gradient of {value._type!r} does not fit a tensor of {self._type!r}",
                hint="same shape and dtype",
            )
        if context.tracer is not None:
            context.tracer.note_gradient(self)  # type: ignore[attr-defined]
        self._gradient = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def data(self) -> Tensor:
        """The same memory without gradient; writing to it is not noticed by autograd."""
        out = self._alias()
        out._node, out._version = None, [0]
        if context.tracer is not None:
            out._owner = self
        return out

    @data.setter
    def data(self, value: Tensor) -> None:
        if context.tracer is not None:
            context.tracer.rebind(self, value._value)  # type: ignore[attr-defined]
        else:
            self._value = value._value
        self._type = value._type

    @property
    def T(self) -> Tensor:
        """Dimensions in reverse order."""
        return s.permute(self, *reversed(range(self.ndim))) if self.ndim else self

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
        return s.transpose(self, -1, -2)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one of its sizes."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """Number of dimensions."""
        return self.ndim

    def numel(self) -> int:
        """Number of elements."""
        return size(self.shape)

    nelement = numel
    ndimension = dim

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    def is_floating_point(self) -> bool:
        """True for float32 and float64."""
        return self.dtype.is_floating_point

    def is_contiguous(self) -> bool:
        """True if the elements lie in memory in row-major order."""
        return isinstance(self._value, np.ndarray) and self._value.flags.c_contiguous

    def __len__(self) -> int:
        if self.ndim == 0:
            raise ShapeError("len() of a tensor without dimensions", hint="use .numel() or .item()")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise ShapeError("a tensor without dimensions cannot be iterated", hint="use .item()")
        return iter(s.unbind(self, 0))

    def __contains__(self, value: Any) -> bool:
        return bool(e.eq(self, value).numpy().any())

    # -- values out ---------------------------------------------------------------------------------------------------
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
        return format(self.item(), spec) if self.numel() == 1 and spec else str(self)

    def __repr__(self) -> str:
        if not isinstance(self._value, np.ndarray):
            return f"tensor(traced {self._type!r})"
        with np.printoptions(precision=4, threshold=1000, edgeitems=3):
            text = np.array2string(self._concrete("repr"), separator=", ", prefix="tensor(")
        extra = "" if self.dtype in (float32, int64, bool_) else f", dtype={self.dtype!r}"
        if self._node is not None:
            extra += f", grad_fn=<{self._node.op.__name__}Backward>"
        elif self._requires:
            extra += ", requires_grad=True"
        return f"tensor({text}{extra})"

    def __hash__(self) -> int:
        return id(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise GradError("only leaf tensors can be copied deeply", hint="use .detach().clone()")
        out = type(self).__new__(type(self))
        memo[id(self)] = out
        out.__dict__.update(
            {
                k: v
                for k, v in self.__dict__.items()
                if k not in ("_parent", "_base", "_replay", "_hooks", "_gradient")
            }
        )
        out._value, out._version = self._concrete("deepcopy").copy(), [0]
        if self._gradient is not None:
            out._gradient = self._gradient.detach().clone()
        return out

    # -- gradients ----------------------------------------------------------------------------------------------------
    def backward(
        self, gradient: Tensor | None = None, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        """Add dself/dleaf to ``.grad`` of every leaf that wants one; ``gradient`` is needed unless self is one number."""
        backward([self], None if gradient is None else [gradient], retain_graph, create_graph)

    def detach(self) -> Tensor:
        """The same memory, cut off from the gradient."""
        if context.tracer is not None:
            out = context.tracer.detached(self)  # type: ignore[attr-defined]
            out._owner = self
            return out
        out = self._alias()
        out._node = None
        return out

    def _alias(self) -> Tensor:
        """Another tensor on the same memory and at the same place in the autograd graph."""
        if self._parent is not None and self._stamp != self._base._edits:
            i.refresh(self)
        out = make_tensor(self._value, self._type, self._node, self._slot)
        out._version = self._version
        return out

    def detach_(self) -> Tensor:
        """Cut this tensor off from the gradient."""
        self._node, self._requires = None, False
        return self

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in ``.grad`` although it is not a leaf."""
        node = self.grad_fn
        if node is None:
            return
        node.retained = node.retained or {}
        node.retained[self._slot] = weakref.ref(self)
        self._retains = True

    @property
    def retains_grad(self) -> bool:
        """True after `retain_grad` on a non-leaf."""
        return self._retains

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Handle:
        """Call ``hook`` with the gradient of this tensor; what it returns, if anything, takes the gradient's place."""
        if not self.requires_grad:
            raise GradError(
                "a hook on a tensor that requires no gradient would never run",
                hint="call .requires_grad_() first",
            )
        node = self.grad_fn
        if node is None:
            self._hooks = self._hooks or []
            return Handle(self._hooks, hook)
        node.hooks = node.hooks or {}
        return Handle(node.hooks.setdefault(self._slot, []), hook)

    # -- conversions --------------------------------------------------------------------------------------------------
    def to(self, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, **_: Any) -> Tensor:
        """Another dtype (or the dtype of another tensor); the device is always the CPU."""
        for a in args:
            if isinstance(a, Tensor):
                dtype = a.dtype
            elif (
                isinstance(a, DType)
                or (not isinstance(a, str | bool) and a is not None)
                or (
                    isinstance(a, str) and a.split(":")[0] not in ("cpu", "cuda", "mps", "xla", "meta", "xpu")
                )
            ):
                dtype = a
            elif isinstance(a, str):
                device = a
        c.check_device(device)
        out = self if dtype is None else e.to_dtype(self, dtype)
        return out.clone() if copy and out is self else out

    def type(self, dtype: Any = None) -> Any:
        """The dtype, or a tensor of another dtype."""
        return repr(self.dtype) if dtype is None else self.to(dtype)

    def type_as(self, other: Tensor) -> Tensor:
        return self.to(other.dtype)

    def float(self) -> Tensor:
        return e.to_dtype(self, float32)

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

    def cpu(self) -> Tensor:
        return self

    def cuda(self, *_: Any) -> Tensor:
        c.check_device("cuda")
        return self

    def clone(self) -> Tensor:
        """A copy with its own memory; the gradient passes through."""
        # x - 0 is x for every x (x + 0 would lose the sign of -0), and its rule saves nothing, so x may change afterwards.
        return e.sub(self, 0) if self.dtype is not bool_ else e.bitwise_or(self, False)

    def contiguous(self) -> Tensor:
        """This tensor, or a copy in row-major order."""
        return (
            self
            if not isinstance(self._value, np.ndarray) or self._value.flags.c_contiguous
            else self.clone()
        )

    def new_tensor(self, data: Any, *, dtype: Any = None) -> Tensor:
        return c.tensor(data, dtype=dtype or self.dtype)

    def new_zeros(self, *shape: Any) -> Tensor:
        return c.zeros(*shape, dtype=self.dtype)

    def new_ones(self, *shape: Any) -> Tensor:
        return c.ones(*shape, dtype=self.dtype)

    def new_full(self, shape: Any, value: Any) -> Tensor:
        return c.full(shape, value, dtype=self.dtype)

    # -- operators ----------------------------------------------------------------------------------------------------
    __neg__, __pos__, __abs__, __invert__ = e.neg, e.positive, e.abs, e.bitwise_not
    __add__, __sub__, __mul__, __truediv__ = e.add, e.sub, e.mul, e.div
    __floordiv__, __mod__, __pow__, __matmul__ = e.floor_divide, e.remainder, e.pow, la.matmul
    __and__, __or__, __xor__ = e.bitwise_and, e.bitwise_or, e.bitwise_xor
    __rand__, __ror__, __rxor__ = e.bitwise_and, e.bitwise_or, e.bitwise_xor
    __radd__, __rmul__, __rsub__ = e.add, e.mul, e.rsub
    __lt__, __le__, __gt__, __ge__ = e.lt, e.le, e.gt, e.ge

    def __eq__(self, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str) else e.eq(self, other)

    def __ne__(self, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str) else e.ne(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return e.div(other, self)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return e.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Tensor:
        return e.remainder(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return e.pow(other, self)

    def __rmatmul__(self, other: Any) -> Tensor:
        return la.matmul(c.as_tensor(other), self)

    __iadd__, __isub__, __imul__, __itruediv__ = i.add_, i.sub_, i.mul_, i.div_
    __ipow__, __ifloordiv__, __imod__ = i.pow_, i.floor_divide_, i.remainder_
    __getitem__ = ix.get_item
    __setitem__ = i.set_item


class Handle:
    """Takes a hook away again."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks, self._hook = hooks, hook
        hooks.append(hook)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()
