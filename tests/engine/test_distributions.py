"""What is random follows the distribution that it promises: Kolmogorov and Smirnov, χ², means and variances; fixed seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import RetrogradError

stats = pytest.importorskip("scipy.stats")
N = 100_000


@pytest.fixture(autouse=True)
def seeded() -> None:
    rg.manual_seed(17)


def wide(*shape: int) -> Any:
    return rg.zeros(*shape, dtype=rg.float64)


CONTINUOUS: dict[str, tuple[Callable[[], Any], Any]] = {
    "exponential_": (lambda: wide(N).exponential_(2.5), stats.expon(scale=1 / 2.5)),
    "exponential_ float32": (lambda: rg.zeros(N).exponential_(), stats.expon()),
    "cauchy_": (lambda: wide(N).cauchy_(1.0, 3.0), stats.cauchy(1.0, 3.0)),
    "log_normal_": (lambda: wide(N).log_normal_(0.5, 0.8), stats.lognorm(0.8, scale=np.exp(0.5))),
    "uniform_": (lambda: wide(N).uniform_(-2, 5), stats.uniform(-2, 7)),
    "normal_": (lambda: wide(N).normal_(3, 0.2), stats.norm(3, 0.2)),
    "normal of numbers": (lambda: rg.normal(-1.0, 2.0, (N,)), stats.norm(-1, 2)),
    "normal of means": (lambda: rg.normal(rg.full((N,), 2.0), 3.0), stats.norm(2, 3)),
    "normal of deviations": (lambda: rg.normal(2.0, rg.full((N,), 3.0)), stats.norm(2, 3)),
    "normal of both": (lambda: rg.normal(rg.full((N,), 2.0), rg.full((N,), 3.0)), stats.norm(2, 3)),
    "randn_like": (lambda: rg.randn_like(wide(N)), stats.norm()),
    "rand_like": (lambda: rg.rand_like(wide(N)), stats.uniform()),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str) -> None:
    """The distance of the distribution functions stays below the 0.1 % point, 1.95/√n."""
    draw, expected = CONTINUOUS[name]
    x = draw().numpy().astype(float)
    assert stats.kstest(x, expected.cdf).statistic < 1.95 / np.sqrt(N)


def counted(rate: float) -> Any:
    return rg.poisson(rg.full((N,), rate, dtype=rg.float64))


def tried(n: float, p: float) -> Any:
    return rg.binomial(rg.full((N,), n, dtype=rg.float64), rg.tensor(p, dtype=rg.float64))


DISCRETE: dict[str, tuple[Callable[[], Any], Any]] = {
    **{f"poisson {r}": (lambda r=r: counted(r), stats.poisson(r)) for r in (0.01, 0.7, 4.0, 9.99, 10.0, 11.5, 60.0, 1234.5)},
    **{
        f"binomial {n} {p}": (lambda n=n, p=p: tried(n, p), stats.binom(n, p))
        for n, p in ((1, 0.3), (7, 0.5), (30, 0.2), (30, 0.9), (100, 0.1), (100, 0.4), (1000, 0.02), (5000, 0.77))
    },
    "geometric_": (lambda: wide(N).geometric_(0.3), stats.geom(0.3)),
    "geometric_ of integers": (lambda: rg.zeros(N, dtype=rg.int64).geometric_(0.05), stats.geom(0.05)),
    "bernoulli_": (lambda: wide(N).bernoulli_(0.2), stats.bernoulli(0.2)),
    "bernoulli_ of a tensor": (lambda: wide(N).bernoulli_(rg.full((N,), 0.2)), stats.bernoulli(0.2)),
    "bernoulli p": (lambda: rg.bernoulli(wide(N), 0.7), stats.bernoulli(0.7)),
    "random_": (lambda: wide(N).random_(3, 9), stats.randint(3, 9)),
    "random_ to": (lambda: rg.zeros(N, dtype=rg.int32).random_(5), stats.randint(0, 5)),
    "random_ bytes": (lambda: rg.zeros(N, dtype=rg.uint8).random_(), stats.randint(0, 256)),
    "random_ bools": (lambda: rg.zeros(N, dtype=rg.bool).random_(), stats.randint(0, 2)),
    "randint_like": (lambda: rg.randint_like(wide(N), -2, 3), stats.randint(-2, 3)),
    "randint of floats": (lambda: rg.randint(4, (N,), dtype=rg.float32), stats.randint(0, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name: str) -> None:
    """χ² of the counts, values seen less than ten times taken together, above its 0.1 % point; mean and variance."""
    draw, expected = DISCRETE[name]
    x = draw().numpy().astype(float)
    assert (x == np.floor(x)).all()
    values, counts = np.unique(x, return_counts=True)
    promised = N * expected.pmf(values)
    common = promised >= 10
    seen = np.append(counts[common], N - counts[common].sum())
    due = np.append(promised[common], N - promised[common].sum())
    seen, due = (seen[:-1], due[:-1]) if due[-1] < 1e-6 else (seen, due)
    assert ((seen - due) ** 2 / due).sum() < stats.chi2.ppf(0.999, max(len(due) - 1, 1))
    assert abs(x.mean() - expected.mean()) < 5 * expected.std() / np.sqrt(N)
    assert abs(x.var() / expected.var() - 1) < 5 * np.sqrt((expected.stats("k") + 2) / N) + 1e-6


def test_rates_and_chances_of_their_own() -> None:
    """Each element follows its own rate; 0 trials, chances of 0 and 1, rates of 0 and very large ones."""
    rates = rg.tensor([0.0, 2.0, 50.0, 1e7], dtype=rg.float64).expand(20_000, 4)
    mean = rg.poisson(rates).mean(0).numpy()
    assert mean[0] == 0
    assert np.abs(mean / np.array([1, 2, 50, 1e7]) - [0, 1, 1, 1]).max() < 0.02
    n, p = rg.tensor([0.0, 9.0, 9.0, 40.0]), rg.tensor([0.5, 0.0, 1.0, 0.25])
    drawn = rg.binomial(n.expand(20_000, 4), p)
    assert drawn.dtype is rg.float32
    assert drawn[:, :3].unique(dim=0).tolist() == [[0.0, 0.0, 9.0]]
    assert abs(drawn[:, 3].mean().item() - 10) < 0.1


def test_log_factorial() -> None:
    from scipy.special import gammaln

    from retrograd.ops.random import log_factorial

    k = np.concatenate((np.arange(200.0), np.logspace(2.5, 15, 50).round()))
    np.testing.assert_allclose(log_factorial(k), gammaln(k + 1), rtol=1e-12, atol=1e-12)


def test_integers_beyond_53_bits() -> None:
    """All of a large range is reached, low bits included."""
    low, high = -(2**61), 2**62 + 12345
    x = rg.randint(low, high, (N,)).numpy()
    assert x.min() >= low
    assert x.max() < high
    u = (x.astype(float) - low) / (high - low)
    assert stats.kstest(u, "uniform").statistic < 1.95 / np.sqrt(N)
    assert abs((x & 1).mean() - 0.5) < 5 * 0.5 / np.sqrt(N)
    whole = rg.zeros(N, dtype=rg.int64).random_().numpy()
    assert whole.min() >= 0
    assert whole.max() > 2**62


def test_multinomial_in_rows() -> None:
    weights = rg.tensor([[1.0, 0.0, 3.0], [2.0, 2.0, 0.0]])
    drawn = rg.multinomial(weights, N // 2, replacement=True).numpy()
    assert not (drawn[0] == 1).any()
    assert not (drawn[1] == 2).any()
    assert abs((drawn[0] == 2).mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 * 2 / N)
    assert sorted(rg.multinomial(rg.ones(50), 50).tolist()) == list(range(50))


CALLS: dict[str, Callable[[Any], Any]] = {
    "exponential_": lambda g: wide(4).exponential_(generator=g),
    "geometric_": lambda g: wide(9).geometric_(0.1, generator=g),
    "cauchy_": lambda g: wide(4).cauchy_(generator=g),
    "log_normal_": lambda g: wide(4).log_normal_(generator=g),
    "random_": lambda g: wide(4).random_(generator=g),
    "poisson": lambda g: rg.poisson(rg.full((9,), 30.0), g),
    "binomial": lambda g: rg.binomial(rg.full((9,), 300.0), rg.tensor(0.5), g),
    "randint_like": lambda g: rg.randint_like(wide(9), 100, generator=g),
    "randn_like": lambda g: rg.randn_like(wide(4), generator=g),
    "normal": lambda g: rg.normal(wide(4), 1.0, generator=g),
}


@pytest.mark.parametrize("name", CALLS)
def test_streams(name: str) -> None:
    """The same seed gives the same numbers, the next call and another seed give others; the default stream is left alone."""
    call = CALLS[name]
    before = rg.get_rng_state().tolist()
    g = rg.Generator().manual_seed(3)
    first, second = call(g).tolist(), call(g).tolist()
    assert call(rg.Generator().manual_seed(3)).tolist() == first
    assert first != second
    assert call(rg.Generator().manual_seed(4)).tolist() != first
    assert rg.get_rng_state().tolist() == before


def test_counts_in_a_trace_and_under_vmap() -> None:
    """A traced draw moves on from call to call; vmap draws for each example apart."""
    rates = rg.full((2, 50), 30.0)
    drawn = rg.vmap(lambda r: rg.poisson(r), randomness="different")(rates)
    assert drawn[0].tolist() != drawn[1].tolist()
    same = rg.vmap(lambda r: rg.poisson(r), randomness="same")(rates)
    assert same[0].tolist() == same[1].tolist()
    rg.manual_seed(5)
    expected = [rg.poisson(rates[0]).tolist(), rg.poisson(rates[0]).tolist()]
    rg.manual_seed(5)
    graph = rg.trace(lambda r: (rg.poisson(r), rg.poisson(r)))(rates[0])
    assert [t.tolist() for t in graph.apply(rates[0])] == expected


@pytest.mark.parametrize(
    "call",
    [
        lambda: rg.poisson(rg.tensor([-1.0])),
        lambda: rg.poisson(rg.tensor([1])),
        lambda: rg.binomial(rg.tensor([3.0]), rg.tensor([1.5])),
        lambda: rg.binomial(rg.tensor([-3.0]), rg.tensor([0.5])),
        lambda: rg.bernoulli(rg.tensor([1.5])),
        lambda: rg.zeros(2).bernoulli_(1.5),
        lambda: rg.zeros(2).exponential_(0.0),
        lambda: rg.zeros(2).geometric_(1.0),
        lambda: rg.zeros(2).cauchy_(0.0, 0.0),
        lambda: rg.zeros(2).log_normal_(0.0, -1.0),
        lambda: rg.zeros(2).uniform_(2.0, 1.0),
        lambda: rg.normal(0.0, -1.0, (2,)),
        lambda: rg.normal(0.0, rg.tensor([-1.0])),
        lambda: rg.normal(0.0, 1.0),
        lambda: rg.randint(0, 300, (2,), dtype=rg.uint8),
        lambda: rg.randint(2.5, (2,)),
        lambda: rg.randperm(-1),
        lambda: rg.rand(-1),
        lambda: rg.rand(2, device="cuda"),
        lambda: rg.multinomial(rg.tensor([1.0, 0.0]), 3),
        lambda: rg.poisson(rg.ones(2, requires_grad=True)).backward(rg.ones(2)),
    ],
)
def test_refusals(call: Callable[[], Any]) -> None:
    with pytest.raises(RetrogradError) as caught:
        call()
    assert caught.value.hint
