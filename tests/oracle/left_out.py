"""What PyTorch's list of functions has and Retrograd does not, each with its reason; and names that differ."""

from __future__ import annotations

# PyTorch's list calls it by the first name; it is found here by the second.
ELSEWHERE: dict[str, str] = {}

# name: why it is not here.  Names that end in * stand for all that begin so.
LEFT_OUT: dict[str, str] = {
    # complex numbers
    # elementwise and special
    # reductions and sorting
    "masked.*": "torch.masked is a prototype; where(mask, x, 0) and the nan functions serve",
    "hash_tensor": "a checksum of the bits, for PyTorch's own bookkeeping",
    # shapes and indexing
    # linear algebra
    # networks
    # PyTorch's own internals
}

ANY_OF_EQUALS: dict[str, int] = {
    "argsort": 0, "kthvalue": 1, "median": 0, "mode": 0, "nanmedian": 0, "sort": 0, "topk": 1,
}  # fmt: skip
"""Functions whose positions among equal values PyTorch leaves open: the values that stand there are compared instead.

The number says which argument after the input is the dimension.
"""

VALUES_DIFFER: dict[str, str] = {}
"""Functions whose values are random or not defined: shapes and dtypes are compared, values are not."""
