"""Cookies: the gradient as advice, batch after batch (an invented toy)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import retrograd as rg
from example_programs import load, run_main, source

COOKIES = load("cookies")
IDEAL = np.array(COOKIES.IDEAL)
SALT, SUGAR, CHIPS, MINUTES = range(4)


def advice(**change: float) -> np.ndarray:
    """The first advice for the ideal recipe with some amounts changed."""
    amounts = dict(zip(COOKIES.AMOUNTS, COOKIES.IDEAL)) | change
    return COOKIES.bake(tuple(amounts.values()), batches=1)[0].advice


@pytest.mark.row("EXA-11")
def test_too_salty_less_salt_and_more_sugar() -> None:
    """Half a teaspoon and a tablespoon, within a fifth of each."""
    first = COOKIES.bake()[0].advice
    assert first[SALT] == pytest.approx(-0.5, rel=0.2)
    assert first[SUGAR] == pytest.approx(1.0, rel=0.2)
    # controls: from a bland start the advice is the other way round, and for the ideal recipe there is none
    bland = advice(salt=0.2)
    assert bland[SALT] > 0.1
    assert bland[SUGAR] < 0
    np.testing.assert_allclose(advice(), 0, atol=1e-12)


@pytest.mark.row("EXA-11")
@pytest.mark.parametrize(
    "wrong, ingredient, sign",
    [({"chips": 6.0}, CHIPS, 1), ({"sugar": 11.0}, SUGAR, -1), ({"minutes": 9.5}, MINUTES, 1), ({"salt": 1.4}, SALT, -1)],
    ids=str,
)  # fmt: skip
def test_more_chips_less_sugar_or_an_extra_minute(
    wrong: dict[str, float], ingredient: int, sign: int
) -> None:
    """What is wrong is what the advice is most about, counted in measures."""
    measures = advice(**wrong) / COOKIES.USUAL
    assert np.argmax(np.abs(measures)) == ingredient
    assert np.sign(measures[ingredient]) == sign


@pytest.mark.row("EXA-11")
def test_a_big_error_makes_a_big_step_and_a_small_error_a_pinch() -> None:
    errors = np.array([0.01, 0.05, 0.25, 1.0])
    steps = np.array([-advice(salt=1 + error)[SALT] for error in errors])
    assert (np.diff(steps) > 0).all()
    np.testing.assert_allclose(steps / errors, steps[0] / errors[0], rtol=0.01)  # in proportion to the error
    baked = COOKIES.bake(batches=12)
    assert (
        np.abs(baked[-1].advice / COOKIES.USUAL).max() < 0.1 * np.abs(baked[0].advice / COOKIES.USUAL).max()
    )


@pytest.mark.row("EXA-11")
@pytest.mark.parametrize("start", [COOKIES.TOO_SALTY, (0.3, 10.0, 5.0, 9.0), (1.5, 4.0, 14.0, 13.0)], ids=str)
def test_batch_after_batch_leads_to_the_hidden_ideal(start: tuple[float, ...]) -> None:
    baked = COOKIES.bake(start, batches=200)
    losses = [batch.displeasure for batch in baked]
    assert all(after < before or after < 1e-12 for before, after in itertools.pairwise(losses))
    np.testing.assert_allclose(baked[-1].amounts, IDEAL, rtol=1e-3)
    # control: who does the opposite of the advice likes it less
    opposite = COOKIES.bake(tuple(baked[0].amounts - baked[0].advice), batches=1)
    assert opposite[0].displeasure > baked[0].displeasure


@pytest.mark.row("EXA-11")
def test_the_advice_is_the_gradient() -> None:
    """Central differences of the displeasure give the same advice."""
    for amounts in (COOKIES.TOO_SALTY, (0.3, 10.0, 5.0, 9.0)):
        found = COOKIES.bake(amounts, batches=1)[0].advice / COOKIES.USUAL
        for k in range(4):
            tilted = []
            for nudge in (1e-5, -1e-5):
                recipe = COOKIES.Recipe(amounts)
                with rg.no_grad():
                    recipe.measures[k] += nudge
                tilted.append(COOKIES.displeasure(recipe).item())
            slope = (tilted[0] - tilted[1]) / 2e-5
            assert found[k] == pytest.approx(-COOKIES.RATE * slope, rel=1e-6, abs=1e-9)


@pytest.mark.row("EXA-11")
def test_it_says_that_it_is_a_toy_and_speaks_in_spoons() -> None:
    baked, printed = run_main(COOKIES, [])
    assert "INVENTED TOY" in source("cookies").splitlines()[0]
    assert "invented toy" in printed.splitlines()[0]
    assert printed.count("displeasure") == len(baked) == 12
    assert "0.50 teaspoons less salt, 1.08 tablespoons more sugar" in printed
    _, ideal = run_main(
        COOKIES, ["--salt", "1", "--sugar", "8", "--chips", "12", "--minutes", "12", "--batches", "1"]
    )
    assert "leave it as it is" in ideal
