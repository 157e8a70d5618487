"""The network for tables: numbers and category codes in, one output per target or class out.

Numbers may be *piecewise-linearly encoded*: with the edges e_0 < ... < e_B, quantiles of the training rows,

    encode(x)_b = clamp((x - e_{b-1}) / (e_b - e_{b-1}), 0, 1),   b = 1 .. B

so that one linear layer can already bend at every edge (Gorishniy et al. 2022, arXiv:2203.05556).  Category codes become
learnt embeddings (Guo and Berkhahn 2016, arXiv:1604.06737).  Then pre-norm residual blocks:

    block(h) = h + W₂ dropout(activation(W₁ norm(h)))

and a linear path from the inputs straight to the output, which is all that a small table may justify.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import retrograd as rg
from retrograd import nn
from retrograd.errors import UsageError
from retrograd.train.ensemble import MemberNet, MixedActivation

ACTIVATIONS = {
    "relu": "ReLU", "gelu": "GELU", "silu": "SiLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "elu": "ELU",
    "leaky_relu": "LeakyReLU", "softplus": "Softplus", "identity": "Identity",
}  # fmt: skip
MIXED = "relu and tanh"
"""The activation of members of which one half has each."""


def activation(name: str) -> Any:
    """The activation layer called `name`.

    >>> activation("relu")
    ReLU()
    """
    if name not in ACTIVATIONS:
        raise UsageError(f"no activation {name!r}", hint=f"one of: {', '.join(ACTIVATIONS)}")
    return getattr(nn, ACTIVATIONS[name])()


@dataclass(frozen=True)
class Architecture:
    """Sizes of a `TabularNet`; ``hidden`` replaces the residual blocks by plain layers of these widths.

    ``members``: so many of these plain networks are trained side by side and averaged.
    """

    width: int = 64
    blocks: int = 2
    dropout: float = 0.2
    activation: str = "relu"
    bins: int = 0
    hidden: tuple[int, ...] | None = None
    members: int = 1

    @property
    def tensors(self) -> int:
        """How many tensors learn, embeddings apart.

        >>> Architecture().tensors, Architecture(hidden=(8,)).tensors
        (20, 4)
        """
        return 8 + 6 * self.blocks if self.hidden is None else 2 * len(self.hidden) + 2

    def to_json(self) -> dict[str, Any]:
        """As a plain dict."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Architecture:
        """From `to_json`."""
        hidden = content.get("hidden")
        return cls(**{**content, "hidden": None if hidden is None else tuple(hidden)})

    def describe(self) -> str:
        """One line for people.

        >>> Architecture(width=128, bins=16).describe()
        'residual MLP, 2 blocks of 128 units, relu, dropout 0.2, numbers encoded in 16 bins'
        """
        if self.hidden is not None:
            count = f"average of {self.members} MLPs" if self.members > 1 else "MLP"
            layers = f"{count}, hidden layers of {', '.join(map(str, self.hidden)) or 'no'} units"
        else:
            layers = f"residual MLP, {self.blocks} blocks of {self.width} units"
        parts = [layers, self.activation, f"dropout {self.dropout:g}"]
        return ", ".join(parts + ([f"numbers encoded in {self.bins} bins"] if self.bins else []))


class PiecewiseLinear(nn.Module):
    """The piecewise-linear encoding (n, m·B) of those m columns of the numbers (n, k) that have edges (m, B + 1)."""

    def __init__(self, columns: np.ndarray, edges: np.ndarray) -> None:
        super().__init__()
        edges = np.asarray(edges, dtype=np.float64)
        self.register_buffer("columns", rg.from_numpy(np.asarray(columns, dtype=np.int64)))
        self.register_buffer("start", rg.from_numpy(edges[:, :-1].astype(np.float32)))
        # multiplied, not divided by: two equal edges then make a steep step instead of a division by zero
        slope = 1.0 / np.maximum(np.diff(edges, axis=1), 1e-3)
        self.register_buffer("slope", rg.from_numpy(slope.astype(np.float32)))

    def forward(self, numbers: Any) -> Any:
        chosen = rg.index_select(numbers, 1, self.columns)
        return ((chosen.unsqueeze(-1) - self.start) * self.slope).clamp(0.0, 1.0).flatten(1)


class ResidualBlock(nn.Module):
    """h + W₂ dropout(activation(W₁ norm(h))); shapes (n, width) to (n, width)."""

    def __init__(self, width: int, dropout: float, activation_name: str) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, width)
        self.activation = activation(activation_name)
        self.dropout = nn.Dropout(dropout)
        self.second = nn.Linear(width, width)

    def forward(self, hidden: Any) -> Any:
        return hidden + self.second(self.dropout(self.activation(self.first(self.norm(hidden)))))


class TabularNet(nn.Module):
    """``net(numbers (n, k) float32, categories (n, c) int64) -> (n, outputs)``.

    ``edges``, from `quantile_edges`, is needed when the architecture has bins.  While training, a network of several
    members has outputs (members, n, outputs).

    >>> net = TabularNet(3, [5], 1, Architecture(width=8, blocks=1)).eval()
    >>> net(rg.zeros(2, 3), rg.zeros(2, 1, dtype=rg.int64)).shape
    (2, 1)
    """

    def __init__(
        self,
        numbers: int,
        category_sizes: Sequence[int],
        outputs: int,
        architecture: Architecture,
        edges: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        super().__init__()
        sizes = [int(size) for size in category_sizes]
        self.embeddings = nn.ModuleList([nn.Embedding(size, embedding_width(size)) for size in sizes])
        for embedding in self.embeddings:
            nn.init.normal_(embedding.weight, 0.0, 0.3)
        self.numbers, self.categories = numbers, len(sizes)
        self.encoding = None
        if architecture.bins:
            if edges is None or edges[1].shape[1:] != (architecture.bins + 1,):
                raise UsageError(
                    "bins need the edges of each column", hint="edges=quantile_edges(numbers, bins)"
                )
            if len(edges[0]):
                self.encoding = PiecewiseLinear(*edges)
        plain = numbers + sum(embedding_width(size) for size in sizes)
        inputs = plain + (len(edges[0]) * architecture.bins if self.encoding is not None and edges else 0)
        if architecture.hidden is None:
            width = architecture.width
            self.input = nn.Linear(inputs, width)
            blocks = [
                ResidualBlock(width, architecture.dropout, architecture.activation)
                for _ in range(architecture.blocks)
            ]
            last = [
                nn.LayerNorm(width),
                activation(architecture.activation),
                nn.Dropout(architecture.dropout),
            ]
            self.trunk = nn.Sequential(*blocks, *last)
            self.straight = nn.Linear(plain, outputs)
            nn.init.zeros_(self.straight.weight)
        elif architecture.members > 1:
            self.input, self.straight, self.trunk = None, None, None
            self.output = MemberNet(
                architecture.members,
                inputs,
                architecture.hidden,
                outputs,
                activation=[
                    MixedActivation()
                    if architecture.activation == MIXED
                    else activation(architecture.activation)
                    for _ in architecture.hidden
                ],
                dropout=architecture.dropout,
                probabilities=outputs > 1,
            )
            return
        else:
            width = inputs
            layers: list[Any] = []
            for units in architecture.hidden:
                layers += [nn.Linear(width, units), activation(architecture.activation)]
                if architecture.dropout > 0:
                    layers.append(nn.Dropout(architecture.dropout))
                width = units
            self.input, self.straight = None, None
            self.trunk = nn.Sequential(*layers)
        self.output = nn.Linear(width, outputs)
        # the untrained network predicts the mean (or equal odds), so that the first steps are not spent on forgetting
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, numbers: Any, categories: Any) -> Any:
        parts = [numbers] if self.numbers else []
        parts += [embedding(categories[:, i]) for i, embedding in enumerate(self.embeddings)]
        plain = rg.cat(parts, dim=1) if len(parts) > 1 else parts[0]
        full = plain if self.encoding is None else rg.cat([plain, self.encoding(numbers)], dim=1)
        hidden = full if self.input is None else self.input(full)
        output = self.output(hidden if self.trunk is None else self.trunk(hidden))
        return output if self.straight is None else output + self.straight(plain)


def embedding_width(size: int) -> int:
    """Width of the embedding of a column with `size` categories: 1.6 size^0.56, between 2 and 16."""
    return int(min(16, max(2, round(1.6 * size**0.56))))


def quantile_edges(numbers: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns (m,) that are worth an encoding, and its edges (m, bins + 1): quantiles of the training rows.

    A column with two values or one (a category's 0 and 1) has nothing to encode.  One with few distinct values has
    equal quantiles; they are replaced by points between its distinct values, so that every bin has a width.

    >>> quantile_edges(np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 0.0], [3.0, 1.0]]), 2)
    (array([0]), array([[0. , 1.5, 3. ]]))
    """
    at = np.linspace(0.0, 1.0, bins + 1)
    columns, edges = [], []
    for i in range(numbers.shape[1]):
        values = numbers[:, i].astype(np.float64)
        if len(np.unique(values)) <= 2:
            continue
        distinct = np.unique(np.quantile(values, at))
        if len(distinct) < 2:
            distinct = np.array([values.min(), values.max()])
        columns.append(i)
        edges.append(np.interp(at * (len(distinct) - 1), np.arange(len(distinct)), distinct))
    return np.array(columns, dtype=np.int64), np.array(edges).reshape(len(columns), bins + 1)
