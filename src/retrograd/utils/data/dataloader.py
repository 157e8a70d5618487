"""PyTorch's place for the loader."""

from __future__ import annotations

from .collate import default_collate
from .loader import DataLoader

__all__ = ["DataLoader", "default_collate"]
