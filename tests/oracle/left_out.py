"""What PyTorch's list of functions has and Retrograd does not, each with its reason; and names that differ."""

from __future__ import annotations

# PyTorch's list calls it by the first name; it is found here by the second.
ELSEWHERE: dict[str, str] = {}

# name: why it is not here.  Names that end in * stand for all that begin so.
LEFT_OUT: dict[str, str] = {
    # complex numbers
    # elementwise and special
    # reductions and sorting
    # shapes and indexing
    # linear algebra
    # networks
    # PyTorch's own internals
}

VALUES_DIFFER: dict[str, str] = {}
"""Functions whose values are random or not defined: shapes and dtypes are compared, values are not."""
