"""A start from which a new task is learnt in one step: model-agnostic meta-learning (Finn and others 2017).

    python examples/programs/meta_learning_start.py

A task is a sine of unknown height and phase, shown by ten points.  The inner step moves the weights by one gradient;
the outer step moves the start, by a gradient that goes back through the inner step, hence through its gradient.
"""

import math

import numpy as np

import retrograd as torch
from retrograd import nn, optim
from retrograd.func import functional_call
from retrograd.nn.functional import mse_loss

INNER_RATE, SHOTS = 0.03, 10


def sine_task(random):
    """A function that gives points of one sine: x of shape (rows, 1), and y."""
    height, phase = random.uniform(0.1, 5.0), random.uniform(0, math.pi)

    def points(rows):
        x = random.uniform(-5, 5, (rows, 1))
        return torch.from_numpy(x).float(), torch.from_numpy(height * np.sin(x - phase)).float()

    return points


def network(random, hidden=40):
    net = nn.Sequential(
        nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1)
    )
    with torch.no_grad():
        for p in net.parameters():
            bound = 1 / math.sqrt(p.shape[-1])
            p.copy_(torch.from_numpy(random.uniform(-bound, bound, tuple(p.shape))))
    return net


def adapted(net, weights, x, y, steps=1, rate=INNER_RATE, second_order=True):
    """The weights after some gradient steps on the points of one task."""
    for _ in range(steps):
        loss = mse_loss(functional_call(net, weights, (x,)), y)
        slopes = torch.autograd.grad(loss, tuple(weights.values()), create_graph=second_order)
        weights = {name: w - rate * slope for (name, w), slope in zip(weights.items(), slopes)}
    return weights


def outer_loss(net, task, second_order=True):
    """The loss on fresh points of a task, after the inner step on ten."""
    weights = adapted(net, dict(net.named_parameters()), *task(SHOTS), second_order=second_order)
    x, y = task(SHOTS)
    return mse_loss(functional_call(net, weights, (x,)), y)


def main(steps=1000, tasks=4):
    random = np.random.default_rng(0)
    net = network(random)
    optimizer = optim.Adam(net.parameters(), lr=3e-3)
    losses = []
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss = torch.stack([outer_loss(net, sine_task(random)) for _ in range(tasks)]).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step % 100 == 0:
            print(f"step {step:4d}  loss after one inner step {np.mean(losses[-100:]):.4f}")
    new_tasks = [sine_task(random) for _ in range(20)]
    shown, held_out = [task(SHOTS) for task in new_tasks], [task(100) for task in new_tasks]
    for inner in range(6):
        errors = []
        for points, (x, y) in zip(shown, held_out):
            weights = adapted(net, dict(net.named_parameters()), *points, steps=inner)
            errors.append(mse_loss(functional_call(net, weights, (x,)), y).item())
        print(f"20 new tasks, {inner} steps: error {np.mean(errors):.4f}")
    return losses


if __name__ == "__main__":
    main()
