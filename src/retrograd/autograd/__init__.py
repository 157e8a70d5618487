"""Gradients by name, as in ``torch.autograd``: `grad`, `backward`, `gradcheck`, `Function`, the modes and the hooks."""

from ..backward import backward, grad
from ..errors import Missing
from ..gradcheck import gradcheck, gradgradcheck
from ..modes import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_anomaly_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from . import function, functional, graph
from .function import Function

__all__ = [
    "Function", "backward", "detect_anomaly", "enable_grad", "function", "functional", "grad", "gradcheck",
    "gradgradcheck", "graph", "inference_mode", "is_anomaly_enabled", "no_grad", "set_detect_anomaly",
    "set_grad_enabled",
]  # fmt: skip


def __getattr__(name: str) -> object:
    raise Missing(__name__, name, __all__)
