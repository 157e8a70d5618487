"""Sequences of different lengths as one tensor, and back (packed sequences belong to recurrent layers, which are not here)."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError, UsageError
from ...functions.create import full
from ...functions.shape import cat, stack
from ...tensor import Tensor

__all__ = ["pad_sequence", "unpad_sequence"]


def pad_sequence(
    sequences: Tensor | Sequence[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Tensors (length, ...) of different lengths filled up to the longest: (longest, batch, ...), or the batch first.

    >>> import retrograd as rg
    >>> rg.nn.utils.rnn.pad_sequence([rg.ones(2), rg.ones(1)], batch_first=True)
    tensor([[1., 1.],
            [1., 0.]])
    """
    rows = list(sequences)
    if padding_side not in ("left", "right"):
        raise UsageError(
            f"pad_sequence: padding_side={padding_side!r}", hint='padding_side="right" or "left"'
        )
    if not rows or any(row.ndim == 0 or row.shape[1:] != rows[0].shape[1:] for row in rows):
        raise ShapeError(
            f"pad_sequence of shapes {[tuple(row.shape) for row in rows]}",
            hint="at least one sequence, and all sizes but the first must agree",
        )
    longest = max(len(row) for row in rows)
    filled = []
    for row in rows:
        rest = full((longest - len(row), *row.shape[1:]), padding_value, dtype=row.dtype)
        filled.append(cat([row, rest] if padding_side == "right" else [rest, row]))
    return stack(filled, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The first ``lengths[k]`` entries of each sequence: what `pad_sequence` was given."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(n)] for row, n in zip(rows, lengths, strict=True)]
