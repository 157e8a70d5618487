"""Small things that scripts written for PyTorch print, ask for and switch, side by side with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import torch

SHOWN = """
torch.tensor([[1., 3.], [2., 0.]]).max(0)
torch.tensor([3., 1.]).sort()
torch.tensor([3., 1.]).topk(1)
torch.tensor([3., 1.]).aminmax()
torch.linalg.slogdet(torch.eye(2))
torch.optim.SGD([{"params": [torch.nn.Parameter(torch.ones(1))]}, {"params": [torch.nn.Parameter(torch.ones(2))]}], lr=0.5)
torch.nn.Linear(1, 1).load_state_dict({}, strict=False)
(torch.nn.ReLU6().min_val, torch.nn.ReLU6().max_val)
torch.nn.utils.rnn.pad_sequence([torch.ones(2), torch.ones(1)])
torch.nn.utils.rnn.pad_sequence([torch.ones(2, 1), torch.ones(1, 1)], True, 7.0, "left")
torch.nn.utils.rnn.unpad_sequence(torch.ones(2, 2), torch.tensor([2, 1]))
torch.cuda.is_available()
torch.nn.modules.loss.MSELoss()
torch.nn.modules.activation.ReLU()
torch.utils.data.dataloader.DataLoader.__name__
torch.nn.Linear(1, 1).share_memory()
torch.nn.Linear(1, 1).to_empty(device="cpu")
"""


@pytest.mark.parametrize("line", SHOWN.strip().splitlines())
def test_shown_alike(line: str) -> None:
    mine, theirs = (str(eval(line, {"torch": t})) for t in (rg, torch))
    assert mine.replace("retrograd.", "torch.") == theirs


CLOSE = [
    ([1.0, 2.0], [1.0, 2.0 + 1e-6], {}),
    ([1.0, 2.0], [1.0, 3.0], {}),
    ([1.0, 2.0], [1, 2], {}),
    ([1, 2], [1, 3], {}),
    ([1.0], [1.0, 2.0], {}),
    ([np.nan], [np.nan], {}),
    ([np.nan], [np.nan], {"equal_nan": True}),
    ([np.inf, 1.0], [np.inf, 1.0], {}),
    ([1.0, 2.0], [1.0, 2.1], {"rtol": 0.1, "atol": 0.0}),
    ([True], [False], {}),
]


def _verdict(t: Any, a: Any, b: Any, options: dict[str, Any]) -> str:
    try:
        t.testing.assert_close(t.tensor(a), t.tensor(b), **options)
    except AssertionError as error:
        return str(error).splitlines()[0].partition(":")[0]
    return "close"


@pytest.mark.parametrize(("a", "b", "options"), CLOSE)
def test_assert_close(a: Any, b: Any, options: dict[str, Any]) -> None:
    assert _verdict(rg, a, b, options) == _verdict(torch, a, b, options)
    rg.testing.assert_close({"x": [1.0, rg.ones(2)]}, {"x": [1.0, rg.ones(2)]})
    with pytest.raises(AssertionError, match="x"):
        rg.testing.assert_close({"x": [1.0, rg.ones(2)]}, {"x": [1.0, rg.zeros(2)]})


@pytest.mark.parametrize("t", [rg, torch], ids=["mine", "theirs"])
def test_hooks_and_switches(t: Any) -> None:
    x, y = (t.tensor([float(k)], requires_grad=True) for k in (2, 3))
    seen: list[Any] = []
    handle = t.autograd.graph.register_multi_grad_hook((x, y), lambda gs: seen.append([g.item() for g in gs]))
    with t.autograd.graph.save_on_cpu():
        product = (x * y).sum()
    product.backward(retain_graph=True)
    handle.remove()
    product.backward()
    assert seen == [[3.0, 2.0]]
    before = t.random.get_rng_state()
    with t.random.fork_rng(devices=[]):
        t.rand(3)
    assert bool((t.random.get_rng_state() == before).all())
    t.cuda.empty_cache()
    if t is rg:  # PyTorch refuses it once its testing tools are loaded
        t.backends.cudnn.deterministic = True


def test_results_with_names_survive_copies() -> None:
    import copy
    import pickle

    pair = rg.tensor([3.0, 1.0]).max(0)
    assert isinstance(pair, rg.return_types.max)
    assert copy.deepcopy(pair).indices == 0
    assert pickle.loads(pickle.dumps(type(pair))) is type(pair)
