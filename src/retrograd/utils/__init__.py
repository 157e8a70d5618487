"""Loading data and saving memory, as in ``torch.utils``."""

from ..errors import Missing
from . import checkpoint, data

__all__ = ["checkpoint", "data"]


def __getattr__(name: str) -> object:
    raise Missing(__name__, name, __all__)
