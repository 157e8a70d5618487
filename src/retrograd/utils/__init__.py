"""Loading data and saving memory, as in ``torch.utils``."""

from . import checkpoint

__all__ = ["checkpoint"]
