"""The coefficients in src/retrograd/lower/native/_coefficients.py: best polynomials by Remez' exchange, in mpmath.

    python tools/minimax.py > src/retrograd/lower/native/_coefficients.py

Each polynomial q minimises the largest |q(x) - f(x)|·w(x) over an interval (E. Remez, 1934), and is then rounded
to the format that it is used in: all coefficients at once, or one by one with a new fit of the others after each,
whichever leaves less.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import mpmath as mp

mp.mp.dps = 60
TINY = mp.mpf("1e-18")
Number = Any
Real = Callable[[Number], Number]


def remez(f: Real, w: Real, a: Number, b: Number, powers: list[int]) -> tuple[list[Number], Number]:
    """Coefficients of those powers, and the largest weighted error."""
    n = len(powers)
    a, b = mp.mpf(a), mp.mpf(b)
    nodes = [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * n + 2)) for k in range(n + 1)]
    grid = [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * k / (30 * n)) for k in range(30 * n + 1)]
    values = [(f(x), w(x)) for x in grid]
    c: list[Number] = []
    worst = mp.inf
    for _ in range(30):
        rows = [[x**p for p in powers] + [(-1) ** i / w(x)] for i, x in enumerate(nodes)]
        solved = mp.lu_solve(mp.matrix(rows), mp.matrix([f(x) for x in nodes]))
        c = [solved[i] for i in range(n)]
        errors = [(sum(ck * x**p for ck, p in zip(c, powers)) - fx) * wx for x, (fx, wx) in zip(grid, values)]
        worst = max(abs(e) for e in errors)
        if worst < abs(solved[n]) * mp.mpf("1.001"):
            break
        peaks: list[int] = []  # one extreme of each run of equal signs
        for i, e in enumerate(errors):
            if peaks and e * errors[peaks[-1]] > 0:
                if abs(e) > abs(errors[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        while len(peaks) > n + 1:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        if len(peaks) < n + 1:
            break
        nodes = [grid[i] for i in peaks]
    return c, worst


def rounded(x: Number, single: bool) -> float:
    return struct.unpack("<f", struct.pack("<f", float(x)))[0] if single else float(x)


def fit(
    f: Real, w: Real, a: Number, b: Number, powers: list[int], single: bool
) -> tuple[list[float], Number]:
    """Rounded coefficients, the lowest power first, and the error that they leave."""
    exact, _ = remez(f, w, a, b, powers)
    at_once = [rounded(c, single) for c in exact]
    one_by_one: list[float] = []
    while len(one_by_one) < len(powers):  # the lowest power matters most, and is rounded first

        def rest(x: Number) -> Number:
            return f(x) - evaluated(one_by_one, powers, x)

        c, _ = remez(rest, w, a, b, powers[len(one_by_one) :])
        one_by_one.append(rounded(c[0], single))
    return min(((c, left(f, w, a, b, c, powers)) for c in (at_once, one_by_one)), key=lambda pair: pair[1])


def evaluated(coefficients: list[float], powers: list[int], x: Number) -> Number:
    return sum((mp.mpf(c) * x**p for p, c in zip(powers, coefficients)), mp.mpf(0))


def left(f: Real, w: Real, a: Number, b: Number, coefficients: list[float], powers: list[int]) -> Number:
    """The largest weighted error, looked for on a grid."""
    a, b = mp.mpf(a), mp.mpf(b)
    grid = (a + (b - a) * k / 2000 for k in range(2001))
    return max(abs(evaluated(coefficients, powers, x) - f(x)) * w(x) for x in grid)


def exp_rest(x: Number) -> Number:
    """(e^x - 1 - x)/x²"""
    return mp.mpf(1) / 2 if abs(x) < TINY else (mp.expm1(x) - x) / x**2


def log_rest(x: Number) -> Number:
    """(ln(1 + x) - x + x²/2)/x³"""
    return mp.mpf(1) / 3 if abs(x) < TINY else (mp.log1p(x) - x + x * x / 2) / x**3


HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.0005")


def polynomials() -> dict[str, tuple[str, list[float], Number]]:
    """Name -> what it is, coefficients, error."""
    out: dict[str, tuple[str, list[float], Number]] = {}

    def add(
        name: str, what: str, f: Real, w: Real, a: Number, b: Number, count: int, single: bool = True
    ) -> None:
        coefficients, error = fit(f, w, a, b, list(range(count)), single)
        out[name] = (what, coefficients, error)

    half = HALF_LN2
    for single, count in ((True, 5), (False, 10)):
        letter = "F" if single else "D"
        add(
            f"EXP_{letter}", "(e^x - 1 - x)/x² for |x| ≤ ln(2)/2, error relative to e^x",
            exp_rest, lambda x: mp.mpf("1e-4") + x * x / mp.exp(x), -half, half, count, single,
        )  # fmt: skip
        add(
            f"EXPM1_{letter}", "(e^x - 1 - x)/x² for |x| ≤ ln(2)/2, error relative to e^x - 1",
            exp_rest, lambda x: mp.mpf("1e-4") + (abs(x * x / mp.expm1(x)) if abs(x) > TINY else 0),
            -half, half, count + (not single), single,
        )  # fmt: skip
    low, high = mp.sqrt(mp.mpf(1) / 2) - 1, mp.sqrt(2) - 1
    add(
        "LOG_F", "(ln(1 + x) - x + x²/2)/x³ for 1 + x from √½ to √2, error relative to ln(1 + x)",
        log_rest, lambda x: mp.mpf("1e-4") + (abs(x**3 / mp.log1p(x)) if abs(x) > TINY else 0), low, high, 9,
    )  # fmt: skip
    add(
        "LOG1P_F", "(ln(1 + x) - x)/x² for 0 ≤ x ≤ 1, error relative to ln(1 + x)",
        lambda x: -mp.mpf(1) / 2 if abs(x) < TINY else (mp.log1p(x) - x) / x**2,
        lambda x: mp.mpf("1e-4") + (x * x / mp.log1p(x) if abs(x) > TINY else 0), 0, 1, 11,
    )  # fmt: skip
    far = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
    add(
        "LOG_D", "(2·artanh(√z)/√z - 2)/z for √z = x/(2 + x), error relative to ln(1 + x)",
        lambda z: mp.mpf(2) / 3 if z < TINY else (2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / z,
        lambda z: z + mp.mpf("1e-5"), 0, (far * mp.mpf("1.001")) ** 2, 7, False,
    )  # fmt: skip
    add(
        "ERF_F", "erf(√z)/√z - 1 for |√z| ≤ 0.9275",
        lambda z: (mp.mpf(2) / mp.sqrt(mp.pi) if z < TINY else mp.erf(mp.sqrt(z)) / mp.sqrt(z)) - 1,
        lambda z: mp.mpf(1) if z < TINY else mp.sqrt(z) / mp.erf(mp.sqrt(z)), 0, mp.mpf("0.9275") ** 2, 7,
    )  # fmt: skip
    add(
        "ERF_TAIL_F", "-ln(1 - erf x) for 0.92 ≤ x ≤ 4, error of erf",
        lambda x: -mp.log(mp.erfc(x)), mp.erfc, mp.mpf("0.92"), mp.mpf(4), 7,
    )  # fmt: skip
    quarter = mp.pi / 4 * mp.mpf("1.001")
    for single, count in ((True, 3), (False, 6)):
        letter = "F" if single else "D"
        add(
            f"SIN_{letter}", "(sin(√z)/√z - 1)/z for |x| ≤ π/4",
            lambda z: -mp.mpf(1) / 6 if z < TINY else (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,
            lambda z: z + mp.mpf("1e-4"), 0, quarter**2, count, single,
        )  # fmt: skip
        add(
            f"COS_{letter}", "(cos(√z) - 1 + z/2)/z² for |x| ≤ π/4",
            lambda z: mp.mpf(1) / 24 if z < TINY else (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2,
            lambda z: z * z + mp.mpf("1e-4"), 0, quarter**2, count, single,
        )  # fmt: skip
    add(
        "ATAN_D", "(arctan(√z)/√z - 1)/z for √z ≤ tan(π/8)",
        lambda z: -mp.mpf(1) / 3 if z < TINY else (mp.atan(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,
        lambda z: z + mp.mpf("1e-4"), 0, (mp.tan(mp.pi / 8) * mp.mpf("1.0001")) ** 2, 13, False,
    )  # fmt: skip
    return out


def main() -> None:
    print('"""Coefficients of polynomials, the lowest power first; written by tools/minimax.py."""\n')
    print("# fmt: off")
    for name, (what, coefficients, error) in polynomials().items():
        print(f"# {what}: 2^{float(mp.log(error, 2)):.1f}")
        print(f"{name} = (")
        for c in coefficients:
            print(f"    {c!r},")
        print(")")


if __name__ == "__main__":
    main()
