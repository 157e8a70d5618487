"""Retrograd: a neural-network trainer that is fast on an ordinary CPU and shows its work.

PyTorch's names, signatures and semantics, on an automatic differentiation of its own.

>>> import retrograd as rg
>>> w = rg.tensor([1.0, -2.0], requires_grad=True)
>>> loss = (w * rg.tensor([3.0, 4.0])).sum() ** 2
>>> loss.backward()
>>> w.grad
tensor([-30., -40.])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import autograd, errors, linalg, special
from .batch import vmap
from .device import backends, cuda, device
from .errors import Missing
from .functions import arrange as _arrange
from .functions import counts as _counts
from .functions import create as _create
from .functions import diagonal as _diagonal
from .functions import distances as _distances
from .functions import einsum as _einsum
from .functions import elementwise as _elementwise
from .functions import factorizations as _factorizations
from .functions import index as _index
from .functions import information as _information
from .functions import join as _join
from .functions import least_squares as _least_squares
from .functions import linalg as _linalg
from .functions import matrix_functions as _matrix_functions
from .functions import norm as _norm
from .functions import pick as _pick
from .functions import random as _random
from .functions import ranges as _ranges
from .functions import reduce as _reduce
from .functions import return_types
from .functions import scan as _scan
from .functions import scatter as _scatter
from .functions import shape as _shape
from .functions import solving as _solving
from .functions import sort as _sort
from .functions import special as _special
from .functions import statistics as _statistics
from .functions import windows as _windows
from .functions._keywords import in_a_tuple as _in_a_tuple
from .functions._keywords import widen as _widen
from .functions.arrange import *
from .functions.counts import *
from .functions.create import *
from .functions.diagonal import *
from .functions.distances import *
from .functions.einsum import *
from .functions.elementwise import *
from .functions.factorizations import *
from .functions.index import *
from .functions.information import *
from .functions.join import *
from .functions.least_squares import *
from .functions.linalg import *
from .functions.matrix_functions import *
from .functions.norm import *
from .functions.pick import *
from .functions.random import *
from .functions.ranges import *
from .functions.reduce import *
from .functions.scan import *
from .functions.scatter import *
from .functions.shape import *
from .functions.solving import *
from .functions.sort import *
from .functions.special import *
from .functions.statistics import *
from .functions.windows import *
from .graph import Graph
from .modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .printing import set_printoptions
from .saving import holds_only_tensors, load_tensors, save
from .tensor import Tensor
from .types import DType as dtype
from .types import bool_ as bool
from .types import float32, float64, get_default_dtype, int32, int64, set_default_dtype, uint8
from .types import float32 as float
from .types import float64 as double
from .types import int32 as int
from .types import int64 as long

# isort: split
# Last: modules of these names are attributes of the package, too, and what is bound last counts.
from .functions.create import tensor
from .trace import trace

if TYPE_CHECKING:
    from . import data, func, metrics, nn, optim, random, report, signal, testing, train, utils
    from .compilation import compile

__all__ = [
    "Graph", "Tensor", "autograd", "backends", "bool", "compile", "cuda", "data", "device", "double", "dtype",
    "enable_grad", "errors", "float", "float32", "float64", "func", "get_default_dtype", "inference_mode",
    "int", "int32", "int64", "is_grad_enabled", "is_inference_mode_enabled", "linalg", "load", "long", "metrics",
    "nn", "no_grad", "optim", "random", "report", "return_types", "save", "set_default_dtype", "set_grad_enabled",
    "set_num_threads", "signal", "set_printoptions", "special", "testing", "trace", "train", "uint8", "utils", "vmap",
]  # fmt: skip
__all__ += _arrange.__all__
__all__ += _create.__all__
__all__ += _diagonal.__all__
__all__ += _elementwise.__all__
__all__ += _index.__all__
__all__ += _join.__all__
__all__ += _information.__all__
__all__ += _linalg.__all__
__all__ += _distances.__all__
__all__ += _einsum.__all__
__all__ += _matrix_functions.__all__
__all__ += _least_squares.__all__
__all__ += _solving.__all__
__all__ += _factorizations.__all__
__all__ += _pick.__all__
__all__ += _random.__all__
__all__ += _counts.__all__
__all__ += _norm.__all__
__all__ += _reduce.__all__
__all__ += _scatter.__all__
__all__ += _scan.__all__
__all__ += _sort.__all__
__all__ += _special.__all__
__all__ += _statistics.__all__
__all__ += _ranges.__all__
__all__ += _windows.__all__
__all__ += _shape.__all__

_widen(globals(), __all__)
_in_a_tuple(globals())

__version__ = "0.1.0"

# Loaded when first used: `import retrograd` costs little more than NumPy.
_LATER = {"random", "testing", "signal", "utils", "func", "nn", "optim", "data", "train", "metrics", "report"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return importlib.import_module(f".{name}", __name__)
    if name == "compile":
        found = globals()["compile"] = importlib.import_module(".compilation", __name__).compile
        return found
    raise Missing(__name__, name, __all__)


def load(f: Any, map_location: Any = None, *, weights_only: Any = None, mmap: Any = None) -> Any:
    """A trained model, from a run folder or its model file; what `save` wrote, from any other safetensors file.

    ``map_location`` may only be the CPU; ``weights_only`` and ``mmap`` are without effect: nothing in such a file executes.
    """
    if map_location is not None and not callable(map_location):
        device(map_location)
    if holds_only_tensors(f):
        return load_tensors(f)
    return importlib.import_module(".train.predict", __name__).load(f)


def set_num_threads(n: Any) -> None:
    """Use at most ``n`` threads in compiled programs and in matrix products (this process only)."""
    importlib.import_module(".threads", __name__).set_num_threads(n)
