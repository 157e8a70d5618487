"""Orthogonal polynomials.  Degrees are numbers or tensors; unlike in PyTorch, a derivative in ``input`` flows through them."""

from __future__ import annotations

from typing import Any

from ..op import bind
from ..ops.polynomial import Polynomial
from ._arguments import require_one_tensor, together_floating
from .elementwise import mul, sub


def _polynomial(family: str, input: Any, n: Any) -> Any:
    require_one_tensor(f"{family.replace('_', '_polynomial_')}", input, n)
    return bind(Polynomial, *together_floating(input, n), family=family, derivative=0)


def chebyshev_polynomial_t(input: Any, n: Any) -> Any:
    """T_n(input) = cos(n·arccos input); 0 for n < 0

    >>> import retrograd as rg
    >>> rg.special.chebyshev_polynomial_t(rg.tensor([0.5]), 2)
    tensor([-0.5000])
    """
    return _polynomial("chebyshev_t", input, n)


def chebyshev_polynomial_u(input: Any, n: Any) -> Any:
    """U_n(input) = sin((n + 1)·θ)/sin θ with cos θ = input; 0 for n < 0"""
    return _polynomial("chebyshev_u", input, n)


def chebyshev_polynomial_v(input: Any, n: Any) -> Any:
    """V_n(input) = cos((n + 1/2)·θ)/cos(θ/2) with cos θ = input; 0 for n < 0"""
    return _polynomial("chebyshev_v", input, n)


def chebyshev_polynomial_w(input: Any, n: Any) -> Any:
    """W_n(input) = sin((n + 1/2)·θ)/sin(θ/2) with cos θ = input; 0 for n < 0"""
    return _polynomial("chebyshev_w", input, n)


def _shifted(family: str, input: Any, n: Any) -> Any:
    require_one_tensor(f"shifted_{family.replace('_', '_polynomial_')}", input, n)
    x, degree = together_floating(input, n)
    return _polynomial(family, sub(mul(x, 2), 1), degree)


def shifted_chebyshev_polynomial_t(input: Any, n: Any) -> Any:
    """T_n(2·input - 1)"""
    return _shifted("chebyshev_t", input, n)


def shifted_chebyshev_polynomial_u(input: Any, n: Any) -> Any:
    """U_n(2·input - 1)"""
    return _shifted("chebyshev_u", input, n)


def shifted_chebyshev_polynomial_v(input: Any, n: Any) -> Any:
    """V_n(2·input - 1)"""
    return _shifted("chebyshev_v", input, n)


def shifted_chebyshev_polynomial_w(input: Any, n: Any) -> Any:
    """W_n(2·input - 1)"""
    return _shifted("chebyshev_w", input, n)


def hermite_polynomial_h(input: Any, n: Any) -> Any:
    """H_n(input), the physicists': orthogonal under e^(-x²); 0 for n < 0"""
    return _polynomial("hermite_h", input, n)


def hermite_polynomial_he(input: Any, n: Any) -> Any:
    """He_n(input), the probabilists': orthogonal under e^(-x²/2); 0 for n < 0"""
    return _polynomial("hermite_he", input, n)


def laguerre_polynomial_l(input: Any, n: Any) -> Any:
    """L_n(input): orthogonal under e^(-x) on x > 0; 0 for n < 0"""
    return _polynomial("laguerre_l", input, n)


def legendre_polynomial_p(input: Any, n: Any) -> Any:
    """P_n(input): orthogonal on [-1, 1]; 0 for n < 0"""
    return _polynomial("legendre_p", input, n)
