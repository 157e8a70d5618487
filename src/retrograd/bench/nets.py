"""The nets that are measured, and the figures each is to reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True)
class Net:
    """A dense net with ReLU between its layers; one output is trained by squared error, several by cross entropy.

    ``ratio``: at most this times the best peer's time, by the number of threads.  ``of_limit``: at most this times the
    limit study on one thread, by the number of threads.  ``of_rate``: at least this share of the rate at which the
    machine does the net's products.
    """

    name: str
    sizes: tuple[int, ...]
    batch: int
    ratio: dict[int, float] = field(default_factory=dict)
    of_limit: dict[int, float] = field(default_factory=dict)
    of_rate: float | None = None

    def products(self) -> Iterator[tuple[int, int, int]]:
        """(m, k, n) of the products m x k by k x n of a step: forward, to the weights, and to the layer below.

        >>> list(Net("", (2, 3, 1), 8).products())
        [(8, 2, 3), (3, 8, 2), (8, 3, 1), (1, 8, 3), (8, 1, 3)]
        """
        for layer, (inputs, outputs) in enumerate(pairwise(self.sizes)):
            yield self.batch, inputs, outputs
            yield outputs, self.batch, inputs
            if layer:
                yield self.batch, outputs, inputs

    def operations(self) -> int:
        """Additions and multiplications of those products."""
        return sum(2 * m * k * n for m, k, n in self.products())


NETS = {
    net.name: net
    for net in (
        Net("13-64-64-1", (13, 64, 64, 1), 32, {1: 0.30, 2: 0.30}, of_limit={1: 1.3}),
        Net("64-128-10", (64, 128, 10), 64, {1: 0.45, 2: 0.45}, of_limit={1: 1.2}),
        Net("784-512-256-10", (784, 512, 256, 10), 128, {1: 0.95, 2: 0.88}, of_rate=0.85),
        Net("1024-2048-2048-10", (1024, 2048, 2048, 10), 256, {1: 0.95, 2: 0.95}, of_rate=0.88),
        Net("32 x 64", (*[64] * 32, 10), 64, {1: 0.60, 2: 0.60}, of_limit={1: 1.2, 2: 1.0}),
    )
}
QUICK = ("13-64-64-1", "64-128-10", "784-512-256-10")

FIRST_CALL = {"cold": 0.5, "cached": 0.05}
"""At most so many seconds until the first result of a net, library imports apart."""
MEMORY = 0.6
"""At most this times PyTorch's peak memory."""
ONE_ROW_US = 5.0
"""At most so many microseconds for the prediction of one row by 13-64-64-1."""
DIGITS = 1 / 3
"""At most this times the fastest peer's time for a whole process that trains on the digits and ends."""
NEIGHBOURS = 1.3
"""At most this between the steps of nets whose widths differ by one."""
