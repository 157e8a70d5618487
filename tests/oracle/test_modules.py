"""Every module that we have, on PyTorch's own constructor and forward inputs, with the same parameters.

Outputs, gradients of inputs and parameters, buffers after the pass, state-dict keys and the printed form must agree, in
training and in evaluation.  What PyTorch's list says must be refused is refused, with a hint.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.samples import flat, fresh, near, torch, translated
from retrograd import nn
from retrograd.absent import reason

from torch.testing._internal.common_modules import ModuleErrorEnum, module_db  # isort: skip


def name_of(info: Any) -> str:
    return info.name.removeprefix("nn.")


def left_out(info: Any) -> bool:
    return not hasattr(nn, name_of(info)) and reason("torch.nn", name_of(info)) is not None


HAVE = [info for info in module_db if not left_out(info)]


def build(info: Any, given: Any) -> tuple[Any, nn.Module]:
    """PyTorch's module and ours, with PyTorch's starting values."""
    args, kwargs = translated((given.args, given.kwargs), [])
    mine = getattr(nn, name_of(info))(*args, **kwargs)
    theirs = info.module_cls(*given.args, **given.kwargs)
    state = {key: value.detach().numpy() for key, value in theirs.state_dict().items()}
    mine.load_state_dict(state, assign=True)
    assert list(mine.state_dict()) == list(state)
    assert repr(mine).replace("retrograd.", "torch.") == repr(theirs)
    return theirs, mine


def run(theirs: Any, mine: nn.Module, forward: Any, tolerance: float) -> None:
    args, kwargs = fresh((tuple(forward.args), dict(forward.kwargs)))
    leaves: list[tuple[Any, Any]] = []
    our_args, our_kwargs = translated((args, kwargs), leaves)
    expected = theirs(*args, **kwargs)
    found = mine(*our_args, **our_kwargs)
    outs = list(zip(flat(found), flat(expected), strict=True))
    for k, (x, y) in enumerate(outs):
        near(x, y, tolerance, f"output {k}")
        assert x.requires_grad == y.requires_grad
    leaves += list(zip(theirs.parameters(), mine.parameters(), strict=True))
    r = np.random.default_rng(0)
    for x, y in outs:
        if y.requires_grad:
            w = r.normal(size=tuple(y.shape))
            (x * rg.tensor(w, dtype=x.dtype)).sum().backward()
            (y * torch.tensor(w, dtype=y.dtype)).sum().backward()
    # Rounding shows against the largest gradient: a bias before a norm has gradients of rounding errors alone.
    scale = max(
        (float(y.grad.abs().max()) for y, _ in leaves if y.grad is not None and y.numel()), default=1.0
    )
    for k, (y, x) in enumerate(leaves):
        if y.grad is None:
            assert x.grad is None or not x.grad.numpy().any(), f"gradient {k} where PyTorch has none"
        else:
            assert x.grad is not None, f"no gradient {k}"
            near(x.grad / max(scale, 1e-3), y.grad / max(scale, 1e-3), 10 * tolerance, f"gradient {k}")
    for (key, x), (_, y) in zip(mine.named_buffers(), theirs.named_buffers(), strict=True):
        near(x, y, tolerance, key)


@pytest.mark.parametrize("info", HAVE, ids=name_of)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=lambda d: str(d).removeprefix("torch."))
def test_module(info: Any, dtype: Any) -> None:
    tried = 0
    for training in (True, False) if info.train_and_eval_differ else (True,):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for sample in info.module_inputs_func(
                info, device="cpu", dtype=dtype, requires_grad=True, training=training
            ):
                theirs, mine = build(info, sample.constructor_input)
                (
                    theirs.to(dtype).train(training),
                    mine.to(getattr(rg, str(dtype).removeprefix("torch."))).train(training),
                )
                run(theirs, mine, sample.forward_input, 1e-9 if dtype is torch.float64 else 2e-5)
                tried += 1
    assert tried


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("info", HAVE, ids=name_of)
def test_module_traced_and_copied(info: Any) -> None:
    """Traced, a module gives what it gives; so does its deep copy; and neither changes it."""
    inputs = info.module_inputs_func(
        info, device="cpu", dtype=torch.float64, requires_grad=False, training=True
    )
    sample = next(iter(inputs))
    _, mine = build(info, sample.constructor_input)
    mine.double()
    args, kwargs = translated((tuple(sample.forward_input.args), dict(sample.forward_input.kwargs)), [])
    tensors = [k for k, v in enumerate(args) if isinstance(v, rg.Tensor)]

    def call(*given: Any) -> Any:
        full = list(args)
        for k, value in zip(tensors, given, strict=True):
            full[k] = value
        return mine(*full, **kwargs)

    graph = rg.trace(call)(*(args[k] for k in tensors))
    twin = copy.deepcopy(mine)
    found = graph(*(args[k].numpy() for k in tensors))[0]
    expected = mine(*args, **kwargs).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(twin(*args, **kwargs).detach().numpy(), expected)


@pytest.mark.parametrize("info", [i for i in HAVE if i.module_error_inputs_func], ids=name_of)
def test_what_pytorch_refuses(info: Any) -> None:
    for error in info.module_error_inputs_func(
        info, device="cpu", dtype=torch.float64, requires_grad=False, training=True
    ):
        given = error.module_error_input
        weights = list(given.constructor_input.kwargs.values())
        if any(isinstance(w, torch.Tensor) and w.dtype is torch.float16 for w in weights):
            continue  # float16 does not exist here
        with pytest.raises(rg.errors.RetrogradError) as caught:
            attempt(info, given, error.error_on)
        assert caught.value.hint


def attempt(info: Any, given: Any, error_on: Any) -> None:
    args, kwargs = given.constructor_input.args, given.constructor_input.kwargs
    if not _odd(args, kwargs):
        args, kwargs = translated((args, kwargs), [])
    module = getattr(nn, name_of(info))(*args, **kwargs)
    assert error_on is not ModuleErrorEnum.CONSTRUCTION_ERROR, "it was built"
    args, kwargs = translated((tuple(given.forward_input.args), dict(given.forward_input.kwargs)), [])
    module.double()(*args, **kwargs)


def _odd(args: Any, kwargs: Any) -> bool:
    return any(isinstance(v, complex) for v in (*args, *kwargs.values()))


def test_every_module_is_here_or_left_out_for_a_reason() -> None:
    missing = [name_of(info) for info in HAVE if not hasattr(nn, name_of(info))]
    assert not missing
