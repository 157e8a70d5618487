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

from . import autograd, eager, errors
from .batch import vmap
from .functions.create import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    logspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from .functions.elementwise import (
    abs,
    absolute,
    add,
    addcdiv,
    addcmul,
    allclose,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    ceil,
    clamp,
    clip,
    cos,
    div,
    divide,
    eq,
    equal,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    floor,
    floor_divide,
    frac,
    ge,
    greater,
    greater_equal,
    gt,
    isclose,
    isfinite,
    isinf,
    isnan,
    le,
    lerp,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    logit,
    lt,
    masked_fill,
    maximum,
    minimum,
    mul,
    multiply,
    nan_to_num,
    ne,
    neg,
    negative,
    not_equal,
    pow,
    reciprocal,
    relu,
    remainder,
    round,
    rsqrt,
    rsub,
    sigmoid,
    sign,
    sin,
    sqrt,
    square,
    sub,
    subtract,
    tan,
    tanh,
    true_divide,
    trunc,
    where,
)
from .functions.index import (
    argwhere,
    diagonal,
    gather,
    index_add,
    index_put,
    index_select,
    masked_select,
    nonzero,
    scatter,
    scatter_add,
    take,
    take_along_dim,
    tril,
    triu,
)
from .functions.linalg import addmm, bmm, dot, matmul, mm, mv, outer
from .functions.random import (
    Generator,
    bernoulli,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    multinomial,
    normal,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    seed,
    set_rng_state,
)
from .functions.reduce import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    argsort,
    count_nonzero,
    cumsum,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    softmax,
    sort,
    std,
    sum,
    topk,
    var,
)
from .functions.shape import (
    atleast_1d,
    atleast_2d,
    broadcast_tensors,
    broadcast_to,
    cat,
    chunk,
    concat,
    concatenate,
    flatten,
    flip,
    movedim,
    narrow,
    permute,
    ravel,
    repeat_interleave,
    reshape,
    roll,
    select,
    split,
    squeeze,
    stack,
    swapaxes,
    swapdims,
    t,
    tile,
    transpose,
    unbind,
    unsqueeze,
)
from .graph import Graph
from .modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .tensor import Tensor
from .trace import trace
from .types import DType as dtype
from .types import bool_ as bool
from .types import float32, float64, get_default_dtype, int32, int64, set_default_dtype, uint8
from .types import float32 as float
from .types import float64 as double
from .types import int32 as int
from .types import int64 as long
from .types import promote as promote_types

if TYPE_CHECKING:
    from . import data, metrics, nn, optim, report, train
    from .train.predict import load

__version__ = "0.1.0"

# Loaded when first used: `import retrograd` costs little more than NumPy.
_LATER = {"nn", "optim", "data", "train", "metrics", "report"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return importlib.import_module(f".{name}", __name__)
    if name == "load":
        return importlib.import_module(".train.predict", __name__).load
    raise AttributeError(f"module 'retrograd' has no attribute {name!r}")


def set_num_threads(n: Any) -> None:
    """Use at most ``n`` threads in matrix products (this process only)."""
    importlib.import_module(".threads", __name__).set_num_threads(n)
