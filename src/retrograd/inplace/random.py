"""In-place random numbers: a tensor filled from a distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import DTypeError, UsageError
from ..functions import elementwise as e
from ..functions import random as rnd
from ..types import bool_, float32, float64
from .placing import copy_

__all__ = [
    "bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_", "random_", "uniform_",
]  # fmt: skip


def _require(name: str, holds: bool, what: str, hint: str) -> None:
    if not holds:
        raise UsageError(f"{name}: {what}", hint=hint)


def _require_floats(name: str, self: Any) -> None:
    if not self._type.dtype.is_floating_point:
        raise DTypeError(
            f"{name} draws real numbers, self holds {self._type.dtype!r}", hint="x.float(), or random_"
        )


def _uniform(self: Any, generator: Any) -> Any:
    """Numbers in [0, 1) for each element, in float64 unless self is float32."""
    kind = self._type.dtype if self._type.dtype.is_floating_point else float64
    return rnd.rand(size=self._type.shape, generator=generator, dtype=kind)


def uniform_(self: Any, from_: float = 0.0, to: float = 1.0, *, generator: Any = None) -> Any:
    """self ~ U[from, to)"""
    _require_floats("uniform_", self)
    _require("uniform_", from_ <= to, f"from {from_} to {to}", "from must not exceed to")
    return copy_(self, e.add(e.mul(_uniform(self, generator), to - from_), from_))


def normal_(self: Any, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Any:
    """self ~ N(mean, std²)"""
    drawn = rnd.normal(mean, std, self._type.shape, generator=generator, dtype=self._type.dtype)
    return copy_(self, drawn)


def log_normal_(self: Any, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Any:
    """ln self ~ N(mean, std²)"""
    _require("log_normal_", std > 0, f"std={std}", "std is above 0")
    drawn = rnd.normal(mean, std, self._type.shape, generator=generator, dtype=self._type.dtype)
    return copy_(self, e.exp(drawn))


def exponential_(self: Any, lambd: float = 1.0, *, generator: Any = None) -> Any:
    """self ~ λe^(-λx)"""
    _require_floats("exponential_", self)
    _require("exponential_", lambd > 0, f"lambd={lambd}", "the rate is above 0")
    wait = e.neg(e.log1p(e.neg(_uniform(self, generator))))
    return copy_(self, e.div(wait, lambd))


def geometric_(self: Any, p: float, *, generator: Any = None) -> Any:
    """self = the number of trials up to the first success: P(k) = (1 - p)^(k-1)·p, k = 1, 2, ..."""
    _require("geometric_", 0 < p < 1, f"p={p}", "the chance lies between 0 and 1")
    _require("geometric_", self._type.dtype is not bool_, "of bools", "they count to 1 only: x.long()")
    failures = e.floor(e.div(e.log1p(e.neg(_uniform(self, generator))), math.log1p(-p)))
    return copy_(self, e.add(failures, 1))


def cauchy_(self: Any, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Any:
    """self = median + sigma·tan(π(u - 1/2)), the Cauchy distribution"""
    _require_floats("cauchy_", self)
    _require("cauchy_", sigma > 0, f"sigma={sigma}", "sigma is above 0")
    angle = e.mul(e.sub(_uniform(self, generator), 0.5), math.pi)
    return copy_(self, e.add(e.mul(e.tan(angle), sigma), median))


def bernoulli_(self: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
    """self = 1 with probability p (a number, or a tensor of the same shape), else 0"""
    if not hasattr(p, "_type"):
        _require("bernoulli_", 0 <= p <= 1, f"p={p}", "a chance lies between 0 and 1")
    else:
        _require_floats("bernoulli_: p", p)
        known = p._value if isinstance(p._value, np.ndarray) else np.zeros(())
        _require(
            "bernoulli_",
            bool(((known >= 0) & (known <= 1)).all()),
            "a chance is outside [0, 1]",
            "p.clamp(0, 1)",
        )
    u = rnd.rand(size=self._type.shape, generator=generator, dtype=float32)
    return copy_(self, e.lt(u, p))


def random_(self: Any, from_: int = 0, to: int | None = None, *, generator: Any = None) -> Any:
    """self = an integer in [from, to), each as likely; ``random_(to)``, or up to the largest that the dtype counts to"""
    dtype = self._type.dtype
    if to is None and from_ != 0:
        from_, to = 0, from_
    if to is None:
        to = {"bool": 2, "uint8": 2**8, "int32": 2**31, "int64": 2**63, "float32": 2**24, "float64": 2**53}[
            dtype.name
        ]
    return copy_(self, rnd.randint(from_, to, self._type.shape, generator=generator, dtype=dtype))
