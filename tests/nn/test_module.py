"""Modules: registration, walking, state dicts, hooks, modes, and errors that name the layer."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.errors import RetrogradError, ShapeError, StateError, UsageError


class Net(nn.Module):
    """Modules in attributes, in a list, in a dict; a lone parameter; buffers; a shared layer."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(rg.ones(1))
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
        self.heads = nn.ModuleDict({"a": nn.Linear(3, 2)})
        self.tied = self.layers[0]
        self.register_buffer("mean", rg.zeros(3))
        self.register_buffer("cache", rg.zeros(1), persistent=False)

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        for layer in self.layers:
            x = layer(x - self.mean).relu()
        return self.heads["a"](self.tied(x)) * self.scale


def test_registration_by_assignment() -> None:
    net = Net()
    names = [
        "scale",
        "layers.0.weight",
        "layers.0.bias",
        "layers.1.weight",
        "layers.1.bias",
        "heads.a.weight",
        "heads.a.bias",
    ]
    assert [n for n, _ in net.named_parameters()] == names
    assert [n for n, _ in net.named_buffers()] == ["mean", "cache"]
    assert [n for n, _ in net.named_modules()] == ["", "layers", "layers.0", "layers.1", "heads", "heads.a"]
    assert [n for n, _ in net.named_children()] == ["layers", "heads", "tied"]
    assert list(net.state_dict()) == [
        "scale", "mean", "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "heads.a.weight",
        "heads.a.bias", "tied.weight", "tied.bias",
    ]  # fmt: skip
    net.scale = None
    assert net.scale is None
    assert "scale" not in net.state_dict()
    net.scale = nn.Parameter(rg.zeros(1))
    assert net.get_parameter("layers.1.bias") is net.layers[1].bias
    assert net.get_submodule("heads.a") is net.heads["a"]
    del net.tied
    assert not hasattr(net, "tied")
    with pytest.raises(UsageError, match="cannot assign"):
        net.scale = 3.0
    with pytest.raises(UsageError, match="no module"):
        net.get_submodule("layers.7")
    with pytest.raises(AttributeError, match="nonsense"):
        net.nonsense  # noqa: B018


def test_forgotten_super_init_is_said() -> None:
    class Forgot(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(1, 1)

    with pytest.raises(UsageError, match=r"super\(\).__init__\(\)"):
        Forgot()


def test_modes_freezing_and_gradients() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.5)))
    assert all(m.training for m in net.modules())
    assert not any(m.training for m in net.eval().modules())
    assert all(m.training for m in net.train().modules())
    net(rg.ones(1, 2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    seen = []
    net.apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "Dropout", "Sequential", "Sequential"]


def test_dtype_conversion_keeps_the_parameters() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    before = list(net.parameters())
    net.double()
    assert all(p is q for p, q in zip(before, net.parameters(), strict=True))
    assert {p.dtype for p in net.parameters()} == {rg.float64}
    assert net[1].running_mean.dtype is rg.float64
    assert net[1].num_batches_tracked.dtype is rg.int64
    assert net.to(rg.float32)(rg.zeros(2, 2)).dtype is rg.float32
    with pytest.raises(RetrogradError, match="CPU"):
        net.to("cuda")
    with pytest.raises(UsageError, match="floating"):
        net.to(rg.int64)


def test_state_dict_shares_storage_and_loading_copies() -> None:
    net, other = nn.Linear(2, 2), nn.Linear(2, 2)
    state = net.state_dict()
    with rg.no_grad():
        net.weight.zero_()
    assert not state["weight"].numpy().any()
    other.load_state_dict(state)
    with rg.no_grad():
        net.weight.fill_(7)
    assert not other.weight.detach().numpy().any()
    twin = copy.deepcopy(net)
    with rg.no_grad():
        twin.weight.zero_()
    assert net.weight.detach().numpy().any()
    assert isinstance(twin.weight, nn.Parameter)


def test_state_that_does_not_fit_is_refused_whole() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    state = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    before = net[0].weight.detach().numpy().copy()
    wrong = {
        **state,
        "0.weight": state["0.weight"] + 1,
        "1.weight": np.zeros((2, 3), "float32"),
        "extra": np.zeros(1),
    }
    del wrong["0.bias"]
    with pytest.raises(StateError) as caught:
        net.load_state_dict(wrong)
    text = str(caught.value)
    for piece in (
        "missing key(s): '0.bias'",
        "unexpected key(s): 'extra'",
        "1.weight",
        "(2, 3)",
        "(1, 3)",
        "hint:",
    ):
        assert piece in text
    np.testing.assert_array_equal(net[0].weight.detach().numpy(), before)
    fits = {k: v for k, v in state.items() if k != "0.bias"}
    assert net.load_state_dict(fits, strict=False).missing_keys == ["0.bias"]
    with pytest.raises(StateError, match="prefix"):
        nn.Linear(2, 3).load_state_dict({"model.weight": state["0.weight"], "model.bias": state["0.bias"]})


def test_wrong_width_names_layer_widths_line_and_remedy() -> None:
    net = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Sequential(nn.Linear(5, 2)))
    with pytest.raises(ShapeError) as caught:
        net(rg.zeros(3, 8))  # this line
    text = str(caught.value)
    assert "width 5" in text
    assert "width 4" in text
    assert "in layer: Sequential.2.0" in text
    assert "test_module.py" in text
    assert "net(rg.zeros(3, 8))  # this line" in text
    assert "nn.Linear(4, 2)" in text
    mended = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2)))
    assert mended(rg.zeros(3, 8)).shape == (3, 2)


def test_layer_in_a_list_is_named_by_its_path() -> None:
    net = Net()
    net.layers[1] = nn.Linear(7, 3)
    with pytest.raises(ShapeError, match=r"in layer: Net\.layers\.1\n"):
        net(rg.zeros(2, 3))
    with pytest.raises(ShapeError, match="in layer: Linear\n"):
        nn.Linear(2, 2)(rg.zeros(1, 3))


def test_the_scope_is_left_after_an_error() -> None:
    from retrograd.op import context

    with pytest.raises(ShapeError):
        nn.Sequential(nn.Linear(2, 2))(rg.zeros(1, 3))
    assert context.scope is None


def test_forward_hooks() -> None:
    net, seen = nn.Sequential(nn.Linear(2, 2), nn.ReLU()), []
    first = net[0].register_forward_hook(
        lambda m, args, out: seen.append((type(m).__name__, args[0].shape, out.shape))
    )
    net(rg.zeros(3, 2))
    assert seen == [("Linear", (3, 2), (3, 2))]
    first.remove()
    net(rg.zeros(3, 2))
    assert len(seen) == 1
    with net.register_forward_pre_hook(lambda m, args: (args[0] + 1,)):
        raised = net(rg.zeros(1, 2))
    np.testing.assert_allclose(raised.detach().numpy(), net(rg.ones(1, 2)).detach().numpy())
    with net.register_forward_hook(lambda m, args, out: out * 0 + 5):
        assert net(rg.zeros(1, 2)).tolist() == [[5.0, 5.0]]


def test_backward_hooks_see_the_gradients_at_the_edges() -> None:
    net, seen = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), {}
    for name, m in net.named_children():
        m.register_full_backward_hook(lambda m, gi, go, name=name: seen.update({name: (gi, go)}))
    x = rg.randn(4, 2, requires_grad=True)
    net(x).sum().backward()
    assert list(seen) == ["2", "1", "0"]  # last to first
    np.testing.assert_allclose(seen["2"][1][0].numpy(), np.ones((4, 1)))
    np.testing.assert_allclose(seen["0"][0][0].numpy(), x.grad.numpy())
    np.testing.assert_allclose(seen["1"][1][0].numpy(), seen["2"][0][0].numpy())
    x.grad = None
    with net[0].register_full_backward_hook(lambda m, gi, go: (gi[0] * 0,)):
        net(x).sum().backward()
    assert not x.grad.numpy().any()


def test_containers() -> None:
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    assert len(net) == 3
    assert isinstance(net[-1], nn.Linear)
    assert repr(net[:2]) == repr(nn.Sequential(net[0], net[1]))
    net[1] = nn.Tanh()
    net.append(nn.Identity())
    del net[0]
    assert [n for n, _ in net.named_children()] == ["0", "1", "2"]
    with pytest.raises(IndexError):
        net[9]
    with pytest.raises(UsageError, match=r"write ReLU\(\)"):
        nn.Sequential(nn.Linear(1, 1), nn.ReLU)
    layers = nn.ModuleList([nn.ReLU()])
    layers.insert(0, nn.Linear(1, 1))
    layers.extend([nn.Tanh()])
    assert [type(m).__name__ for m in layers] == ["Linear", "ReLU", "Tanh"]
    heads = nn.ModuleDict({"a": nn.ReLU()})
    heads["b"] = nn.Tanh()
    assert "b" in heads
    assert isinstance(heads.pop("a"), nn.ReLU)
    assert list(heads.keys()) == ["b"]
    with pytest.raises(UsageError, match="no forward"):
        heads(rg.zeros(1))


def test_residual_refuses_shapes_that_do_not_add() -> None:
    with pytest.raises(ShapeError, match=r"shortcut=nn.Linear\(3, 4\)"):
        nn.Residual(nn.Linear(3, 4))(rg.zeros(2, 3))
    assert nn.Residual(nn.Linear(3, 4), shortcut=nn.Linear(3, 4))(rg.zeros(2, 3)).shape == (2, 4)
    block = nn.Residual(nn.Linear(3, 3))
    nn.init.zeros_(block.block.weight), nn.init.zeros_(block.block.bias)
    x = rg.randn(2, 3)
    np.testing.assert_array_equal(block(x).detach().numpy(), x.numpy())


def test_embedding_and_norms_refuse_what_does_not_fit() -> None:
    with pytest.raises(UsageError, match="asked for row 5"):
        nn.Embedding(5, 2)(rg.tensor([1, 5]))
    with pytest.raises(UsageError, match="asked for row -1"):
        nn.Embedding(5, 2)(rg.tensor([-1]))
    with pytest.raises(UsageError, match="padding_idx"):
        nn.Embedding(5, 2, padding_idx=5)
    with pytest.raises(ShapeError, match=r"nn.BatchNorm1d\(4\)"):
        nn.BatchNorm1d(3)(rg.zeros(2, 4))
    with pytest.raises(ShapeError, match="more than one value"):
        nn.BatchNorm1d(3)(rg.zeros(1, 3))
    with pytest.raises(ShapeError, match="last dimensions"):
        nn.LayerNorm(3)(rg.zeros(2, 4))
    with pytest.raises(UsageError, match="between 0 and 1"):
        nn.Dropout(1.5)
    assert nn.Embedding.from_pretrained(rg.eye(3))(rg.tensor([2])).tolist() == [[0.0, 0.0, 1.0]]
