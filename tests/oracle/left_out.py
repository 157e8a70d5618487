"""Names that differ from those of PyTorch's list of functions, and what cannot be compared value by value.

What is not here at all, and why, stands in `retrograd.absent`, which the errors of missing names read.
"""

from __future__ import annotations

from retrograd.absent import LEFT_OUT

__all__ = ["ANY_OF_EQUALS", "ELSEWHERE", "LEFT_OUT", "VALUES_DIFFER"]

# PyTorch's list calls it by the first name; it is found here by the second.
ELSEWHERE: dict[str, str] = {
    "where": "Tensor.where",
    "polygamma": "Tensor.polygamma",
    "special.polygamma": "Tensor.polygamma",
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
