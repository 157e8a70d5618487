"""In-place forms of running sums and products and of renorm, derived from the functions of the same name."""

from __future__ import annotations

from ..functions import norm, scan
from .writing import in_place

__all__ = ["cumprod_", "cumsum_", "renorm_"]

cumprod_ = in_place(scan.cumprod)
cumsum_ = in_place(scan.cumsum)
renorm_ = in_place(norm.renorm)
