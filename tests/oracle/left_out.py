"""What PyTorch's list of functions has and Retrograd does not, each with its reason; and names that differ."""

from __future__ import annotations

UNBUILT = "convolution, pooling, recurrence and attention are not built yet"

COMPLEX = "complex tensors do not exist here"
CYLINDER = "no gradient flows through it in PyTorch either; scipy.special has it"

COPY = "a view and a copy at once, made for PyTorch's compiler: the name without _copy, and .clone()"
LAYOUT = "it names strides in memory, which a traced graph does not have; use unfold, diagonal or an index"

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
    "jiterator_*": "compiles CUDA code",
    # reductions and sorting
    "masked.*": "torch.masked is a prototype; where(mask, x, 0) and the nan functions serve",
    "hash_tensor": "a checksum of the bits, for PyTorch's own bookkeeping",
    # shapes and indexing
    **dict.fromkeys(
        (
            "alias_copy",
            "diagonal_copy",
            "expand_copy",
            "narrow_copy",
            "permute_copy",
            "split_with_sizes_copy",
            "squeeze_copy",
            "t_copy",
            "transpose_copy",
            "unbind_copy",
            "unfold_copy",
            "unsqueeze_copy",
            "view_copy",
        ),
        COPY,
    ),
    "as_strided*": LAYOUT,
    "empty_permuted": LAYOUT,
    "empty_strided": LAYOUT,
    "new_empty_strided": LAYOUT,
    "resize_*": "it shows memory that nobody wrote, or drops elements silently; use reshape, a slice or cat",
    "constant_pad_nd": "undocumented in PyTorch; nn.functional.pad is its name for users",
    # linear algebra
    "geqrf": "linalg.qr gives the factors themselves, as PyTorch advises",
    "linalg.eig": "eigenvalues of a matrix that is not symmetric are complex; linalg.eigh takes symmetric ones",
    "linalg.eigvals": "eigenvalues of a matrix that is not symmetric are complex; linalg.eigvalsh takes symmetric ones",
    "linalg.ldl_*": "no gradient flows through it in PyTorch either; linalg.solve serves, linalg.cholesky where it can",
    "pca_lowrank": "a random approximation; linalg.svd of the centred matrix is exact",
    "svd_lowrank": "a random approximation; linalg.svd is exact",
    "sparse.*": "sparse tensors do not exist here",
    "to_sparse": "sparse tensors do not exist here",
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
    "nn.functional.ctc_loss": "a recursion over time, which waits for recurrence",
    "nn.functional.embedding_bag": "embedding and a sum give the same; a fused form is not built yet",
    "nn.functional.linear_cross_entropy": "cross_entropy(linear(x, w), y) gives the same; PyTorch's form saves memory",
    "native_batch_norm": "PyTorch's own kernel behind nn.functional.batch_norm",
    "native_dropout_backward": "PyTorch's own kernel behind the derivative of dropout",
    "native_layer_norm": "PyTorch's own kernel behind nn.functional.layer_norm",
    # PyTorch's own internals
    "_batch_norm_with_update": "an inner part of PyTorch, under a name with an underscore",
    "_native_batch_norm_legit": "an inner part of PyTorch, under a name with an underscore",
    "_segment_reduce": "an inner part of PyTorch, under a name with an underscore",
    "_softmax_backward_data": "an inner part of PyTorch, under a name with an underscore",
    "_upsample_bilinear2d_aa": "an inner part of PyTorch, under a name with an underscore",
    "torch.*": "an inner part of PyTorch's own kernels",
    "native_*": "an inner part of PyTorch; the name without native_ is the one to call",
    "max_pool2d_with_indices_backward": "an inner part of PyTorch's pooling",
    "grid_sampler_*": "convolution, pooling, recurrence, attention and resampling are not built yet",
    "fft.*": "Fourier transforms are complex, and complex numbers do not exist here",
    "stft": "Fourier transforms are complex, and complex numbers do not exist here",
    "istft": "Fourier transforms are complex, and complex numbers do not exist here",
    "_chunk_cat": "PyTorch's own, for its distributed optimisers",
    "_unsafe_masked_index*": "PyTorch's own, for its compiler",
    "slice": "PyTorch's own name for x[a:b:c]",
}

ANY_OF_EQUALS: dict[str, int] = {
    "argsort": 0, "kthvalue": 1, "median": 0, "mode": 0, "nanmedian": 0, "sort": 0, "topk": 1,
}  # fmt: skip
"""Functions whose positions among equal values PyTorch leaves open: the values that stand there are compared instead.

The number says which argument after the input is the dimension.
"""

VALUES_DIFFER: dict[str, str] = {
    "bernoulli": "random",
    "cauchy": "random",
    "empty": "not defined in PyTorch; zeros here",
    "empty_like": "not defined in PyTorch; zeros here",
    "exponential": "random",
    "geometric": "random",
    "log_normal": "random",
    "multinomial": "random",
    "new_empty": "not defined in PyTorch; zeros here",
    "normal": "random",
    "rand_like": "random",
    "randint": "random",
    "randint_like": "random",
    "randn": "random",
    "randn_like": "random",
    "uniform": "random",
    "nn.functional.alpha_dropout": "random",
    "nn.functional.dropout": "random",
    "nn.functional.dropout2d": "random",
    "nn.functional.dropout3d": "random",
    "nn.functional.feature_alpha_dropout": "random",
    "nn.functional.rrelu": "random in training",
}
"""Functions whose values are random or not defined: shapes and dtypes are compared, values are not."""
