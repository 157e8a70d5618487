"""The laws that every op obeys, each one a function of an op and a sample; a broken one raises `Broken`.

They ask nothing of an op but what its contract promises, so they serve for an op of one's own as well::

    from laws.checks import check
    check(MyOp)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from laws.basis import Broken, samples
from laws.derivatives import (
    each_cotangent_alone,
    first_derivative,
    forward_mode_by_transposing,
    second_derivative,
)
from laws.readings import batching_is_stacking, tracing_gives_the_same_bits
from laws.reverse_rules import (
    cotangents_have_the_types_of_the_inputs,
    derivatives_at_kinks_are_finite,
    no_derivative_has_a_reason,
    reverse_rule_is_linear,
    saved_values_are_read,
)
from laws.values import (
    bad_inputs_are_refused,
    evaluation_is_pure,
    float32_is_close_to_float64,
    layout_in_memory_does_not_matter,
    types_are_those_of_the_values,
)
from retrograd.op import Op, Sample

LAWS: tuple[Callable[[type[Op], Sample], None], ...] = (
    types_are_those_of_the_values,
    evaluation_is_pure,
    layout_in_memory_does_not_matter,
    float32_is_close_to_float64,
    cotangents_have_the_types_of_the_inputs,
    first_derivative,
    each_cotangent_alone,
    second_derivative,
    reverse_rule_is_linear,
    forward_mode_by_transposing,
    derivatives_at_kinks_are_finite,
    no_derivative_has_a_reason,
    batching_is_stacking,
    tracing_gives_the_same_bits,
)
"""Laws about an op and one of its samples."""

LAWS_OF_THE_OP: tuple[Callable[[type[Op]], None], ...] = (bad_inputs_are_refused, saved_values_are_read)
"""Laws about an op as a whole."""


def violations(op: type[Op], seed: int = 0) -> Iterator[str]:
    """Every law that the op breaks, in words; an exception inside a rule counts as well."""
    try:
        chosen = samples(op, seed)
    except Broken as error:
        yield str(error)
        return
    cases: list[tuple[str, Callable[[], None]]] = [
        (law.__name__, lambda law=law, sample=sample: law(op, sample)) for law in LAWS for sample in chosen
    ]
    cases += [(law.__name__, lambda law=law: law(op)) for law in LAWS_OF_THE_OP]
    for name, case in cases:
        try:
            case()
        except Broken as error:
            yield str(error)
        except Exception as error:
            yield f"{op.name} breaks the law '{name}': it raises {type(error).__name__}: {error}"


def check(op: type[Op], seed: int = 0) -> None:
    """Raise `Broken` with the first law that the op does not obey."""
    for message in violations(op, seed):
        raise Broken(message)
