"""A variational autoencoder learns to draw digits (Kingma and Welling 2014).

    python examples/programs/vae.py

The encoder gives each picture a cloud of codes, N(mu, sigma²); the decoder draws the picture from a point of the cloud;
the loss is what the drawing misses plus the distance of the cloud from N(0, 1).
"""

import math
from pathlib import Path

import numpy as np

import retrograd as torch
from retrograd import nn, optim
from retrograd.nn import functional as F
from retrograd.utils.data import DataLoader, TensorDataset

DIGITS = Path(__file__).parents[2] / "src" / "retrograd" / "data" / "samples" / "digits.csv.gz"
PIXELS, HIDDEN, CODE = 64, 48, 4


def pictures(rows=1600):
    """Real digits of 8 x 8 pixels between 0 and 1, one a row."""
    table = np.loadtxt(DIGITS, delimiter=",", skiprows=1, max_rows=rows)
    return torch.from_numpy((table[:, :-1] / 16).astype("float32"))


class VAE(nn.Module):
    def __init__(self, random):
        super().__init__()
        self.fc1 = nn.Linear(PIXELS, HIDDEN)
        self.fc_mu = nn.Linear(HIDDEN, CODE)
        self.fc_logvar = nn.Linear(HIDDEN, CODE)
        self.fc3 = nn.Linear(CODE, HIDDEN)
        self.fc4 = nn.Linear(HIDDEN, PIXELS)
        self.random = random
        with torch.no_grad():
            for p in self.parameters():
                bound = 1 / math.sqrt(p.shape[-1])
                p.copy_(torch.from_numpy(random.uniform(-bound, bound, tuple(p.shape))))

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc_mu(h), self.fc_logvar(h)

    def reparameterize(self, mu, logvar):
        noise = torch.from_numpy(self.random.normal(size=tuple(mu.shape)).astype("float32"))
        return mu + noise * torch.exp(0.5 * logvar)

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(drawn, x, mu, logvar):
    """Per picture: -log p(x|z), and KL(N(mu, sigma²) || N(0, 1)) = -½ Σ (1 + log sigma² - mu² - sigma²)."""
    missed = F.binary_cross_entropy(drawn, x, reduction="sum")
    distance = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (missed + distance) / len(x)


def show(picture):
    for line in picture.reshape(8, 8).tolist():
        print("   ", "".join(" .:+*#%@"[min(int(ink * 8), 7)] * 2 for ink in line))


def main(epochs=8):
    random = np.random.default_rng(0)
    model = VAE(random)
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    loader = DataLoader(TensorDataset(pictures()), batch_size=64, drop_last=True)
    losses = []
    for epoch in range(1, epochs + 1):
        for (x,) in loader:
            optimizer.zero_grad(set_to_none=True)
            drawn, mu, logvar = model(x)
            loss = loss_function(drawn, x, mu, logvar)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch}  loss {np.mean(losses[-len(loader) :]):.3f}")
    with torch.no_grad():
        codes = torch.from_numpy(random.normal(size=(1, CODE)).astype("float32"))
        print("drawn from a random code:")
        show(model.decode(codes)[0])
    return losses


if __name__ == "__main__":
    main()
