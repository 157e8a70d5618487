"""What `benchmarks/products.py` measured."""

from __future__ import annotations

TRANSPOSING = 0.05
