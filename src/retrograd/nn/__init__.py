"""Networks: layers, losses and starting weights, with PyTorch's names, shapes and state-dict keys."""

from __future__ import annotations

from ..errors import missing_name
from . import functional, init, utils
from .activations import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softmax2d,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Step,
    Tanh,
    Tanhshrink,
    Threshold,
)  # fmt: skip
from .containers import ModuleDict, ModuleList, Residual, Sequential
from .distance import CosineSimilarity, PairwiseDistance
from .dropout import DropConnectLinear, Dropout
from .embedding import Embedding
from .flatten import Flatten, Unflatten
from .linear import Identity, Linear
from .losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    GaussianNLLLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    PoissonNLLLoss,
    SmoothL1Loss,
)  # fmt: skip
from .module import Module
from .normalization import BatchNorm1d, LayerNorm
from .parameter import Buffer, Parameter
from .ranking_losses import (
    CosineEmbeddingLoss,
    HingeEmbeddingLoss,
    MarginRankingLoss,
    MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    SoftMarginLoss,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)  # fmt: skip
from .steps import forward_steps
from .summary import Summary, summary
from .units import Connection, connections, dead_units, units

__all__ = [
    "Module", "Parameter", "Buffer", "Sequential", "ModuleList", "ModuleDict", "Residual", "Linear", "Identity", "Flatten",
    "Unflatten", "Embedding", "Dropout", "DropConnectLinear", "BatchNorm1d", "LayerNorm", "CELU", "ELU", "GELU",
    "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid", "LogSoftmax",
    "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "Sigmoid", "SiLU", "Softmax", "Softmax2d", "Softmin", "Softplus",
    "Softshrink", "Softsign", "Step", "Tanh", "Tanhshrink", "Threshold", "BCELoss", "BCEWithLogitsLoss",
    "CrossEntropyLoss", "GaussianNLLLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "NLLLoss",
    "PoissonNLLLoss", "SmoothL1Loss", "Summary", "summary", "Connection", "connections", "dead_units", "units",
    "forward_steps", "functional", "init", "utils", "CosineSimilarity", "PairwiseDistance", "CosineEmbeddingLoss",
    "HingeEmbeddingLoss", "MarginRankingLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss",
    "MultiMarginLoss", "SoftMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]  # fmt: skip


def __getattr__(name: str) -> object:
    raise AttributeError(missing_name(__name__, name, __all__))
