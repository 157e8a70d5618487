"""All functions of networks under one name, as in PyTorch: ``import retrograd.nn.functional as F``."""

from __future__ import annotations

from ..errors import Missing
from ..functions import activations as _activations
from ..functions import channels as _channels
from ..functions import class_losses as _class_losses
from ..functions import dropout as _dropout
from ..functions import losses as _losses
from ..functions import normalization as _normalization
from ..functions import piecewise as _piecewise
from ..functions import ranking_losses as _ranking_losses
from ..functions import step as _step
from ..functions._keywords import widen
from ..functions.activations import *
from ..functions.channels import *
from ..functions.class_losses import *
from ..functions.distances import bilinear, cosine_similarity, normalize, pairwise_distance, pdist
from ..functions.dropout import *
from ..functions.embedding import embedding
from ..functions.index import one_hot
from ..functions.linalg import linear
from ..functions.losses import *
from ..functions.normalization import *
from ..functions.pad import pad
from ..functions.piecewise import *
from ..functions.ranking_losses import *
from ..functions.step import *

__all__ = [
    "bilinear", "cosine_similarity", "embedding", "linear", "normalize", "one_hot", "pad", "pairwise_distance", "pdist",
]  # fmt: skip
__all__ += _activations.__all__
__all__ += _channels.__all__
__all__ += _class_losses.__all__
__all__ += _dropout.__all__
__all__ += _losses.__all__
__all__ += _normalization.__all__
__all__ += _piecewise.__all__
__all__ += _ranking_losses.__all__
__all__ += _step.__all__

widen(globals(), ["cosine_similarity", "pairwise_distance"])


def __getattr__(name: str) -> object:
    raise Missing(__name__, name, __all__)
