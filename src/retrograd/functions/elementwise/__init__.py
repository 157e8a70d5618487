"""Elementwise functions with PyTorch's names."""

from __future__ import annotations

from . import arithmetic, comparison, mathematics
from .arithmetic import *
from .arithmetic import is_one as is_one
from .arithmetic import no_bool_factor as no_bool_factor
from .arithmetic import scaled as scaled
from .comparison import *
from .comparison import to_dtype as to_dtype
from .mathematics import *
from .mathematics import softplus_raw as softplus_raw

__all__: list[str] = []
__all__ += arithmetic.__all__
__all__ += comparison.__all__
__all__ += mathematics.__all__
