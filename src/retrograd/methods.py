"""Which functions are methods of the Tensor as well."""

from __future__ import annotations

from . import inplace as i
from .functions import elementwise as e
from .functions import index as ix
from .functions import linalg as la
from .functions import reduce as r
from .functions import shape as s


class Methods:
    """Functions that take a tensor first, as methods of the same name."""

    # elementwise
    abs = e.abs
    absolute = e.absolute
    add = e.add
    addcdiv = e.addcdiv
    addcmul = e.addcmul
    allclose = e.allclose
    bitwise_and = e.bitwise_and
    bitwise_not = e.bitwise_not
    bitwise_or = e.bitwise_or
    bitwise_xor = e.bitwise_xor
    ceil = e.ceil
    clamp = e.clamp
    clip = e.clip
    cos = e.cos
    div = e.div
    divide = e.divide
    eq = e.eq
    equal = e.equal
    erf = e.erf
    erfc = e.erfc
    exp = e.exp
    exp2 = e.exp2
    expm1 = e.expm1
    fix = e.fix
    floor = e.floor
    floor_divide = e.floor_divide
    frac = e.frac
    ge = e.ge
    greater = e.greater
    greater_equal = e.greater_equal
    gt = e.gt
    isclose = e.isclose
    isfinite = e.isfinite
    isinf = e.isinf
    isnan = e.isnan
    le = e.le
    lerp = e.lerp
    less = e.less
    less_equal = e.less_equal
    log = e.log
    log10 = e.log10
    log1p = e.log1p
    log2 = e.log2
    logaddexp = e.logaddexp
    logical_and = e.logical_and
    logical_not = e.logical_not
    logical_or = e.logical_or
    logical_xor = e.logical_xor
    logit = e.logit
    lt = e.lt
    masked_fill = e.masked_fill
    maximum = e.maximum
    minimum = e.minimum
    mul = e.mul
    multiply = e.multiply
    nan_to_num = e.nan_to_num
    ne = e.ne
    neg = e.neg
    negative = e.negative
    not_equal = e.not_equal
    positive = e.positive
    pow = e.pow
    reciprocal = e.reciprocal
    relu = e.relu
    remainder = e.remainder
    round = e.round
    rsqrt = e.rsqrt
    sigmoid = e.sigmoid
    sign = e.sign
    sin = e.sin
    sqrt = e.sqrt
    square = e.square
    sub = e.sub
    subtract = e.subtract
    tan = e.tan
    tanh = e.tanh
    true_divide = e.true_divide
    trunc = e.trunc

    # reductions, scans, sorting
    all = r.all
    amax = r.amax
    amin = r.amin
    any = r.any
    argmax = r.argmax
    argmin = r.argmin
    argsort = r.argsort
    count_nonzero = r.count_nonzero
    cumsum = r.cumsum
    log_softmax = r.log_softmax
    logsumexp = r.logsumexp
    max = r.max
    mean = r.mean
    min = r.min
    norm = r.norm
    prod = r.prod
    softmax = r.softmax
    sort = r.sort
    std = r.std
    sum = r.sum
    topk = r.topk
    var = r.var

    # shape
    broadcast_to = s.broadcast_to
    chunk = s.chunk
    expand_as = s.expand_as
    flatten = s.flatten
    flip = s.flip
    movedim = s.movedim
    narrow = s.narrow
    permute = s.permute
    ravel = s.ravel
    repeat = s.repeat
    repeat_interleave = s.repeat_interleave
    reshape = s.reshape
    roll = s.roll
    select = s.select
    split = s.split
    squeeze = s.squeeze
    swapaxes = s.swapaxes
    swapdims = s.swapdims
    t = s.t
    tile = s.tile
    transpose = s.transpose
    unbind = s.unbind
    unflatten = s.unflatten
    unsqueeze = s.unsqueeze
    view = s.view
    view_as = s.view_as

    # indexing
    argwhere = ix.argwhere
    diagonal = ix.diagonal
    gather = ix.gather
    index_add = ix.index_add
    index_put = ix.index_put
    index_select = ix.index_select
    masked_select = ix.masked_select
    nonzero = ix.nonzero
    scatter = ix.scatter
    scatter_add = ix.scatter_add
    take = ix.take
    take_along_dim = ix.take_along_dim
    tril = ix.tril
    triu = ix.triu

    # matrix products
    addmm = la.addmm
    bmm = la.bmm
    dot = la.dot
    matmul = la.matmul
    mm = la.mm
    mv = la.mv
    outer = la.outer
    trace = la.trace

    # in place
    abs_ = i.abs_
    add_ = i.add_
    addcdiv_ = i.addcdiv_
    addcmul_ = i.addcmul_
    bernoulli_ = i.bernoulli_
    ceil_ = i.ceil_
    clamp_ = i.clamp_
    copy_ = i.copy_
    cos_ = i.cos_
    div_ = i.div_
    exp_ = i.exp_
    fill_ = i.fill_
    floor_ = i.floor_
    floor_divide_ = i.floor_divide_
    index_add_ = i.index_add_
    index_put_ = i.index_put_
    lerp_ = i.lerp_
    log_ = i.log_
    masked_fill_ = i.masked_fill_
    mul_ = i.mul_
    neg_ = i.neg_
    normal_ = i.normal_
    pow_ = i.pow_
    reciprocal_ = i.reciprocal_
    relu_ = i.relu_
    remainder_ = i.remainder_
    round_ = i.round_
    rsqrt_ = i.rsqrt_
    scatter_ = i.scatter_
    scatter_add_ = i.scatter_add_
    sigmoid_ = i.sigmoid_
    sign_ = i.sign_
    sin_ = i.sin_
    sqrt_ = i.sqrt_
    square_ = i.square_
    sub_ = i.sub_
    tanh_ = i.tanh_
    trunc_ = i.trunc_
    uniform_ = i.uniform_
    zero_ = i.zero_

    expand = s.expand_
