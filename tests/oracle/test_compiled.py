"""Every function on PyTorch's sample inputs: compiled, it gives what it gives at once, or says why it cannot be compiled."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.samples import NotHere, find, flat, translated
from oracle.test_samples import HAVE, torch
from retrograd.errors import RetrogradError, TraceError

SAMPLES = 3
TOLERANCE = {"float64": 1e-10, "float32": 1e-4}
# What they return depends on values, in shape or in Python's own numbers: they are refused inside a compiled function.
EAGER = {
    "allclose", "argwhere", "bincount", "equal", "histc", "histogram", "histogramdd", "index_put", "item", "masked_select",
    "nonzero", "nonzero_static", "nn.functional.one_hot", "repeat_interleave", "tensor_split", "unique", "unique_consecutive",
}  # fmt: skip


def run(op: Any, dtype: Any) -> None:
    function = find(op.name)
    assert function is not None
    done = 0
    for sample in itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=False), SAMPLES):

        def given(sample: Any = sample) -> Any:
            return translated((sample.input, *sample.args), []), translated(dict(sample.kwargs), [])

        rg.manual_seed(0)
        try:
            args, kwargs = given()
            want = function(*args, **kwargs)
        except (NotHere, RetrogradError, TypeError):
            continue
        rg.manual_seed(0)
        args, kwargs = given()
        try:
            got = rg.compile(lambda *a, **k: function(*a, **k), backend="native")(*args, **kwargs)
        except TraceError:
            assert op.name.removeprefix("Tensor.") in EAGER, f"{op.name} cannot be compiled"
            continue
        for mine, compiled in zip(flat(want), flat(got), strict=True):
            if isinstance(mine, rg.Tensor):
                a, b = mine.detach().numpy(), compiled.detach().numpy()
                assert (a.dtype, a.shape) == (b.dtype, b.shape)
                tolerance = TOLERANCE.get(a.dtype.name, 0)
                np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance / 100, err_msg=str(sample))
        done += 1
    if not done:
        pytest.skip("no sample that can be compiled")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("op", "dtype"),
    [
        pytest.param(op, dtype, id=f"{dtype}-{op.name}-{op.variant_test_name}".replace("torch.", ""))
        for op in HAVE
        for dtype in (torch.float64, torch.int64)
        if dtype in op.supported_dtypes("cpu")
    ],
)
def test_a_compiled_function_on_samples(op: Any, dtype: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run(op, dtype)
