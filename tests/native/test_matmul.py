"""Matrix products against NumPy's: shapes, transposes, elements, strides, batches, slabs, epilogues."""

from __future__ import annotations

import ctypes
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

from retrograd.lower.native import blas, choices, jit, matmul, ways
from retrograd.lower.native.edge import Epilogue
from retrograd.lower.native.emit import Value, element_of
from retrograd.lower.native.kernel import Address, KernelFunction
from retrograd.lower.native.level import LEVELS, Level, current, possible

CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
ELEMENT = {
    "float32": "float",
    "float64": "double",
    "int64": "i64",
    "int32": "i32",
    "uint8": "i8",
    "bool": "i1",
}
FLOATS = ("float32", "float64")
Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cache of objects of these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETROGRAD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def multiply(
    a: Array,
    b: Array,
    ta: bool = False,
    tb: bool = False,
    *,
    level: Level | None = None,
    out: Array | None = None,
    epilogue: Epilogue | None = None,
    way: ways.Way | None = None,
    split: bool = False,
) -> Array:
    """The product of the last two dimensions by native code; strides are those of the arrays."""
    level = level or current()
    m, k = a.shape[-2:][:: -1 if ta else 1]
    n = b.shape[-2] if tb else b.shape[-1]
    out = np.full((*a.shape[:-2], m, n), 7, a.dtype) if out is None else out
    held: list[Array] = []

    def scratch(size: int) -> Address:
        held.append(np.full(size // 8 + 8, -1, np.int64))  # NaN, read as floats
        return Address(held[-1], -held[-1].ctypes.data % 64)

    def stride(x: Array, dim: int) -> int:
        return x.strides[dim] // x.itemsize

    commands = matmul.product(
        *(m, n, k, ELEMENT[a.dtype.name], ta, tb, Address(a), Address(b), Address(out)),
        lda=stride(a, -2),
        ldb=stride(b, -2),
        ldc=stride(out, -2),
        batch=a.shape[0] if a.ndim == 3 else 1,
        a_batch=stride(a, 0) if a.ndim == 3 else 0,
        b_batch=stride(b, 0) if b.ndim == 3 else 0,
        c_batch=stride(out, 0) if out.ndim == 3 else 0,
        scratch=scratch,
        epilogue=epilogue,
        level=level,
        way=way,
    )
    run(commands, level, split)
    return out


def run(commands: list[Any], level: Level, split: bool = False) -> None:
    """Call the kernels; ``split``: slab by slab, the last first."""
    addresses = jit.compile_kernels([c.kernel for c in commands], level)
    for command in commands:
        words = np.array([_word(x) for x in command.arguments], np.int64)
        call = CALL(addresses[command.kernel.symbol])
        if split:
            for slab in reversed(range(command.slabs)):
                call(words.ctypes.data, slab, slab + 1)
        else:
            call(words.ctypes.data, 0, command.slabs)


def _word(x: Any) -> int:
    if isinstance(x, Address):
        return x.buffer.ctypes.data + x.offset
    return struct.unpack("<q", struct.pack("<d", x))[0] if isinstance(x, float) else x


def numbers(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Array:
    rng = np.random.default_rng([seed, *shape])
    if dtype == "bool":
        return rng.random(shape) < 0.2
    x = rng.standard_normal(shape)
    return x.astype(dtype) if dtype in FLOATS else (x * 100).astype("int64").astype(dtype)


def check(c: Array, a: Array, b: Array) -> None:
    """Within the bound of a sum of k products in any order; exactly, of integers."""
    if c.dtype.name not in FLOATS:
        np.testing.assert_array_equal(c, a @ b)
        return
    wide = a.astype("float64"), b.astype("float64")
    bound = (a.shape[-1] + 1) * np.finfo(c.dtype).eps * (abs(wide[0]) @ abs(wide[1]))
    assert np.all(abs(c - wide[0] @ wide[1]) <= bound)


def transposed(x: Array, yes: bool) -> Array:
    return x.swapaxes(-1, -2) if yes else x


sizes = st.one_of(st.integers(1, 20), st.integers(1, 70), st.sampled_from([96, 127, 128, 129, 200]))


@settings(max_examples=60, deadline=None)
@given(
    sizes,
    sizes,
    sizes,
    st.booleans(),
    st.booleans(),
    st.sampled_from([*ELEMENT]),
    st.sampled_from(possible()),
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
)
def test_any_shape(
    m: int, n: int, k: int, ta: bool, tb: bool, dtype: str, level: Level, more: tuple[int, int, int]
) -> None:
    a, b = numbers((k, m + more[0]) if ta else (m, k + more[0]), dtype), None
    a = a[:, : m if ta else k]
    b = numbers((n, k + more[1]) if tb else (k, n + more[1]), dtype, 1)[:, : k if tb else n]
    around = np.full((m + 1, n + more[2]), 1, dtype)
    out = around[:m, :n]
    multiply(a, b, ta, tb, level=level, out=out)
    check(out, transposed(a, ta), transposed(b, tb))
    assert np.all(around[m:] == 1)
    assert np.all(around[:, n:] == 1)


@pytest.mark.parametrize("dtype", [*ELEMENT])
def test_a_batch_and_one_matrix_for_all(dtype: str) -> None:
    a, b = numbers((3, 5, 7), dtype), numbers((3, 9, 7), dtype)
    check(multiply(a, b, tb=True), a, b.swapaxes(1, 2))
    check(multiply(a, b[0], tb=True), a, b[0].T)
    check(multiply(a, numbers((3, 7, 20), dtype)), a, numbers((3, 7, 20), dtype))


@pytest.mark.parametrize(("ta", "tb"), [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize(("m", "n"), [(1, 40), (40, 1), (33, 40), (2, 3)])
def test_empty_sums_are_zero_and_empty_results_nothing(m: int, n: int, ta: bool, tb: bool) -> None:
    a, b = np.zeros((0, m) if ta else (m, 0), "f4"), np.zeros((n, 0) if tb else (0, n), "f4")
    np.testing.assert_array_equal(multiply(a, b, ta, tb), np.zeros((m, n)))
    assert multiply(np.zeros((0, 4)), np.zeros((4, 3))).shape == (0, 3)
    assert multiply(np.zeros((2, 4)), np.zeros((4, 0))).shape == (2, 0)


@pytest.mark.parametrize(
    ("m", "n", "k"), [(5, 7, 9), (1, 30, 40), (30, 1, 40), (64, 65, 33), (300, 300, 300)]
)
def test_nan_and_infinity_reach_what_they_reach_by_definition(m: int, n: int, k: int) -> None:
    a, b = numbers((m, k), "float32"), numbers((n, k), "float32", 1)
    a[m // 2, k // 2], b[n // 2, 0], b[0, k - 1], a[m - 1, k - 1] = np.nan, np.inf, -np.inf, 0
    c = multiply(a, b, tb=True)
    with np.errstate(invalid="ignore"):
        expected = a.astype("f8") @ b.T.astype("f8")
    np.testing.assert_array_equal(np.isnan(c), np.isnan(expected))
    np.testing.assert_array_equal(np.isinf(c), np.isinf(expected))


def test_what_is_cut_off_is_not_read_into_the_result() -> None:
    wide = np.full((20, 40), np.nan, "f4")
    wide[:, :9] = numbers((20, 9), "float32")
    a = numbers((12, 20), "float32")
    check(multiply(a, wide[:, :9]), a, wide[:, :9])
    check(multiply(wide[:, :9], a[:, :9], tb=True), wide[:, :9], a[:, :9].T)


LARGE = [(300, 260, 250), (37, 1100, 300), (1030, 65, 270)]


@pytest.mark.parametrize(("m", "n", "k"), [*LARGE, (33, 257, 65), (70, 1, 50), (1, 64, 64), (128, 10, 256)])
@pytest.mark.parametrize(("ta", "tb"), [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("dtype", FLOATS)
def test_any_order_of_slabs_gives_the_same_bits(
    m: int, n: int, k: int, ta: bool, tb: bool, dtype: str
) -> None:
    a = numbers((k, m) if ta else (m, k), dtype)
    b = numbers((n, k) if tb else (k, n), dtype)
    c = multiply(a, b, ta, tb)
    np.testing.assert_array_equal(multiply(a, b, ta, tb, split=True), c)
    check(c, transposed(a, ta), transposed(b, tb))


def test_without_openblas_our_kernels_do_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "available", lambda: False)
    for m, n, k in LARGE:
        a, b = numbers((m, k), "float32"), numbers((n, k), "float32")
        c = multiply(a, b, tb=True)
        check(c, a, b.T)
        np.testing.assert_array_equal(multiply(a, b, tb=True, split=True), c)


# -- epilogues -----------------------------------------------------------------------------------------------------------


def bias_and_relu(bias: Array, large: bool) -> Epilogue:
    """relu(acc + bias of the column), times a number."""

    def apply(
        f: KernelFunction, words: list[Value], row: Value, column: Value, acc: Value, mask: Value | None
    ) -> Value:
        place, factor = words
        element = element_of(acc.type)
        more = f.load(f.element(place, column, element), acc.type, mask)
        return f.mul(f.maximum(f.add(acc, more), 0), f.like(f.convert(factor, element), acc.type))

    return Epilogue((Address(bias), 2.0), apply, large, "bias, relu")


def only_where(other: Array, out: Array) -> Epilogue:
    """Store acc where another array of the result's shape is positive; C is left alone."""

    def apply(
        f: KernelFunction, words: list[Value], row: Value, column: Value, acc: Value, mask: Value | None
    ) -> None:
        at = f.add(f.mul(row, words[2]), column)
        element = element_of(acc.type)
        sign = f.load(f.element(words[0], at, element), acc.type, mask)
        f.store(f.select(f.compare("gt", sign, 0), acc, 0), f.element(words[1], at, element), mask)

    return Epilogue((Address(other), Address(out), out.shape[-1]), apply, title="mask")


SHAPES = [(5, 7, 9), (1, 30, 40), (30, 1, 40), (33, 70, 20), (64, 10, 128), (300, 260, 250)]


@pytest.mark.parametrize(("m", "n", "k"), SHAPES)
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("level", possible(), ids=lambda level: level.name)
def test_an_epilogue_is_done_before_the_store(m: int, n: int, k: int, large: bool, level: Level) -> None:
    a, b, bias = numbers((m, k), "float32"), numbers((n, k), "float32"), numbers((n,), "float32")
    plain = multiply(a, b, tb=True, level=level)
    c = multiply(a, b, tb=True, level=level, epilogue=bias_and_relu(bias, large))
    np.testing.assert_array_equal(c, np.maximum(plain + bias, 0) * 2)


@pytest.mark.parametrize(("m", "n", "k"), SHAPES)
def test_an_epilogue_may_store_elsewhere(m: int, n: int, k: int) -> None:
    a, b = numbers((2, k, m), "float64"), numbers((2, k, n), "float64")
    other, out = numbers((2, m, n), "float64"), np.full((2, m, n), 5.0)
    c = multiply(a, b, ta=True, epilogue=only_where(other, out))
    np.testing.assert_array_equal(out, np.where(other > 0, multiply(a, b, ta=True), 0))
    assert np.all(c == 7)


def test_equal_shapes_of_registers_share_one_kernel() -> None:
    def kernel(m: int, n: int, k: int) -> str:
        here = Address(np.zeros(1))
        commands = matmul.product(
            *(m, n, k, "float", False, False, here, here, here),
            scratch=lambda size: here,
            level=LEVELS["avx512"],
        )
        return commands[-1].kernel.symbol

    assert kernel(64, 128, 10) == kernel(64, 128, 100) == kernel(17, 128, 13)


@pytest.mark.parametrize(("ta", "tb"), [(False, False), (False, True), (True, False)])
@pytest.mark.parametrize("k", [2049, 3072, 3075])
def test_blocks_of_k_change_no_bit(monkeypatch: pytest.MonkeyPatch, k: int, ta: bool, tb: bool) -> None:
    a, b = numbers((k, 21) if ta else (21, k), "float32"), numbers((37, k) if tb else (k, 37), "float32")
    bias = numbers((37,), "float32")
    ways.choose.cache_clear()
    c = multiply(a, b, ta, tb, epilogue=bias_and_relu(bias, False))
    monkeypatch.setattr(ways, "BLOCK_K", k)
    ways.choose.cache_clear()
    np.testing.assert_array_equal(multiply(a, b, ta, tb, epilogue=bias_and_relu(bias, True)), c)
    ways.choose.cache_clear()


@pytest.mark.parametrize("shape", [(130, 70, 40), (300, 200, 90)])
def test_copied_panels_give_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int, int]
) -> None:
    m, n, k = shape
    a, b = numbers((m, k), "float32"), numbers((k, n), "float32")
    plain = multiply(a, b)
    costs = choices.costs_of(current().name, 4)._replace(far=0.0)
    monkeypatch.setattr(ways, "costs_of", lambda level, size: costs)
    ways.choose.cache_clear()
    np.testing.assert_array_equal(multiply(a, b), plain)
    ways.choose.cache_clear()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("ta", "tb"), [(False, False), (False, True), (True, False), (True, True)])
def test_openblas_by_slabs(dtype: str, ta: bool, tb: bool) -> None:
    if not blas.available():
        pytest.skip("scipy-openblas32 is not installed")
    a = numbers((2, 130, 300) if ta else (2, 300, 130), dtype)
    b = numbers((2, 270, 130) if tb else (2, 130, 270), dtype)
    way = ways.by_openblas(ways.Shape(300, 270, 130, ELEMENT[dtype], ta, tb))
    c = multiply(a, b, ta, tb, way=way)
    check(c, transposed(a, ta), transposed(b, tb))
    np.testing.assert_array_equal(multiply(a, b, ta, tb, way=way, split=True), c)
    bias = numbers((270,), dtype)
    more = multiply(a, b, ta, tb, way=way, epilogue=bias_and_relu(bias, False))
    np.testing.assert_array_equal(more, np.maximum(c + bias, 0) * 2)
    assert blas.version() != "none"


@pytest.mark.parametrize("level", possible(), ids=lambda level: level.name)
def test_ways_are_within_the_registers(level: Level) -> None:
    for m, n, k in [(1, 1, 1), (7, 33, 5), (64, 64, 64), (200, 784, 300), (4096, 4096, 4096)]:
        for ta, tb in [(False, False), (False, True), (True, False)]:
            way = ways.choose(ways.Shape(m, n, k, "float", ta, tb), level)
            if isinstance(way.by, ways.Tile):
                assert way.by.rows * max(way.by.vectors, way.by.tail) < level.registers
            assert way.work > 0
            assert way.column_blocks * -(-m // way.block_rows) <= 64
