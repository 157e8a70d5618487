"""REM-06, the CPU's side: there is no GPU backend yet; that is said plainly, and the CPU is always enough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import RetrogradError


@pytest.mark.row("REM-06")
def test_the_absence_of_a_gpu_is_said() -> None:
    assert rg.cuda.is_available() is False
    assert rg.cuda.device_count() == 0
    assert rg.backends.cuda.is_built() is rg.backends.mps.is_available() is False
    assert "no cuda" in repr(rg.cuda)
    assert rg.ones(2).device == "cpu"


REQUESTS: dict[str, Callable[[str], Any]] = {
    "a device": lambda name: rg.device(name),
    "a new tensor": lambda name: rg.zeros(2, device=name),
    "a tensor": lambda name: rg.ones(2).to(name),
    "a layer": lambda name: nn.Linear(2, 2, device=name),
    "a model": lambda name: nn.Sequential(nn.Linear(2, 2)).to(name),
    "random numbers": lambda name: rg.randn(3, device=name),
}


@pytest.mark.row("REM-06")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "xla"])
@pytest.mark.parametrize("what", REQUESTS)
def test_a_device_that_is_not_there_is_refused_with_the_way_out(what: str, name: str) -> None:
    """Never a silent computation elsewhere; and the control: the same request for the CPU is granted."""
    with pytest.raises(RetrogradError, match=r"runs on the CPU|CPU") as refusal:
        REQUESTS[what](name)
    assert "cpu" in str(refusal.value).lower()
    REQUESTS[what]("cpu")


@pytest.mark.row("REM-06")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_script_written_for_either_device_trains_on_the_cpu(compiled: bool) -> None:
    """The usual first line of scripts; the net learns what it is for."""
    device = rg.device("cuda" if rg.cuda.is_available() else "cpu")
    rg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1)).to(device)
    x = rg.randn(128, 2, device=device)
    y = (x[:, :1] * x[:, 1:] > 0).float()
    optimizer = optim.Adam(model.parameters(), lr=0.02)

    def step(x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = rg.compile(step) if compiled else step
    losses = [run(x, y).item() for _ in range(200)]
    assert losses[-1] < 0.2 * losses[0]
    assert ((model(x) > 0) == (y > 0.5)).float().mean().item() > 0.95


@pytest.mark.row("REM-06")
def test_the_command_line_knows_no_device_and_needs_none(
    in_tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so and stops, instead of training on something else than what was asked for."""
    from retrograd.cli import main

    Path("rows.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert main(["train", "rows.csv", "--device", "cuda"]) == 2
    assert "no option --device" in capsys.readouterr().err
    assert sorted(path.name for path in in_tmp_path.iterdir()) == ["rows.csv"]


@pytest.mark.row("REM-06")
def test_results_on_a_gpu_agree_with_those_on_the_cpu() -> None:
    if not rg.cuda.is_available():
        pytest.skip("no GPU backend yet")
    rg.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 10)), rg.randn(32, 64)
    expected = model(x).detach().numpy()
    found = model.to("cuda")(x.to("cuda")).detach().to("cpu").numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
