"""In-place forms of sums with matrix products."""

from __future__ import annotations

from ..functions import linalg as la
from .writing import in_place

__all__ = ["addbmm_", "addmm_", "addmv_", "addr_", "baddbmm_"]

addbmm_ = in_place(la.addbmm)
addmm_ = in_place(la.addmm)
addmv_ = in_place(la.addmv)
addr_ = in_place(la.addr)
baddbmm_ = in_place(la.baddbmm)
