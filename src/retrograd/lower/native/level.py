"""CPU levels: which instructions a program is compiled for.

A level stands for a fixed set of instructions, not for this machine's CPU: two machines of one level compile the same
code, and get the same bits.  The best level that the CPU has is found at run time; ``RETROGRAD_CPU_LEVEL`` asks for a
lower one.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from retrograd.errors import UsageError

from .emit import BITS

VARIABLE = "RETROGRAD_CPU_LEVEL"


@dataclass(frozen=True, slots=True)
class Level:
    """What code may use: vectors of ``vector_bits`` bits, ``registers`` of them, and LLVM's words for the rest."""

    name: str
    architecture: str
    """As LLVM's triples begin: "x86_64" or "aarch64"."""
    cpu: str
    features: str
    vector_bits: int
    registers: int
    needs: tuple[str, ...] = ()
    """Features, in LLVM's names, that the CPU must have."""

    def lanes(self, element: str) -> int:
        """How many elements fill one vector register.

        >>> LEVELS["avx512"].lanes("float"), LEVELS["avx2"].lanes("double"), LEVELS["baseline"].lanes("i8")
        (16, 4, 16)
        """
        return self.vector_bits // max(8, BITS[element])


_AVX2 = ("avx2", "fma")
_AVX512 = (*_AVX2, "avx512f", "avx512bw", "avx512dq", "avx512vl")
# x86-64-v4 is compiled with a preference for half its vectors; these kernels say themselves how wide they are.
LEVELS = {
    level.name: level
    for level in (
        Level("avx512", "x86_64", "x86-64-v4", "-prefer-256-bit", 512, 32, _AVX512),
        Level("avx2", "x86_64", "x86-64-v3", "", 256, 16, _AVX2),
        Level("baseline", "x86_64", "x86-64", "", 128, 16),
        Level("aarch64", "aarch64", "generic", "+neon", 128, 32),
    )
}
"""Every level, of each architecture the best first."""


def architecture(triple: str) -> str:
    """The first word of one of LLVM's triples, in LLVM's own spelling.

    >>> architecture("arm64-apple-darwin23.1.0"), architecture("x86_64-unknown-linux-gnu")
    ('aarch64', 'x86_64')
    """
    word = triple.partition("-")[0].lower()
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(word, word)


def best(architecture: str, features: dict[str, bool]) -> Level | None:
    """The best level of a CPU with these features; None for an architecture that has none.

    >>> best("x86_64", {"avx2": True, "fma": True}).name
    'avx2'
    """
    for level in LEVELS.values():
        if level.architecture == architecture and all(features.get(need, False) for need in level.needs):
            return level
    return None


@functools.cache
def possible() -> tuple[Level, ...]:
    """The levels that the CPU of this process can run, the best first; none where it is of no known kind.

    Needs llvmlite.
    """
    import llvmlite.binding as llvm

    found = best(architecture(llvm.get_process_triple()), dict(llvm.get_host_cpu_features()))
    if found is None:
        return ()
    levels = list(LEVELS.values())
    return tuple(level for level in levels[levels.index(found) :] if level.architecture == found.architecture)


def current() -> Level:
    """The level to compile for: the CPU's best, or a lower one that ``RETROGRAD_CPU_LEVEL`` names."""
    levels = possible()
    if not levels:
        raise UsageError(
            "no native code for this CPU",
            hint="from retrograd.lower.native import jit; print(jit.reason())",
        )
    wanted = os.environ.get(VARIABLE, "").strip().lower()
    for level in levels:
        if wanted in ("", level.name):
            return level
    names = ", ".join(level.name for level in levels)
    raise UsageError(f"{VARIABLE}={wanted}: this CPU has {names}", hint=f"{VARIABLE}={levels[0].name}")
