"""Small calls, each written once and made by both libraries: PyTorch refuses both or answers both, and then alike."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.samples import torch
from retrograd.errors import RetrogradError
from retrograd.nn import functional

REFUSED = {
    "a number is no tensor": """
        t.exp(1); t.sqrt(1.5); t.abs(True); t.relu(1); t.sign(1); t.clamp(1, 0, 2); t.reshape(1, (1,))
        t.exp([1.0, 2.0])
        t.where(True, t.ones(2), t.ones(2)); t.where(True, 1, 2); t.isnan(1.0); t.logical_not(1)
        t.floor(1.5); t.pow(2, 2)
        t.special.erf(1.0); t.special.i0(1.0); F.relu(1); F.softmax(1.0, dim=0); t.cat([1, 2]); t.nonzero(5)
        t.ravel(1)
    """,
    "a list is no operand": """
        t.ones(2) + [1, 2]; [1, 2] + t.ones(2); t.ones(2) * (1, 2); t.ones(2) / [1, 2]; t.ones(2) ** [1, 2]
        t.ones(2) // [1, 2]; t.ones(2) % [1, 2]; t.ones(2) < [1, 2]; t.ones(2) @ [1.0, 2.0]
        t.add(t.ones(2), [1, 2])
        t.ones(2).add_([1, 2]); t.ones(2).mul_((1, 2)); t.nn.Parameter([1.0, 2.0]); t.nn.Parameter(1.0)
    """,
    "a number that the dtype does not hold": """
        t.full((2,), 300, dtype=t.uint8); t.full((2,), -256, dtype=t.uint8)
        t.full((2,), 255.9, dtype=t.uint8)
        t.full((2,), -1.0, dtype=t.uint8); t.full((2,), nan, dtype=t.int64); t.full((2,), inf, dtype=t.int64)
        t.full((2,), 2**31, dtype=t.int32); t.full((2,), 2147483647.5, dtype=t.int32); t.full((2,), 2**63)
        t.full((2,), 1e40, dtype=t.float32); t.full_like(t.zeros(2, dtype=t.uint8), 300)
        t.scalar_tensor(1e40)
        t.zeros(2, dtype=t.uint8).new_full((2,), 300); t.scalar_tensor(nan, dtype=t.int32)
        t.tensor([1e10], dtype=t.int32)
        t.tensor([nan], dtype=t.int32); t.tensor([-1.5], dtype=t.uint8); t.tensor(-1.0, dtype=t.uint8)
        t.full((2,), t.tensor(300), dtype=t.uint8)
    """,
    "negative places": """
        t.zeros(3).index_add(0, t.tensor([-1]), t.ones(1))
        t.zeros(3).index_copy(0, t.tensor([-1]), t.ones(1))
        t.zeros(3).index_reduce(0, t.tensor([-1]), t.ones(1), "prod")
        t.zeros(3).index_select(0, t.tensor([-1]))
        t.zeros(3).index_add_(0, t.tensor([-1]), t.ones(1)); t.take_along_dim(t.zeros(3), t.tensor([-1]))
        t.zeros(3).index_copy_(0, t.tensor([-1]), t.ones(1)); t.zeros(3).gather(0, t.tensor([-1]))
    """,
    "places in another dtype": """
        t.zeros(3).take(t.tensor([1]).int()); t.zeros(3).put(t.tensor([1]).int(), t.ones(1))
        t.zeros(3).take(t.zeros(0))
        t.zeros(3).put_(t.tensor([1]).int(), t.ones(1)); t.zeros(3).index_fill(0, t.tensor([1]).int(), 1.0)
        t.zeros(3).index_copy(0, t.tensor([1]).int(), t.ones(1))
        t.zeros(3).index_fill_(0, t.tensor([1]).int(), 1.0)
        t.take_along_dim(t.zeros(3), t.tensor([1]).int(), 0); t.zeros(3).index_select(0, t.zeros(0))
        t.zeros(3).index_add(0, t.zeros(0), t.zeros(0)); t.ones(2)[np.bool_(True)]; t.ones(2)[1.0]
    """,
    "whole numbers where a gradient is wanted": """
        w.sum(dtype=t.int64); w.sum(0, dtype=t.int64); w.prod(dtype=t.int64); w.prod(0, dtype=t.int64)
        w.sum(dtype=t.bool)
        w.nansum(dtype=t.int64); w.cumsum(0, dtype=t.int64); w.cumprod(0, dtype=t.int64); w.prod(dtype=t.bool)
        t.softmax(w, 0, dtype=t.int64)
    """,
    "draws that do not exist": """
        t.zeros(2).long().uniform_(); t.zeros(2).long().exponential_(); t.zeros(2).long().cauchy_()
        t.randn(2, dtype=t.int64)
        t.zeros(2).bool().uniform_(); t.zeros(2).bool().geometric_(0.5); t.zeros(2).long().normal_()
        t.zeros(2).bernoulli_(p=-2)
        t.zeros(2).bernoulli_(t.tensor([-1.0, 2.0])); t.zeros(2).bernoulli_(t.tensor([nan, 0.5]))
        t.zeros(2).bernoulli_(p=nan)
        t.zeros(2).bernoulli_(t.tensor([1, 0])); t.randint(3, (2,), dtype=t.bool)
        t.randint(-1, 1, (2,), dtype=t.bool)
        t.zeros(2).bool().random_(3); t.multinomial(t.tensor([0.0, 0.0]), 1)
        t.multinomial(t.tensor([1.0, 0.0]), 3)
        t.Generator("cuda"); t.Generator("abc")
    """,
    "weights of losses have no gradient": """
        F.cross_entropy(t.zeros(2, 3), t.tensor([0, 1]), weight=w)
        F.nll_loss(t.zeros(2, 3), t.tensor([0, 1]), weight=w)
        F.binary_cross_entropy(t.ones(3) / 2, t.zeros(3), weight=w)
        F.multi_margin_loss(t.zeros(2, 3), t.tensor([0, 1]), weight=w)
        F.binary_cross_entropy_with_logits(t.zeros(3), t.zeros(3), weight=w)
        F.binary_cross_entropy_with_logits(t.zeros(3), t.zeros(3), pos_weight=w)
    """,
    "losses of whole numbers": 'F.mse_loss(i, j, reduction="sum"); F.huber_loss(i, j.float()); F.hinge_embedding_loss(i, j)',
    "factors of another kind": """
        t.add(t.ones(2), t.ones(2), alpha=True); t.sub(t.ones(2), t.ones(2), alpha=True)
        t.ones(2).add_(t.ones(2), alpha=True)
        t.add(t.ones(2).long(), t.ones(2).long(), alpha=1.0); t.rsub(t.ones(2), t.ones(2), alpha=True)
        t.add(t.ones(2), 1, alpha=True)
        t.addr(t.ones(2, 2), t.ones(2), t.ones(2), alpha=True)
        t.addr(t.ones(2, 2), t.ones(2), t.ones(2), beta=True)
    """,
    "sizes outside a tuple": """
        t.full(2, 1); t.full(size=2, fill_value=1); t.zeros(2).new_full(2, 1); t.unflatten(t.ones(4), 0, 4)
        t.ones(4).unflatten(0, 4); t.flip(t.ones(2), 0); t.flip(m, 0, 1); t.flip(m, dims=0); t.permute(m, 1, 0)
        t.permute(t.ones(2), dims=0); t.reshape(m, 6); t.reshape(m, 3, 2); t.tile(m, 2); t.tile(m, dims=2)
    """,
    "views are not detached in place": """
        w[:2].detach_(); (w * 1)[:2].detach_(); (w * 1).view(3).detach_(); t.ones(3)[:2].detach_()
        w.data[:2].detach_()
        (w * 1).split(1)[0].detach_()
    """,
    "a dtype is no text": """
        t.zeros(2, dtype='float32'); t.tensor(2, dtype='float32'); t.ones(2).sum(dtype='float32')
        t.ones(2).to('float32')
    """,
    "products of bools": "b @ b; b[0] @ b[0]; b[0][:0] @ b[0][:0]; t.dot(b[0][:0], b[0][:0]); t.matrix_power(b, 2)",
}

ANSWERED = {
    "sizes in a tuple or in a method": """
        t.flip(m, (0,)); m.flip(0, 1); t.permute(m, dims=(1, 0)); m.permute(1, 0); t.reshape(m, [6]); m.reshape(3, 2); m.tile(2)
        t.tile(m, (2,)); t.reshape(m, shape=(6,)); m.reshape(6).broadcast_to((2, 6))
    """,
    "equality": "t.ones(2) == [1, 2]; t.ones(2) != (1, 2); t.ones(2) == None; t.ones(2) == 1",
    "numbers in a dtype": """
        t.full((2,), -1, dtype=t.uint8); t.tensor(-1, dtype=t.uint8); t.tensor([-255, 3], dtype=t.uint8)
        t.full((2,), nan)
        t.full((2,), 2.5, dtype=t.bool); t.full((2,), -inf); t.tensor(1e40); t.zeros(2).byte().fill_(-1)
        t.full((2,), 1.7, dtype=t.int32)
        t.zeros(2, dtype=float); t.zeros(2, dtype=int); t.zeros(2, dtype=bool); t.full([2], 1)
        t.tensor([3.7], dtype=t.int64)
    """,
    "no places at all": """
        t.zeros(3, 2).scatter(0, t.zeros(0), 1.0); t.zeros(3, 2).gather(0, t.zeros(0))
        t.zeros(3, 2).scatter(1, n[:, 0], 1.0)
        t.zeros(3, 2).scatter(0, n, t.ones(5, 5)); t.zeros(3, 2).scatter_add(0, n, t.ones(0, 1))
        t.take_along_dim(t.ones(3), t.zeros(0))
        t.zeros(3, 2).scatter_reduce(0, n[:, 0], t.ones(4), "amax")
        t.zeros(3, 2).scatter_(0, n, t.ones(5, 5))
    """,
    "places in int32": "t.ones(3).index_add(0, i.int(), t.ones(2)); t.arange(3).index_select(0, i.int()); t.arange(3)[i.int()]",
    "negative places": """
        t.arange(3).take(i - 1); t.take_along_dim(t.arange(3), i - 1, 0); t.zeros(3).put(i - 1, t.ones(2))
        t.arange(3)[i - 1]
    """,
    "losses of whole numbers": """
        F.l1_loss(i, j, reduction="none"); F.poisson_nll_loss(i, j)
        F.hinge_embedding_loss(i, j, reduction="sum")
        F.hinge_embedding_loss(i, j, margin=2.5, reduction="none")
        F.hinge_embedding_loss(i, j.float(), reduction="none"); F.margin_ranking_loss(i, j, j)
        F.gaussian_nll_loss(i, j, t.ones(2))
        F.margin_ranking_loss(i, j, j, margin=0.5, reduction="none")
        F.margin_ranking_loss(i, j, j, reduction="sum")
    """,
    "losses of one row and of none": """
        F.nll_loss(t.arange(5.0), t.tensor([4])); F.nll_loss(t.arange(5.0), t.tensor([4]), reduction="none")
        F.cross_entropy(t.arange(5.0), t.tensor([4]))
        F.cross_entropy(t.arange(5.0), t.tensor([4]), weight=t.arange(5.0))
        F.cross_entropy(t.zeros(0, 3), t.zeros(0, 3))
        F.cross_entropy(t.zeros(0, 3), t.zeros(0, 3), label_smoothing=0.1)
        F.cross_entropy(t.zeros(2, 0), t.zeros(2, 0))
        F.cross_entropy(t.zeros(2, 0), t.zeros(2, 0), label_smoothing=0.1)
        F.cross_entropy(t.zeros(0, 3), t.zeros(0).long())
        F.cross_entropy(t.zeros(2, 0), t.zeros(2, 0), reduction="none")
    """,
    "a list as an index": """
        m[[slice(None), 0]]; m[[0, slice(None)]]; m[[slice(0, 1)]]; m[[None, 0]]; m[[..., 0]]; m[[[0, 1]]]
        m[[[0, 1], [1, 2]]]
        m[[0, 1]]; m[[[0]]]; m[[[[0]]]]; m[[]]; m[[[]]]; m[[0, 1],]; m[[[0, 1]], [[1, 1]]]; m[[i, i]]
        m[[t.tensor(0), 1]]; m[[i]]
        m[[True, False]]; m[[[True, False]]]; m[[(0, 1), (1, 2)]]; m[((0, 1), (1, 2))]
        m[[np.array([0, 1])]]; m[[[0, 1]] * 33].shape
        m.__setitem__([slice(None), 0], 9) or m; m.__setitem__([[0, 1], [1, 2]], 9) or m
    """,
    "channels of few dimensions": "F.dropout3d(t.ones(3), 0.5).shape; F.dropout3d(t.ones(3), 0.0); F.dropout2d(t.ones(()), 0.0)",
    "products of no bools": """
        b[:, :0] @ b[:0]; b[:0] @ b; b[:, :0] @ b[0][:0]; b[:0] @ b[0]; t.mm(b[:, :0], b[:0])
        t.bmm(b[None, :, :0], b[None, :0])
        F.linear(b[:, :0], b[:, :0]); t.einsum("ij,jk", b[:, :0], b[:0]); t.matrix_power(b, 1)
        t.matrix_power(b[:0, :0], 2)
    """,
    "expanded targets": """
        x.masked_fill_(k, 5.0); x.index_fill_(0, t.tensor([0]), 5.0)
        x.index_put_((i,), t.tensor([5.0, 6.0])); x.__setitem__(k, 5.0) or x
        x.index_put_((i,), t.tensor([5.0, 6.0]), accumulate=True); x.__setitem__(i, 5.0) or x
        x.__setitem__([[0]], 2.0) or x
    """,
    "draws": """
        t.multinomial(t.tensor([1.0, 0.0]), 2); t.multinomial(t.tensor([[1.0, 0.0], [0, 1.0]]), 2)
        t.randn(0, dtype=t.int64)
        t.randn_like(t.zeros(0).long()); t.zeros(0).long().normal_()
        t.normal(0.0, 1.0, (0,), dtype=t.int64); t.randperm(1, dtype=None)
        t.multinomial(t.tensor([1.0, 0.0, 0.0]), 3).shape; t.triu_indices(2, 2, dtype=None)
        t.tril_indices(2, 2, dtype=None)
    """,
    "closeness": """
        t.isclose(u(1, 2), u(2, 1), atol=1); t.isclose(u(1), u(250), atol=7)
        t.isclose(u(10), u(20), rtol=0.5)
        t.isclose(u(100), u(200), rtol=2, atol=0); t.isclose(u(1).bool(), u(0).bool(), atol=1)
        t.isclose(u(0).bool(), u(1).bool(), rtol=1)
        t.isclose(t.tensor([2**62]), t.tensor([2**62 + 5]), rtol=0, atol=4)
        t.isclose(u(1), u(2), rtol=0, atol=0)
        t.isclose(t.tensor([-(2**63)]), t.tensor([2**63 - 1]), rtol=0, atol=5)
        t.isclose(u(0).bool(), u(1).bool(), atol=0.5)
        t.isclose(t.tensor([inf, -inf, nan]), t.tensor([inf, inf, nan])); t.allclose(u(1, 2), u(2, 1), atol=1)
        t.isclose(t.tensor([inf, -inf, nan]), t.tensor([inf, inf, nan]), equal_nan=True)
    """,
    "rows of whole numbers": "F.embedding(i, m.long(), scale_grad_by_freq=True); F.embedding(i, m.long(), padding_idx=0)",
    "polynomials": "; ".join(
        f"t.special.{name}(t.tensor([0.3, 1, -1, 0, 2, -1.5, inf]).double(), t.tensor({n}).double())"
        for name in (
            *("chebyshev_polynomial_" + k for k in "tuvw"), *("shifted_chebyshev_polynomial_" + k for k in "tuvw"),
            "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p",
        )
        for n in (-1, 0, 3, 300)
    )
    + "; t.special.chebyshev_polynomial_t(t.tensor(0.25).double(), 1000000); t.special.hermite_polynomial_h(t.tensor(nan), -2)",
}  # fmt: skip


def calls(table: dict[str, str]) -> list[Any]:
    found = []
    for theme, text in table.items():
        lines = [call.strip() for line in text.splitlines() for call in line.split("; ")]
        found += [pytest.param(call, id=f"{theme}: {call}") for call in lines if call]
    return found


def made(t: Any, functions: Any, call: str) -> Any:
    """What a library makes of a call."""
    names = {
        "t": t, "F": functions, "np": np, "nan": math.nan, "inf": math.inf, "i": t.tensor([0, 1]), "j": t.tensor([1, -1]),
        "w": t.ones(3, requires_grad=True), "m": t.arange(6.0).reshape(2, 3), "n": t.zeros(0, 4, dtype=t.int64),
        "b": t.ones(2, 2, dtype=t.bool), "x": t.zeros(1).expand(3), "k": t.tensor([True, False, False]),
        "u": lambda *values: t.tensor(values, dtype=t.uint8),
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(call, names)


@pytest.mark.parametrize("call", calls(REFUSED))
def test_both_refuse(call: str) -> None:
    with pytest.raises((RuntimeError, TypeError, ValueError, IndexError, AttributeError, OverflowError)):
        made(torch, torch.nn.functional, call)
    with pytest.raises(RetrogradError) as caught:
        made(rg, functional, call)
    assert caught.value.hint


@pytest.mark.parametrize("call", calls(ANSWERED))
def test_both_answer(call: str) -> None:
    theirs, ours = made(torch, torch.nn.functional, call), made(rg, functional, call)
    if not isinstance(theirs, torch.Tensor):
        assert tuple(theirs) == tuple(ours) if isinstance(theirs, tuple) else theirs == ours
        return
    assert str(theirs.dtype).split(".")[1] == ours.dtype.name
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-5, atol=1e-7)
    assert theirs.shape == tuple(ours.shape)


def test_the_error_names_the_function_that_was_called() -> None:
    for call in ("exp", "relu", "floor", "logical_not", "isinf"):
        with pytest.raises(RetrogradError, match=rf"^{call} takes a tensor, got int"):
            getattr(rg, call)(1)
    with pytest.raises(RetrogradError, match=r"^add takes a tensor, got list"):
        rg.ones(2) + [1, 2]


def test_a_write_to_an_expanded_tensor_reaches_its_base() -> None:
    base = rg.zeros(2, 1)
    with pytest.warns(UserWarning, match="share memory"):
        base.expand(2, 3)[rg.tensor([1])] = 7.0
    assert base.tolist() == [[0.0], [7.0]]
    x = rg.ones(1, requires_grad=True)
    wide = (x * 2).expand(3)
    with pytest.warns(UserWarning, match="share memory"):
        wide.index_fill_(0, rg.tensor([2]), 5.0)
    wide.sum().backward()
    assert x.grad.tolist() == [0.0]
    assert wide.tolist() == [5.0, 5.0, 5.0]
