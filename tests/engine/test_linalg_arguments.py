"""Any shapes and dtypes, fitting or not: PyTorch and we give the same shapes, dtypes and values, or both refuse."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import RetrogradError

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.row("ENG-01"), pytest.mark.filterwarnings("ignore")]

SHAPES: list[tuple[int, ...]] = [
    (), (0,), (1,), (2,), (3,), (1, 1), (2, 2), (3, 3), (2, 3), (3, 2), (0, 0), (3, 0), (2, 3, 3), (1, 3, 3), (0, 2, 2), (2, 2, 3),
    (2, 1, 3, 3),
]  # fmt: skip
OTHERS = [
    ((3, 3), "float32"),
    ((3,), "float32"),
    ((3, 3), "int64"),
    ((3,), "int64"),
    ((3, 3), "bool"),
    ((2, 2), "int32"),
]
ONE: dict[str, list[dict[str, Any]]] = {
    "linalg.cond": [{}, {"p": 1}, {"p": -2}, {"p": "nuc"}],
    "linalg.det": [{}],
    "linalg.diagonal": [{}],
    "linalg.eigvalsh": [{}],
    "linalg.inv": [{}],
    "linalg.inv_ex": [{}],
    "linalg.lu": [{}],
    "linalg.lu_factor": [{}],
    "linalg.lu_factor_ex": [{}],
    "linalg.matrix_exp": [{}],
    "linalg.matrix_norm": [
        {},
        {"ord": 2},
        {"ord": "nuc", "dim": (1, 0), "keepdim": True},
        {"ord": float("inf")},
    ],
    "linalg.matrix_rank": [{}, {"rtol": 0.5}],
    "linalg.norm": [{}, {"ord": 1}, {"ord": 2, "dim": (0, 1)}, {"dim": 0}],
    "linalg.pinv": [{}, {"atol": 1.0, "rtol": 0.1}],
    "linalg.qr": [{}, {"mode": "complete"}, {"mode": "r"}],
    "linalg.slogdet": [{}],
    "linalg.svdvals": [{}],
    "linalg.tensorinv": [{"ind": 1}],
    "linalg.vander": [{}, {"N": 3}],
    "cholesky_inverse": [{}],
    "logdet": [{}],
    "pdist": [{}],
    "vander": [{}, {"N": 2, "increasing": True}, {"N": 0}],
}
TWO: dict[str, list[dict[str, Any]]] = {
    "linalg.cross": [{"dim": -1}, {"dim": 0}],
    "linalg.householder_product": [{}],
    "linalg.lstsq": [{}, {"driver": "gels"}],
    "linalg.solve": [{}, {"left": False}],
    "linalg.solve_ex": [{}],
    "linalg.solve_triangular": [{"upper": True}, {"upper": False, "left": False}],
    "linalg.vecdot": [{}],
    "bmm": [{}],
    "cdist": [{}],
    "cholesky_solve": [{}],
    "cosine_similarity": [{}, {"dim": 0}],
    "dot": [{}],
    "inner": [{}],
    "kron": [{}],
    "matmul": [{}],
    "mm": [{}],
    "mv": [{}],
    "outer": [{}],
    "pairwise_distance": [{}],
    "tensordot": [{"dims": 0}, {"dims": 1}, {"dims": ([0], [0])}, {"dims": ([1], [0])}],
    "triangular_solve": [{}],
}
THREE: dict[str, list[dict[str, Any]]] = {
    name: [{}]
    for name in ("addmm", "addmv", "addr", "addbmm", "baddbmm", "bilinear", "ormqr", "nn.functional.linear")
}


def pool() -> list[Any]:
    r = np.random.default_rng(0)
    made = []
    for shape, dtype in [*((shape, "float64") for shape in SHAPES), *OTHERS]:
        array = r.integers(0, 5, shape) + r.normal(size=shape)
        if len(shape) > 1 and shape[-1] == shape[-2]:
            array += 4 * np.eye(shape[-1])
        made.append(np.asarray(array).astype(dtype))
    return made


def quirk(name: str, arrays: list[Any]) -> bool:
    """Where PyTorch's answer hangs on an early exit: nothing to compute, so nothing is checked."""
    if name == "linalg.lstsq":
        shapes = [a.shape for a in arrays]
        return 0 in sum(shapes, ()) or shapes[0][:1] == (1,) or shapes[1][:1] == (1,)
    if name == "nn.functional.linear":
        return arrays[0].ndim > 2
    empty = any(a.size == 0 for a in arrays)
    return empty and name in ("addmv", "cdist", "matmul", "linalg.cond")


def refuses_or_agrees(name: str, arrays: list[Any], options: dict[str, Any]) -> None:
    modules: tuple[Any, Any] = (torch, rg)
    theirs, ours = (functools.reduce(getattr, name.split("."), m) for m in modules)
    try:
        expected = theirs(*(torch.tensor(a) for a in arrays), **options)
    except Exception as error:
        with pytest.raises(RetrogradError) as caught:
            pytest.fail(
                f"PyTorch refuses ({error}); we give {ours(*(rg.tensor(a) for a in arrays), **options)}"
            )
        assert caught.value.hint
        return
    found = ours(*(rg.tensor(a) for a in arrays), **options)
    many = isinstance(expected, tuple)
    for a, b in zip(found if many else [found], expected if many else [expected], strict=True):
        x, y = a.numpy(), b.numpy()
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        loose = 1e-4 if y.dtype == np.float32 or any(z.dtype == np.float32 for z in arrays) else 1e-7
        np.testing.assert_allclose(x, y, rtol=loose, atol=loose)


@pytest.mark.parametrize(
    ("name", "k"), [(n, k) for k, names in enumerate((ONE, TWO, THREE), 1) for n in names]
)
def test_any_arguments(name: str, k: int) -> None:
    """All single arguments, and a fixed choice of pairs and triples of them."""
    arrays, r = pool(), np.random.default_rng(k)
    choices = [[i] for i in range(len(arrays))] if k == 1 else r.integers(0, len(arrays), (120, k)).tolist()
    fitting = (
        [[7, 7, 7], [8, 7, 4], [4, 7, 4], [12, 12, 12]]
        if k == 3
        else [[7, 7], [12, 12], [8, 7], [7, 4], [6, 6]]
    )
    for choice in [*choices, *(fitting if k > 1 else [])]:
        given = [arrays[i] for i in choice]
        if quirk(name, given):
            continue
        for options in (ONE, TWO, THREE)[k - 1][name]:
            try:
                refuses_or_agrees(name, given, options)
            except Exception as error:
                shapes = [(a.shape, str(a.dtype)) for a in given]
                raise AssertionError(f"{name} of {shapes} with {options}") from error
