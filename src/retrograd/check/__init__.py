"""Finding what is wrong with a network or a training loop, by name: a reading of the same graph and gradients."""

from .findings import Finding
from .model import check_model
from .ops import check_ops
from .steps import watch

__all__ = ["Finding", "check_model", "check_ops", "watch"]
