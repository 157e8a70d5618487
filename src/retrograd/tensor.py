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
from . import ops as _ops
from .errors import DTypeError, GradError, RetrogradError, ShapeError, TraceError
from .functions import create as c
from .functions import elementwise as e
from .functions import index as ix
from .functions import linalg as la
from .functions import reduce as r
from .functions import shape as s
from .grad import Node, propagate, record
from .op import Op, context, install_eager
from .types import DType, TensorType, bool_, dtype_of, float32, float64, int32, int64, size, uint8

__all__ = ["Tensor"]
_ = _ops  # importing the ops fills the registry


class Eager:
    """The context that computes at once with NumPy, and records the op when a gradient is wanted."""

    def bind(self, op: type[Op], inputs: tuple[Tensor, ...], params: dict[str, Any]) -> Any:
        wants = False
        for t in inputs:
            if t._parent is not None and t._stamp != t._base._edits:
                i.refresh(t)
            if t._requires or t._node is not None:
                wants = True
        kinds = op.type(*[t._type for t in inputs], **params)
        try:
            with np.errstate(all="ignore"):
                values = op.eval(*[t._value for t in inputs], **params)
        except (TypeError, AttributeError, ValueError) as error:
            _explain(op, inputs, error)
            raise
        if op.n_outputs == 1:
            out = _make(values if type(values) is np.ndarray else np.asarray(values), kinds if op.eager_only == "" else None)
            if op.view:
                _link(out, op, inputs[0], params)
            if wants and context.grad_enabled:
                if op.differentiable:
                    record(op, params, inputs, (out,))
                else:
                    out._why = f"{op.name}: {op.why_not}"
            return out
        outs = tuple(_make(np.asarray(v), k) for v, k in zip(values, kinds, strict=True))
        if wants and context.grad_enabled and op.differentiable:
            record(op, params, inputs, outs)
        return outs

    def constant(self, value: Any, dtype: Any = None) -> Tensor:
        return c.from_array(c._array(value, dtype, copy=False))


def _explain(op: type[Op], inputs: tuple[Tensor, ...], error: Exception) -> None:
    """Turn NumPy's complaint about a traced variable into a clear one; anything else goes on as it is."""
    if isinstance(error, RetrogradError):
        return
    if any(not isinstance(t._value, np.ndarray) for t in inputs):
        raise TraceError(
            f"{op.name} meets a tensor that belongs to a function traced earlier",
            hint="return the value from the traced function instead of storing it",
        ) from None


def _make(value: Any, kind: TensorType | None, node: Node | None = None, slot: int = 0) -> Tensor:
    out = Tensor.__new__(Tensor)
    out._value = value
    out._type = kind if kind is not None else TensorType(value.shape, dtype_of(value.dtype))
    out._version = [0]
    if node is not None:
        out._node = node
        out._slot = slot
    return out


def _link(out: Tensor, op: type[Op], source: Tensor, params: dict[str, Any]) -> None:
    """Note that ``out`` looks into the memory of ``source``."""
    if isinstance(out._value, np.ndarray) and not np.may_share_memory(out._value, source._value):
        return
    out._version = source._version
    out._parent = source
    out._base = source._base if source._base is not None else source
    out._replay = (op, params)
    out._stamp = out._base._edits


class Tensor:
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
        source = data if isinstance(data, Tensor) else c.tensor(data, dtype=None if isinstance(data, np.ndarray) else float32)
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
                f"only floating tensors can require a gradient, not {self.dtype!r}", hint="convert it first: x.float().requires_grad_()"
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
            raise GradError(f"a gradient of {value._type!r} does not fit a tensor of {self._type!r}", hint="same shape and dtype")
        if context.tracer is not None:
            context.tracer.note_gradient(self)  # type: ignore[attr-defined]
        self._gradient = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def data(self) -> Tensor:
        """The same memory without gradient; writing to it is not noticed by autograd."""
        out = self.detach()
        out._version = [0]
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
            raise GradError("numpy() of a tensor that requires a gradient would cut it off silently", hint="use .detach().numpy()")
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
            raise ShapeError(f"item() of a tensor of shape {self.shape}", hint="use .tolist(), or reduce it first")
        return self._concrete("item()").item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self._concrete("tolist()").tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.numpy()
        return array.astype(dtype) if dtype is not None and array.dtype != dtype else (array.copy() if copy else array)

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.numpy().__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self.numpy().__dlpack_device__()

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise ShapeError(f"the truth of a tensor of shape {self.shape} is ambiguous", hint="use .any() or .all()")
        return bool(self._concrete("`if`, `while`, `and`, `or` or bool()"))

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.is_floating_point:
            raise DTypeError(f"only integer tensors can serve as an index, not {self.dtype!r}", hint="use int(x)")
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
        out.__dict__.update({k: v for k, v in self.__dict__.items() if k not in ("_parent", "_base", "_replay", "_hooks", "_gradient")})
        out._value, out._version = self._concrete("deepcopy").copy(), [0]
        if self._gradient is not None:
            out._gradient = self._gradient.detach().clone()
        return out

    # -- gradients ----------------------------------------------------------------------------------------------------
    def backward(self, gradient: Tensor | None = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Add dself/dleaf to ``.grad`` of every leaf that wants one; ``gradient`` is needed unless self is one number."""
        backward([self], None if gradient is None else [gradient], retain_graph, create_graph)

    def detach(self) -> Tensor:
        """The same memory, cut off from the gradient."""
        out = self._alias()
        out._node = None
        if context.tracer is not None:
            out._owner = self
        return out

    def _alias(self) -> Tensor:
        """Another tensor on the same memory and at the same place in the autograd graph."""
        if self._parent is not None and self._stamp != self._base._edits:
            i.refresh(self)
        out = _make(self._value, self._type, self._node, self._slot)
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
            raise GradError("a hook on a tensor that requires no gradient would never run", hint="call .requires_grad_() first")
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
            elif isinstance(a, DType) or (not isinstance(a, str | bool) and a is not None):
                dtype = a
            elif isinstance(a, str) and a.split(":")[0] not in ("cpu", "cuda", "mps", "xla", "meta", "xpu"):
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
        return self if not isinstance(self._value, np.ndarray) or self._value.flags.c_contiguous else self.clone()

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
        return e.pow(e.as_tensor(other), self)

    def __rmatmul__(self, other: Any) -> Tensor:
        return la.matmul(e.as_tensor(other), self)

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


def _install(module: Any, names: str) -> None:
    """Functions whose first argument is a tensor become methods of the same name."""
    for name in names.split():
        setattr(Tensor, name, getattr(module, name))


_install(
    e,
    "abs absolute add addcdiv addcmul allclose bitwise_and bitwise_not bitwise_or bitwise_xor ceil clamp clip cos div divide eq "
    "equal erf erfc exp exp2 expm1 fix floor floor_divide frac ge greater greater_equal gt isclose isfinite isinf isnan le lerp less "
    "less_equal log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor logit lt masked_fill maximum minimum "
    "mul multiply nan_to_num ne neg negative not_equal positive pow reciprocal relu remainder round rsqrt sigmoid sign sin sqrt "
    "square sub subtract tan tanh true_divide trunc",
)
_install(
    r,
    "all amax amin any argmax argmin argsort count_nonzero cumsum log_softmax logsumexp max mean min norm prod softmax sort std sum "
    "topk var",
)
_install(
    s,
    "broadcast_to chunk expand_as flatten flip movedim narrow permute ravel repeat repeat_interleave reshape roll select split "
    "squeeze swapaxes swapdims t tile transpose unbind unflatten unsqueeze view view_as",
)
_install(ix, "argwhere diagonal gather index_add index_put index_select masked_select nonzero scatter scatter_add take take_along_dim tril triu")
_install(la, "addmm bmm dot matmul mm mv outer trace")
_install(
    i,
    "abs_ add_ addcdiv_ addcmul_ bernoulli_ ceil_ clamp_ copy_ cos_ div_ exp_ fill_ floor_ floor_divide_ index_add_ index_put_ lerp_ "
    "log_ masked_fill_ mul_ neg_ normal_ pow_ reciprocal_ relu_ remainder_ round_ rsqrt_ scatter_ scatter_add_ sigmoid_ sign_ sin_ "
    "sqrt_ square_ sub_ tanh_ trunc_ uniform_ zero_",
)
Tensor.expand = s.expand_  # type: ignore[attr-defined]

install_eager(Eager(), _make)


def _roots(tensors: list[Tensor], gradients: list[Tensor | None] | None, what: str) -> list[tuple[Any, int, Any]]:
    """(target, slot, cotangent) of each output, checked."""
    out = []
    for k, t in enumerate(tensors):
        if not t.requires_grad:
            reason = f": it comes from {t._why}" if t._why else ""
            raise GradError(
                f"{what} of a tensor that requires no gradient{reason}",
                hint="make the inputs with requires_grad=True, and compute outside no_grad() and without .detach()",
            )
        g = None if gradients is None else gradients[k]
        if g is None:
            if t.numel() != 1:
                raise GradError(
                    f"{what} of a tensor of shape {t.shape}: a gradient exists only for one number",
                    hint="reduce it first, e.g. loss.mean().backward(), or pass gradient=",
                )
            g = e.fill(t._type, 1.0)
        elif g._type != t._type:
            raise GradError(f"gradient= has type {g._type!r}, the tensor {t._type!r}", hint="pass the same shape and dtype")
        out.append((t._node if t._node is not None else t, t._slot, g))
    return out


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
) -> None:
    """Add the gradients of ``tensors`` to ``.grad`` of the leaves (or of ``inputs`` only)."""
    outputs = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    given = [grad_tensors] if isinstance(grad_tensors, Tensor) else grad_tensors
    keep = create_graph if retain_graph is None else retain_graph
    roots = _roots(outputs, given, "backward()")
    wanted = None if inputs is None else [(t._node if t._node is not None else t, t._slot) for t in _listed(inputs)]
    reached, found = propagate(roots, wanted=wanted, keep=keep, differentiable=create_graph)
    seeds = {id(g._value) for _, _, g in roots}
    if inputs is None:
        pairs = reached
    else:
        pairs = [(t, g) for t, g in zip(_listed(inputs), found, strict=True) if g is not None]
    for leaf, g in pairs:
        _accumulate(leaf, g, create_graph, seeds)


def _listed(inputs: Any) -> list[Tensor]:
    return [inputs] if isinstance(inputs, Tensor) else list(inputs)


def _accumulate(leaf: Tensor, g: Tensor, create_graph: bool, taken: set[int]) -> None:
    """Add to ``.grad``.  A gradient that only this leaf holds is kept as it is; any other is copied first."""
    have = leaf._gradient
    if create_graph or context.tracer is not None:
        leaf.grad = g if have is None else have + g
        return
    if have is not None:
        i.add_(have, g) if not have.requires_grad else setattr(leaf, "grad", have + g)
        return
    array = g._value
    whole = array.base is None and array.flags.writeable and id(array) not in taken
    taken.add(id(array))
    leaf._gradient = g.detach() if whole else _make(np.array(array), g._type)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Gradients of the sum of ``outputs`` with respect to ``inputs``, without touching ``.grad``.

    >>> import retrograd as rg
    >>> x = rg.tensor(3.0, requires_grad=True)
    >>> (g,) = rg.autograd.grad(x**3, x, create_graph=True)
    >>> rg.autograd.grad(g, x)
    (tensor(18.),)
    """
    outs, ins = _listed(outputs), _listed(inputs)
    given = [grad_outputs] if isinstance(grad_outputs, Tensor) else grad_outputs
    for t in ins:
        if not t.requires_grad:
            raise GradError("a gradient with respect to a tensor that requires none", hint="call .requires_grad_() on it first")
    keep = create_graph if retain_graph is None else retain_graph
    wanted = [(t._node if t._node is not None else t, t._slot) for t in ins]
    _, found = propagate(_roots(outs, given, "grad()"), wanted=wanted, keep=keep, differentiable=create_graph)
    for k, g in enumerate(found):
        if g is None and not allow_unused:
            raise GradError(
                f"input {k} (shape {ins[k].shape}) was not used in computing the outputs", hint="pass allow_unused=True to get None for it"
            )
    return tuple(found)
