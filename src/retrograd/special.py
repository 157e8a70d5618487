"""Special functions under the names of ``torch.special``.

Left out, because nothing is differentiated through them even there: the Bessel functions J, Y and K and Airy's function,
and the orthogonal polynomials, for which `numpy.polynomial` and `scipy.special` serve.
"""

from __future__ import annotations

from .functions.elementwise import erf, erfc, exp2, expm1, log1p, logit, round
from .functions.elementwise import sigmoid as expit
from .functions.reduce import log_softmax, logsumexp, softmax
from .functions.special import (
    digamma,
    entr,
    erfcx,
    erfinv,
    i0,
    i0e,
    i1,
    i1e,
    log_ndtr,
    ndtr,
    ndtri,
    polygamma,
    sinc,
    spherical_bessel_j0,
    xlog1py,
    xlogy,
    zeta,
)
from .functions.special import digamma as psi
from .functions.special import i0 as modified_bessel_i0
from .functions.special import i1 as modified_bessel_i1
from .functions.special import igamma as gammainc
from .functions.special import igammac as gammaincc
from .functions.special import lgamma as gammaln
from .functions.special import mvlgamma as multigammaln

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
    "i0", "i0e", "i1", "i1e", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "modified_bessel_i0",
    "modified_bessel_i1", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "sinc", "softmax",
    "spherical_bessel_j0", "xlog1py", "xlogy", "zeta",
]  # fmt: skip
