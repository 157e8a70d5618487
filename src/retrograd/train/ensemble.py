"""Several small networks trained side by side and averaged: what a few hundred or thousand rows are best served by.

The members share the data and the order of the rows, and differ by their random starts and dropout masks.  Each learns
by its own error; only their predictions are averaged (Lakshminarayanan et al. 2017, arXiv:1612.01474).  They live in one
graph: a layer of M members is one batched product, so eight cost little more than one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import retrograd as rg
from retrograd import nn


class MemberLinear(nn.Module):
    """y_m = x_m W_m + b_m for every member m: (members, n, inputs) to (members, n, outputs).

    Started as `nn.Linear`, uniform in ±1/√inputs.

    >>> MemberLinear(8, 3, 2)(rg.zeros(8, 5, 3)).shape
    (8, 5, 2)
    """

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(max(1, inputs))
        self.weight = nn.Parameter(nn.init.uniform_(rg.empty(members, inputs, outputs), -bound, bound))
        self.bias = nn.Parameter(nn.init.uniform_(rg.empty(members, 1, outputs), -bound, bound))

    def forward(self, x: Any) -> Any:
        return rg.matmul(x, self.weight) + self.bias

    def extra_repr(self) -> str:
        members, inputs, outputs = self.weight.shape
        return f"members={members}, in_features={inputs}, out_features={outputs}"


class MixedActivation(nn.Module):
    """ReLU for the first half of the members, tanh for the others: (members, n, units), same shape.

    Members that bend differently err differently, which is what averaging lives on.

    >>> MixedActivation()(rg.tensor([[[-2.0]], [[-2.0]]])).reshape(-1)
    tensor([ 0.0000, -0.9640])
    """

    def forward(self, x: Any) -> Any:
        half = x.shape[0] // 2
        return rg.cat([x[:half].relu(), x[half:].tanh()], dim=0)


class MemberNet(nn.Module):
    """``members`` plain networks with hidden layers of the widths ``hidden``: (n, inputs) to (n, outputs).

    While training, the output is that of every member, (members, n, outputs), so that each has its own loss; in evaluation
    mode it is their mean, for classes (``probabilities``) the logarithm of the mean of their probabilities.
    """

    def __init__(
        self,
        members: int,
        inputs: int,
        hidden: Sequence[int],
        outputs: int,
        *,
        activation: Sequence[nn.Module],
        dropout: float,
        probabilities: bool,
    ) -> None:
        super().__init__()
        self.members, self.probabilities = members, probabilities
        layers: list[nn.Module] = []
        width = inputs
        for units, bend in zip(hidden, activation, strict=True):
            layers += [MemberLinear(members, width, units), bend]
            if dropout > 0:
                layers.append(nn.Dropout(dropout))
            width = units
        self.hidden = nn.Sequential(*layers)
        self.output = MemberLinear(members, width, outputs)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, x: Any) -> Any:
        every = self.output(self.hidden(rg.broadcast_to(x.unsqueeze(0), (self.members, *x.shape))))
        if self.training:
            return every
        if not self.probabilities:
            return every.mean(0)
        return rg.logsumexp(rg.log_softmax(every, -1), 0) - math.log(self.members)
