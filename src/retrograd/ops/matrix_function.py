"""Functions of a matrix as a whole: exponential and pseudoinverse."""

from __future__ import annotations

import numpy as np

from ..errors import ShapeError
from ..op import Array, Bad, Sample, bind
from ..types import TensorType
from ._family import fill
from ._matrix import OfMatrices, product, require_matrices, require_square, transposed
from .shape import Cat, Slice

# Coefficients of the [13/13] Padé approximant of e^x, and the norm up to which it is exact to 1e-16 (Higham 2005).
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_THETA = 5.371920351148152


class MatrixExp(OfMatrices):
    """y = eᵃ = Σ aᵏ/k!, by scaling, a [13/13] Padé approximant and squaring (N. Higham 2005).   ā = the upper right block of
    e^[[aᵀ, ȳ], [0, aᵀ]] (R. Mathias 1996).

    A primitive: how often it is squared depends on the values.
    """

    def type(a: TensorType) -> TensorType:
        require_square(MatrixExp, a)
        return a

    def eval(a: Array) -> Array:
        if a.size == 0:
            return a.copy()
        norm = np.abs(a).sum(-2).max(-1)
        ratio = np.where(np.isfinite(norm), norm, 0) / _THETA
        squarings = np.ceil(np.log2(np.maximum(ratio, 1))).astype(np.int64)
        a = a / (2.0**squarings)[..., None, None].astype(a.dtype)
        unit = np.eye(a.shape[-1], dtype=a.dtype)
        c = [a.dtype.type(x / _PADE[0]) for x in _PADE]
        a2 = a @ a
        a4 = a2 @ a2
        a6 = a4 @ a2
        odd = a @ (
            a6 @ (c[13] * a6 + c[11] * a4 + c[9] * a2) + c[7] * a6 + c[5] * a4 + c[3] * a2 + c[1] * unit
        )
        even = a6 @ (c[12] * a6 + c[10] * a4 + c[8] * a2) + c[6] * a6 + c[4] * a4 + c[2] * a2 + c[0] * unit
        y = np.linalg.solve(even - odd, even + odd)
        for k in range(int(squarings.max(initial=0))):
            y = np.where((squarings > k)[..., None, None], y @ y, y)
        return y

    def vjp(g, _y, a):
        n, dim = a.shape[-1], len(a.shape)
        across = transposed(a)
        top = bind(Cat, across, g, dim=dim - 1)
        bottom = bind(Cat, fill(a), across, dim=dim - 1)
        whole = bind(MatrixExp, bind(Cat, top, bottom, dim=dim - 2))
        return (bind(Slice, whole, index=(*((0, s, 1) for s in a.shape[:-2]), (0, n, 1), (n, 2 * n, 1))),)

    def samples(r):
        yield Sample(r.normal(size=(3, 3)))
        yield Sample(np.stack([0.1 * r.normal(size=(2, 2)), 4 * r.normal(size=(2, 2))]))
        yield Sample(r.normal(size=(2, 2)).astype("float32"))
        yield Sample(np.array([[-1.5]]))
        yield Sample(np.zeros((2, 0, 0)))

    def errors(r):
        yield Bad(np.zeros((2, 3)), message="square")
        yield Bad(np.eye(2, dtype="int64"), message="floating")


class Pinv(OfMatrices):
    """y = a⁺: singular values above ``least`` (one number for each matrix, shape (..., 1, 1)) inverted, the others left out.
    ā = -yᵀ ȳ yᵀ + (I - a y) ȳᵀ y yᵀ + yᵀ y ȳᵀ (I - y a), for a rank that stays (G. Golub and V. Pereyra 1973).

    A primitive: the derivative by way of the singular vectors fails where singular values are equal.
    """

    def type(a: TensorType, least: TensorType) -> TensorType:
        require_matrices(Pinv, a, least)
        if least.shape[-2:] != (1, 1):
            raise ShapeError(
                f"pinv: the threshold has shape {least.shape}, not (..., 1, 1)",
                hint="one number for each matrix",
            )
        *some, m, n = a.shape
        return TensorType((*some, n, m), a.dtype)

    def eval(a: Array, least: Array) -> Array:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        some = s > least[..., 0]
        inverse = np.where(some, 1 / np.where(some, s, 1), 0)
        return (vh.swapaxes(-1, -2) * inverse[..., None, :]) @ u.swapaxes(-1, -2)

    def vjp(g, y, a, _least):
        # <ȳ, da⁺> term by term; with P = I - a y and Q = I - y a, each applied without making it
        gt = transposed(g)
        out = -product(product(y, g, ta=True), y, tb=True)
        left = product(gt, product(y, y, tb=True))  # ȳᵀ a⁺ a⁺ᵀ, to be multiplied by P from the left
        out = out + left - product(a, product(y, left))
        right = product(product(y, y, ta=True), gt)  # a⁺ᵀ a⁺ ȳᵀ, to be multiplied by Q from the right
        out = out + right - product(product(right, y), a)
        return out, None

    def samples(r):
        least = np.full((1, 1), 1e-10)
        yield Sample(r.normal(size=(3, 3)), least, grad=(0,))
        yield Sample(r.normal(size=(4, 2)), least, grad=(0,))
        yield Sample(r.normal(size=(2, 2, 3)), np.full((2, 1, 1), 1e-10), grad=(0,))
        yield Sample(np.eye(2), least, grad=(0,))
        yield Sample(np.diag([2.0, 1.0]).astype("float32"), least.astype("float32"), grad=(0,))
        yield Sample(r.normal(size=(4, 1)) * r.normal(size=3), np.full((1, 1), 1e-3), grad=())
        yield Sample(np.zeros((0, 3)), least, grad=(0,))

    def errors(r):
        yield Bad(np.zeros((2, 3)), np.zeros((2, 1)), message="threshold")
        yield Bad(np.eye(2, dtype="int64"), np.zeros((1, 1)), message="floating")
