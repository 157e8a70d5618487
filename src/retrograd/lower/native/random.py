"""The op `uniform`: Philox4x64-10 (Salmon et al., SC 2011), a block of four words for each value of the counter."""

from __future__ import annotations

from ...ops.random import blocks
from ...types import DType, dtype_of, size
from . import written
from .emit import Value, literal, vector
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .scalars import in_register
from .singles import Site, lowers, row_by_row
from .views import whole

MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
KEY_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
ROUNDS = 10
SLAB = 512
"""Blocks of one slab."""


@lowers("uniform")
def uniform(site: Site, single: Single) -> list[Command]:
    """The numbers of each state, one after the other."""
    eq = single.equation
    out, shape = eq.outputs[0], eq.params["shape"]
    (state,), before = row_by_row(site, *single.operands)
    n, states = size(shape), size(state.shape[:-1])
    if not n * states:
        return []
    dtype = dtype_of(eq.params["dtype"])
    kernel = written.kernel(("uniform", dtype.name), site.level, lambda: _kernel(dtype))
    count = blocks(shape, dtype)
    each = -(-count // SLAB)
    words = [site.locate(state), site.locate(whole(out)), n, each]
    return [*before, Command(kernel, words, states * each, n * states * 2.0)]


def _kernel(dtype: DType) -> Kernel:
    f = KernelFunction("uniform")
    states, out, n, each = f.pointer(0), f.pointer(1), f.word(2), f.word(3)
    element = in_register(dtype)
    per_block = 8 if element == "float" else 4
    numbers = f.iota(vector("i64", per_block))
    with f.slabs() as slab:
        row, part = f.bit("udiv", slab, each), f.bit("urem", slab, each)
        state = f.element(states, f.mul(row, 2), "i64")
        seed, counter = f.load(state, "i64"), f.load(f.element(state, 1, "i64"), "i64")
        to = f.element(out, f.mul(row, n), element)
        start, stop = f.mul(part, SLAB), f.mul(f.add(part, 1), SLAB)
        whole_blocks = f.minimum(stop, f.bit("udiv", n, per_block))
        with f.loop(start, whole_blocks) as k:
            at = f.element(to, f.mul(k, per_block), element)
            f.store(_block(f, seed, counter, k, element), at)
        all_blocks = f.minimum(stop, f.bit("udiv", f.add(n, per_block - 1), per_block))
        with f.loop(f.maximum(start, whole_blocks), all_blocks) as k:
            first = f.mul(k, per_block)
            on = f.compare("lt", f.add(numbers, first), n)
            f.store(_block(f, seed, counter, k, element), f.element(to, first, element), on)
    return f.finish()


def _block(f: KernelFunction, seed: Value, counter: Value, k: Value, element: str) -> Value:
    """The numbers of block ``k``, as a vector."""
    low = f.add(counter, k)
    # The counter has 256 bits: one below 0 has ones above, until the addition carries through them.
    high = f.bit("and", f.bit("ashr", counter, 63), f.bit("ashr", low, 63))
    c: list[Value] = [low, high, high, high]
    keys: list[Value] = [seed, literal("i64", 0)]
    for turn in range(ROUNDS):
        if turn:
            keys = [f.add(key, _signed(step)) for key, step in zip(keys, KEY_STEPS, strict=True)]
        (high0, low0), (high1, low1) = (
            _product(f, x, m) for x, m in zip((c[0], c[2]), MULTIPLIERS, strict=True)
        )
        c = [
            f.bit("xor", f.bit("xor", high1, c[1]), keys[0]),
            low1,
            f.bit("xor", f.bit("xor", high0, c[3]), keys[1]),
            low0,
        ]
    words = Value("zeroinitializer", vector("i64", 4))
    for lane, word in enumerate(c):
        words = f.insert(words, word, lane)
    if element == "double":
        return f.mul(f.convert(f.bit("lshr", words, 11), "double"), 2.0**-53)
    halves = f.make(vector("i32", 8), f"bitcast {words} to {vector('i32', 8)}")
    return f.mul(f.convert(f.bit("lshr", halves, 8), "float"), 2.0**-24)


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


def _product(f: KernelFunction, x: Value, m: int) -> tuple[Value, Value]:
    """The upper and the lower word of the product of two words."""
    wide = f.make("i128", f"zext {x} to i128")
    product = f.make("i128", f"mul {wide}, {m}")
    upper = f.make("i128", f"lshr {product}, 64")
    return f.make("i64", f"trunc {upper} to i64"), f.make("i64", f"trunc {product} to i64")
