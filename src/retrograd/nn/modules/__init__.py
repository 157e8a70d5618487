"""PyTorch's place for the classes of `retrograd.nn`: ``nn.modules.module`` has the hooks of all modules."""

from __future__ import annotations

from . import activation, loss, module

__all__ = ["activation", "loss", "module"]
