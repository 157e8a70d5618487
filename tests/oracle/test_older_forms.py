"""Forms of calls that PyTorch takes besides the usual ones: other names of arguments, older orders, bytes read anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import torch

NUMBERS = np.array([[3.0, 1.0, 0.5], [1.0, 2.0, 0.25], [0.5, 0.25, 4.0]])

FORMS = """
torch.linalg.cond(input=x)
torch.linalg.det(A=x)
torch.linalg.norm(input=x, axis=0, keepdims=True)
torch.linalg.vector_norm(x, axis=0, keepdims=True)
torch.linalg.matrix_rank(input=x, tol=0.1, hermitian=True)
torch.linalg.pinv(input=x, rcond=0.1)
torch.linalg.solve_triangular(input=x, B=x, upper=True)
torch.trace(input=x)
torch.broadcast_to(x, size=(2, 3, 3))
torch.isin(x, test_element=1.0)
torch.result_type(tensor=x, other=1)
torch.result_type(scalar=1, tensor=x)
torch.promote_types(type1=torch.int32, type2=torch.float32)
torch.vdot(x[0], other=x[1])
torch.special.hermite_polynomial_h(x=x, n=2)
torch.special.shifted_chebyshev_polynomial_w(x=x, n=2)
torch.histogram(x).hist
torch.histogramdd(x, 2, None)[0]
torch.add(x, 2, x)
torch.sub(x, 2, x)
x.clone().add_(2, x)
x.clone().sub_(2, x)
x.clone().copy_(other=x + 1, non_blocking=True)
torch.addcmul(x, 0.5, x, x)
x.clone().addcdiv_(0.5, x, x)
torch.addmm(0.5, x, 0.3, x, x)
torch.addmm(0.5, x, x, x)
x.addmm(0.5, 0.3, x, x)
x.clone().addr_(0.5, 0.3, x[0], x[0])
x.view(torch.int64)
x.view(torch.uint8)
x.view(dtype=torch.int32)
x.float().view(torch.int32)
torch.cholesky_inverse(input=x)
torch.cholesky_solve(x, input2=x)
torch.swapaxes(x, axis0=0, axis1=1)
torch.tensor_split(x, indices=(1,))[1]
torch.hsplit(x, sections=3)[2]
torch.vsplit(x, sections=3)[2]
torch.unsafe_split(input=x, split_size=1)[1]
torch.gather(x, axis=0, index=torch.tensor([[1, 2, 0]]))
torch.nn.functional.cosine_similarity(x, x + 1, axis=0)
torch.nn.functional.pairwise_distance(x, x + 1, keepdims=True)
x.expand(size=(3, 3), implicit=False)
x.size(axis=1)
x.real
torch.stack(list(reversed(x)))
torch.std(x, axis=0, keepdims=True)
torch.cross(x, x + 1, axis=0)
torch.take_along_dim(x, torch.tensor([[1], [0], [2]]), axis=1)
torch.trapezoid(x, axis=0)
torch.unflatten(x, axis=0, sizes=(3, 1))
x.index_add(axis=0, index=torch.tensor([1]), source=x[:1])
x.clone().index_add_(axis=0, index=torch.tensor([1]), source=x[:1])
x.renorm(2, axis=0, maxnorm=1.0)
x.type()
f"{x[0, 0]:.3f} {x[0, 0]}"
"""


def plain(result: Any) -> Any:
    """As NumPy, or as text that both write alike."""
    if hasattr(result, "detach"):
        return np.asarray(result.detach())
    return str(result).replace("retrograd.", "torch.")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", FORMS.strip().splitlines())
def test_form(form: str) -> None:
    theirs = eval(form, {"torch": torch, "x": torch.tensor(NUMBERS)})
    mine = eval(form, {"torch": rg, "x": rg.tensor(NUMBERS)})
    a, b = plain(mine), plain(theirs)
    if isinstance(a, str):
        assert a == b
    else:
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)


def test_an_older_order_warns_and_both_names_at_once_are_refused() -> None:
    x = rg.ones(2)
    with pytest.warns(UserWarning, match="hint: addcmul"):
        rg.addcmul(x, 2, x, x)
    with pytest.raises(TypeError):
        rg.sum(x, dim=0, axis=0)  # type: ignore[call-arg]


def test_bytes_share_memory() -> None:
    x = rg.tensor([1.0, 2.0])
    bits = x.view(rg.int32)
    bits[0] = 0
    assert x.tolist() == [0, 2]
    with pytest.raises(rg.errors.ShapeError):
        rg.ones(3).view(rg.float64)
    with pytest.raises(rg.errors.GradError):
        rg.ones(2, requires_grad=True).view(rg.float64)
