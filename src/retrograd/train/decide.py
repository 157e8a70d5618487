"""What is decided by a short trial or by the time limit: the learning rate, the activation, the number of epochs.

Each takes a recipe and the list of what was decided, and returns both again.
"""

from __future__ import annotations

from collections.abc import Callable

from retrograd.train.cost import CostMeter
from retrograd.train.problem import Problem
from retrograd.train.rate import range_test, undisturbed
from retrograd.train.recipe import Decided, Recipe, rate_bounds, with_activation, with_epochs, with_rate
from retrograd.train.tabular import MIXED
from retrograd.train.trainer import Trainer

Settled = tuple[Recipe, list[Decided]]


def settle_rate(
    make: Callable[..., Trainer], problem: Problem, recipe: Recipe, decided: list[Decided], *, seed: int
) -> Settled:
    """The recipe with a learning rate, found by a range test unless it was given; ``make(recipe, lr=...)`` trains."""
    if recipe.lr is not None:
        return recipe, decided
    train = problem.part("train")
    found = range_test(
        lambda rate: make(recipe, lr=rate, schedule=False),
        train.inputs, train.target, seed=seed, highest=10.0 if recipe.optimizer == "sgd" else 1.0,
    )  # fmt: skip
    low, high = rate_bounds(recipe)
    rate = float(f"{min(max(found.suggestion, low), high):.3g}")
    reason = "a short range test, within proven bounds"
    return with_rate(recipe, rate), [*decided, Decided("learning rate", f"{rate:g}", reason)]


def race_activations(
    make: Callable[[Recipe], Trainer], problem: Problem, recipe: Recipe, decided: list[Decided]
) -> Settled:
    """For averaged members: whether all shall have ReLU or half of them tanh, by a short run of each.

    A third of the epochs each; the lower validation loss wins.
    """
    quick = race_recipe(recipe)
    train, validation = problem.part("train"), problem.part("validation")
    losses: dict[str, float] = {}
    with undisturbed():
        for name in (recipe.architecture.activation, MIXED):
            trainer = make(with_activation(quick, name))
            trainer.fit(
                train.inputs,
                train.target,
                validation=(validation.inputs, validation.target),
                epochs=quick.epochs,
            )
            losses[name] = trainer.history.judged_loss
    best = min(losses, key=losses.__getitem__)
    why = "better on the validation rows after a third of the epochs: " + ", ".join(
        f"{name} {loss:.4g}" for name, loss in losses.items()
    )
    return with_activation(recipe, best), [*decided, Decided("activation", best, why)]


def race_recipe(recipe: Recipe) -> Recipe:
    """The recipe of each runner."""
    return with_epochs(recipe, -(-recipe.epochs // 3))


def fit_into_time(recipe: Recipe, decided: list[Decided], meter: CostMeter, seconds: float) -> Settled:
    """Fewer epochs where ``seconds`` ask for it: the schedule then still ends at its lowest rate."""
    possible = max(1, int(seconds / meter.epoch_seconds()))
    if possible >= recipe.epochs:
        return recipe, decided
    decided = [item for item in decided if item.what != "epochs"]
    decided.append(Decided("epochs", f"at most {possible}", "what the time limit leaves room for"))
    return with_epochs(recipe, possible), decided
