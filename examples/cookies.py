"""Cookies: bake, taste, read the gradient as advice, bake again.  AN INVENTED TOY, not data: nobody tasted anything.

    python examples/cookies.py
    python examples/cookies.py --salt 1 --sugar 9.5 --chips 6 --minutes 9

What is what: the recipe's four amounts are the weights, the taster's displeasure is the loss, and how the displeasure
grows with each amount is the gradient.  The advice is to go the other way, far when it tastes far off and by a pinch
when it nearly tastes right.  The taster knows an ideal recipe and never tells it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

import retrograd as rg
from retrograd import nn, optim

AMOUNTS = {"salt": "teaspoons", "sugar": "tablespoons", "chips": "tablespoons", "minutes": "minutes"}
USUAL = (1.0, 8.0, 10.0, 11.0)
"""What counts as one measure of each; recipes are computed in measures and printed in spoons and minutes."""
IDEAL = (1.0, 8.0, 12.0, 12.0)
"""Hidden from the baker."""
TOO_SALTY = (2.0, 7.4, 12.0, 12.0)
RATE = 0.244


def taste(measures: rg.Tensor) -> rg.Tensor:
    """Saltiness, sweetness, chocolate and crispness of a cookie: sugar hides salt, chips sweeten, sugar browns."""
    salt, sugar, chips, minutes = measures.unbind()
    return rg.stack(
        [
            salt - 0.1 * sugar,
            sugar + 0.1 * chips - 0.1 * salt,
            chips,
            rg.tanh(2.0 * (minutes - 1.0)) + 0.05 * sugar,
        ]
    )


class Recipe(nn.Module):
    """Amounts in spoons and minutes, kept in measures."""

    def __init__(self, amounts: tuple[float, ...]) -> None:
        super().__init__()
        self.measures = nn.Parameter(
            rg.tensor(amounts, dtype=rg.float64) / rg.tensor(USUAL, dtype=rg.float64)
        )

    def amounts(self) -> np.ndarray:
        return self.measures.detach().numpy() * USUAL


def displeasure(recipe: Recipe) -> rg.Tensor:
    """The loss: squared distance between how it tastes and how the ideal cookie tastes."""
    return nn.functional.mse_loss(
        taste(recipe.measures), taste(Recipe(IDEAL).measures.detach()), reduction="sum"
    )


@dataclass
class Batch:
    """One batch of cookies: what went in, how it was liked, and what to change (in spoons and minutes)."""

    amounts: np.ndarray
    displeasure: float
    advice: np.ndarray


def bake(amounts: tuple[float, ...] = TOO_SALTY, batches: int = 12, rate: float = RATE) -> list[Batch]:
    """Batch after batch, each by the advice of the one before."""
    recipe = Recipe(amounts)
    optimizer = optim.SGD(recipe.parameters(), lr=rate)
    baked = []
    for _ in range(batches):
        before = recipe.amounts()
        optimizer.zero_grad()
        loss = displeasure(recipe)
        loss.backward()
        optimizer.step()
        baked.append(Batch(before, loss.item(), recipe.amounts() - before))
    return baked


def in_words(advice: np.ndarray) -> str:
    """Only what is worth a spoon."""
    said = [
        f"{abs(change):.2f} {unit} {'less' if change < 0 else 'more'}" + ("" if name == unit else f" {name}")
        for (name, unit), change in zip(AMOUNTS.items(), advice, strict=True)
        if abs(change) >= 0.01
    ]
    return ", ".join(said) or "leave it as it is"


def main(arguments: list[str] | None = None) -> list[Batch]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for (name, unit), amount in zip(AMOUNTS.items(), TOO_SALTY, strict=True):
        parser.add_argument(f"--{name}", type=float, default=amount, help=f"{unit} to begin with")
    parser.add_argument("--batches", type=int, default=12)
    chosen = vars(parser.parse_args(arguments))
    baked = bake(tuple(chosen[name] for name in AMOUNTS), chosen["batches"])
    print("An invented toy: the taster is a formula.")
    for k, batch in enumerate(baked, 1):
        amounts = ", ".join(f"{name} {a:.2f}" for name, a in zip(AMOUNTS, batch.amounts, strict=True))
        print(
            f"batch {k:2d}: {amounts}\n    displeasure {batch.displeasure:.4f}; next time: {in_words(batch.advice)}"
        )
    return baked


if __name__ == "__main__":
    main()
