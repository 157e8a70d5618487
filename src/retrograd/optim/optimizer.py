"""What all optimisers share: parameter groups, the loop over the parameters, hooks, saving and loading."""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, ClassVar

from ..errors import GradError, UsageError
from ..functions.create import zeros_like
from ..memory import keep_freed_memory
from ..modes import enable_grad, set_grad_enabled
from ..nn.hooks import RemovableHandle, add_hook
from ..op import context
from ..staging import within
from ..tensor import Tensor
from .options import Group, check_names, check_options
from .state import pack, unpack

Hooks = OrderedDict[int, Callable[..., Any]]

_before_every_step: Hooks = OrderedDict()
_after_every_step: Hooks = OrderedDict()


class Optimizer:
    """Changes parameters by their gradients; subclasses define ``_update`` for one parameter, or ``step``.

    ``params``: tensors, (name, tensor) pairs, or dicts ``{"params": tensors, "lr": ...}`` whose options replace the
    defaults for that group.  Options are read from ``param_groups`` at every step, so a scheduler (or you) may change
    them at any time.  ``state`` holds what the method remembers for each parameter, made when it is first needed.

    ``foreach``, ``fused`` and ``capturable`` choose between implementations in PyTorch; here there is one, which does
    all of it, and they change nothing.  ``differentiable`` records the step itself for autograd.
    """

    _stepping: bool
    _stepped: bool = False
    """True once a step was taken; schedulers ask."""

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor):
            raise UsageError(f"{name} takes a list of tensors, not one tensor", hint=f"{name}([parameter])")
        _refuse_set(name, params)
        try:
            listed = list(params)
        except TypeError:
            raise UsageError(
                f"{name} takes a list of tensors, got {type(params).__name__}",
                hint=f"{name}(model.parameters())",
            ) from None
        if not listed:
            raise UsageError(
                f"{name} got an empty list of parameters",
                hint=f"{name}(model.parameters(), ...): make the model first, and a new iterator for every optimiser",
            )
        check_options(name, defaults)
        keep_freed_memory()
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self._hooks: dict[str, Hooks] = defaultdict(OrderedDict)
        for group in listed if isinstance(listed[0], dict) else [{"params": listed}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])

    # -- parameters -----------------------------------------------------------------------------------------------

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters, with options of their own; for example layers that are unfrozen later."""
        name = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise UsageError(
                f"a parameter group is a dict with 'params', got {param_group!r}",
                hint='{"params": [w], "lr": 0.1}',
            )
        check_names(name, param_group, self.defaults)
        members, names = self._members(param_group["params"])
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for p in members:
            if not isinstance(p, Tensor):
                raise UsageError(
                    f"{name} takes tensors, got {type(p).__name__}", hint=f"{name}(model.parameters())"
                )
            if not (p.is_leaf or p._retains or self.defaults.get("differentiable")):
                raise GradError(
                    f"{name} cannot change a tensor of shape {tuple(p.shape)} that was computed from others",
                    hint="give it the tensors that it was computed from, or .detach().requires_grad_()",
                )
            if id(p) in seen:
                raise UsageError(
                    f"a parameter of shape {tuple(p.shape)} is given to {name} twice",
                    hint="list every parameter in one group, once",
                )
            seen.add(id(p))
        group = {**self.defaults, **param_group, "params": members}
        if names:
            group["param_names"] = names
        check_options(name, group)
        self.param_groups.append(group)

    def _members(self, given: Any) -> tuple[list[Any], list[str]]:
        """The tensors of a group, and their names where (name, tensor) pairs were given."""
        name = type(self).__name__
        _refuse_set(name, given)
        listed = [given] if isinstance(given, Tensor) else list(given)
        named = [m for m in listed if isinstance(m, tuple) and len(m) == 2]
        others = {"param_names" in group for group in self.param_groups}
        if (named and len(named) < len(listed)) or (others and others != {bool(named)}):
            raise UsageError(
                f"{name} got some parameters with a name and some without",
                hint=f"{name}(model.named_parameters()), or {name}(model.parameters())",
            )
        return ([p for _, p in named], [n for n, _ in named]) if named else (listed, [])

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: they add up from one backward to the next otherwise."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is None:
                    continue
                elif context.tracer is None and p.grad.is_leaf:
                    with set_grad_enabled(False):
                        p.grad.requires_grad_(False).zero_()
                else:
                    p.grad = zeros_like(p.grad)  # not a product with 0, which keeps NaN

    # -- the step -------------------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient; ``closure`` computes loss and gradients anew, and is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        differentiable = bool(self.defaults.get("differentiable"))
        with set_grad_enabled(differentiable):
            for listed in self.param_groups:
                group = self._options(listed)
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self._state_of(p, group)
                    if (
                        differentiable
                    ):  # the values before this step belong to the derivatives of earlier ones
                        state.update({k: v.clone() for k, v in state.items() if isinstance(v, Tensor)})
                    self._update(p, -p.grad if group.get("maximize") else p.grad, state, group)
        return loss

    live: ClassVar[tuple[str, ...]] = ("lr",)
    """Options that schedules change: a compiled step reads them at every call."""

    def _options(self, group: Group) -> Group:
        """A group's options, for the step; in a compiled step the live ones are variables, and on the others it relies."""
        tracer: Any = context.tracer
        if tracer is None:
            return group
        live = {k: _live(tracer, group, k) for k in self.live if k in group}
        # what is no variable of the graph is a fact of it: a 0 among the live options, and which tensor an option is
        fixed = {k: v for k, v in group.items() if k not in ("params", "initial_lr") and live.get(k, v) is v}
        plain = itemgetter(*(k for k, v in fixed.items() if isinstance(v, _PLAIN)), "params")
        tensors = [(k, v) for k, v in fixed.items() if isinstance(v, Tensor)]
        state, groups = self.state, self.param_groups
        tracer.guard(
            f"an option, a parameter or the state of {type(self).__name__}",
            lambda: (
                plain(group)[:-1], all(group[k] is v for k, v in tensors), len(group["params"]), len(groups),
                self.state is state, len(state),
            ),
        )  # fmt: skip
        return {**group, **live}

    def _state_of(self, param: Tensor, group: Group) -> dict[str, Any]:
        """The state of a parameter.  One that is made while a step is traced exists outside of the graph, too."""
        state = self.state[param]
        if not state:
            with within(None):
                state.update(self._start(param, group))
        return state

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        """The state before the first step."""
        return {}

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        raise NotImplementedError

    # -- hooks ----------------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before every step; it may return other (args, kwargs) for it."""
        return add_hook(self._hooks["before step"], hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after every step."""
        return add_hook(self._hooks["after step"], hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` before a state dict is made."""
        return add_hook(self._hooks["before saving"], hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` with every state dict made; it may return another one."""
        return add_hook(self._hooks["after saving"], hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before one is loaded; it may return another one to be loaded."""
        return add_hook(self._hooks["before loading"], hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` after a state dict was loaded."""
        return add_hook(self._hooks["after loading"], hook, prepend)

    # -- state ----------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """State by parameter number, and the groups with numbers in place of tensors, in PyTorch's form."""
        for hook in list(self._hooks["before saving"].values()):
            hook(self)
        packed = pack(self.param_groups, self.state)
        for hook in list(self._hooks["after saving"].values()):
            packed = _replaced(packed, hook(self, packed))
        return packed

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a saved state; the groups must have the same numbers of parameters."""
        saved: Mapping[str, Any] = dict(state_dict)
        for hook in list(self._hooks["before loading"].values()):
            saved = _replaced(saved, hook(self, saved))
        fresh = unpack(type(self).__name__, self.param_groups, saved)
        for group, other in zip(self.param_groups, saved["param_groups"], strict=True):
            group.update({key: value for key, value in other.items() if key != "params"})
            for key in ("betas", "etas", "step_sizes"):
                if key in group:
                    group[key] = tuple(group[key])  # JSON has made a list of it
        self.state = defaultdict(dict, fresh)
        for hook in list(self._hooks["after loading"].values()):
            hook(self)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines += [*([""] if i else []), f"Parameter Group {i}"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def _refuse_set(name: str, params: Any) -> None:
    if isinstance(params, set | frozenset):
        raise UsageError(
            f"{name} got a set of parameters, whose order differs from run to run",
            hint=f"{name}(list(model.parameters()))",
        )


def _replaced(before: Any, given: Any) -> Any:
    return before if given is None else given


_PLAIN = (bool, int, float, str, tuple, type(None))


def _live(tracer: Any, group: Group, key: str) -> Any:
    """An option as numbers that are read at every call; tensors are variables already, and a 0 stays a 0."""
    value = group[key]
    if isinstance(value, tuple | list):
        return tuple(
            v if isinstance(v, Tensor) else tracer.live((id(group), key, i), lambda i=i: group[key][i])
            for i, v in enumerate(value)
        )
    if isinstance(value, Tensor) or (key != "lr" and not value):
        return value
    return tracer.live((id(group), key), lambda: group[key])


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` with the hooks of its optimiser around it, once: a step may call that of its base class."""
    if getattr(step, "hooked", False):
        return step

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if self.__dict__.get("_stepping"):
            return step(self, *args, **kwargs)
        given: tuple[Any, ...] = (self, *args)
        for hook in [*_before_every_step.values(), *self._hooks["before step"].values()]:
            changed = hook(self, given, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise UsageError(
                    f"a hook before the step of {type(self).__name__} returned {changed!r}",
                    hint="return None, or (args, kwargs): return args, kwargs",
                )
            given, kwargs = changed
        self._stepping = True
        try:
            out = step(*given, **kwargs)
        finally:
            del self._stepping
        self._stepped = True
        for hook in [*self._hooks["after step"].values(), *_after_every_step.values()]:
            hook(self, given, kwargs)
        return out

    hooked.hooked = True  # type: ignore[attr-defined]
    return hooked


Optimizer.step = _with_hooks(Optimizer.step)


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before every step of every optimiser."""
    return add_hook(_before_every_step, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after every step of every optimiser."""
    return add_hook(_after_every_step, hook)
