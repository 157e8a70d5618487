"""Loading data and saving memory, as in ``torch.utils``."""

from . import checkpoint, data

__all__ = ["checkpoint", "data"]
