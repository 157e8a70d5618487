"""A multilayer perceptron reads handwritten digits.

    python examples/programs/mnist_mlp.py

With the environment variable RETROGRAD_DATA naming a folder that holds `mnist/`, the digits are MNIST's (LeCun and
others 1998, 28 x 28); otherwise the small ones that ship with Retrograd (1,797 of 8 x 8).
"""

import gzip
import math
import os
from pathlib import Path

import numpy as np

import retrograd as torch
import retrograd.nn.functional as F
from retrograd import nn, optim
from retrograd.utils.data import DataLoader, Sampler, TensorDataset

SMALL = Path(__file__).parents[2] / "src" / "retrograd" / "data" / "samples" / "digits.csv.gz"


def digits(rows=6000):
    """Pixels between 0 and 1, one picture a row, and labels."""
    folder = Path(os.environ.get("RETROGRAD_DATA", "nowhere")) / "mnist"
    if folder.is_dir():
        with gzip.open(folder / "train-images-idx3-ubyte.gz") as images:
            x = np.frombuffer(images.read(16 + 784 * rows), np.uint8, offset=16).reshape(rows, 784) / 255
        with gzip.open(folder / "train-labels-idx1-ubyte.gz") as labels:
            y = np.frombuffer(labels.read(8 + rows), np.uint8, offset=8)
    else:
        table = np.loadtxt(SMALL, delimiter=",", skiprows=1)
        x, y = table[:, :-1] / 16, table[:, -1]
    return torch.from_numpy(x.astype("float32")), torch.from_numpy(y.astype("int64"))


class Shuffled(Sampler):
    """Another order in every epoch, from NumPy's generator."""

    def __init__(self, size, seed):
        self.size, self.random = size, np.random.default_rng(seed)

    def __len__(self):
        return self.size

    def __iter__(self):
        return iter(self.random.permutation(self.size).tolist())


class Net(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.fc1 = nn.Linear(inputs, 64)
        self.fc2 = nn.Linear(64, 32)
        self.fc3 = nn.Linear(32, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return F.log_softmax(self.fc3(x), dim=1)


def start(model, seed):
    """Weights from NumPy's generator, uniform in ±1/√inputs."""
    random = np.random.default_rng(seed)
    with torch.no_grad():
        for layer in model.children():
            bound = 1 / math.sqrt(layer.in_features)
            for p in (layer.weight, layer.bias):
                p.copy_(torch.from_numpy(random.uniform(-bound, bound, tuple(p.shape))))


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(dim=1) == y).float().mean().item()


def main(epochs=5):
    x, y = digits()
    held_out = len(x) // 5
    x_test, y_test, train = x[:held_out], y[:held_out], TensorDataset(x[held_out:], y[held_out:])
    loader = DataLoader(train, batch_size=32, sampler=Shuffled(len(train), seed=0))
    model = Net(x.shape[1])
    start(model, seed=1)
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    losses = []
    for epoch in range(1, epochs + 1):
        model.train()
        for data, target in loader:
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        rate = scheduler.get_last_lr()[0]
        mean = np.mean(losses[-len(loader) :])
        test = accuracy(model, x_test, y_test)
        print(f"epoch {epoch}  loss {mean:.4f}  held out: {test:.1%} right  next rate {rate:.5f}")
    return losses


if __name__ == "__main__":
    main()
