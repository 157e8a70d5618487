"""Layers whose input width is read from the first input they see."""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from ..functions.create import empty
from ..modes import no_grad
from ..tensor import Tensor
from .batch_normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    Norm,
)
from .linear import Linear
from .module import Module
from .parameter import Parameter


def _unknown() -> UsageError:
    return UsageError(
        "this parameter has no shape yet: the layer has seen no input",
        hint="run one forward pass first: model(x), before the optimiser is made",
    )


class Uninitialized(Tensor):
    """What parameters and buffers without a shape share."""

    @property
    def shape(self) -> Any:
        raise _unknown()

    def materialize(self, shape: tuple[int, ...], device: Any = None, dtype: Any = None) -> None:
        """Take a shape; the values are zeros, to be drawn by the layer."""
        ordinary: Any = Parameter if isinstance(self, UninitializedParameter) else Tensor
        self.__class__ = ordinary
        self.data = empty(*shape, dtype=dtype or self.dtype, device=device)

    def detach(self) -> Any:
        """Itself: there is nothing to share yet."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(Uninitialized, Parameter):
    """A parameter without a shape; it gets one from the first input."""

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(empty(0, device=device, dtype=dtype), requires_grad=requires_grad)


class UninitializedBuffer(Uninitialized):
    """A buffer without a shape; it gets one from the first input."""

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> None:
        super().__init__(empty(0, device=device, dtype=dtype))


class LazyModuleMixin(Module):
    """For layers that learn their sizes from the first input: define ``initialize_parameters(input)``.

    ``cls_to_become``: the ordinary class that the layer is from then on.
    """

    cls_to_become: type[Module] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watch = [
            self.register_load_state_dict_pre_hook(_shaped_by_state),
            self.register_forward_pre_hook(_shaped_by_input, with_kwargs=True),
        ]

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes and values."""
        raise UsageError(
            f"{type(self).__name__} is lazy but has no initialize_parameters",
            hint="define initialize_parameters(self, input), which calls materialize on each parameter",
        )

    def has_uninitialized_params(self) -> bool:
        """True as long as a parameter or buffer has no shape."""
        return any(
            isinstance(t, Uninitialized) for t in (*self._parameters.values(), *self._buffers.values())
        )

    def _ordinary(self) -> None:
        for handle in self.__dict__.pop("_watch"):
            handle.remove()
        ordinary: Any = self.cls_to_become
        if ordinary is not None:
            self.__class__ = ordinary


def _shaped_by_input(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    module.initialize_parameters(*args, **kwargs)
    if module.has_uninitialized_params():
        raise UsageError(
            f"initialize_parameters of {type(module).__name__} left a parameter without a shape",
            hint="call materialize(shape) on every lazy parameter and buffer",
        )
    module._ordinary()


def _shaped_by_state(module: Any, state_dict: Any, prefix: str, *_: Any) -> None:
    for kind in (module._parameters, module._buffers):
        for name, value in kind.items():
            given = state_dict.get(prefix + name)
            if (
                isinstance(value, Uninitialized)
                and given is not None
                and not isinstance(given, Uninitialized)
            ):
                with no_grad():
                    value.materialize(tuple(given.shape))


class LazyLinear(LazyModuleMixin, Linear):
    """A `Linear` that takes its in_features from the last dimension of the first input.

    >>> import retrograd as rg
    >>> layer = LazyLinear(2)
    >>> layer(rg.zeros(5, 3)).shape, layer
    ((5, 2), Linear(in_features=3, out_features=2, bias=True))
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False, device, dtype)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw new starting values, once there are shapes."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Shapes from the last dimension of ``input``."""
        if self.has_uninitialized_params():
            self.in_features = input.shape[-1]
            self.weight.materialize((self.out_features, self.in_features))  # type: ignore[attr-defined]
            if self.bias is not None:
                self.bias.materialize((self.out_features,))  # type: ignore[attr-defined]
            self.reset_parameters()
        elif not self.in_features:  # loaded from a state dict
            self.in_features = self.weight.shape[-1]  # a wrong width is then told as Linear tells it


class _LazyNorm(LazyModuleMixin, Norm):
    """A norm that takes its number of features from dimension 1 of the first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        for name, value in list(self._parameters.items()):
            if value is not None:
                setattr(self, name, UninitializedParameter(dtype=value.dtype))
        for name in ("running_mean", "running_var"):
            if self._buffers[name] is not None:
                setattr(self, name, UninitializedBuffer(dtype=dtype))

    def reset_parameters(self) -> None:
        """Scale 1, shift 0, once there are shapes."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Shapes from the channels of ``input``."""
        if not self.has_uninitialized_params():
            known = self.weight if self.weight is not None else self.running_mean
            self.num_features = input.shape[1] if known is None else known.shape[0]
            return
        self.num_features = input.shape[1]
        for value in (*self._parameters.values(), *self._buffers.values()):
            if isinstance(value, Uninitialized):
                value.materialize((self.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A `BatchNorm1d` that takes its number of features from the first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A `BatchNorm2d` that takes its number of features from the first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A `BatchNorm3d` that takes its number of features from the first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """A `InstanceNorm1d` that takes its number of features from the first input."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """A `InstanceNorm2d` that takes its number of features from the first input."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """A `InstanceNorm3d` that takes its number of features from the first input."""

    cls_to_become = InstanceNorm3d
