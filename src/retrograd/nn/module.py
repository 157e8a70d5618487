"""Module: a piece of a network that owns parameters, buffers and smaller modules, under names."""

from __future__ import annotations

import difflib
from typing import Any

from ..errors import RetrogradError, UsageError
from ..op import changes, context
from ..tensor import Tensor
from ..trace import layer_name
from .hooks import Hooked
from .modes import Modes
from .parameter import Buffer, Parameter
from .state import Stateful

_KINDS = ("_parameters", "_buffers", "_modules")


class Module(Hooked, Stateful, Modes):
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

    def __init__(self) -> None:
        own = self.__dict__
        own["training"] = True
        own["_parameters"] = {}
        own["_buffers"] = {}
        own["_non_persistent_buffers_set"] = set()
        own["_modules"] = {}
        self._init_hooks()
        self._init_state()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; subclasses define it."""
        raise UsageError(
            f"{type(self).__name__} has no forward()",
            hint=f"define def forward(self, x): ... in class {type(self).__name__}",
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the hooks and ``forward``; an error on the way learns the path of layers it passed through."""
        if context.tracer is None:
            compiled = self.__dict__.get("_compiled")
            if compiled is not None:
                return compiled(*args, **kwargs)
        outer = context.scope
        context.scope = (outer, self)
        if context.tracer is not None:
            context.tracer.entered(self)  # type: ignore[attr-defined]
        try:
            if not self._has_hooks():
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

    def compile(self, **options: Any) -> None:
        """Run as one program from now on: ``retrograd.compile`` of this module, in place."""
        from ..compilation import compile

        self.__dict__["_compiled"] = compile(self.__call__, **options)

    # Registration --------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        changes.count += 1
        if isinstance(value, Parameter):
            self._release("_parameters", name)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._release("_modules", name)
            self.register_module(name, value)
        elif isinstance(value, Buffer):
            self._release("_buffers", name)
            self.register_buffer(name, value, value.persistent)
        elif "_parameters" not in own:
            object.__setattr__(self, name, value)
        elif name in own["_parameters"]:
            if value is not None:
                raise UsageError(
                    f"cannot assign {type(value).__name__} to the parameter {name!r}",
                    hint=f"self.{name} = nn.Parameter(value), or copy into it under no_grad: self.{name}.copy_(value)",
                )
            own["_parameters"][name] = None
        elif name in own["_modules"]:
            if value is not None:
                raise UsageError(
                    f"cannot assign {type(value).__name__} to the module {name!r}",
                    hint=f"assign a module or None; for anything else: del self.{name} first",
                )
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
        for kind in _KINDS:
            found = own.get(kind)
            if found is not None and name in found:
                return found[name]
        raise NoAttribute(name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        changes.count += 1
        for kind in _KINDS:
            if name in self.__dict__[kind]:
                del self.__dict__[kind][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[0].isdigit())

    def _release(self, kind: str, name: str) -> None:
        """Forget what another kind, or a plain attribute, has under this name."""
        own = self.__dict__
        if "_parameters" not in own:
            raise _not_initialised(self)
        for other in _KINDS:
            if other != kind:
                own[other].pop(name, None)
        own.pop(name, None)
        if kind != "_buffers":
            self._non_persistent_buffers_set.discard(name)

    def _check_name(self, kind: str, name: Any, value: Any, wanted: type, what: str) -> None:
        if "_parameters" not in self.__dict__:
            raise _not_initialised(self)
        if not isinstance(name, str) or not name or "." in name:
            raise UsageError(
                f"{name!r} cannot name a part of a module",
                hint="use a name without dots, for example 'hidden'",
            )
        if name not in self.__dict__[kind] and hasattr(self, name):
            raise UsageError(
                f"{type(self).__name__} has an attribute {name!r} already",
                hint=f"choose another name, or del self.{name}",
            )
        if value is not None and not isinstance(value, wanted):
            raise UsageError(
                f"{what} {name!r} cannot be {type(value).__name__}", hint=f"pass a {wanted.__name__} or None"
            )

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Own ``param`` under ``name``; None reserves the name for a parameter that is switched off."""
        self._check_name("_parameters", name, param, Parameter, "parameter")
        if param is not None and not param.is_leaf:
            raise UsageError(
                f"parameter {name!r} is the result of a computation", hint="nn.Parameter(value.detach())"
            )
        changes.count += 1
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Own a tensor that is not trained; saved in the state dict unless ``persistent`` is False."""
        self._check_name("_buffers", name, tensor, Tensor, "buffer")
        changes.count += 1
        self._buffers[name] = tensor
        kept = self._non_persistent_buffers_set
        (kept.discard if persistent else kept.add)(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Own a smaller module under ``name``."""
        self._check_name("_modules", name, module, Module, "module")
        changes.count += 1
        self._modules[name] = module

    add_module = register_module

    def summary(self, *inputs: Any) -> Any:
        """Layers with shapes, parameters and operations for inputs like these; see `nn.summary`."""
        from .summary import summary

        return summary(self, *inputs)

    # Printing ------------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands in the brackets of the repr."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        lines = [f"({name}): {indent(repr(child))}" for name, child in self._modules.items()]
        if len(extra) == 1 and not lines:
            return f"{self._get_name()}({extra[0]})"
        inside = extra + lines
        return f"{self._get_name()}(" + ("\n  " + "\n  ".join(inside) + "\n" if inside else "") + ")"


class NoAttribute(AttributeError):
    """A name that a module lacks; the nearest ones are looked up only when the message is read."""

    def __str__(self) -> str:
        said = f"{type(self.obj).__name__!r} has no attribute {self.name!r}"
        near = difflib.get_close_matches(self.name or "", dir(self.obj), 3, 0.7)
        return f"{said}; did you mean {' or '.join(map(repr, near))}?" if near else said


def indent(text: str) -> str:
    """All lines but the first moved to the right."""
    return text.replace("\n", "\n  ")


def _not_initialised(module: Module) -> UsageError:
    return UsageError(
        f"{type(module).__name__}.__init__ did not call super().__init__() before using its parts",
        hint="make super().__init__() the first line of __init__",
    )
