"""Ten small programs run unchanged on Retrograd and on PyTorch, and agree in every loss they print.

Only the name of the library in the import lines is exchanged.  In float32 the losses agree to 1e-4 over so many steps
as rounding allows; in float64 to 1e-6, and over all steps.  Both were fixed beforehand.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from example_programs import FOLDER, in_float64, in_library, load, run_main, source

# How long each is trained here, and how long it is in float32: training that hangs on single roundings (Adam and
# RMSprop divide by the size of tiny gradients) goes its own way after some hundred steps, in PyTorch alone too.
PROGRAMS: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "two_layer_net": ({"steps": 200}, {"steps": 60}),
    "mnist_mlp": ({"epochs": 2}, {"epochs": 2}),
    "vae": ({"epochs": 4}, {"epochs": 4}),
    "character_mlp": ({"steps": 300}, {"steps": 300}),
    "mixture_density_net": ({"steps": 300}, {"steps": 100}),
    "skip_gram": ({"steps": 300}, {"steps": 300}),
    "matrix_factorisation": ({"epochs": 4}, {"epochs": 4}),
    "dqn_regression": ({"steps": 500}, {"steps": 200}),
    "neural_ode_euler": ({"steps": 200}, {"steps": 150}),
    "meta_learning_start": ({"steps": 60}, {"steps": 60}),
}
FLOAT32, FLOAT64 = 1e-4, 1e-6
NUMBER = re.compile(r"[-+]?\d+\.\d+")


@pytest.fixture(autouse=True)
def without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ships with the programs, wherever the tests run."""
    monkeypatch.delenv("RETROGRAD_DATA", raising=False)


def trained(
    name: str, library: Any, options: dict[str, int], double: bool = False, text: str = ""
) -> tuple[np.ndarray, str]:
    """The losses of every step, and what was printed."""
    text = in_library(text or source(f"programs/{name}"), library.__name__)
    library.set_default_dtype(library.float64 if double else library.float32)
    try:
        losses, printed = run_main(load(f"programs/{name}", in_float64(text) if double else text), **options)
    finally:
        library.set_default_dtype(library.float32)
    return np.array(losses, dtype=float), printed


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest relative difference of two losses (a loss that passes through 0 counts as a tenth of the first)."""
    assert len(ours) == len(theirs)
    assert np.isfinite(theirs).all()
    return float(
        np.max(np.abs(ours - theirs) / np.maximum(np.abs(theirs), 0.1 * abs(theirs[0]) * (theirs.min() < 0)))
    )


def same_words(ours: str, theirs: str, tolerance: float) -> None:
    """The same lines but for the last digits of numbers."""
    assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)
    for a, b in zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True):
        last_digit = 10.0 ** -len(b.split(".")[1])
        assert abs(float(a) - float(b)) <= tolerance * abs(float(b)) + 1.01 * last_digit, (a, b)


@pytest.mark.parametrize("name", PROGRAMS)
def test_losses_agree_in_float64_at_every_step(name: str, record_property: Any) -> None:
    torch = pytest.importorskip("torch")
    options, _ = PROGRAMS[name]
    ours, printed = trained(name, rg, options, double=True)
    theirs, expected = trained(name, torch, options, double=True)
    record_property("apart", apart(ours, theirs))
    assert apart(ours, theirs) <= FLOAT64
    same_words(printed, expected, 1e-5)
    tenth = max(1, len(ours) // 10)
    assert ours[-tenth:].mean() < ours[:tenth].mean()  # and something is learnt


@pytest.mark.parametrize("name", PROGRAMS)
def test_losses_agree_in_float32_as_written(name: str, record_property: Any) -> None:
    torch = pytest.importorskip("torch")
    _, options = PROGRAMS[name]
    ours, _ = trained(name, rg, options)
    theirs, _ = trained(name, torch, options)
    record_property("apart", apart(ours, theirs))
    assert apart(ours, theirs) <= FLOAT32


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist_mlp", "character_mlp"])
def test_losses_agree_on_real_data(name: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    small, _ = trained(name, rg, PROGRAMS[name][1], double=True)
    monkeypatch.setenv("RETROGRAD_DATA", str(data_dir))
    ours, _ = trained(name, rg, PROGRAMS[name][1], double=True)
    theirs, _ = trained(name, torch, PROGRAMS[name][1], double=True)
    assert apart(ours, theirs) <= FLOAT64
    assert ours[0] != small[0]  # control: these are other data


@pytest.mark.parametrize(
    "name, right, wrong",
    [
        ("two_layer_net", "RATE = 1e-3", "RATE = 1.0002e-3"),
        ("meta_learning_start", "create_graph=second_order", "create_graph=False"),
        ("dqn_regression", "best = target(", "best = q("),
        ("vae", "0.5 * logvar", "0.5001 * logvar"),
    ],
)
def test_control_a_small_change_in_one_of_the_two_is_noticed(name: str, right: str, wrong: str) -> None:
    _, options = PROGRAMS[name]
    text = source(f"programs/{name}")
    assert text.count(right) == 1
    same, _ = trained(name, rg, options)
    changed, _ = trained(name, rg, options, text=text.replace(right, wrong))
    assert apart(changed, same) > FLOAT32


def test_these_are_all_programs() -> None:
    assert {path.stem for path in (FOLDER / "programs").glob("*.py")} == set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_only_the_imports_name_the_library(name: str) -> None:
    text = source(f"programs/{name}")
    lines = text.splitlines()
    assert 40 <= len(lines) <= 120
    assert text.endswith('\n\nif __name__ == "__main__":\n    main()\n')
    assert lines.count("import retrograd as torch") == 1
    changed = [a for a, b in zip(lines, in_library(text, "torch").splitlines(), strict=True) if a != b]
    assert all(re.match(r"(import|from) retrograd\b", line) for line in changed)
    elsewhere = [line for line in lines if re.search(r"\bretrograd\b", line) and line not in changed]
    assert all('/ "src" / "retrograd" /' in line for line in elsewhere), (
        elsewhere
    )  # where a table of digits lies
    # its numbers come from NumPy, since the two libraries draw different ones from the same seed
    assert not re.search(
        r"torch\.(rand|randn|randint|randperm|normal|bernoulli|multinomial|manual_seed)\(", text
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["two_layer_net", "mnist_mlp", "vae", "character_mlp", "matrix_factorisation"]
)
def test_it_runs_from_the_command_line_and_prints_its_loss(name: str, tmp_path: Path) -> None:
    path = os.pathsep.join([str(FOLDER.parent / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "error", str(FOLDER / "programs" / f"{name}.py")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    losses = [float(value) for value in re.findall(r"loss\D* (-?\d+\.\d+)", done.stdout)]
    assert len(losses) >= 4
    assert losses[-1] < losses[0]
    assert not list(tmp_path.iterdir())  # nothing is left behind
