"""What happens in and around a module, told step by step by PyTorch and by Retrograd: hooks, state, parts, containers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

import retrograd as rg
from oracle.stories import Story, filled, ramp, same


def net(lib: Any) -> Any:
    m = lib.nn
    return filled(lib, m.Sequential(m.Linear(3, 4), m.Tanh(), m.Linear(4, 2)))


def forward_hooks(lib: Any, log: Story) -> None:
    m = net(lib)
    x = ramp(lib, 2, 3)
    handles = [
        m.register_forward_hook(lambda *a: log.append(("first", *a))),
        m.register_forward_hook(lambda *a: log.append(("before first", *a)), prepend=True),
        m.register_forward_hook(lambda mod, args, kwargs, out: out * 2, with_kwargs=True),
        m[0].register_forward_pre_hook(lambda *a: log.append(("pre", *a))),
        m[0].register_forward_pre_hook(lambda mod, args: args[0] + 1),
        m[0].register_forward_pre_hook(
            lambda mod, args, kw: ((args[0] * 2,), kw), with_kwargs=True, prepend=True
        ),
    ]
    log.append(m(x))
    for handle in handles:
        handle.remove()
        handle.remove()
    log.append(m(x))
    log.append(len(m._forward_hooks) + len(m[0]._forward_pre_hooks) + len(m._forward_hooks_with_kwargs))


def keyword_hooks(lib: Any, log: Story) -> None:
    class Shifted(lib.nn.Module):
        def forward(self, x: Any, *, by: float = 0.0) -> Any:
            return x + by

    m = Shifted()
    m.register_forward_pre_hook(lambda mod, args, kw: (args, {"by": kw["by"] + 1}), with_kwargs=True)
    m.register_forward_hook(lambda mod, args, kw, out: log.append((args, kw, out)), with_kwargs=True)
    m.register_forward_hook(lambda mod, args, out: log.append((args, out)))
    log.append(m(ramp(lib, 3), by=2.0))


def hooks_after_a_failure(lib: Any, log: Story) -> None:
    class Fails(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            raise ZeroDivisionError("on purpose")

    m = Fails()
    m.register_forward_hook(lambda mod, args, out: log.append(("always", args, out)), always_call=True)
    m.register_forward_hook(lambda mod, args, out: log.append("never"))
    try:
        m(ramp(lib, 2))
    except ZeroDivisionError as error:
        log.append(str(error))


def backward_hooks(lib: Any, log: Story) -> None:
    m = net(lib)
    x = ramp(lib, 2, 3).requires_grad_()
    for name, part in m.named_children():
        part.register_full_backward_hook(lambda mod, gi, go, name=name: log.append((name, gi, go)))
        part.register_full_backward_pre_hook(lambda mod, go, name=name: log.append(("pre", name, go)))
    m[1].register_full_backward_hook(lambda mod, gi, go: (gi[0] * 2,))
    m[2].register_full_backward_pre_hook(lambda mod, go: (go[0] * 3,))
    m(x).sum().backward()
    log.append(x.grad)
    log.extend(p.grad for p in m.parameters())


def backward_hooks_of_many(lib: Any, log: Story) -> None:
    class Mixed(lib.nn.Module):
        def forward(self, a: Any, n: int, b: Any, c: Any) -> Any:
            return a * b, (a * n).sum(), c

    m = Mixed()
    a, b = ramp(lib, 3).requires_grad_(), ramp(lib, 3).requires_grad_()
    m.register_full_backward_hook(lambda mod, gi, go: log.append((gi, go)))
    m.register_full_backward_hook(lambda mod, gi, go: (gi[0], None, gi[2] * 10, None))
    m.register_full_backward_pre_hook(lambda mod, go: (go[0] * 2, go[1], None))
    y, z, c = m(a, 5, b, ramp(lib, 2))
    (y.sum() * 3 + z).backward()
    log.extend([a.grad, b.grad, c])


def backward_hooks_without_input_gradients(lib: Any, log: Story) -> None:
    m = filled(lib, lib.nn.Linear(3, 2))
    m.register_full_backward_hook(lambda mod, gi, go: log.append((gi, go)))
    m(ramp(lib, 4, 3)).sum().backward()
    log.append(m.weight.grad)
    with lib.no_grad():
        m(ramp(lib, 4, 3))
    log.append("quiet")


def a_shared_module_with_hooks(lib: Any, log: Story) -> None:
    m = filled(lib, lib.nn.Linear(3, 3))
    m.register_full_backward_hook(lambda mod, gi, go: log.append((gi, go)))
    x = ramp(lib, 2, 3).requires_grad_()
    m(lib.tanh(m(x))).sum().backward()
    log.append(x.grad)


def hooks_of_all_modules(lib: Any, log: Story) -> None:
    of_all = lib.nn.modules.module
    handles = [
        of_all.register_module_forward_pre_hook(lambda mod, args: log.append(("pre", type(mod).__name__))),
        of_all.register_module_forward_hook(lambda mod, args, out: log.append(("after", type(mod).__name__))),
        of_all.register_module_full_backward_hook(
            lambda mod, gi, go: log.append(("back", type(mod).__name__, gi))
        ),
        of_all.register_module_full_backward_pre_hook(
            lambda mod, go: log.append(("pre-back", type(mod).__name__))
        ),
    ]
    x = ramp(lib, 2, 3).requires_grad_()
    net(lib)(x).sum().backward()
    for handle in handles:
        handle.remove()
    net(lib)(x)
    log.append("removed")


def state_hooks(lib: Any, log: Story) -> None:
    m = net(lib)
    m.register_state_dict_pre_hook(lambda mod, prefix, keep_vars: log.append(("pre", prefix, keep_vars)))
    m[0].register_state_dict_post_hook(
        lambda mod, state, prefix, meta: log.append(("post", list(state), prefix, dict(meta)))
    )
    m[0].register_state_dict_post_hook(lambda mod, state, prefix, meta: state.__delitem__(prefix + "bias"))
    state = m.state_dict()
    log.append(dict(state))
    log.append(list(m.state_dict(prefix="net.")))

    def rename(mod: Any, state: Any, prefix: str, meta: Any, strict: bool, *lists: Any) -> None:
        log.append(("load", prefix, strict, [list(v) for v in lists]))
        for key in [k for k in state if k.startswith("old.")]:
            state[key.removeprefix("old.")] = state.pop(key)

    def after(mod: Any, keys: Any) -> None:
        log.append(("loaded", keys.missing_keys, keys.unexpected_keys, mod[0].weight))
        keys.missing_keys.clear()

    m.register_load_state_dict_pre_hook(rename)
    m.register_load_state_dict_post_hook(after)
    old = {f"old.{k}": v * 2 for k, v in state.items()}
    log.append(tuple(m.load_state_dict(old)))
    log.append(list(old))  # the given dict is as it was


def extra_state(lib: Any, log: Story) -> None:
    class Counter(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0
            self.inner = lib.nn.Linear(1, 1, bias=False)

        def get_extra_state(self) -> Any:
            return {"count": self.count}

        def set_extra_state(self, state: Any) -> None:
            self.count = state["count"]

    m = lib.nn.Sequential(filled(lib, Counter()))
    m[0].count = 7
    state = m.state_dict()
    log.append(dict(state))
    other = lib.nn.Sequential(Counter().double())
    log.append(tuple(other.load_state_dict(state)))
    log.append(other[0].count)
    del state["0._extra_state"]
    log.append(tuple(other.load_state_dict(state, strict=False)))
    plain_net = lib.nn.Sequential(lib.nn.Sequential(lib.nn.Linear(1, 1, bias=False)))
    log.append(
        plain_net.load_state_dict({"0._extra_state": 1, "0.0.weight": ramp(lib, 1, 1)}, strict=False)[1]
    )


def loading_with_assign(lib: Any, log: Story) -> None:
    m = filled(lib, lib.nn.BatchNorm1d(3))
    m.weight.requires_grad_(False)
    before = m.weight
    given = {k: lib.nn.Parameter(ramp(lib, 3)) if k == "weight" else v for k, v in m.state_dict().items()}
    given["bias"] = ramp(lib, 3)
    m.load_state_dict(given, assign=True)
    log.append(
        (m.weight is given["weight"], m.weight is before, m.weight.requires_grad, m.bias.requires_grad)
    )
    log.append((isinstance(m.bias, lib.nn.Parameter), m.running_mean is given["running_mean"]))
    log.append([k for k, _ in m.named_buffers()])
    old = lib.nn.BatchNorm1d(3).state_dict()
    del old["num_batches_tracked"]
    log.append(tuple(m.load_state_dict(dict(old), strict=False)))  # plain dicts may lack the counter


def parts(lib: Any, log: Story) -> None:
    m = lib.nn.Module()
    m.a = lib.nn.Linear(2, 2)
    m.b = m.a
    m.register_buffer("kept", lib.zeros(2))
    m.register_buffer("gone", lib.zeros(2), persistent=False)
    m.direct = lib.nn.Buffer(lib.ones(1))
    m.off = None
    m.register_parameter("none", None)
    log.append([n for n, _ in m.named_parameters()])
    log.append([n for n, _ in m.named_parameters(remove_duplicate=False)])
    log.append([n for n, _ in m.named_parameters(prefix="p", recurse=False)])
    log.append([n for n, _ in m.named_modules(prefix="x", remove_duplicate=False)])
    log.append([n for n, _ in m.named_children()])
    log.append([n for n, _ in m.named_buffers()])
    log.append(list(m.state_dict()))
    log.append("0" in dir(lib.nn.Sequential(lib.nn.ReLU())))
    log.append([x in dir(m) for x in ("a", "kept", "none", "forward")])
    m.kept = lib.ones(3)
    m.a = None
    log.append((list(m.state_dict()), m.a is None))
    m.c = lib.nn.Parameter(lib.zeros(1))
    m.c = None
    log.append((m.c is None, "c" in m._parameters))
    del m.kept
    log.append(list(m.state_dict()))
    log.append(m.get_submodule("b") is m.b)
    m.set_submodule("b", lib.nn.ReLU())
    log.append(repr(m))
    twin = copy.deepcopy(m)
    twin.direct.add_(1)
    log.append((m.direct, twin.direct))


def refusals(lib: Any, log: Story) -> None:
    m = lib.nn.Module()
    m.a = lib.nn.Linear(2, 2)
    m.register_buffer("buf", lib.zeros(2))
    m.plain = 3

    def attempt(what: Callable[[], Any]) -> None:
        try:
            what()
        except Exception:
            log.append("refused")
        else:
            log.append("accepted")

    weight = lib.nn.Parameter(lib.zeros(2))
    for f in (
        lambda: setattr(m, "a", 3),
        lambda: setattr(m.a, "weight", lib.zeros(2, 2)),
        lambda: setattr(m, "buf", 3),
        lambda: m.register_buffer("plain", lib.zeros(1)),
        lambda: m.register_buffer("a.b", lib.zeros(1)),
        lambda: m.register_buffer("", lib.zeros(1)),
        lambda: m.register_buffer("x", 3),
        lambda: m.register_parameter("plain", weight),
        lambda: m.register_parameter("y", lib.zeros(1)),
        lambda: m.register_parameter("y", weight * 2),
        lambda: m.register_module("plain", lib.nn.ReLU()),
        lambda: m.register_module("z", 3),
        lambda: m.get_parameter("a.nope"),
        lambda: m.get_buffer("nope"),
        lambda: m.get_submodule("a.b"),
        lambda: m.nope,
        lambda: m.train("yes"),
        lambda: m.load_state_dict([1, 2]),
        lambda: m.load_state_dict({}),
        lambda: m.load_state_dict({"a.weight": lib.zeros(3, 3)}, strict=False),
        lambda: m.to(lib.int64),
        lambda: m(1),
        lambda: lib.nn.Sequential(3),
        lambda: lib.nn.ModuleList([3]),
        lambda: lib.nn.ModuleDict({"a.b": lib.nn.ReLU()}),
        lambda: lib.nn.ModuleDict({"keys": lib.nn.ReLU()}),
        lambda: lib.nn.ModuleDict({})["nope"],
        lambda: lib.nn.ParameterDict({})["nope"],
        lambda: lib.nn.ParameterList([])[0],
        lambda: lib.nn.Sequential()[0],
        lambda: lib.nn.Sequential() + 3,
        lambda: lib.nn.Sequential(lib.nn.ReLU()) * 0,
    ):
        attempt(f)


def training_mode_reaches_children_through_their_own_train(lib: Any, log: Story) -> None:
    class Frozen(lib.nn.Dropout):
        def train(self, mode: bool = True) -> Any:
            return super().train(False)

    m = lib.nn.Sequential(lib.nn.Sequential(Frozen()), lib.nn.Dropout())
    m.train()
    log.append([x.training for x in m.modules()])
    m.requires_grad_(False).double().float().cpu()


def sequences(lib: Any, log: Story) -> None:
    m = lib.nn
    s = m.Sequential(m.ReLU(), m.Tanh())
    s += m.Sequential(m.Sigmoid())
    log.append(repr(s))
    log.append(repr(s + m.Sequential(m.GELU())))
    log.append(repr(s * 2))
    s.insert(1, m.ELU())
    s.insert(-1, m.CELU())
    log.append(repr(s))
    log.append((repr(s.pop(0)), repr(s[-1]), len(s)))
    del s[0:2]
    log.append(repr(s.extend([m.SELU()]).append(m.SiLU())))
    s *= 2
    log.append(repr(s))
    named = (
        m.Sequential({"a": m.ReLU()})
        if lib is rg
        else m.Sequential(__import__("collections").OrderedDict(a=m.ReLU()))
    )
    log.append(repr(named[0:1]))
    items = m.ModuleList([m.ReLU(), m.Tanh()])
    items += [m.Sigmoid()]
    log.append((repr(items + [m.GELU()]), repr(items[1:]), repr(items.pop(1)), len(items)))
    items[0] = m.ELU()
    items.insert(1, m.CELU())
    log.append(repr(items))
    d = m.ModuleDict([("x", m.ReLU())])
    d.update({"y": m.Tanh()})
    log.append((list(d), "y" in d, repr(d.pop("x")), repr(d)))
    d.clear()
    log.append(len(d))


def parameter_containers(lib: Any, log: Story) -> None:
    m = lib.nn
    items = m.ParameterList([lib.zeros(2, 3), m.Parameter(lib.ones(1)), "other"])
    items.append(lib.ones(4))
    items += [lib.zeros(1)]
    log.append([type(v).__name__ for v in items])
    log.append(repr(items).replace("retrograd.", "torch."))
    log.append((len(items), len(items[1:3]), [n for n, _ in items.named_parameters()]))
    items[0] = lib.ones(1)
    log.append(items[-1] is items[4])
    log.append(list(items.state_dict()))
    d = m.ParameterDict({"a": lib.zeros(2), "b": lib.ones(1)})
    d["c"] = lib.zeros(1)
    log.append((list(d), list(reversed(d)), "a" in d, d.get("q", 5), len(d)))
    log.append((list((d | {"z": lib.zeros(1)}).keys()), list(({"z": lib.zeros(1)} | d).keys())))
    log.append((d.pop("a"), d.popitem()[0], d.setdefault("n", lib.ones(2)), list(d.state_dict())))
    d |= {"m": lib.zeros(1)}
    log.append((list(d.copy()), list(d.fromkeys(["s", "t"], 1.0).items())))
    d.clear()
    log.append(list(d.items()))


def lazy_layers(lib: Any, log: Story) -> None:
    m = lib.nn.Sequential(lib.nn.LazyLinear(4), lib.nn.LazyBatchNorm1d(), lib.nn.LazyLinear(2, bias=False))
    log.append([type(p).__name__ for p in m.parameters()])
    log.append(m[0].has_uninitialized_params())
    state = m.state_dict()
    log.append(m(lib.zeros(5, 3)).shape == (5, 2))
    log.append(repr(m))
    log.append({k: tuple(v.shape) for k, v in m.state_dict().items()})
    log.append([type(p).__name__ for p in m.parameters()])
    fresh = lib.nn.Sequential(
        lib.nn.LazyLinear(4), lib.nn.LazyBatchNorm1d(), lib.nn.LazyLinear(2, bias=False)
    )
    fresh.load_state_dict(m.state_dict())
    log.append((fresh[0].weight == m[0].weight).all().item())
    log.append(fresh(lib.zeros(5, 3)).shape == (5, 2))
    log.append((repr(fresh[0]), len(state)))
    norm = lib.nn.LazyInstanceNorm2d(affine=True)
    norm(lib.zeros(2, 3, 4, 4))
    log.append(repr(norm))


STORIES = [
    forward_hooks, keyword_hooks, hooks_after_a_failure, backward_hooks, backward_hooks_of_many,
    backward_hooks_without_input_gradients, a_shared_module_with_hooks, hooks_of_all_modules, state_hooks, extra_state,
    loading_with_assign, parts, refusals, training_mode_reaches_children_through_their_own_train, sequences,
    parameter_containers, lazy_layers,
]  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_story_is_the_same(story: Callable[[Any, Story], None]) -> None:
    same(story)
