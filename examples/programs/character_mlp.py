"""A multilayer perceptron writes names, letter by letter (after Bengio and others 2003).

    python examples/programs/character_mlp.py

Three letters are looked up in a table of learnt vectors and together foretell the fourth.  With the environment
variable RETROGRAD_DATA naming a folder that holds `names/names.txt` it learns from those, otherwise from the few below.
"""

import os
from pathlib import Path

import numpy as np

import retrograd as torch
import retrograd.nn.functional as F
from retrograd import nn, optim

FEW = """adam alan albert alice amelia andrea angela anna anton arthur barbara beatrice bella benjamin bernard carla
carmen caroline cecilia charles clara claudia daniel david diana edgar eleanor elena elias emilia emma erik eva felix
flora frank fred george gloria grace hannah harold harry helena henry hugo ida irene isabella ivan jacob james jane
john jonas joseph julia karl katherine laura leo leonard linda lisa louis lucas lucy manuel marcus maria marina mark
martha martin mary matilda max michael mona nadia nathan nicholas nina nora oliver olivia oscar otto paul paula peter
philip rachel ralph rebecca richard robert rosa ruth samuel sandra sara simon sofia stella susan theodore theresa
thomas tina valentina vera victor victoria viola walter wanda william xenia yvonne zoe"""
LETTERS = ".abcdefghijklmnopqrstuvwxyz"  # the dot begins and ends a name
CONTEXT, VECTOR, HIDDEN = 3, 10, 64


def names():
    path = Path(os.environ.get("RETROGRAD_DATA", "nowhere")) / "names" / "names.txt"
    return (path.read_text() if path.is_file() else FEW).split()


def examples(words):
    """Every place in every name: the letters before it, and the letter that stands there."""
    x, y = [], []
    for word in words:
        context = [0] * CONTEXT
        for letter in word + ".":
            x.append(context)
            y.append(LETTERS.index(letter))
            context = context[1:] + y[-1:]
    return torch.tensor(x), torch.tensor(y)


class CharacterMLP(nn.Module):
    def __init__(self, random):
        super().__init__()

        def weights(*shape, spread):
            return nn.Parameter(torch.from_numpy(random.normal(0, spread, shape)).float())

        self.C = weights(len(LETTERS), VECTOR, spread=1.0)
        self.W1 = weights(CONTEXT * VECTOR, HIDDEN, spread=(CONTEXT * VECTOR) ** -0.5)
        self.b1 = weights(HIDDEN, spread=0.01)
        self.W2 = weights(HIDDEN, len(LETTERS), spread=0.01)
        self.b2 = nn.Parameter(torch.zeros(len(LETTERS)))

    def forward(self, x):
        vectors = self.C[x].view(-1, CONTEXT * VECTOR)
        return torch.tanh(vectors @ self.W1 + self.b1) @ self.W2 + self.b2


@torch.no_grad()
def write(model, random):
    """One new name, each letter drawn by its probability."""
    context, name = [0] * CONTEXT, ""
    while len(name) < 20:
        probabilities = F.softmax(model(torch.tensor([context])), dim=1)[0].double().numpy()
        letter = int(random.choice(len(LETTERS), p=probabilities / probabilities.sum()))
        if letter == 0:
            break
        context, name = context[1:] + [letter], name + LETTERS[letter]
    return name


def main(steps=1000):
    random = np.random.default_rng(0)
    x, y = examples(names())
    model = CharacterMLP(random)
    print(f"{len(x)} examples, {sum(p.nelement() for p in model.parameters())} parameters")
    optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.8)
    scheduler = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[steps // 2, steps * 3 // 4], gamma=0.3)
    losses = []
    for step in range(1, steps + 1):
        chosen = torch.from_numpy(random.integers(0, len(x), 64))
        loss = F.cross_entropy(model(x[chosen]), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
        if step % 100 == 0:
            print(f"step {step:4d}  loss {np.mean(losses[-100:]):.4f}  rate {scheduler.get_last_lr()[0]:.3f}")
    print("new names:", ", ".join(write(model, random) for _ in range(8)))
    return losses


if __name__ == "__main__":
    main()
