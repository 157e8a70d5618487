"""Special functions under the names of ``torch.special``.

Left out, because nothing is differentiated through them even there: the Bessel functions J, Y and K and Airy's function,
for which `scipy.special` serves.
"""

from __future__ import annotations

from .errors import Missing
from .functions._keywords import widen
from .functions.elementwise import erf, erfc, exp2, expm1, log1p, logit, round
from .functions.elementwise import sigmoid as expit
from .functions.polynomials import (
    chebyshev_polynomial_t,
    chebyshev_polynomial_u,
    chebyshev_polynomial_v,
    chebyshev_polynomial_w,
    hermite_polynomial_h,
    hermite_polynomial_he,
    laguerre_polynomial_l,
    legendre_polynomial_p,
    shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w,
)
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
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma",
    "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
    "hermite_polynomial_h", "hermite_polynomial_he", "i0", "i0e", "i1", "i1e", "laguerre_polynomial_l",
    "legendre_polynomial_p", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "modified_bessel_i0",
    "modified_bessel_i1", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round",
    "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w", "sinc", "softmax", "spherical_bessel_j0", "xlog1py", "xlogy", "zeta",
]  # fmt: skip

widen(globals(), __all__)


def __getattr__(name: str) -> object:
    raise Missing(__name__, name, __all__)
