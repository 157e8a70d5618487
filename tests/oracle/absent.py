"""PyTorch's public names, by namespace, and why some of them do not exist here.

`tools/coverage_torch.py` writes `docs/coverage-torch.md` from this; a test holds the page to the installed PyTorch.
"""

from __future__ import annotations

import inspect
import warnings
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from oracle.left_out import LEFT_OUT

COMPLEX = "complex numbers do not exist here"
SPARSE = "sparse tensors do not exist here"
QUANTISED = "quantised tensors do not exist here"
LATER = "convolution, pooling, recurrence, attention and resampling are not built yet"
FFT = "Fourier transforms are complex"
INSIDE = "an inner part of PyTorch that its own code calls"
BACKEND = "the form for one particular library or device"
COPIES = "PyTorch's compiler wants views as copies; clone() of the view serves"
PRECISION = "float16, bfloat16, int8 and int16 do not exist here, nor automatic casting to them"
COMPILER = "belongs to TorchScript, torch.compile or symbolic shapes"
OLD = "deprecated or removed in PyTorch; the newer name is here"
STORAGE = "memory is NumPy's; there is no storage object to be exchanged or resized"
DEVICE = "the CPU is the only device"
PARALLEL = "one process, one machine"
VALUES = "apply_ and map_ call Python for each element; NumPy on x.numpy() serves"
FUNCTIONAL = "under nn.functional, with the signature that it has there"
RAW = "its memory is not defined before it is written; empty gives zeros"

# namespace -> {pattern: reason}; the first pattern that fits counts, "*" as namespace is asked last.
ABSENT: dict[str, dict[str, str]] = {
    "torch": {
        "unsafe_split_with_sizes": "split",
        "alpha_dropout": FUNCTIONAL,
        "batch_norm": FUNCTIONAL,
        "binary_cross_entropy_with_logits": FUNCTIONAL,
        "celu": FUNCTIONAL,
        "channel_shuffle": FUNCTIONAL,
        "cosine_embedding_loss": FUNCTIONAL,
        "dropout": FUNCTIONAL,
        "embedding": FUNCTIONAL,
        "group_norm": FUNCTIONAL,
        "hardshrink": FUNCTIONAL,
        "hinge_embedding_loss": FUNCTIONAL,
        "instance_norm": FUNCTIONAL,
        "kl_div": FUNCTIONAL,
        "layer_norm": FUNCTIONAL,
        "margin_ranking_loss": FUNCTIONAL,
        "pixel_shuffle": FUNCTIONAL,
        "pixel_unshuffle": FUNCTIONAL,
        "poisson_nll_loss": FUNCTIONAL,
        "prelu": FUNCTIONAL,
        "rms_norm": FUNCTIONAL,
        "rrelu": FUNCTIONAL,
        "selu": FUNCTIONAL,
        "threshold": FUNCTIONAL,
        "triplet_margin_loss": FUNCTIONAL,
        "*_window": "a line of arange and cos; they serve Fourier transforms, which are complex",
        "layout": DEVICE,
        "memory_format": DEVICE,
        "conv*": LATER,
        "*avg_pool*": LATER,
        "*max_pool*": LATER,
        "max_unpool*": LATER,
        "gru*": LATER,
        "lstm*": LATER,
        "rnn_*": LATER,
        "embedding_bag": LATER,
        "grid_sampler*": LATER,
        "affine_grid*": LATER,
        "ctc_loss": LATER,
        "embedding_renorm_": INSIDE,
        "compile": "the compiled step is not built yet",
        "while_loop": COMPILER,
        "*feature_*": LATER,
        "from_file": "numpy.memmap with from_numpy serves",
        "frombuffer": "numpy.frombuffer with from_numpy serves",
        "range": OLD,
        "segment_reduce": "a prototype; scatter_reduce serves",
        "lobpcg": "an iterative solver; linalg.eigh serves",
        "*cond": COMPILER,
        "thread_safe_generator": INSIDE,
        "get_num_interop_threads": PARALLEL,
        "set_num_interop_threads": PARALLEL,
        "set_flush_denormal": "subnormal numbers are always kept",
        "use_deterministic_algorithms": "everything is deterministic",
        "are_deterministic_algorithms_enabled": "everything is deterministic",
        "*deterministic*": "everything is deterministic",
        "*float32_matmul_precision": "products are always computed in full precision",
        "classproperty": INSIDE,
        "constant_pad_nd": "nn.functional.pad",
    },
    "torch.Tensor": {
        "hardshrink": FUNCTIONAL,
        "prelu": FUNCTIONAL,
        "unsafe_split_with_sizes": "split",
        "apply_": VALUES,
        "map_": VALUES,
        "map2_": VALUES,
        "is_shared": PARALLEL,
        "is_pinned": DEVICE,
        "index": "x[...]",
        "new": OLD,
        "reinforce": OLD,
        "module_load": INSIDE,
        "as_subclass": INSIDE,
        "dim_order": INSIDE,
        "is_set_to": STORAGE,
        "record_stream": DEVICE,
        "mtia": DEVICE,
        "ipu": DEVICE,
        "xpu": DEVICE,
        "get_device": DEVICE,
        "is_distributed": PARALLEL,
        "const_data_ptr": INSIDE,
        "is_inference": "inference_mode is no_grad here",
    },
    "torch.nn.functional": {
        "adaptive_*": LATER,
        "*avg_pool*": LATER,
        "*max_pool*": LATER,
        "*max_unpool*": LATER,
        "lp_pool*": LATER,
        "conv*": LATER,
        "fold": LATER,
        "unfold": LATER,
        "interpolate": LATER,
        "upsample*": LATER,
        "grid_sample": LATER,
        "affine_grid": LATER,
        "embedding_bag": LATER,
        "scaled_dot_product_attention": LATER,
        "multi_head_attention_forward": LATER,
        "ctc_loss": LATER,
        "*scaled_mm": PRECISION,
        "*grouped_mm": PRECISION,
        "linear_cross_entropy": "cross_entropy(linear(x, w), y) serves",
        "handle_torch_function": INSIDE,
        "has_torch_function*": INSIDE,
        "boolean_dispatch": INSIDE,
        "assert_int_or_pair": INSIDE,
        "ScalingType": PRECISION,
        "SwizzleType": PRECISION,
        "Tensor": INSIDE,
    },
    "torch.nn": {
        "*Conv*": LATER,
        "*Pool*": LATER,
        "*Unpool*": LATER,
        "GRU*": LATER,
        "LSTM*": LATER,
        "RNN*": LATER,
        "*Transformer*": LATER,
        "MultiheadAttention": LATER,
        "*Fold": LATER,
        "Fold": LATER,
        "Unfold": LATER,
        "Upsampl*": LATER,
        "EmbeddingBag": LATER,
        "CTCLoss": LATER,
        "SyncBatchNorm": PARALLEL,
        "DataParallel": PARALLEL,
        "Container": OLD,
        "NLLLoss2d": OLD,
        "CrossMapLRN2d": INSIDE,
        "factory_kwargs": INSIDE,
        "LinearCrossEntropy*": "CrossEntropyLoss()(Linear()(x), y) serves",
        "AdaptiveLogSoftmaxWithLoss": "for vocabularies of millions on a GPU",
    },
    "torch.optim": {
        "SparseAdam": SPARSE,
        "Muon": "its steps are defined in bfloat16, which does not exist here",
        "swap_in*": INSIDE,
    },
    "torch.func": {
        "debug_unwrap": INSIDE,
        "functionalize": COMPILER,
        "rearrange": "permute, reshape and einsum serve",
        "replace_all_batch_norm_modules_": LATER,
    },
    "torch.autograd": {
        "Variable": OLD,
        "variable": OLD,
        "Profiler*": INSIDE,
        "kineto_available": INSIDE,
        "SavedTensor": INSIDE,
        "DeviceType": DEVICE,
        "NestedIOFunction": OLD,
        "*torch_function*": INSIDE,
        "is_tensor_like": INSIDE,
        "*multithreading*": PARALLEL,
        "*view_replay*": INSIDE,
        "enforce_grad_layout_policy": INSIDE,
    },
    "torch.utils.data": {
        "*DataPipe": OLD,
        "DataChunk": OLD,
        "*datapipe*": OLD,
        "DistributedSampler": PARALLEL,
        "argument_validation": OLD,
        "runtime_validation*": OLD,
        "non_deterministic": OLD,
    },
    "torch.nn.utils": {
        "fuse_*": LATER,
        "convert_conv*": LATER,
        "clip_grad_norm": OLD,
        "weight_norm": "parametrizations.weight_norm",
        "spectral_norm": "parametrizations.spectral_norm",
        "remove_*_norm": "parametrize.remove_parametrizations",
        "skip_init": "initialising is cheap here",
    },
    "torch.nn.init": {
        "dirac*": LATER,
        "constant": OLD,
        "eye": OLD,
        "kaiming_*": OLD,
        "normal": OLD,
        "orthogonal": OLD,
        "sparse": OLD,
        "uniform": OLD,
        "xavier_*": OLD,
    },
    "torch.linalg": {},
    "torch.special": {"Tensor": INSIDE},
    "torch.optim.lr_scheduler": {"Optimizer": INSIDE, "Tensor": INSIDE},
    "*": {
        "*_copy": COPIES,
        "cudnn_*": BACKEND,
        "miopen_*": BACKEND,
        "mkldnn_*": BACKEND,
        "fbgemm_*": BACKEND,
        "to_mkldnn": BACKEND,
        "native_*": INSIDE,
        "batch_norm_*": INSIDE,
        "quantize*": QUANTISED,
        "fake_quantize*": QUANTISED,
        "*quantized*": QUANTISED,
        "q_*": QUANTISED,
        "qscheme": QUANTISED,
        "dequantize": QUANTISED,
        "int_repr": QUANTISED,
        "*_quant": QUANTISED,
        "choose_qparams*": QUANTISED,
        "*sparse*": SPARSE,
        "*_indices": SPARSE,
        "coalesce": SPARSE,
        "is_coalesced": SPARSE,
        "dense_dim": SPARSE,
        "to_dense": SPARSE,
        "indices": SPARSE,
        "values": SPARSE,
        "*smm": SPARSE,
        "sspaddmm": SPARSE,
        "hspmm": SPARSE,
        "*spmm": SPARSE,
        "saddmm": SPARSE,
        "to_padded_tensor": SPARSE,
        "*complex*": COMPLEX,
        "*conj*": COMPLEX,
        "imag": COMPLEX,
        "polar": COMPLEX,
        "angle": COMPLEX,
        "view_as_real": COMPLEX,
        "cfloat": COMPLEX,
        "cdouble": COMPLEX,
        "chalf": COMPLEX,
        "resolve_neg": COMPLEX,
        "is_neg": COMPLEX,
        "eig": "eigenvalues of a general matrix are complex",
        "eigvals": "eigenvalues of a general matrix are complex",
        "stft": FFT,
        "istft": FFT,
        "autocast*": PRECISION,
        "*autocast*": PRECISION,
        "char": PRECISION,
        "short": PRECISION,
        "sym*": COMPILER,
        "fork": COMPILER,
        "wait": COMPILER,
        "parse_*": COMPILER,
        "import_ir*": COMPILER,
        "unify_type_list": COMPILER,
        "set_default_tensor_type": OLD,
        "*warn_always*": INSIDE,
        "*storage*": STORAGE,
        "set_": STORAGE,
        "resize*": STORAGE,
        "empty_strided": RAW,
        "new_empty_strided": RAW,
        "empty_permuted": RAW,
        "lstsq": OLD,
        "matrix_rank": OLD,
        "solve": OLD,
        "*default_device": DEVICE,
        "get_device*": DEVICE,
        "is_vulkan_available": DEVICE,
        "prepare_multiprocessing*": PARALLEL,
        "merge_type*": COMPILER,
        "init_num_threads": INSIDE,
        "get_file_path": INSIDE,
        "profiler_*": INSIDE,
        "compiled_with*": INSIDE,
        "is_same_size": "x.shape == y.shape",
        "is_signed": "x.dtype says so",
        "slice_inverse": INSIDE,
        "is_inference": "inference_mode is no_grad here",
        "to_dlpack": "from_dlpack and __dlpack__",
        "norm_except_dim": INSIDE,
        "frobenius_norm": OLD,
        "nuclear_norm": OLD,
        "*anomaly*": "autograd.set_detect_anomaly, autograd.is_anomaly_enabled",
        "is_distributed": PARALLEL,
    },
}


class Status(NamedTuple):
    """A public name of PyTorch: found here, or the reason why not, or neither."""

    space: str
    name: str
    here: bool
    reason: str | None


def namespaces() -> dict[str, tuple[Any, Any]]:
    """By name, PyTorch's namespace and ours."""
    import torch

    import retrograd as rg

    return {
        "torch": (torch, rg),
        "torch.Tensor": (torch.Tensor, rg.Tensor),
        "torch.linalg": (torch.linalg, rg.linalg),
        "torch.special": (torch.special, rg.special),
        "torch.nn.functional": (torch.nn.functional, rg.nn.functional),
        "torch.nn": (torch.nn, rg.nn),
        "torch.nn.init": (torch.nn.init, rg.nn.init),
        "torch.nn.utils": (torch.nn.utils, rg.nn.utils),
        "torch.optim": (torch.optim, rg.optim),
        "torch.optim.lr_scheduler": (torch.optim.lr_scheduler, rg.optim.lr_scheduler),
        "torch.func": (torch.func, rg.func),
        "torch.autograd": (torch.autograd, rg.autograd),
        "torch.utils.data": (torch.utils.data, rg.utils.data),
    }


def public(space: str, there: Any) -> list[str]:
    """The functions and classes that a namespace of PyTorch shows; of torch itself, those that take tensors."""
    import torch

    if space == "torch":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            over = torch.overrides.get_overridable_functions()[torch]
        listed = {f.__name__ for f in over} | {n for n in torch.__all__ if n.islower()}
        return sorted(n for n in listed if not n.startswith("_") and callable(getattr(torch, n, None)))
    names = [n for n in dir(there) if not n.startswith("_")]
    found = [
        n for n in names if callable(getattr(there, n, None)) and not inspect.ismodule(getattr(there, n))
    ]
    if space != "torch.Tensor":
        found = [
            n for n in found if (getattr(getattr(there, n), "__module__", "") or "torch").startswith("torch")
        ]
    return found


def reason(space: str, name: str) -> str | None:
    """Why a name does not exist here."""
    full = name if space in ("torch", "torch.Tensor") else f"{space.removeprefix('torch.')}.{name}"
    for patterns, key in ((ABSENT[space], name), (LEFT_OUT, full), (ABSENT["*"], name)):
        for pattern, why in patterns.items():
            if fnmatchcase(key, pattern):
                return why
    if name.endswith("_") and space in ("torch", "torch.Tensor"):
        return reason(space, name[:-1]) or ("in place as a method" if space == "torch" else None)
    return None


def statuses() -> list[Status]:
    """Every public name of every namespace."""
    return [
        Status(space, name, hasattr(ours, name), None if hasattr(ours, name) else reason(space, name))
        for space, (there, ours) in namespaces().items()
        for name in public(space, there)
    ]
