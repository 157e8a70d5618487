"""Random functions: Philox bit for bit, streams by seed and counter, and the distributions they promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import RetrogradError

M0, M1 = 0xD2E7470EE14C6C93, 0xCA5A826395121157
W0, W1 = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
MASK = 2**64 - 1


def philox(counter: int, key: int) -> list[int]:
    """Philox4x64-10 written out from Salmon et al. (SC 2011), in Python integers: one block of four words."""
    c = [(counter >> (64 * k)) & MASK for k in range(4)]
    k0, k1 = key & MASK, (key >> 64) & MASK
    for _ in range(10):
        p0, p1 = M0 * c[0], M1 * c[2]
        c = [(p1 >> 64) ^ c[1] ^ k0, p1 & MASK, (p0 >> 64) ^ c[3] ^ k1, p0 & MASK]
        k0, k1 = (k0 + W0) & MASK, (k1 + W1) & MASK
    return c


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**62 + 7])
@pytest.mark.parametrize("counter", [0, 1, 1000])
def test_bits_are_philox(seed: int, counter: int) -> None:
    """float64: 53 bits of each word; float32: 24 bits of each half word; block i comes from counter + i."""
    g = rg.Generator().manual_seed(seed)
    g.counter = counter
    words = [w for k in range(3) for w in philox(counter + k, seed)]
    expected = [(w >> 11) * 2.0**-53 for w in words]
    assert rg.rand(12, generator=g, dtype=rg.float64).tolist() == expected
    assert g.counter == counter + 3
    g.counter = counter
    halves = [h for w in words for h in (w & 0xFFFFFFFF, w >> 32)]
    assert rg.rand(24, generator=g).tolist() == [(h >> 8) * 2.0**-24 for h in halves]


DRAWS: dict[str, Any] = {
    "rand": lambda g: rg.rand(5, 3, generator=g),
    "rand float64": lambda g: rg.rand(5, generator=g, dtype=rg.float64),
    "randn": lambda g: rg.randn(7, generator=g),
    "randint": lambda g: rg.randint(3, 9, (6,), generator=g),
    "randperm": lambda g: rg.randperm(9, generator=g),
    "normal": lambda g: rg.normal(1.0, 2.0, (4,), generator=g),
    "bernoulli": lambda g: rg.bernoulli(rg.full((9,), 0.3), generator=g),
    "multinomial": lambda g: rg.multinomial(rg.tensor([0.1, 0.2, 0.7]), 2, generator=g),
    "multinomial replaced": lambda g: rg.multinomial(rg.tensor([0.1, 0.2, 0.7]), 9, True, generator=g),
    "uniform_": lambda g: rg.zeros(5).uniform_(-1, 1, generator=g),
    "normal_": lambda g: rg.zeros(5).normal_(1, 2, generator=g),
    "bernoulli_": lambda g: rg.zeros(9).bernoulli_(0.3, generator=g),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWS)
def test_the_same_seed_gives_the_same_numbers(name: str) -> None:
    """And another seed, or a later place in the stream, gives others; the state can be saved and restored."""
    draw = DRAWS[name]
    g = rg.Generator().manual_seed(4)
    first = draw(g).tolist()
    state = g.get_state()
    second = draw(g).tolist()
    assert draw(rg.Generator().manual_seed(4)).tolist() == first
    g.set_state(state)
    assert draw(g).tolist() == second
    if name != "multinomial":  # a pair of three: the same pair comes again soon
        assert second != first
        assert draw(rg.Generator().manual_seed(5)).tolist() != first


def test_the_default_stream() -> None:
    rg.manual_seed(11)
    assert rg.initial_seed() == 11
    a = rg.rand(3)
    state = rg.get_rng_state()
    b = rg.rand(3)
    rg.set_rng_state(state)
    assert rg.rand(3).tolist() == b.tolist()
    rg.manual_seed(11)
    assert rg.rand(3).tolist() == a.tolist()
    assert rg.seed() != rg.seed()


def test_streams_do_not_disturb_each_other() -> None:
    rg.manual_seed(1)
    a = rg.rand(3).tolist()
    rg.manual_seed(1)
    rg.rand(100, generator=rg.Generator().manual_seed(9))
    assert rg.rand(3).tolist() == a


def test_float32_never_reaches_one_and_repeats_no_block() -> None:
    x = rg.rand(1_000_000).numpy()
    assert x.min() >= 0
    assert x.max() < 1
    two = rg.rand(2, 500_000, dtype=rg.float64).numpy()
    assert np.unique(two).size > 999_990


N = 200_000


def test_moments() -> None:
    """Means and variances within five standard errors of what is promised (fixed seed)."""
    rg.manual_seed(0)
    for x, mean, variance, fourth in (
        (rg.rand(N), 0.5, 1 / 12, 1 / 80),
        (rg.randn(N), 0.0, 1.0, 3.0),
        (rg.normal(2.0, 3.0, (N,)), 2.0, 9.0, 3.0 * 81),
        (rg.zeros(N).uniform_(-1, 3), 1.0, 16 / 12, 256 / 80),
        (rg.bernoulli(rg.full((N,), 0.3)), 0.3, 0.21, 0.21 * (1 - 3 * 0.21)),
        (rg.randint(0, 10, (N,)).double(), 4.5, 99 / 12, 120.8625),
    ):
        v = x.numpy().astype(float)
        assert abs(v.mean() - mean) < 5 * np.sqrt(variance / N)
        assert abs(v.var() - variance) < 5 * np.sqrt((fourth - variance**2) / N)


def test_shape_of_the_normal_distribution() -> None:
    """Kolmogorov and Smirnov's distance to the normal distribution stays below its 0.1 % point, 1.95/√n."""
    stats = pytest.importorskip("scipy.stats")
    rg.manual_seed(2)
    for x in (rg.randn(N), rg.randn(N, dtype=rg.float64)):
        assert stats.kstest(x.numpy().astype(float), "norm").statistic < 1.95 / np.sqrt(N)
    assert stats.kstest(rg.rand(N, dtype=rg.float64).numpy(), "uniform").statistic < 1.95 / np.sqrt(N)


def test_integers_and_permutations_are_even() -> None:
    """χ² of counts below the 0.1 % point: values of randint, places in randperm, pairs of neighbours."""
    rg.manual_seed(3)
    counts = np.bincount(rg.randint(0, 10, (N,)).numpy(), minlength=10)
    assert ((counts - N / 10) ** 2 / (N / 10)).sum() < 27.9  # 9 degrees of freedom
    firsts = np.bincount([rg.randperm(5)[0].item() for _ in range(2000)], minlength=5)
    assert ((firsts - 400) ** 2 / 400).sum() < 18.5  # 4 degrees of freedom
    assert sorted(rg.randperm(1000).tolist()) == list(range(1000))
    x = rg.rand(N).numpy()
    pairs = np.bincount((np.floor(x[:-1] * 4) * 4 + np.floor(x[1:] * 4)).astype(int), minlength=16)
    assert ((pairs - N / 16) ** 2 / (N / 16)).sum() < 37.7  # 15 degrees of freedom


def test_multinomial_follows_its_weights() -> None:
    rg.manual_seed(4)
    p = np.array([0.1, 0.2, 0.7])
    drawn = np.bincount(rg.multinomial(rg.tensor(p * 5), N, replacement=True).numpy(), minlength=3)
    assert ((drawn - N * p) ** 2 / (N * p)).sum() < 13.8  # 2 degrees of freedom
    firsts = rg.multinomial(rg.tensor(np.tile(p, (20_000, 1))), 2).numpy()
    assert (firsts[:, 0] != firsts[:, 1]).all()
    counts = np.bincount(firsts[:, 0], minlength=3)
    assert ((counts - 20_000 * p) ** 2 / (20_000 * p)).sum() < 13.8


@pytest.mark.parametrize(
    "call",
    [
        lambda: rg.randint(3, 3, (2,)),
        lambda: rg.rand(2, dtype=rg.int64),
        lambda: rg.multinomial(rg.ones(3), 4),
    ],
)
def test_refusals(call: Any) -> None:
    with pytest.raises(RetrogradError) as caught:
        call()
    assert caught.value.hint
