"""Derivatives as functions of functions: `grad`, `vjp`, `jvp`, `jacrev`, `jacfwd`, `hessian`, `hvp`, `vmap`, with PyTorch's
names (``torch.func``).  They nest in any order, and work inside traced functions."""

from ..batch import vmap
from ..errors import Missing
from .derivatives import grad, grad_and_value, hvp, jvp, linearize, value_and_grad, vjp
from .jacobians import hessian, jacfwd, jacrev
from .modules import functional_call, stack_module_state

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "hvp", "jacfwd", "jacrev", "jvp", "linearize",
    "stack_module_state", "value_and_grad", "vjp", "vmap",
]  # fmt: skip


def __getattr__(name: str) -> object:
    raise Missing(__name__, name, __all__)
