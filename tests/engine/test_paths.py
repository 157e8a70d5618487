"""The gradient as a sum over paths of products of local derivatives (ENG-02)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.grad import Cotangents
from retrograd.paths import path_factors, print_paths

R = np.random.default_rng(0)


def scalar(value: float) -> rg.Tensor:
    return rg.tensor(value, dtype=rg.float64, requires_grad=True)


@pytest.mark.row("ENG-02")
def test_printed_factors_multiply_to_the_gradient(capsys: pytest.CaptureFixture[str]) -> None:
    """f(g(h(x))) = e^(sin(x³)): the factors that are printed are the three local derivatives."""
    x = scalar(0.8)
    y = (x**3).sin().exp()
    print_paths(y, x)
    line = capsys.readouterr().out.splitlines()[0]
    factors = [float(part.split()[0]) for part in line.split(" = ")[0].split(" * ")]
    h, v = 0.8**3, 0.8
    np.testing.assert_allclose(factors, [np.exp(np.sin(h)), np.cos(h), 3 * v * v], rtol=1e-5)
    (path,) = path_factors(y, x)
    y.backward()
    assert path.product.item() == pytest.approx(x.grad.item(), rel=1e-14)
    numerical = (np.exp(np.sin((v + 1e-6) ** 3)) - np.exp(np.sin((v - 1e-6) ** 3))) / 2e-6
    assert np.prod(factors) == pytest.approx(numerical, rel=1e-5)


def diamond(x: rg.Tensor) -> rg.Tensor:
    """One value that feeds two branches."""
    h = x * 3
    return h.sin() * h.exp()


@pytest.mark.row("ENG-02")
def test_a_diamond_is_the_sum_of_its_two_paths() -> None:
    x = scalar(0.4)
    y = diamond(x)
    paths = path_factors(y, x)
    assert len(paths) == 2
    products = [path.product.item() for path in paths]
    y.backward()
    assert x.grad.item() == pytest.approx(sum(products), rel=1e-14)
    assert all(p != pytest.approx(sum(products)) for p in products)


@pytest.mark.row("ENG-02")
def test_without_the_sum_the_diamond_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: an engine that keeps the last arrival instead of adding gives one path's product only."""

    def overwrite(self: Cotangents, target: Any, slot: int, value: Any) -> None:
        self.by_key[id(target), slot if not hasattr(target, "_value") else 0] = value

    x = scalar(0.4)
    products = [path.product.item() for path in path_factors(diamond(x), x)]
    monkeypatch.setattr(Cotangents, "add", overwrite)
    diamond(x).backward()
    assert x.grad.item() != pytest.approx(sum(products))
    assert any(x.grad.item() == pytest.approx(p) for p in products)


@pytest.mark.row("ENG-02")
def test_paths_of_vectors() -> None:
    """Factors are Jacobians there; their products add up to the engine's gradient."""
    w = rg.tensor(R.normal(size=(3, 2)), requires_grad=True)
    x = rg.tensor(R.normal(size=(2,)))
    h = w @ x
    y = (h.tanh() * h).sum()
    paths = path_factors(y, w)
    y.backward()
    np.testing.assert_allclose(sum(p.product for p in paths).reshape(3, 2), w.grad.numpy(), rtol=1e-12)
