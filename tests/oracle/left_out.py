"""What PyTorch's list of functions has and Retrograd does not, each with its reason; and names that differ."""

from __future__ import annotations

UNBUILT = "convolution, pooling, recurrence and attention are not built yet"

COMPLEX = "complex tensors do not exist here"
CYLINDER = "no gradient flows through it in PyTorch either; scipy.special has it"
POLYNOMIAL = "no gradient flows through it in PyTorch either; numpy.polynomial and scipy.special have it"

# PyTorch's list calls it by the first name; it is found here by the second.
ELSEWHERE: dict[str, str] = {
    "where": "Tensor.where",
    "polygamma": "Tensor.polygamma",
    "special.polygamma": "Tensor.polygamma",
}

# name: why it is not here.  Names that end in * stand for all that begin so.
LEFT_OUT: dict[str, str] = {
    # complex numbers
    "cdouble": COMPLEX,
    "cfloat": COMPLEX,
    "chalf": COMPLEX,
    "complex": COMPLEX,
    "imag": COMPLEX,
    "polar": COMPLEX,
    "view_as_complex": COMPLEX,
    "view_as_real": COMPLEX,
    # other dtypes
    "half": "float16, bfloat16, int8 and int16 do not exist here; the method says so",
    "char": "float16, bfloat16, int8 and int16 do not exist here",
    "short": "float16, bfloat16, int8 and int16 do not exist here",
    "bfloat16": "float16, bfloat16, int8 and int16 do not exist here; the method says so",
    # elementwise and special
    "special.airy_ai": CYLINDER,
    "special.bessel_*": CYLINDER,
    "special.modified_bessel_k*": CYLINDER,
    "special.scaled_modified_bessel_k*": CYLINDER,
    "special.chebyshev_polynomial_*": POLYNOMIAL,
    "special.hermite_polynomial_*": POLYNOMIAL,
    "special.laguerre_polynomial_*": POLYNOMIAL,
    "special.legendre_polynomial_*": POLYNOMIAL,
    "special.shifted_chebyshev_polynomial_*": POLYNOMIAL,
    "jiterator_*": "compiles CUDA code",
    # reductions and sorting
    "masked.*": "torch.masked is a prototype; where(mask, x, 0) and the nan functions serve",
    "hash_tensor": "a checksum of the bits, for PyTorch's own bookkeeping",
    # shapes and indexing
    # linear algebra
    # networks
    "nn.functional.adaptive_*": UNBUILT,
    "nn.functional.avg_pool*": UNBUILT,
    "nn.functional.conv*": UNBUILT,
    "nn.functional.fractional_max_pool*": UNBUILT,
    "nn.functional.grid_sample": UNBUILT,
    "nn.functional.interpolate": UNBUILT,
    "nn.functional.max_pool*": UNBUILT,
    "nn.functional.max_unpool*": UNBUILT,
    "nn.functional.multi_head_attention_forward": UNBUILT,
    "nn.functional.scaled_dot_product_attention": UNBUILT,
    "nn.functional.unfold": UNBUILT,
    "nn.functional.upsample*": UNBUILT,
    "nn.functional.embedding_bag": "embedding and a sum give the same; a fused form is not built yet",
    "nn.functional.linear_cross_entropy": "cross_entropy(linear(x, w), y) gives the same; PyTorch's form saves memory",
    "native_batch_norm": "PyTorch's own kernel behind nn.functional.batch_norm",
    "native_dropout_backward": "PyTorch's own kernel behind the derivative of dropout",
    "native_layer_norm": "PyTorch's own kernel behind nn.functional.layer_norm",
    # PyTorch's own internals
}

ANY_OF_EQUALS: dict[str, int] = {
    "argsort": 0, "kthvalue": 1, "median": 0, "mode": 0, "nanmedian": 0, "sort": 0, "topk": 1,
}  # fmt: skip
"""Functions whose positions among equal values PyTorch leaves open: the values that stand there are compared instead.

The number says which argument after the input is the dimension.
"""

VALUES_DIFFER: dict[str, str] = {
    "nn.functional.alpha_dropout": "random",
    "nn.functional.dropout": "random",
    "nn.functional.dropout2d": "random",
    "nn.functional.dropout3d": "random",
    "nn.functional.feature_alpha_dropout": "random",
    "nn.functional.rrelu": "random in training",
}
"""Functions whose values are random or not defined: shapes and dtypes are compared, values are not."""
