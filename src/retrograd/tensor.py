"""The Tensor: a value (a NumPy array) or, while a function is traced, a variable of its graph.

A tensor knows its type (shape and dtype), the node that made it if a gradient is recorded, and, for views, the tensor it
looks into.  It has no mathematics of its own: its methods are the functions of ``functions/`` and ``inplace/``.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import inplace as i
from .backward import backward
from .conversion import Conversions
from .device import CPU
from .device import device as Device
from .errors import GradError, ShapeError
from .functions import create as c
from .functions import elementwise as e
from .functions import shape as s
from .functions._keywords import widen
from .grad import Handle, Node
from .methods import Methods
from .op import changes, context, make_tensor
from .operators import Operators
from .types import DType, TensorType, along, float32, size


class Tensor(Operators, Conversions, Methods):
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
    _viewed: bool = False
    _replay: Any = None
    _owner: Tensor | None = None
    _edits: int = 0
    _stamp: int = 0
    _unrecorded: bool = False  # a view made under no_grad of a tensor that requires a gradient
    _hooks: list[Callable[[Tensor], Any]] | None = None
    _after_accumulate: list[Callable[[Tensor], Any]] | None = None
    _retains: bool = False
    _why: str = ""
    _gradient: Tensor | None = None
    __array_priority__ = 1000

    def __init__(self, data: Any = (), *sizes: int, requires_grad: bool = False) -> None:
        if sizes:  # Tensor(2, 3): zeros of these sizes, the older constructor
            data = c.zeros(data, *sizes, dtype=float32)
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
    def device(self) -> Device:
        """Always the CPU."""
        return CPU

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.numel() * self.dtype.itemsize

    @property
    def real(self) -> Tensor:
        """This tensor: numbers are real here."""
        return self

    is_cuda = is_sparse = is_quantized = is_mps = is_meta = False
    layout = "strided"

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
        if requires_grad is not self._requires:
            changes.count += 1
            self._requires = requires_grad
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` added up here; None before."""
        if context.tracer is not None:
            context.tracer.gradient_read(self)  # type: ignore[attr-defined]
        return self._gradient

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and getattr(value, "_type", None) != self._type:
            kind = getattr(value, "_type", type(value).__name__)
            raise GradError(
                f"a gradient of {kind!r} does not fit a tensor of {self._type!r}",
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
            changes.count += 1
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

    @property
    def H(self) -> Tensor:
        """A matrix transposed (numbers are real here)."""
        return s.adjoint(self) if self.ndim else self

    @property
    def mH(self) -> Tensor:
        """`mT`: numbers are real here."""
        return self.mT

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one of its sizes."""
        return self.shape if dim is None else along(self.shape, dim)

    def dim(self) -> int:
        """Number of dimensions."""
        return self.ndim

    def numel(self) -> int:
        """Number of elements."""
        return size(self.shape)

    nelement = numel
    ndimension = dim

    def stride(self, dim: int | None = None) -> Any:
        """How many elements further in memory the next entry along each dimension (or one) lies."""
        strides = tuple(n // self.dtype.itemsize for n in self._concrete("stride()").strides)
        return strides if dim is None else along(strides, dim)

    def storage_offset(self) -> int:
        """How many elements into the memory of its base a view begins."""
        here, base = self._concrete("storage_offset()"), self if self._base is None else self._base
        start = base._concrete("storage_offset()")
        return (
            here.__array_interface__["data"][0] - start.__array_interface__["data"][0]
        ) // self.dtype.itemsize

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._concrete("data_ptr()").__array_interface__["data"][0]

    def share_memory_(self) -> Tensor:
        """This tensor: worker processes get copies."""
        return self

    def pin_memory(self, device: Any = None) -> Tensor:
        """This tensor: there is no device to copy to."""
        return self

    def is_complex(self) -> bool:
        """False: complex tensors do not exist here."""
        return False

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    def is_floating_point(self) -> bool:
        """True for float32 and float64."""
        return self.dtype.is_floating_point

    def is_contiguous(self, memory_format: Any = None) -> bool:
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

    def __reversed__(self) -> Tensor:
        return self.flip(0) if self.ndim else self

    def __contains__(self, value: Any) -> bool:
        return bool(e.eq(self, value).numpy().any())

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
                if k not in ("_parent", "_base", "_replay", "_hooks", "_after_accumulate", "_gradient")
            }
        )
        out._value, out._version = self._concrete("deepcopy").copy(), [0]
        if self._gradient is not None:
            out._gradient = self._gradient.detach().clone()
        return out

    # -- gradients ----------------------------------------------------------------------------------------------------
    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add dself/dleaf to ``.grad`` of every leaf that wants one (or of ``inputs`` only); ``gradient`` is needed unless
        self is one number."""
        backward([self], None if gradient is None else [gradient], retain_graph, create_graph, inputs)

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
        out = make_tensor(i.memory(self), self._type, self._node, self._slot)
        out._version = self._version
        return out

    def detach_(self) -> Tensor:
        """Become what `detach` gives: the same memory, cut off from the gradient.  Refused for views."""
        if self._parent is not None:
            raise GradError("detach_() of a view: its base would stay attached", hint="use .detach()")
        changes.count += 1
        self._node, self._requires = None, False
        return self

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in ``.grad`` although it is not a leaf."""
        if not self.requires_grad:
            raise GradError(
                "retain_grad() on a tensor that requires no gradient", hint="call .requires_grad_() first"
            )
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

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], Any]) -> Handle:
        """Call ``hook`` with this leaf each time that `backward` has added to its ``.grad``: for updating it at once."""
        if not self._requires or self.grad_fn is not None:
            raise GradError(
                "a hook after accumulation needs a leaf that requires a gradient",
                hint="register_hook works on other tensors",
            )
        self._after_accumulate = self._after_accumulate or []
        return Handle(self._after_accumulate, hook)


widen(Tensor, ["size", "stride"])
