"""Which functions are methods of the Tensor as well."""

from __future__ import annotations

from .functions._keywords import widen


class Methods:
    """Functions that take a tensor first, as methods of the same name."""

    # fmt: off
    from .functions.elementwise import (
        abs, absolute, acos, acosh, add, addcdiv, addcmul, allclose, angle, arccos, arccosh, arcsin, arcsinh, arctan,
        arctan2, arctanh, asin, asinh, atan, atan2, atanh, bitwise_and, bitwise_left_shift, bitwise_not, bitwise_or,
        bitwise_right_shift, bitwise_xor, ceil, clamp, clamp_max, clamp_min, clip, conj, conj_physical, copysign, cos,
        cosh, deg2rad, div, divide, eq, equal, erf, erfc, exp, exp2, expm1, fix, float_power, floor, floor_divide,
        fmax, fmin, fmod, frac, frexp, gcd, ge, greater, greater_equal, gt, heaviside, hypot, isclose, isfinite, isinf,
        isnan, isneginf, isposinf, isreal, lcm, ldexp, le, lerp, less, less_equal, log, log1p, log2, log10, logaddexp,
        logaddexp2, logical_and, logical_not, logical_or, logical_xor, logit, lt, masked_fill, maximum, minimum, mul,
        multiply, nan_to_num, ne, neg, negative, nextafter, not_equal, positive, pow, rad2deg, reciprocal, relu,
        remainder, resolve_conj, resolve_neg, round, rsqrt, sgn, sigmoid, sign, signbit, sin, sinh, sqrt, square, sub,
        subtract, tan, tanh, true_divide, trunc,
    )
    from .functions.elementwise.comparison import tensor_where as where
    from .functions.special import (
        digamma, erfinv, i0, igamma, igammac, lgamma, mvlgamma, sinc, xlogy,
    )
    from .functions.special import tensor_polygamma as polygamma
    from .functions.arrange import (
        flip, fliplr, flipud, repeat, repeat_interleave, roll, rot90, tile, unfold,
    )
    from .functions.diagonal import (
        diag, diag_embed, diagflat, diagonal, tril, triu,
    )
    from .functions.index import index_put
    from .functions.join import (
        dsplit, hsplit, tensor_split, unsafe_chunk, unsafe_split, unsafe_split_with_sizes, vsplit,
    )
    from .functions.pick import (
        argwhere, gather, index_select, masked_select, nonzero, nonzero_static, take, take_along_dim,
    )
    from .functions.scatter import (
        diagonal_scatter, index_add, index_copy, index_fill, index_reduce, masked_scatter, put, scatter,
        scatter_add, scatter_reduce, select_scatter, slice_scatter,
    )
    from .functions.factorizations import (
        cholesky, orgqr, ormqr, qr, svd,
    )
    from .functions.linalg import (
        addbmm, addmm, addmv, addr, baddbmm, bmm, dot, ger, inner, kron, matmul, mm, mv, outer, trace, vdot,
    )
    from .functions.least_squares import (
        pinverse,
    )
    from .functions.matrix_functions import (
        cross, det, logdet, matrix_exp, matrix_power, slogdet,
    )
    from .functions.solving import (
        cholesky_inverse, cholesky_solve, inverse, lu, lu_solve, triangular_solve,
    )
    from .functions.counts import (
        bincount, histc, histogram,
    )
    from .functions.norm import (
        dist, norm, renorm,
    )
    from .functions.random import bernoulli, multinomial
    from .functions.information import (
        is_nonzero,
    )
    from .functions.reduce import (
        all, amax, amin, aminmax, any, argmax, argmin, count_nonzero, log_softmax, logsumexp, max, mean, min,
        nanmean, nansum, prod, softmax, sum, sum_to_size,
    )
    from .functions.scan import (
        cummax, cummin, cumprod, cumsum, diff, logcumsumexp,
    )
    from .functions.sort import (
        argsort, isin, kthvalue, msort, sort, topk, unique, unique_consecutive,
    )
    from .functions.statistics import (
        corrcoef, cov, median, mode, nanmedian, nanquantile, quantile, std, var,
    )
    from .functions.shape import (
        adjoint, broadcast_to, chunk, expand_as, flatten, movedim, moveaxis, narrow, permute, ravel, reshape,
        reshape_as, select, split, split_with_sizes, squeeze, swapaxes, swapdims, t, transpose, unbind,
        unflatten, unsqueeze, view, view_as,
    )
    from .functions.shape import (
        expand_ as expand,
    )
    from .inplace import (
        abs_, absolute_, acos_, acosh_, add_, addbmm_, addcdiv_, addcmul_, addmm_, addmv_, addr_, arccos_, arccosh_,
        arcsin_, arcsinh_, baddbmm_,
        arctan2_, arctan_, arctanh_, asin_, asinh_, atan2_, atan_, atanh_, bitwise_and_,
        bitwise_left_shift_, bitwise_not_, bitwise_or_, bitwise_right_shift_, bitwise_xor_, ceil_, clamp_,
        clamp_max_, clamp_min_, clip_, conj_physical_, copy_, copysign_, cos_, cosh_, cumprod_, cumsum_, deg2rad_, digamma_, div_,
        divide_, eq_, erf_, erfc_, erfinv_, exp2_, exp_, expm1_, fill_, fix_, float_power_, floor_,
        floor_divide_, fmod_, frac_, gcd_, ge_, greater_, greater_equal_, gt_, heaviside_, hypot_, i0_, igamma_,
        igammac_, lcm_, ldexp_, le_, lerp_, less_, less_equal_, lgamma_, log10_, log1p_,
        log2_, log_, logical_and_, logical_not_, logical_or_, logical_xor_, logit_, lt_, masked_fill_, mul_,
        multiply_, mvlgamma_, nan_to_num_, ne_, neg_, negative_, nextafter_, not_equal_, polygamma_,
        pow_, rad2deg_, reciprocal_, relu_, remainder_, renorm_, round_, rsqrt_, sgn_, sigmoid_,
        sign_, sin_, sinc_, sinh_, sqrt_, square_, sub_, subtract_, tan_, tanh_, true_divide_, trunc_,
        xlogy_, zero_,
    )
    from .inplace import (
        fill_diagonal_, index_add_, index_copy_, index_fill_, index_put_, index_reduce_, masked_scatter_, put_,
        scatter_, scatter_add_, scatter_reduce_, squeeze_, swapaxes_, swapdims_, t_, transpose_, tril_, triu_,
        unsqueeze_,
    )
    from .inplace import (
        bernoulli_, cauchy_, exponential_, geometric_, log_normal_, normal_, random_, uniform_,
    )
    # fmt: on


widen(Methods, [name for name in vars(Methods) if not name.startswith("__")])
