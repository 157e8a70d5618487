"""Every registered op obeys every law, on every one of its samples."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from laws import checks
from retrograd.op import Op, Sample, all_ops, registry

OPS = [op for op in all_ops() if op.__module__.startswith("retrograd.")]
MOST = 115


def cases() -> list[object]:
    return [
        pytest.param(op, sample, id=f"{op.name}-{k}")
        for op in OPS
        for k, sample in enumerate(checks.samples(op))
    ]


@pytest.mark.row("ENG-01", "ENG-06")
@pytest.mark.parametrize("law", checks.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("op, sample", cases())
def test_law(op: type[Op], sample: Sample, law: Callable[[type[Op], Sample], None]) -> None:
    law(op, sample)


@pytest.mark.parametrize("law", checks.LAWS_OF_THE_OP, ids=lambda law: law.__name__)
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_law_of_the_op(op: type[Op], law: Callable[[type[Op]], None]) -> None:
    law(op)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_an_op_is_tried_where_it_matters(op: type[Op]) -> None:
    """Several samples; a differentiable one in float64 to second order; a name, and a formula in the docstring."""
    found = checks.samples(op)
    assert len(found) >= 2
    if op.differentiable:
        assert any(s.grad and s.order >= 2 and not s.kink and s.inputs[s.grad[0]].size > 1 for s in found)
    assert op.__doc__, "no formula"
    assert registry[op.name] is op


def test_how_many_primitives_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Above the bound, the newcomer must show that it cannot be composed (docs/decisions/0007-how-many-primitives.md).

    A primitive must be lowered natively and kept by hand, so each one has to earn its place: it is here because a
    composition would lose accuracy (expm1, softplus, lgamma), or a mask that must be saved (relu, amax), or a memory
    layout (matmul's flags), or because nothing else expresses it (gather, index, sort, cholesky, uniform).
    """
    by_module: dict[str, list[str]] = {}
    for op in OPS:
        by_module.setdefault(op.__module__.rsplit(".", 1)[1], []).append(op.name)
    with capsys.disabled():
        print(f"\n{len(OPS)} primitives")
        for module, names in sorted(by_module.items()):
            print(f"  {module} ({len(names)}): {', '.join(names)}")
    assert len(OPS) <= MOST


def test_no_samples_no_merge() -> None:
    class Silent(Op, register=False):
        """y = x"""

        def type(x: object) -> object:  # type: ignore[misc]
            return x

        differentiable = False
        why_not = "it is planted"

    with pytest.raises(checks.Broken, match="no samples"):
        checks.check(Silent)
