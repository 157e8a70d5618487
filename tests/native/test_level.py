"""Which instructions a program is compiled for."""

from __future__ import annotations

import pytest

from retrograd.errors import UsageError
from retrograd.lower.native import level as levels
from retrograd.lower.native.level import LEVELS, best, current, possible

AVX2 = {"sse2": True, "avx2": True, "fma": True}
AVX512 = {**AVX2, "avx512f": True, "avx512bw": True, "avx512dq": True, "avx512vl": True}


def name_of(architecture: str, features: dict[str, bool]) -> str | None:
    found = best(architecture, features)
    return found and found.name


def test_the_best_level_by_features() -> None:
    assert name_of("x86_64", AVX512) == "avx512"
    assert name_of("x86_64", AVX2) == "avx2"
    assert name_of("x86_64", {"sse2": True}) == "baseline"
    assert name_of("aarch64", {"neon": True}) == "aarch64"
    assert name_of("riscv64", {"v": True}) is None


@pytest.mark.parametrize("missing", ["avx512f", "avx512bw", "avx512dq", "avx512vl"])
def test_avx512_needs_all_of_its_parts(missing: str) -> None:
    assert name_of("x86_64", {**AVX512, missing: False}) == "avx2"


@pytest.mark.parametrize("missing", ["avx2", "fma"])
def test_no_level_above_the_baseline_without_fma_and_avx2(missing: str) -> None:
    assert name_of("x86_64", {**AVX512, missing: False}) == "baseline"


@pytest.mark.parametrize(
    ("name", "floats", "doubles", "bytes_", "registers"),
    [
        ("avx512", 16, 8, 64, 32),
        ("avx2", 8, 4, 32, 16),
        ("baseline", 4, 2, 16, 16),
        ("aarch64", 4, 2, 16, 32),
    ],
)
def test_lanes(name: str, floats: int, doubles: int, bytes_: int, registers: int) -> None:
    level = LEVELS[name]
    assert (level.lanes("float"), level.lanes("i32")) == (floats, floats)
    assert (level.lanes("double"), level.lanes("i64")) == (doubles, doubles)
    assert (level.lanes("i8"), level.lanes("i1")) == (bytes_, bytes_)
    assert level.registers == registers


def test_the_variable_asks_for_a_lower_level(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite")
    for level in possible():
        monkeypatch.setenv(levels.VARIABLE, level.name.upper())
        assert current() is level
    monkeypatch.delenv(levels.VARIABLE)
    assert current() is possible()[0]


def test_a_level_that_the_cpu_has_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "possible", lambda: (LEVELS["avx2"], LEVELS["baseline"]))
    monkeypatch.setenv(levels.VARIABLE, "avx512")
    with pytest.raises(UsageError, match="this CPU has avx2, baseline") as seen:
        current()
    assert "RETROGRAD_CPU_LEVEL=avx2" in str(seen.value)
    monkeypatch.setattr(levels, "possible", lambda: ())
    with pytest.raises(UsageError, match="no native code"):
        current()
