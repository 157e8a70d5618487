"""A network learns how a thing moves: dy/dt = f(y), followed by Euler's steps (after Chen and others 2018).

    python examples/programs/neural_ode_euler.py

The thing is a point on a spiral.  The net sees short stretches of its path; the gradient goes back through every step.
"""

import math

import numpy as np

import retrograd as torch
from retrograd import nn, optim
from retrograd.func import functional_call, jacrev, vmap

DT, POINTS, STRETCH = 0.05, 300, 10


def spiral():
    """The true path, POINTS rows of (y1, y2): y' = y³ A by fine steps."""
    a = np.array([[-0.1, 2.0], [-2.0, -0.1]])
    y, path = np.array([2.0, 0.0]), []
    for _ in range(POINTS):
        path.append(y)
        for _ in range(50):
            y = y + DT / 50 * (y**3 @ a)
    return torch.from_numpy(np.array(path, dtype="float32"))


class Field(nn.Module):
    """The velocity at a point."""

    def __init__(self, random):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
        with torch.no_grad():
            for layer in (self.net[0], self.net[2]):
                spread = 0.5 / math.sqrt(layer.in_features)
                layer.weight.copy_(torch.from_numpy(random.normal(0, spread, tuple(layer.weight.shape))))
                nn.init.zeros_(layer.bias)

    def forward(self, y):
        return self.net(y**3)


def euler(field, y, steps):
    """The points after 1, 2, ... steps, stacked in front."""
    path = []
    for _ in range(steps):
        y = y + DT * field(y)
        path.append(y)
    return torch.stack(path)


def spreading(field, points):
    """How fast neighbouring points move apart: the trace of the field's Jacobian, at each point."""
    weights = dict(field.named_parameters())
    jacobian = vmap(jacrev(lambda y: functional_call(field, weights, (y,))))(points)
    return torch.diagonal(jacobian, dim1=-2, dim2=-1).sum(-1)


def main(steps=600, batch=24):
    random = np.random.default_rng(0)
    true = spiral()
    field = Field(random)
    optimizer = optim.Adam(field.parameters(), lr=0.01)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=40)
    losses = []
    for step in range(1, steps + 1):
        begin = torch.from_numpy(random.choice(POINTS - STRETCH, batch, replace=False))
        wanted = torch.stack([true[begin + k] for k in range(1, STRETCH + 1)])
        optimizer.zero_grad()
        loss = torch.mean(torch.abs(euler(field, true[begin], STRETCH) - wanted))
        loss.backward()
        optimizer.step()
        scheduler.step(loss.item())
        losses.append(loss.item())
        if step % 100 == 0:
            print(f"step {step:3d}  loss {np.mean(losses[-100:]):.5f}")
    with torch.no_grad():
        end = euler(field, true[:1], POINTS - 1)[-1, 0]
    print(
        f"the whole path from its first point: ends {torch.dist(end, true[-1]).item():.3f} away from the true end"
    )
    print("points move apart or together:", [f"{v:+.2f}" for v in spreading(field, true[::75]).tolist()])
    return losses


if __name__ == "__main__":
    main()
