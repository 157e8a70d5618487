"""Every public name of PyTorch's families exists here, or is listed with the reason why it does not."""

from __future__ import annotations

import warnings

import pytest

from oracle.compare import torch
from oracle.left_out import LEFT_OUT

pytestmark = pytest.mark.filterwarnings("ignore")


def test_no_name_is_missing_without_a_reason() -> None:
    from oracle.absent import statuses

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        missing = [f"{s.space}.{s.name}" for s in statuses() if not s.here and s.reason is None]
    assert not missing


def test_the_page_is_current() -> None:
    from coverage_torch import PAGE, page

    if torch.__version__.split("+")[0] not in PAGE.read_text(encoding="utf-8"):
        pytest.skip("the page was written against another version of PyTorch")
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tools/coverage_torch.py"


def test_nothing_is_called_left_out_that_is_here() -> None:
    from oracle.samples import find

    here = [name for name in LEFT_OUT if "*" not in name and find(name) is not None]
    assert here == ["half", "bfloat16"], "these two are here only to refuse with a hint"
