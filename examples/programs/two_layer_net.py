"""A net with one hidden layer learns random data, written three times: by hand, with autograd, and with modules.

    python examples/programs/two_layer_net.py

All three follow the same equations from the same start, so they print the same losses.
"""

import numpy as np

import retrograd as torch
from retrograd import nn, optim

ROWS, INPUTS, HIDDEN, OUTPUTS = 64, 200, 50, 10
RATE = 1e-3


def numbers(*shape, seed, spread=1.0):
    """Normal random numbers from NumPy: the same in every library."""
    return torch.from_numpy(np.random.default_rng(seed).normal(0, spread, shape).astype("float32"))


def problem():
    """Inputs, targets, and a start for the two matrices."""
    x, y = numbers(ROWS, INPUTS, seed=0), numbers(ROWS, OUTPUTS, seed=1)
    w1 = numbers(INPUTS, HIDDEN, seed=2, spread=INPUTS**-0.5)
    w2 = numbers(HIDDEN, OUTPUTS, seed=3, spread=HIDDEN**-0.5)
    return x, y, w1, w2


def by_hand(steps):
    """The chain rule, line by line."""
    x, y, w1, w2 = problem()
    losses = []
    for _ in range(steps):
        h = x.mm(w1)
        h_relu = h.clamp(min=0)
        y_pred = h_relu.mm(w2)
        losses.append((y_pred - y).pow(2).sum().item())
        grad_y_pred = 2.0 * (y_pred - y)
        grad_w2 = h_relu.t().mm(grad_y_pred)
        grad_h = grad_y_pred.mm(w2.t())
        grad_h[h < 0] = 0
        grad_w1 = x.t().mm(grad_h)
        w1 -= RATE * grad_w1
        w2 -= RATE * grad_w2
    return losses


def with_autograd(steps):
    """The same, but the backward pass is found by the library."""
    x, y, w1, w2 = problem()
    w1.requires_grad_()
    w2.requires_grad_()
    losses = []
    for _ in range(steps):
        loss = (x.mm(w1).clamp(min=0).mm(w2) - y).pow(2).sum()
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            for w in (w1, w2):
                w -= RATE * w.grad
                w.grad.zero_()
    return losses


def with_modules(steps):
    """The same, from ready parts."""
    x, y, w1, w2 = problem()
    model = nn.Sequential(
        nn.Linear(INPUTS, HIDDEN, bias=False), nn.ReLU(), nn.Linear(HIDDEN, OUTPUTS, bias=False)
    )
    with torch.no_grad():
        model[0].weight.copy_(w1.t())
        model[2].weight.copy_(w2.t())
    loss_fn = nn.MSELoss(reduction="sum")
    optimizer = optim.SGD(model.parameters(), lr=RATE)
    losses = []
    for _ in range(steps):
        loss = loss_fn(model(x), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


def main(steps=200):
    hand, autograd, modules = by_hand(steps), with_autograd(steps), with_modules(steps)
    for step in range(0, steps, 20):
        print(f"step {step:3d}  loss {hand[step]:.2f}  {autograd[step]:.2f}  {modules[step]:.2f}")
    return hand + autograd + modules


if __name__ == "__main__":
    main()
