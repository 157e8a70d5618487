"""Elementwise functions with PyTorch's names."""

from __future__ import annotations

from . import arithmetic, comparison, mathematics
from .arithmetic import *
from .comparison import *
from .comparison import to_dtype as to_dtype
from .factors import is_one as is_one
from .factors import no_bool_factor as no_bool_factor
from .factors import scaled as scaled
from .factors import third as third
from .mathematics import *
from .mathematics import softplus_raw as softplus_raw

__all__: list[str] = []
__all__ += arithmetic.__all__
__all__ += comparison.__all__
__all__ += mathematics.__all__
