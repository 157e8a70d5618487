"""Layers that make an input larger at its ends: by a number, by its mirror image, by its edge, or round a circle."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ShapeError, UsageError, describe, user_place
from ..tensor import Tensor
from .functional import pad
from .module import Module


class _Pad(Module):
    """``padding``: one number for all ends, or two for each dimension, the last dimension first."""

    dims = 1
    mode = "constant"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        n = 2 * self.dims
        self.padding = (padding,) * n if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != n:
            raise UsageError(
                f"{type(self).__name__} takes one number or {n}, got {self.padding}",
                hint=f"nn.{type(self).__name__}(1)",
            )

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return str(self.padding)


class ConstantPad1d(_Pad):
    """The ends of the last dimension filled with ``value``.

    >>> import retrograd as rg
    >>> ConstantPad1d((1, 2), 7.0)(rg.zeros(1, 1)).tolist()
    [[7.0, 0.0, 7.0, 7.0]]
    """

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad2d(ConstantPad1d):
    """The ends of the last two dimensions filled with ``value``."""

    dims = 2


class ConstantPad3d(ConstantPad1d):
    """The ends of the last three dimensions filled with ``value``."""

    dims = 3


class ZeroPad1d(ConstantPad1d):
    """The ends of the last dimension filled with 0."""

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return str(self.padding)


class ZeroPad2d(ZeroPad1d):
    """The ends of the last two dimensions filled with 0."""

    dims = 2


class ZeroPad3d(ZeroPad1d):
    """The ends of the last three dimensions filled with 0."""

    dims = 3


class ReflectionPad1d(_Pad):
    """Mirrored at the ends of the last dimension; the edge itself is not repeated.

    >>> import retrograd as rg
    >>> ReflectionPad1d(2)(rg.tensor([[1.0, 2.0, 3.0]])).tolist()
    [[3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]]
    """

    mode = "reflect"


class ReflectionPad2d(ReflectionPad1d):
    """Mirrored at the ends of the last two dimensions."""

    dims = 2


class ReflectionPad3d(ReflectionPad1d):
    """Mirrored at the ends of the last three dimensions."""

    dims = 3


class ReplicationPad1d(_Pad):
    """The edge of the last dimension repeated.

    >>> import retrograd as rg
    >>> ReplicationPad1d((0, 2))(rg.tensor([[1.0, 2.0]])).tolist()
    [[1.0, 2.0, 2.0, 2.0]]
    """

    mode = "replicate"


class ReplicationPad2d(ReplicationPad1d):
    """The edges of the last two dimensions repeated."""

    dims = 2


class ReplicationPad3d(ReplicationPad1d):
    """The edges of the last three dimensions repeated."""

    dims = 3


class CircularPad1d(_Pad):
    """The last dimension continued as on a circle.

    >>> import retrograd as rg
    >>> CircularPad1d((1, 1))(rg.tensor([[1.0, 2.0, 3.0]])).tolist()
    [[3.0, 1.0, 2.0, 3.0, 1.0]]
    """

    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        least = self.dims + 1
        if input.ndim not in (least, least + 1):
            raise ShapeError(
                f"{type(self).__name__} takes {least} or {least + 1} dimensions, got shape {tuple(input.shape)}",
                hint="add the dimension of channels: x.unsqueeze(0)",
                where=describe(user_place()),
            )
        return super().forward(input)


class CircularPad2d(CircularPad1d):
    """The last two dimensions continued as on a torus."""

    dims = 2


class CircularPad3d(CircularPad1d):
    """The last three dimensions continued as on a torus."""

    dims = 3
