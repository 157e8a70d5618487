"""What is done to a whole module at once: training mode, freezing, forgetting gradients, another dtype."""

from __future__ import annotations

from typing import Any, TypeVar

from ..errors import DTypeError, UsageError
from ..functions.create import check_device, zeros_like
from ..op import changes
from ..tensor import Tensor
from ..types import DType, dtype_of, float32, float64
from .parts import Parts

C = TypeVar("C", bound="Modes")


class Modes(Parts):
    """The part of `Module` that changes the state of all its parts."""

    def train(self: C, mode: bool = True) -> C:
        """Training mode: dropout drops, batch norm uses the batch."""
        if not isinstance(mode, bool):
            raise UsageError(
                f"train() takes True or False, got {mode!r}", hint="module.train() or module.eval()"
            )
        changes.count += 1
        self.__dict__["training"] = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: C) -> C:
        """Inference mode."""
        return self.train(False)

    def requires_grad_(self: C, requires_grad: bool = True) -> C:
        """Freeze (False) or release all parameters."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters."""
        for p in self.parameters():
            if p.grad is not None:
                p.grad = None if set_to_none else zeros_like(p.grad)

    def to(self: C, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False) -> C:
        """Convert floating parameters and buffers to a dtype; the device is always the CPU.

        Takes a dtype or its name, a tensor whose dtype is meant, or a device.
        """
        for arg in args:
            if isinstance(arg, Tensor):
                dtype = arg.dtype
            elif isinstance(arg, DType) or (isinstance(arg, str) and arg.startswith(("float", "double"))):
                dtype = arg
            elif isinstance(arg, str):
                device = arg
            elif arg is not None and not isinstance(arg, bool):
                dtype = arg
        check_device(device)
        if dtype is None:
            return self
        wanted = dtype_of(dtype)
        if not wanted.is_floating_point:
            raise UsageError(
                f"a module's dtype must be floating, not {wanted!r}", hint="module.to(retrograd.float32)"
            )
        return self._converted(wanted, everything=False)

    def _converted(self: C, dtype: DType, everything: bool) -> C:
        """Every parameter and buffer in ``dtype``, in its place; only floating ones unless ``everything``."""
        for value in [*self.parameters(), *self.buffers()]:
            if everything or value.dtype.is_floating_point:
                value.data = value.data.to(dtype)
                if value.grad is not None:
                    value.grad = value.grad.to(dtype)
        return self

    def type(self: C, dst_type: Any) -> C:
        """Convert all parameters and buffers, whole numbers too, to a dtype."""
        return self._converted(dtype_of(dst_type), everything=True)

    def float(self: C) -> C:
        """Convert to float32."""
        return self.to(float32)

    def double(self: C) -> C:
        """Convert to float64."""
        return self.to(float64)

    def half(self: C) -> C:
        """Refused: float16 does not exist here."""
        raise DTypeError(
            "float16 does not exist here: CPUs compute it in float32 anyway", hint="module.float()"
        )

    def bfloat16(self: C) -> C:
        """Refused: bfloat16 does not exist here."""
        raise DTypeError(
            "bfloat16 does not exist here: CPUs compute it in float32 anyway", hint="module.float()"
        )

    def share_memory(self: C) -> C:
        """This module: worker processes get copies."""
        return self

    def to_empty(self: C, *, device: Any, recurse: bool = True) -> C:
        """This module with its parameters as they are: there is no device without memory to come from."""
        return self.to(device)

    def cpu(self: C) -> C:
        """The module itself: it is on the CPU already."""
        return self

    def cuda(self: C, device: Any = None) -> C:
        """Refused: there is no device but the CPU."""
        check_device("cuda")
        return self
