"""Linear algebra under PyTorch's names: ``rg.linalg.solve(A, B)``.

Functions take matrices (..., m, n) or stacks of them, and act on each.  Results in several parts are named tuples.
General (not symmetric) eigenvalues are complex, and complex numbers do not exist here.
"""

from __future__ import annotations

from typing import Any

from .errors import LinAlgError, Missing
from .functions._keywords import widen
from .functions.factorizations import cholesky_ex, eigh, eigvalsh, householder_product, svdvals
from .functions.factorizations import linalg_cholesky as cholesky
from .functions.factorizations import linalg_qr as qr
from .functions.factorizations import linalg_svd as svd
from .functions.least_squares import lstsq, matrix_rank, pinv, tensorinv, tensorsolve
from .functions.linalg import matmul, multi_dot
from .functions.matrix_functions import (
    cond,
    det,
    matrix_exp,
    matrix_norm,
    matrix_power,
    norm,
    slogdet,
    vecdot,
)
from .functions.matrix_functions import linalg_cross as cross
from .functions.matrix_functions import linalg_diagonal as diagonal
from .functions.matrix_functions import linalg_vander as vander
from .functions.norm import vector_norm
from .functions.solving import inv, inv_ex, lu_factor, lu_factor_ex, solve, solve_ex, solve_triangular
from .functions.solving import linalg_lu as lu
from .functions.solving import linalg_lu_solve as lu_solve

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh", "householder_product",
    "inv", "inv_ex", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm",
    "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "solve_ex", "solve_triangular",
    "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip

widen(globals(), __all__)


def __getattr__(name: str) -> Any:
    raise Missing(__name__, name, __all__)
