"""PyTorch's names that do not exist here, and why: what the error of a missing name says, and the page of names.

Read only when somebody asks for a name that is missing (`errors.Missing`), by `tools/coverage_torch.py`, which writes
docs/coverage-torch.md, and by the tests that hold page and samples to the installed PyTorch.
"""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase

COMPLEX = "complex numbers do not exist here"
SPARSE = "sparse tensors do not exist here"
QUANTISED = "quantised tensors do not exist here"
LATER = "convolution, pooling, recurrence, attention and resampling are not built yet"
FFT = "Fourier transforms are complex, and complex numbers do not exist here"
INSIDE = "an inner part of PyTorch that its own code calls"
BACKEND = "the form for one particular library or device"
COPIES = "a view and a copy at once, for PyTorch's compiler; clone() of the view serves"
PRECISION = "float16, bfloat16, int8 and int16 do not exist here, nor automatic casting to them"
COMPILER = "belongs to TorchScript, torch.compile or symbolic shapes"
OLD = "deprecated or removed in PyTorch; the newer name is here"
STORAGE = "memory is NumPy's; there is no storage object to be exchanged or resized"
DEVICE = "the CPU is the only device"
PARALLEL = "one process, one machine"
VALUES = "apply_ and map_ call Python for each element; NumPy on x.numpy() serves"
FUNCTIONAL = "under nn.functional, with the signature that it has there"
CYLINDER = "no gradient flows through it in PyTorch either; scipy.special has it"
IN_PLACE = "in place as a method"
LAYOUT = "it names strides in memory, which a traced graph does not have; use unfold, diagonal or an index"
KERNEL = "an inner part of PyTorch; the name without native_ is the one to call"
EIGENVALUES = "eigenvalues of a matrix that is not symmetric are complex; linalg.{} takes symmetric ones"

HINTS = {
    COMPLEX: "keep the real and the imaginary part in two tensors",
    SPARSE: "use a dense tensor; index_add and embedding take rows by number",
    QUANTISED: "use float32",
    LATER: "nn.Linear, on nn.Flatten() where there are more dimensions, and Sequential are here: dir(retrograd.nn)",
    FFT: "numpy.fft on x.numpy() serves where no gradient is needed",
    INSIDE: "call the public function that uses it",
    BACKEND: "the name without the library's is the one to call",
    PRECISION: "use float32, the default",
    COMPILER: "retrograd.trace(f) turns a function into a graph",
    STORAGE: "x.clone(), x.copy_(y) and x.reshape(...) change memory",
    DEVICE: "leave it out, or use device='cpu'",
    PARALLEL: "leave it out",
    FUNCTIONAL: "retrograd.nn.functional.{name}",
    IN_PLACE: "x.{name}(...)",
}
"""What to do instead, where the reason does not say it."""

Groups = dict[str, str]


def _by_pattern(groups: Groups) -> dict[str, str]:
    """{pattern: reason} of {reason: patterns}."""
    return {pattern: why for why, patterns in groups.items() for pattern in patterns.split()}


# namespace -> {reason: patterns}; the first pattern that fits counts, "*" as namespace is asked last.
_ABSENT: dict[str, Groups] = {
    "torch": {
        "use split": "unsafe_split_with_sizes",
        FUNCTIONAL: (
            "alpha_dropout batch_norm binary_cross_entropy_with_logits celu channel_shuffle cosine_embedding_loss dropout "
            "embedding group_norm hardshrink hinge_embedding_loss instance_norm kl_div layer_norm margin_ranking_loss "
            "pixel_shuffle pixel_unshuffle poisson_nll_loss prelu rms_norm rrelu selu threshold triplet_margin_loss"
        ),
        DEVICE: "layout memory_format channels_last* cpu xpu mps mtia accelerator Stream Event",
        LATER: (
            "conv* *avg_pool* *max_pool* max_unpool* gru* lstm* rnn_* embedding_bag grid_sampler* affine_grid* ctc_loss "
            "*feature_*"
        ),
        PRECISION: "float16 half bfloat16 int[1-8] int16 short char amp float8_* float4_* uint[1-7] uint16 uint32 uint64 bit*",
        QUANTISED: "quint* qint* quantization ao",
        FFT: "fft",
        INSIDE: (
            "embedding_renorm_ thread_safe_generator classproperty classes contrib cpp functional library monitor "
            "nativert numa overrides return_types serialization torch torch_version windows"
        ),
        "a prototype; where(mask, x, 0) and the nan functions serve": "masked",
        "tensors of rows of unequal length do not exist here; a list of tensors serves": "nested",
        "archives of code are not loaded; save and load keep tensors and plain data": "package",
        "there is no profiler of its own; Python's cProfile serves": "profiler",
        "sequences of low discrepancy are not built; scipy.stats.qmc has them": "quasirandom",
        "tensors are compared by NumPy's tools; numpy.testing.assert_allclose serves": "testing",
        "seeds and states are functions of the package; retrograd.manual_seed, get_rng_state, set_rng_state": "random",
        "use retrograd.__version__": "version",
        COMPILER: "while_loop *cond jit fx export compiler",
        "numpy.memmap with from_numpy serves": "from_file",
        "numpy.frombuffer with from_numpy serves": "frombuffer",
        OLD: "range",
        "a prototype; scatter_reduce serves": "segment_reduce",
        "an iterative solver; linalg.eigh serves": "lobpcg",
        "not built yet; normal, bernoulli, multinomial draw, and special has the functions of their densities": "distributions",
        "a model file is safetensors with its graph; ONNX is not written yet": "onnx",
        "nothing is downloaded; retrograd.load reads a file": "hub",
        PARALLEL: "get_num_interop_threads set_num_interop_threads distributed multiprocessing futures",
        "subnormal numbers are always kept; leave it out": "set_flush_denormal",
        "everything is deterministic; leave it out": (
            "use_deterministic_algorithms are_deterministic_algorithms_enabled *deterministic*"
        ),
        "products are always computed in full precision; leave it out": "*float32_matmul_precision",
        "use nn.functional.pad": "constant_pad_nd",
    },
    "torch.Tensor": {
        FUNCTIONAL: "hardshrink prelu",
        "use split": "unsafe_split_with_sizes",
        VALUES: "apply_ map_ map2_",
        PARALLEL: "is_shared is_distributed",
        DEVICE: "is_pinned record_stream mtia ipu xpu get_device",
        "write x[...]": "index",
        OLD: "new reinforce",
        INSIDE: "module_load as_subclass dim_order const_data_ptr",
        STORAGE: "is_set_to",
        "inference_mode is no_grad here; x.requires_grad says what is recorded": "is_inference",
    },
    "torch.nn.functional": {
        LATER: (
            "adaptive_* *avg_pool* *max_pool* *max_unpool* lp_pool* conv* fold unfold interpolate upsample* grid_sample "
            "affine_grid embedding_bag scaled_dot_product_attention multi_head_attention_forward ctc_loss"
        ),
        PRECISION: "*scaled_mm *grouped_mm ScalingType SwizzleType",
        "cross_entropy(linear(x, w), y) serves": "linear_cross_entropy",
        INSIDE: "handle_torch_function has_torch_function* boolean_dispatch assert_int_or_pair Tensor",
    },
    "torch.nn": {
        LATER: (
            "*Conv* *Pool* *Unpool* GRU* LSTM* RNN* *Transformer* MultiheadAttention *Fold Fold Unfold Upsampl* "
            "EmbeddingBag CTCLoss"
        ),
        PARALLEL: "SyncBatchNorm DataParallel",
        OLD: "Container NLLLoss2d",
        INSIDE: "CrossMapLRN2d factory_kwargs",
        "CrossEntropyLoss()(Linear()(x), y) serves": "LinearCrossEntropy*",
        "for vocabularies of millions on a GPU; CrossEntropyLoss serves": "AdaptiveLogSoftmaxWithLoss",
    },
    "torch.optim": {
        SPARSE: "SparseAdam",
        "its steps are defined in bfloat16, which does not exist here; AdamW serves": "Muon",
        INSIDE: "swap_in*",
    },
    "torch.func": {
        INSIDE: "debug_unwrap",
        COMPILER: "functionalize",
        "permute, reshape and einsum serve": "rearrange",
        LATER: "replace_all_batch_norm_modules_",
    },
    "torch.autograd": {
        OLD: "Variable variable NestedIOFunction",
        INSIDE: (
            "Profiler* kineto_available SavedTensor *torch_function* is_tensor_like *view_replay* enforce_grad_layout_policy"
        ),
        DEVICE: "DeviceType",
        PARALLEL: "*multithreading*",
    },
    "torch.utils.data": {
        OLD: "*DataPipe DataChunk *datapipe* argument_validation runtime_validation* non_deterministic",
        PARALLEL: "DistributedSampler",
    },
    "torch.nn.utils": {
        LATER: "fuse_* convert_conv*",
        "deprecated in PyTorch; use clip_grad_norm_": "clip_grad_norm",
        "use parametrizations.weight_norm": "weight_norm",
        "use parametrizations.spectral_norm": "spectral_norm",
        "use parametrize.remove_parametrizations": "remove_*_norm",
        "initialising is cheap here; call the class itself": "skip_init",
    },
    "torch.nn.init": {
        LATER: "dirac*",
        "deprecated in PyTorch; the name with an underscore behind is here": (
            "constant eye kaiming_normal kaiming_uniform normal orthogonal sparse uniform xavier_normal xavier_uniform"
        ),
    },
    "torch.special": {INSIDE: "Tensor"},
    "torch.optim.lr_scheduler": {INSIDE: "Optimizer Tensor"},
    "*": {
        COPIES: "*_copy",
        BACKEND: "cudnn_* miopen_* mkldnn_* fbgemm_* to_mkldnn",
        INSIDE: (
            "native_* batch_norm_* *warn_always* init_num_threads get_file_path profiler_* compiled_with* slice_inverse "
            "norm_except_dim"
        ),
        QUANTISED: "quantize* fake_quantize* *quantized* q_* qscheme dequantize int_repr *_quant choose_qparams*",
        SPARSE: (
            "*sparse* *_indices coalesce is_coalesced dense_dim to_dense indices values *smm sspaddmm hspmm *spmm saddmm "
            "to_padded_tensor"
        ),
        COMPLEX: "*complex* *conj* imag polar angle view_as_real cfloat cdouble chalf resolve_neg is_neg",
        EIGENVALUES.format("eigh"): "eig",
        EIGENVALUES.format("eigvalsh"): "eigvals",
        FFT: "stft istft",
        PRECISION: "*autocast* char short",
        COMPILER: "sym* fork wait parse_* import_ir* unify_type_list merge_type*",
        "removed in PyTorch; linalg.lstsq is here": "lstsq",
        "removed in PyTorch; linalg.matrix_rank is here": "matrix_rank",
        "removed in PyTorch; linalg.solve is here": "solve",
        "deprecated in PyTorch; set_default_dtype is here": "set_default_tensor_type",
        "deprecated in PyTorch; linalg.matrix_norm is here": "frobenius_norm nuclear_norm",
        STORAGE: "*storage* set_ resize*",
        DEVICE: "*default_device get_device* is_vulkan_available",
        PARALLEL: "prepare_multiprocessing* is_distributed",
        "compare x.shape == y.shape": "is_same_size",
        "x.dtype says so": "is_signed",
        "inference_mode is no_grad here; x.requires_grad says what is recorded": "is_inference",
        "use from_dlpack and __dlpack__": "to_dlpack",
        "use autograd.set_detect_anomaly, autograd.is_anomaly_enabled": "*anomaly*",
    },
}
ABSENT = {space: _by_pattern(groups) for space, groups in _ABSENT.items()}

# Names of PyTorch's list of functions; those that end in * stand for all that begin so.
LEFT_OUT: dict[str, str] = _by_pattern(
    {
        COMPLEX: "cdouble cfloat chalf complex imag polar view_as_complex view_as_real",
        PRECISION: "half bfloat16 char short",
        CYLINDER: "special.airy_ai special.bessel_* special.modified_bessel_k* special.scaled_modified_bessel_k*",
        "compiles CUDA code; a function of retrograd functions serves": "jiterator_*",
        "torch.masked is a prototype; where(mask, x, 0) and the nan functions serve": "masked.*",
        "a checksum of the bits, for PyTorch's own bookkeeping": "hash_tensor",
        COPIES: (
            "alias_copy diagonal_copy expand_copy narrow_copy permute_copy split_with_sizes_copy squeeze_copy t_copy "
            "transpose_copy unbind_copy unfold_copy unsqueeze_copy view_copy"
        ),
        LAYOUT: "as_strided* empty_permuted empty_strided new_empty_strided",
        "it shows memory that nobody wrote, or drops elements silently; use reshape, a slice or cat": "resize_*",
        "undocumented in PyTorch; nn.functional.pad is its name for users": "constant_pad_nd",
        "its factors are packed; linalg.qr gives them themselves, as PyTorch advises": "geqrf",
        EIGENVALUES.format("eigh"): "linalg.eig",
        EIGENVALUES.format("eigvalsh"): "linalg.eigvals",
        "no gradient flows through it in PyTorch either; linalg.solve serves, linalg.cholesky where it can": "linalg.ldl_*",
        "a random approximation; linalg.svd of the centred matrix is exact": "pca_lowrank",
        "a random approximation; linalg.svd is exact": "svd_lowrank",
        SPARSE: "sparse.* to_sparse",
        LATER: (
            "nn.functional.adaptive_* nn.functional.avg_pool* nn.functional.conv* nn.functional.fractional_max_pool* "
            "nn.functional.grid_sample nn.functional.interpolate nn.functional.max_pool* nn.functional.max_unpool* "
            "nn.functional.multi_head_attention_forward nn.functional.scaled_dot_product_attention nn.functional.unfold "
            "nn.functional.upsample* grid_sampler_* nn.functional.ctc_loss"
        ),
        "a fused form is not built yet; embedding and a sum give the same": "nn.functional.embedding_bag",
        "it saves memory only; cross_entropy(linear(x, w), y) gives the same": "nn.functional.linear_cross_entropy",
        KERNEL: "native_*",
        "an inner part of PyTorch, under a name with an underscore": (
            "_batch_norm_with_update _native_batch_norm_legit _segment_reduce _softmax_backward_data _upsample_bilinear2d_aa "
            "_chunk_cat _unsafe_masked_index*"
        ),
        INSIDE: "torch.* max_pool2d_with_indices_backward",
        FFT: "fft.* stft istft",
        "PyTorch's own name for x[a:b:c]": "slice",
    }
)


def reason(space: str, name: str) -> str | None:
    """Why a name of PyTorch's namespace ``space`` does not exist here; None if nothing is known of it."""
    full = name if space in ("torch", "torch.Tensor") else f"{space.removeprefix('torch.')}.{name}"
    for patterns, key in ((ABSENT.get(space, {}), name), (LEFT_OUT, full), (ABSENT["*"], name)):
        for pattern, why in patterns.items():
            if fnmatchcase(key, pattern):
                return why
    if name.endswith("_") and space in ("torch", "torch.Tensor"):
        return reason(space, name[:-1]) or (IN_PLACE if space == "torch" else None)
    return None


def explanation(space: str, name: str, known: Collection[str]) -> tuple[str, str] | None:
    """The reason of a missing name, and what to do instead; None if nothing is known of it."""
    why = reason(space, name)
    if why is None or (why == IN_PLACE and name[:-1] not in known):
        return None
    if why in HINTS:
        return why, HINTS[why].format(name=name)
    why, _, instead = why.partition("; ")
    return ("PyTorch's name, which is not here", why) if not instead else (why, instead)
