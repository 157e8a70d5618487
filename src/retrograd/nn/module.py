"""Module: a piece of a network that owns parameters, buffers and smaller modules, under names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ..errors import RetrogradError, UsageError
from ..functions.create import check_device, zeros_like
from ..op import context
from ..tensor import Tensor
from ..trace import layer_name
from ..types import dtype_of
from .hooks import BackwardWatch, RemovableHandle, add_hook
from .parameter import Parameter
from .state import IncompatibleKeys, load_into

M = TypeVar("M", bound="Module")


class Module:
    """Base class of layers and networks: assign parameters and modules to attributes, define ``forward``.

    >>> from retrograd import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(3, 4)
    ...         self.out = nn.Linear(4, 2)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> [name for name, _ in Net().named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def __init__(self) -> None:
        own = self.__dict__
        own["training"] = True
        own["_parameters"] = {}
        own["_buffers"] = {}
        own["_not_saved"] = set()
        own["_modules"] = {}
        own["_pre_hooks"] = {}
        own["_forward_hooks"] = {}
        own["_backward_hooks"] = {}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; subclasses define it."""
        raise UsageError(
            f"{type(self).__name__} has no forward()",
            hint=f"define def forward(self, x): ... in class {type(self).__name__}",
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the hooks and ``forward``; an error on the way learns the path of layers it passed through."""
        outer = context.scope
        context.scope = (outer, self)
        try:
            if not (self._pre_hooks or self._forward_hooks or self._backward_hooks):
                return self.forward(*args, **kwargs)
            return self._call_with_hooks(args, kwargs)
        except RetrogradError as error:
            error.layers.append(layer_name(outer[1] if outer else None, self))
            raise
        except AttributeError as error:
            if "_parameters" not in self.__dict__:
                raise _not_initialised(self) from error
            raise
        finally:
            context.scope = outer

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for hook in list(self._pre_hooks.values()):
            changed = hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        watch = BackwardWatch(self) if self._backward_hooks else None
        if watch is not None:
            args = watch.enter(args)
        output = self.forward(*args, **kwargs)
        if watch is not None:
            output = watch.leave(output)
        for hook in list(self._forward_hooks.values()):
            changed = hook(self, args, output)
            if changed is not None:
                output = changed
        return output

    # Registration --------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self.register_module(name, value)
        elif "_parameters" not in own:
            object.__setattr__(self, name, value)
        elif name in own["_parameters"]:
            if value is not None:
                raise UsageError(
                    f"cannot assign {type(value).__name__} to the parameter {name!r}",
                    hint=f"self.{name} = nn.Parameter(value), or copy into it under no_grad: self.{name}.copy_(value)",
                )
            own["_parameters"][name] = None
        elif name in own["_modules"] and value is None:
            own["_modules"][name] = None
        elif name in own["_buffers"]:
            if value is not None and not isinstance(value, Tensor):
                raise UsageError(
                    f"cannot assign {type(value).__name__} to the buffer {name!r}",
                    hint="assign a tensor: retrograd.tensor(...)",
                )
            own["_buffers"][name] = value
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:  # called only where the ordinary look-up finds nothing
        own = self.__dict__
        for kind in ("_parameters", "_buffers", "_modules"):
            found = own.get(kind)
            if found is not None and name in found:
                return found[name]
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__[kind]:
                del self.__dict__[kind][name]
                self._not_saved.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def _free_name(self, kind: str, name: str) -> None:
        if "_parameters" not in self.__dict__:
            raise _not_initialised(self)
        if not name or "." in name:
            raise UsageError(
                f"{name!r} cannot name a part of a module",
                hint="use a name without dots, for example 'hidden'",
            )
        for other in ("_parameters", "_buffers", "_modules"):
            if other != kind:
                self.__dict__[other].pop(name, None)
        self.__dict__.pop(name, None)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Own ``param`` under ``name``; None reserves the name for a parameter that is switched off."""
        self._free_name("_parameters", name)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Own a tensor that is not trained; saved in the state dict unless ``persistent`` is False."""
        self._free_name("_buffers", name)
        self._buffers[name] = tensor
        (self._not_saved.discard if persistent else self._not_saved.add)(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Own a smaller module under ``name``."""
        self._free_name("_modules", name)
        self._modules[name] = module

    add_module = register_module

    # Walking -------------------------------------------------------------------------------------------------------

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module (named ``prefix``) and all below it with their dotted names, each once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below, with their names."""
        seen: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The modules directly below."""
        return (child for _, child in self.named_children())

    def _named(
        self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse
            else [(prefix, self)]
        )
        for path, module in modules:
            for name, value in module.__dict__[kind].items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted names; a shared one comes once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, to give to an optimiser."""
        return (value for _, value in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their dotted names."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (value for _, value in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module of a dotted name; "" is this one."""
        module: Any = self
        for name in target.split(".") if target else []:
            module = module._modules.get(name)
            if module is None:
                known = ", ".join(n for n, _ in self.named_modules() if n) or "none"
                raise UsageError(f"no module {target!r} in {type(self).__name__}", hint=f"there are: {known}")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of a dotted name."""
        path, _, name = target.rpartition(".")
        found = self.get_submodule(path)._parameters.get(name)
        if found is None:
            known = ", ".join(n for n, _ in self.named_parameters()) or "none"
            raise UsageError(f"no parameter {target!r} in {type(self).__name__}", hint=f"there are: {known}")
        return found

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call ``fn`` on every module below and then on this one; for example to set weights."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # Modes ---------------------------------------------------------------------------------------------------------

    def train(self: M, mode: bool = True) -> M:
        """Training mode: dropout drops, batch norm uses the batch."""
        for module in self.modules():
            module.__dict__["training"] = bool(mode)
        return self

    def eval(self: M) -> M:
        """Inference mode."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Freeze (False) or release all parameters."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def summary(self, *inputs: Any) -> Any:
        """Layers with shapes, parameters and operations for inputs like these; see `nn.summary`."""
        from .summary import summary

        return summary(self, *inputs)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters."""
        for p in self.parameters():
            if p.grad is not None:
                if set_to_none:
                    p.grad = None
                else:
                    p.grad = zeros_like(p.grad)

    def to(self: M, *args: Any, dtype: Any = None, **kwargs: Any) -> M:
        """Convert floating parameters and buffers to a dtype; the device is always the CPU.

        Takes a dtype or its name, a tensor whose dtype is meant, or a device.
        """
        for arg in (*args, kwargs.get("device")):
            if isinstance(arg, Tensor):
                dtype = arg.dtype
            elif isinstance(arg, str) and not arg.startswith(("float", "double")):
                check_device(arg)
            elif arg is not None:
                dtype = arg
        if dtype is None:
            return self
        wanted = dtype_of(dtype)
        if not wanted.is_floating_point:
            raise UsageError(
                f"a module's dtype must be floating, not {wanted!r}", hint="module.to(retrograd.float32)"
            )
        for value in [*self.parameters(), *self.buffers()]:
            if value.dtype.is_floating_point:
                value.data = value.data.to(wanted)
                if value.grad is not None:
                    value.grad = value.grad.to(wanted)
        return self

    def float(self: M) -> M:
        """Convert to float32."""
        return self.to("float32")

    def double(self: M) -> M:
        """Convert to float64."""
        return self.to("float64")

    def cpu(self: M) -> M:
        """The module itself: it is on the CPU already."""
        return self

    # State ---------------------------------------------------------------------------------------------------------

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Parameters and persistent buffers by dotted name, sharing storage with the module; keys as in PyTorch."""
        out: dict[str, Tensor] = {}
        for path, module in self.named_modules(prefix=prefix.removesuffix("."), remove_duplicate=False):
            for kind in (module._parameters, module._buffers):
                for name, value in kind.items():
                    if value is not None and name not in module._not_saved:
                        out[f"{path}.{name}" if path else name] = value if keep_vars else value.detach()
        return out

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values (tensors or arrays) into the parameters and buffers of the same names.

        A shape that differs raises StateError, and so do missing and unexpected keys unless ``strict`` is False.
        ``assign`` takes the given dtypes too.
        """
        return load_into(self, state_dict, strict, assign)

    # Hooks ---------------------------------------------------------------------------------------------------------

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(module, args)`` before forward; what it returns (if not None) replaces the arguments."""
        return add_hook(self._pre_hooks, hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(module, args, output)`` after forward; what it returns (if not None) replaces the output."""
        return add_hook(self._forward_hooks, hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(module, grad_input, grad_output)`` when the gradients of the module's inputs have arrived."""
        return add_hook(self._backward_hooks, hook)

    # Printing ------------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands in the brackets of the repr."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        lines = [f"({name}): {_indent(repr(child))}" for name, child in self._modules.items()]
        if len(extra) == 1 and not lines:
            return f"{self._get_name()}({extra[0]})"
        inside = extra + lines
        return f"{self._get_name()}(" + ("\n  " + "\n  ".join(inside) + "\n" if inside else "") + ")"


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")


def _not_initialised(module: Module) -> UsageError:
    return UsageError(
        f"{type(module).__name__}.__init__ did not call super().__init__() before using its parts",
        hint="make super().__init__() the first line of __init__",
    )
