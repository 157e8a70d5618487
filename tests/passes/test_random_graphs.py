"""Passes keep every bit of every result, their argument, and what they found done already; wrong rules are found out."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passes.random_graphs import STEPS, Recipe, build, recipes, results, same, written
from retrograd.graph import Equation, Graph, Var
from retrograd.op import Op
from retrograd.ops.arithmetic import Add, Div, Mul, Neg, Sub
from retrograd.ops.logic import Cast
from retrograd.ops.reduce import Sum
from retrograd.ops.shape import Permute, Reshape
from retrograd.passes import _algebra as algebra
from retrograd.passes import cse, dce, fold, simplify, standard
from retrograd.passes._rules import Rewriting, Rule, changed
from retrograd.passes.simplify import rules_of

PASSES = [fold, simplify, cse, dce, standard]


@pytest.mark.parametrize("change", PASSES)
@settings(max_examples=150)
@given(recipe=recipes, seed=st.integers(0, 3))
def test_every_bit_is_kept(change: Callable[[Graph], Graph], recipe: Recipe, seed: int) -> None:
    graph = build(recipe)
    before, was = results(graph, seed), written(graph)
    new = change(graph)
    assert written(graph) == was  # the argument is as it was
    new.verify()
    assert new.inputs == graph.inputs
    assert [(kind, t) for kind, t, _ in new.states] == [(kind, t) for kind, t, _ in graph.states]
    assert all(graph.sources[v] is t and v in new.captured for v, t in new.sources.items())
    assert {(eq.where, eq.scope) for eq in new.equations} <= {(eq.where, eq.scope) for eq in graph.equations}
    assert same(before, results(new, seed)), f"{graph}\n{new}"
    assert change(new) is new  # nothing is left to do


def _recipe(seed: int) -> Recipe:
    r = random.Random(seed)
    return [
        (r.randrange(len(STEPS)), r.randrange(6) if r.random() < 0.6 else 0, r.randrange(6), r.randrange(96))
        for _ in range(r.randrange(2, 25))
    ]


def found_out(rules: Callable[[type[Op]], Sequence[Rule]], graphs: int) -> bool:
    """True if one of the random graphs gives other bits after one walk with these rules."""
    for seed in range(graphs):
        graph = build(_recipe(seed))
        draft = Rewriting(graph, rules)
        for eq in graph.equations:
            draft.place(draft.reading(eq))
        new = draft.finished()
        if new is not graph and not same(results(graph, seed), results(new, seed)):
            return True
    return False


def _add_positive_zero(d: Rewriting, eq: Equation) -> Var | None:
    found = algebra.either(d, eq) if eq.op is Add else None
    return found[2] if found and found[0] == 0 else None


def _subtract_any_zero(d: Rewriting, eq: Equation) -> Var | None:
    return eq.inputs[0] if eq.op is Sub and algebra.number(d, eq.inputs[1]) == 0 else None


def _zero_times(d: Rewriting, eq: Equation) -> Var | None:
    found = algebra.either(d, eq) if eq.op is Mul else None
    return found[1] if found and found[0] == 0 else None


def _any_reciprocal(d: Rewriting, eq: Equation) -> Equation | None:
    c = d.repeated(eq.inputs[1]) if eq.op is Div else None
    if c is None or c == 0:
        return None
    return changed(eq, Mul, eq.inputs[0], algebra.repeat(d, eq, 1 / c))


def _any_cast_through(d: Rewriting, eq: Equation) -> Equation | None:
    inner = d.made_by(eq.inputs[0], Cast) if eq.op is Cast else None
    return changed(eq, Cast, inner.inputs[0], **eq.params) if inner else None


def _any_associative(d: Rewriting, eq: Equation) -> Equation | None:
    """x + (y + z) for (x + y) + z."""
    inner = d.made_by(eq.inputs[0], Add) if eq.op is Add else None
    if inner is None:
        return None
    return changed(eq, Add, inner.inputs[0], d.put(eq, Add, inner.inputs[1], eq.inputs[1]))


def _sum_of_ones_as_it_is(d: Rewriting, eq: Equation) -> Equation | None:
    if eq.op is not Sum or any(eq.inputs[0].type.shape[k] != 1 for k in eq.params["dim"]):
        return None
    return changed(eq, Reshape, eq.inputs[0], shape=eq.outputs[0].type.shape)


def _permute_as_reshape(d: Rewriting, eq: Equation) -> Equation | None:
    return changed(eq, Reshape, eq.inputs[0], shape=eq.outputs[0].type.shape) if eq.op is Permute else None


def _negative_product(d: Rewriting, eq: Equation) -> Equation | None:
    """0 - x for -x: wrong for 0.0 alone."""
    if eq.op is not Neg:
        return None
    x = eq.inputs[0]
    zero = algebra.repeat(d, eq, np.zeros((), x.type.dtype.numpy))
    return changed(eq, Sub, zero, x)


WRONG = [
    _add_positive_zero,
    _subtract_any_zero,
    _zero_times,
    _any_reciprocal,
    _any_cast_through,
    _any_associative,
    _sum_of_ones_as_it_is,
    _permute_as_reshape,
    _negative_product,
]


@pytest.mark.parametrize("rule", WRONG)
def test_wrong_rules_are_found_out(rule: Rule) -> None:
    assert found_out(lambda op: (rule,), 2000)


def test_no_right_rule_is_found_out() -> None:
    """The control of the control: the rules that there are pass where the wrong ones fail."""
    assert not found_out(rules_of, 500)
