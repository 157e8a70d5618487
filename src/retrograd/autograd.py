"""Gradients by name: ``retrograd.autograd.grad``, ``backward``, ``gradcheck`` and the modes."""

from .backward import backward, grad
from .gradcheck import gradcheck, gradgradcheck
from .modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = [
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]
