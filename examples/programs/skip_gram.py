"""Words that keep the same company get similar vectors: skip-gram with negative sampling (Mikolov and others 2013).

    python examples/programs/skip_gram.py

The text is made from a few kinds of words, so one can see whether the kinds are found again: the net never sees them.
"""

import numpy as np

import retrograd as torch
import retrograd.nn.functional as F
from retrograd import nn, optim

KINDS = {
    "animal": "dog cat horse cow sheep goat",
    "fruit": "apple pear plum cherry peach fig",
    "person": "teacher farmer doctor baker painter sailor",
    "sound": "barks purrs neighs calls sings whistles",
    "taste": "sweet sour ripe juicy fresh bitter",
    "work": "paints bakes heals sails teaches ploughs",
}
SENTENCES = [
    "the animal sound near the animal",
    "the fruit is taste and the fruit is taste",
    "a person work and a person work",
    "the person eats a taste fruit",
    "the person feeds the animal",
]
WINDOW, NEGATIVES, VECTOR = 2, 5, 12


def text(random, sentences=3000):
    """Sentences with every kind replaced by one of its words."""
    words = {kind: listed.split() for kind, listed in KINDS.items()}
    for _ in range(sentences):
        pattern = SENTENCES[random.integers(len(SENTENCES))].split()
        yield [words[word][random.integers(6)] if word in words else word for word in pattern]


def pairs(sentences, index):
    """(word, neighbour) for all neighbours within the window."""
    for sentence in sentences:
        for i, word in enumerate(sentence):
            for j in range(max(0, i - WINDOW), min(len(sentence), i + WINDOW + 1)):
                if i != j:
                    yield index[word], index[sentence[j]]


class SkipGram(nn.Module):
    def __init__(self, words, random):
        super().__init__()
        self.word = nn.Embedding(words, VECTOR)
        self.neighbour = nn.Embedding(words, VECTOR)
        with torch.no_grad():
            for table in (self.word, self.neighbour):
                table.weight.copy_(torch.from_numpy(random.normal(0, 0.3, (words, VECTOR))))

    def forward(self, word, neighbour, strangers):
        """-log σ(u·v) for a true neighbour, and -log σ(-u·v) for words drawn at random."""
        v = self.word(word)
        near = torch.einsum("bd,bd->b", v, self.neighbour(neighbour))
        far = torch.bmm(self.neighbour(strangers), v.unsqueeze(2)).squeeze(2)
        return -(F.logsigmoid(near) + F.logsigmoid(-far).sum(1)).mean()


def main(steps=1500, batch=128):
    random = np.random.default_rng(0)
    sentences = list(text(random))
    vocabulary = sorted({word for sentence in sentences for word in sentence})
    index = {word: i for i, word in enumerate(vocabulary)}
    all_pairs = torch.tensor(list(pairs(sentences, index)))
    frequency = torch.bincount(all_pairs[:, 1], minlength=len(vocabulary)).double().numpy() ** 0.75
    frequency /= frequency.sum()
    model = SkipGram(len(vocabulary), random)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for step in range(1, steps + 1):
        word, neighbour = all_pairs[torch.from_numpy(random.integers(0, len(all_pairs), batch))].T
        strangers = random.choice(len(vocabulary), (batch, NEGATIVES), p=frequency)
        loss = model(word, neighbour, torch.from_numpy(strangers))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step % 250 == 0:
            print(f"step {step:4d}  loss {np.mean(losses[-250:]):.4f}")
    with torch.no_grad():
        vectors = model.word.weight
        for word in ("dog", "plum", "baker", "purrs", "ripe", "teaches"):
            likeness = F.cosine_similarity(vectors[index[word]].unsqueeze(0), vectors)
            nearest = torch.topk(likeness, 5).indices.tolist()[1:]
            print(f"{word}: {', '.join(vocabulary[i] for i in nearest)}")
    return losses


if __name__ == "__main__":
    main()
