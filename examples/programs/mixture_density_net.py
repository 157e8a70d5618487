"""A network that answers with several possibilities: a mixture density network (Bishop 1994).

    python examples/programs/mixture_density_net.py

y gives x = y + 0.3 sin(2πy) + noise.  Asked the other way round, an x has up to three y, and a network trained by
squared error answers with their mean, which is none of them.  This one answers with a mixture of normal distributions.
"""

import math

import numpy as np

import retrograd as torch
from retrograd import nn, optim

PARTS = 4


def curve(random, rows=500):
    y = random.uniform(0, 1, (rows, 1))
    x = y + 0.3 * np.sin(2 * math.pi * y) + random.normal(0, 0.05, (rows, 1))
    return torch.from_numpy(x.astype("float32")), torch.from_numpy(y.astype("float32"))


class MixtureDensityNet(nn.Module):
    """For each x: the logarithms of the parts' weights, their means, and the logarithms of their widths.

    The widths stay above 0.08: the narrower a part, the steeper the loss beside it, and the wilder the training.
    """

    def __init__(self, inputs=1, hidden=24, parts=PARTS):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.head = nn.Linear(hidden, 3 * parts)

    def forward(self, x):
        weight, mean, log_width = self.head(self.body(x)).chunk(3, dim=-1)
        return torch.log_softmax(weight, dim=-1), mean, log_width.clamp(min=-2.5)


def negative_log_likelihood(answer, y):
    """-log Σ_k π_k N(y; μ_k, σ_k), by logsumexp."""
    log_weight, mean, log_width = answer
    squared = ((y - mean) * torch.exp(-log_width)) ** 2
    log_normal = -0.5 * squared - log_width - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(log_weight + log_normal, dim=-1).mean()


def start(model, random):
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("bias"):
                p.zero_()
            else:
                p.copy_(torch.from_numpy(random.normal(0, p.shape[1] ** -0.5, tuple(p.shape))))
        # The parts' means begin apart, so that each finds a branch of its own.
        model.head.bias[PARTS : 2 * PARTS] = torch.linspace(0, 1, PARTS)


def main(steps=1500):
    random = np.random.default_rng(0)
    x, y = curve(random)
    model = MixtureDensityNet()
    start(model, random)
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    losses = []
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss = negative_log_likelihood(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=5.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
        if step % 100 == 0:
            print(f"step {step:4d}  loss {losses[-1]:.4f}")
    with torch.no_grad():
        log_weight, mean, log_width = model(torch.tensor([[0.2], [0.5], [0.8]]))
    for k, at in enumerate((0.2, 0.5, 0.8)):
        print(f"x = {at}: y is")
        for share, middle, width in sorted(
            zip(log_weight[k].exp(), mean[k], log_width[k].exp()), key=lambda p: -p[0]
        ):
            if share > 0.1:
                print(f"    with probability {share:.2f} about {middle:.2f} ± {width:.2f}")
    return losses


if __name__ == "__main__":
    main()
