"""A measurement as tables."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from retrograd.bench.tables import markdown, tables

ROOT = Path(__file__).resolve().parents[2]

ROW = {
    "net": "64-128-10",
    "batch": 64,
    "threads": 2,
    "rounds": 7,
    "us": {"Retrograd": 40.0, "PyTorch": 400.0, "limit study": 35.0, "OpenBLAS": 20.0},
    "ratios": {"PyTorch": 0.1},
    "ratio": 0.1,
    "best": "PyTorch",
    "target_ratio": 0.45,
    "of_limit": 1.143,
    "target_of_limit": None,
    "limit_threads": 1,
    "rate": "OpenBLAS",
    "of_rate": 0.5,
    "target_of_rate": 0.85,
    "control": {"disturbed_rounds": 2},
}


def test_figures_stand_beside_their_goals() -> None:
    step, limit = tables({"steps": [ROW]})
    assert step.rows[1] == ["64-128-10", "64", "2", "40.0 us", "400 us", "0.10", "<= 0.45", "PyTorch"]
    assert limit.rows[1] == [
        "64-128-10",
        "2",
        "35.0 us (one thread)",
        "1.14",
        "-",
        "20.0 us, OpenBLAS",
        "0.50",
        ">= 0.85",
        "2 of 7",
    ]


def test_what_was_not_measured_is_a_dash() -> None:
    missing = {"net": "64-128-10", "batch": 64, "threads": 1, "errors": {"Retrograd": "no"}}
    (step,) = tables({"steps": [missing]})
    assert step.rows[1] == ["64-128-10", "64", "1", "-", "-", "-", "-"]
    assert list(tables({"steps": [], "memory": [{}] * 0})) == []
    (memory,) = tables({"memory": [{"net": "a"}]})
    assert memory.rows[1][2:] == ["-", "-", "-", "-"]


def test_what_is_one_figure_each() -> None:
    found = {
        "one_row": {
            "net": "13-64-64-1",
            "us": {"Retrograd": 4.0, "JAX": 8.0, "PyTorch": 40.0},
            "target_us": 5.0,
        },
        "digits": [
            {
                "epochs": 30,
                "threads": 1,
                "seconds": {"Retrograd": 0.4, "Retrograd, empty cache": 0.8, "PyTorch": 2.0},
                "best": "PyTorch",
                "ratio": 0.2,
                "target": 1 / 3,
            }
        ],
        "widths": {"net": "64-w-w-10", "worst": [64, 65], "factor": 1.2, "target": 1.3},
        "idle": {"cpu_share": 0.0},
        "empty_path": {"works": True},
    }
    (rest,) = tables(found)
    assert [row[1:] for row in rest.rows[1:]] == [
        ["4.00 us", "JAX 8.00 us", "0.50", "<= 5.00 us"],
        ["400 ms, with an empty cache 800 ms", "PyTorch 2.00 s", "0.20", "<= 0.33"],
        ["-", "-", "1.20", "<= 1.30"],
        ["0.0 %", "-", "-", "0 %"],
        ["trains", "-", "-", "trains"],
    ]


def test_markdown_has_as_many_cells_in_every_line() -> None:
    found = {
        "machine": {"cpu": "a CPU", "cores": 1, "system": "Linux", "python": "3.12"},
        "retrograd": "0.1.0",
        "peers": {"PyTorch": "2.13.0"},
        "steps": [ROW],
    }
    text = markdown(found)
    assert text.startswith("a CPU, 1 core, Linux, Python 3.12; Retrograd 0.1.0, PyTorch 2.13.0.\n")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert [line.count("|") for line in lines] == [9] * 3 + [10] * 3


def test_the_page_is_written_between_its_marks(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "benchmarks" / "step_time.py"))
    page = tmp_path / "speed.md"
    page.write_text(f"before\n\n{script['BEGIN']}\nold\n{script['END']}\n\nafter\n", encoding="utf-8")
    for found in ({"steps": [ROW]}, script["frame"](), script["frame"]()):
        script["write_docs"](page, found)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n\n<!--")
    assert text.endswith("-->\n\nafter\n")
    assert "old" not in text
    assert text.count("| 784-512-256-10 | 128 | 2 | - |") == 1
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"speed\.md has no"):
        script["write_docs"](page, {})
    assert script["BEGIN"] in (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
