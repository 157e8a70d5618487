"""What goes wrong is said with the user's own source line, the values, and a hint that works."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import retrograd as rg
from retrograd import nn
from retrograd.errors import DTypeError, GradError, RetrogradError, ShapeError, TraceError


def here(text: str) -> str:
    """ "this file, line N" of the caller's line that contains ``text``, as the errors print it."""
    frame = inspect.currentframe().f_back  # type: ignore[union-attr]
    lines, start = inspect.getsourcelines(frame.f_code)  # type: ignore[union-attr]
    (number,) = [start + k for k, line in enumerate(lines) if text in line and "here(" not in line]
    return f"{__file__}, line {number}: "


def test_freed_graph() -> None:
    x = rg.ones(2, requires_grad=True)
    y = (x * x).exp()  # the values that are freed
    y.sum().backward()
    with pytest.raises(GradError, match="freed") as caught:
        y.sum().backward()
    assert here("the values that are freed") in str(caught.value)
    assert "retain_graph=True" in caught.value.hint


def test_not_a_number_but_a_tensor() -> None:
    x = rg.ones(2, 3, requires_grad=True)
    with pytest.raises(GradError, match=r"shape \(2, 3\)") as caught:
        (x * 2).backward()  # not a scalar
    assert here("not a scalar") in str(caught.value)
    assert "mean()" in caught.value.hint


def test_changed_in_place() -> None:
    x = rg.ones(2, requires_grad=True)
    y = x * 2
    z = y * y  # needs y
    y += 1
    with pytest.raises(GradError, match="changed in place") as caught:
        z.sum().backward()
    assert here("needs y") in str(caught.value)
    assert "clone()" in caught.value.hint


def test_a_leaf_changed_in_place() -> None:
    w = rg.ones(2, requires_grad=True)
    for change in (
        lambda: w.add_(1),
        lambda: w[0].zero_(),
        lambda: w.__setitem__(0, 1.0),
        lambda: w.__isub__(1),
    ):
        with pytest.raises(GradError, match="leaf") as caught:
            change()
        assert "no_grad" in caught.value.hint


def test_mixed_dtypes_in_a_product() -> None:
    a, b = rg.ones(2, 2), rg.ones(2, 2, dtype=rg.float64)
    with pytest.raises(DTypeError, match=r"float32 and .*float64") as caught:
        a @ b  # mixed dtypes
    assert here("mixed dtypes") in str(caught.value)
    assert "b.dtype" in caught.value.hint


def test_integers_have_no_gradient() -> None:
    with pytest.raises(GradError, match="int64") as caught:
        rg.tensor([1, 2]).requires_grad_()  # whole numbers
    assert here("whole numbers") in str(caught.value)
    x = rg.ones(3, requires_grad=True)
    with pytest.raises(GradError, match="position is an integer"):
        x.argmax().backward()
    with pytest.raises(GradError, match="comparison is constant"):
        (x > 0).backward()


def test_nothing_requires_a_gradient() -> None:
    with pytest.raises(GradError, match="requires no gradient") as caught:
        rg.ones(2).sum().backward()
    assert "requires_grad=True" in caught.value.hint


def test_shapes_with_a_cause() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 3\) and \(4,\) do not broadcast: size 3 against 4") as caught:
        rg.ones(2, 3) + rg.ones(4)  # no broadcast
    assert here("no broadcast") in str(caught.value)
    with pytest.raises(ShapeError, match="inner sizes 3 and 4 differ"):
        rg.ones(2, 3) @ rg.ones(4, 2)


def test_a_python_if_on_a_traced_value() -> None:
    def positive(x: rg.Tensor) -> rg.Tensor:
        if x.sum() > 0:  # the branch
            return x
        return -x

    with pytest.raises(TraceError, match="`if`") as caught:
        rg.trace(positive)(rg.ones(2))
    number = inspect.getsourcelines(positive)[1] + 1
    assert f"{__file__}, line {number}: if x.sum() > 0:" in str(caught.value)
    assert "where(" in caught.value.hint
    assert "outside the traced function" in caught.value.hint


@pytest.mark.parametrize(
    "use", [float, int, bool, lambda x: x.item(), lambda x: x.tolist(), lambda x: x.numpy()]
)
def test_a_traced_value_has_no_value(use: Callable[[Any], Any]) -> None:
    with pytest.raises(TraceError, match="being traced"):
        rg.trace(lambda x: rg.ones(2) * use(x.sum()))(rg.ones(2))


def test_a_traced_value_that_escaped() -> None:
    kept: list[rg.Tensor] = []
    rg.trace(lambda x: kept.append(x * 2) or x)(rg.ones(2))
    with pytest.raises(TraceError, match="traced earlier"):
        kept[0] + 1
    with pytest.raises(TraceError):
        kept[0].numpy()


def test_results_of_unknown_shape_cannot_be_traced() -> None:
    for fn in (lambda x: x[x > 0], lambda x: rg.nonzero(x), lambda x: rg.masked_select(x, x > 0)):
        with pytest.raises(TraceError, match="cannot be traced") as caught:
            rg.trace(fn)(rg.ones(2))
        assert "where" in caught.value.hint


LINEAR = nn.Linear(3, 2)

# A newcomer's wrong calls: what is called, and what the message must say for the fix to be plain.
WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "wrong number of features": (lambda: LINEAR(rg.ones(5, 4)), r"nn\.Linear\(4, 2\)"),
    "integers into a layer": (lambda: LINEAR(rg.ones(5, 3, dtype=rg.int64)), r"float|dtype"),
    "float64 into a layer": (lambda: LINEAR(rg.ones(5, 3, dtype=rg.float64)), r"\.to\(|\.float\(\)|dtype"),
    "a NumPy array into a layer": (lambda: LINEAR(__import__("numpy").ones((5, 3))), r"retrograd\.tensor\("),
    "a list into a layer": (lambda: LINEAR([[1.0, 2.0, 3.0]]), r"retrograd\.tensor\("),
    "backward of a vector": (lambda: LINEAR(rg.ones(5, 3)).backward(), r"\.mean\(\)"),
    "backward without a gradient": (lambda: rg.ones(3).sum().backward(), r"requires_grad=True"),
    "backward twice": (
        lambda: [loss := (LINEAR(rg.ones(5, 3)) ** 2).sum(), loss.backward(), loss.backward()],
        r"retain_graph=True",
    ),
    "numpy() with a gradient": (lambda: LINEAR(rg.ones(5, 3)).numpy(), r"\.detach\(\)\.numpy\(\)"),
    "changing a parameter": (lambda: LINEAR.weight.add_(1), r"no_grad\(\)"),
    "matrix shapes": (lambda: rg.ones(2, 3) @ rg.ones(2, 3), r"must have 3 rows"),
    "adding shapes": (lambda: rg.ones(2, 3) + rg.ones(2), r"unsqueeze|reshape"),
    "a dimension too far": (lambda: rg.ones(2, 3).sum(2), r"dim between -2 and 1"),
    "reshape": (lambda: rg.ones(2, 3).reshape(4, 2), r"number of elements must stay"),
    "index too far": (lambda: rg.ones(3)[3], r"between -3 and 2"),
    "a class too many": (lambda: nn.CrossEntropyLoss()(rg.ones(2, 3), rg.tensor([0, 3])), r"0 to 2|3 classes|between 0 and 2"),
    "classes as floats": (lambda: nn.CrossEntropyLoss()(rg.ones(2, 3), rg.tensor([0.0, 1.0])), r"\.long\(\)"),
    "all against all": (lambda: nn.MSELoss()(rg.ones(5, 1), rg.ones(5)), r"unsqueeze|squeeze|reshape"),
    "no parameters": (lambda: rg.optim.SGD([], lr=0.1), r"parameters\(\)"),
    "a gradient of integers": (lambda: rg.tensor([1, 2], requires_grad=True), r"\.float\(\)"),
    "stack of sizes": (lambda: rg.stack([rg.ones(2), rg.ones(3)]), r"cat"),
    "text": (lambda: rg.tensor("hello"), r"numbers"),
    "ragged lists": (lambda: rg.tensor([[1, 2], [3]]), r"pad"),
    "truth of a tensor": (lambda: bool(rg.ones(2) > 0), r"\.any\(\)|\.all\(\)"),
    "a GPU": (lambda: rg.ones(2).to("cuda"), r"cpu"),
    "len of a number": (lambda: len(rg.tensor(1.0)), r"numel\(\)"),
    "mean of integers": (lambda: rg.tensor([1, 2]).mean(), r"\.float\(\)"),
    "item of many": (lambda: rg.ones(2).item(), r"tolist\(\)"),
}  # fmt: skip


@pytest.mark.row("ADV-01")
@pytest.mark.parametrize("name", WRONG)
def test_a_newcomers_wrong_call_names_its_fix(name: str) -> None:
    """Typical wrong calls (28 of them): each raises one of our errors whose text names the fix.

    Whether newcomers find this easy was not measured: no person was asked.
    """
    call, fix = WRONG[name]
    with pytest.raises(RetrogradError, match=fix) as caught:
        call()
    assert caught.value.hint
    assert __file__ in str(caught.value) or not caught.value.locates


@pytest.mark.row("ADV-01")
def test_the_right_calls_raise_nothing() -> None:
    """Control: the same calls, mended as their messages say."""
    x = rg.ones(5, 3)
    loss = nn.MSELoss()(LINEAR(x).sum(1), rg.ones(5))
    loss.backward(retain_graph=True)
    loss.backward()
    LINEAR(x).detach().numpy()
    with rg.no_grad():
        LINEAR.weight.add_(0)
    nn.CrossEntropyLoss()(rg.ones(2, 3), rg.tensor([0, 2]))
    assert rg.tensor([1, 2]).float().mean().item() == 1.5
