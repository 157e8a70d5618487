"""Who will like what: ratings foretold from learnt vectors of users and items (Koren and others 2009).

    python examples/programs/matrix_factorisation.py

rating = mean + user's bias + item's bias + user's vector · item's vector.  The ratings are invented: a hidden taste of
two dimensions, and noise; a third of them is held out.
"""

import numpy as np

import retrograd as torch
from retrograd import nn, optim
from retrograd.utils.data import DataLoader, Dataset, Subset

USERS, ITEMS, FACTORS = 120, 60, 4


class Ratings(Dataset):
    """Of all pairs of user and item a third has a rating, from 1 to 5 by halves."""

    def __init__(self, random):
        taste, quality = random.normal(size=(USERS, 2)), random.normal(size=(ITEMS, 2))
        mood, fame = random.normal(0, 0.4, (USERS, 1)), random.normal(0, 0.4, ITEMS)
        rating = 3.2 + taste @ quality.T * 0.7 + mood + fame + random.normal(0, 0.2, (USERS, ITEMS))
        rating = np.clip(np.round(rating * 2) / 2, 1, 5).astype("float32")
        self.user, self.item = np.nonzero(random.uniform(size=rating.shape) < 1 / 3)
        self.rating = rating[self.user, self.item]

    def __len__(self):
        return len(self.rating)

    def __getitem__(self, k):
        return self.user[k], self.item[k], self.rating[k]


class MatrixFactorisation(nn.Module):
    def __init__(self, mean, random):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.user, self.item = nn.Embedding(USERS, FACTORS), nn.Embedding(ITEMS, FACTORS)
        self.user_bias, self.item_bias = nn.Embedding(USERS, 1), nn.Embedding(ITEMS, 1)
        with torch.no_grad():
            for table in (self.user, self.item):
                table.weight.copy_(torch.from_numpy(random.normal(0, 0.3, tuple(table.weight.shape))))
            for table in (self.user_bias, self.item_bias):
                nn.init.zeros_(table.weight)

    def forward(self, user, item):
        match = (self.user(user) * self.item(item)).sum(dim=-1, keepdim=True)
        return (self.mean + match + self.user_bias(user) + self.item_bias(item)).squeeze(-1)


def error(model, ratings):
    """Root mean squared error."""
    (user, item, rating) = next(iter(DataLoader(ratings, batch_size=len(ratings))))
    with torch.no_grad():
        return torch.sqrt(nn.functional.mse_loss(model(user, item), rating)).item()


def main(epochs=12):
    random = np.random.default_rng(0)
    ratings = Ratings(random)
    order = random.permutation(len(ratings)).tolist()
    third = len(ratings) // 3
    train, test = Subset(ratings, order[third:]), Subset(ratings, order[:third])
    model = MatrixFactorisation(float(ratings.rating.mean()), random)
    always_mean = np.std(ratings.rating[order[:third]])
    print(f"{len(train)} ratings; held-out error of one guess for all: {always_mean:.3f}")
    optimizer = optim.AdamW(model.parameters(), lr=0.03, weight_decay=0.5)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    loss_fn = nn.MSELoss()
    losses = []
    for epoch in range(1, epochs + 1):
        loader = DataLoader(train, batch_size=64)
        for user, item, rating in loader:
            loss = loss_fn(model(user, item), rating)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        mean = np.mean(losses[-len(loader) :])
        print(f"epoch {epoch:2d}  loss {mean:.4f}  held-out error {error(model, test):.3f}")
    return losses


if __name__ == "__main__":
    main()
