"""The checker agrees with an honest report, and catches every single number that is altered."""

from __future__ import annotations

import ast
import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from report import check_numbers
from report.synthetic_run import HOSTILE, make_run
from retrograd.report import write_report

KINDS = ("regression", "binary", "multiclass")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One finished run folder of each kind; do not write into them."""
    out = {}
    for kind in KINDS:
        out[kind] = make_run(tmp_path_factory.mktemp(kind), kind, n=240, hostile=HOSTILE)
        write_report(out[kind])
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_of_an_honest_report_is_worked_out_again(runs: dict[str, Path], kind: str) -> None:
    done = subprocess.run(
        [sys.executable, check_numbers.__file__, str(runs[kind])], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0
    assert re.fullmatch(r"\d{3,} numbers, 0 complaints\n", done.stderr)


@pytest.mark.parametrize("kind", KINDS)
def test_any_altered_number_is_caught(runs: dict[str, Path], kind: str) -> None:
    report = json.loads((runs[kind] / "report.json").read_text(encoding="utf-8"))
    expected = check_numbers.derive(check_numbers.Run(runs[kind]))
    assert check_numbers.compare(report, expected) == []
    places = [path for path, value in check_numbers.leaves(report) if isinstance(value, (int, float))]
    assert len(places) > 300
    for path in places:
        altered = copy.deepcopy(report)
        value = _get(altered, path)
        wrong = not value if isinstance(value, bool) else value + max(1e-6 * abs(value), 1e-9)
        _set(altered, path, value + 1 if isinstance(value, int) and not isinstance(value, bool) else wrong)
        complaints = check_numbers.compare(altered, expected)
        assert [c.split(":")[0] for c in complaints] == [path], path


def test_left_over_missing_and_emptied_leaves_are_caught(runs: dict[str, Path]) -> None:
    report = json.loads((runs["binary"] / "report.json").read_text(encoding="utf-8"))
    expected = check_numbers.derive(check_numbers.Run(runs["binary"]))
    report["metrics"]["test"]["luck"] = 0.5
    report["metrics"]["test"]["accuracy"]["value"] = None
    report["comparison"]["verdict"] = "loses"
    report["largest_errors"][0]["actual"] = "another class"
    del report["split"]["train"]
    complaints = {c.split(":")[0] for c in check_numbers.compare(report, expected)}
    assert complaints == {
        "metrics.test.luck", "metrics.test.accuracy.value", "comparison.verdict", "largest_errors[0].actual",
        "split.train",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_sentences_of_the_report_hold_no_numbers_of_their_own(runs: dict[str, Path], kind: str) -> None:
    report = json.loads((runs[kind] / "report.json").read_text(encoding="utf-8"))
    for path, value in check_numbers.leaves(report):
        if path.startswith(("comparison.sentence", "learning_curve.sentence", "next_steps[")):
            assert not re.search(r"\d", value), (path, value)


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_that_tells_another_story_is_caught(tmp_path: Path, kind: str) -> None:
    folder = make_run(tmp_path / "run", kind, n=120)
    write_report(folder)
    clean = dict(np.load(folder / "evidence.npz"))

    def complaints(**changed: np.ndarray) -> list[str]:
        np.savez(folder / "evidence.npz", **{**clean, **changed})
        return check_numbers.check_inputs(check_numbers.Run(folder))

    assert complaints() == []
    assert "another part" in complaints(test_rows=clean["train_rows"][:30])[0]
    other = clean["test_actual"].copy()
    other[0] += 1 if other[0] == 0 else -1
    assert "predictions.csv: actual" in complaints(test_actual=other)[0]
    assert (
        "baseline"
        in complaints(test_baseline=clean["test_baseline"] + 0.01 * clean["test_baseline"] + 0.01)[0]
    )
    if kind != "regression":
        assert "most probable" in complaints(test_prediction=1 - np.minimum(clean["test_prediction"], 1))[0]


def test_importance_base_is_not_taken_on_trust(tmp_path: Path) -> None:
    folder = make_run(tmp_path, n=120)
    arrays = dict(np.load(folder / "evidence.npz"))
    np.savez(folder / "evidence.npz", **{**arrays, "importance_base": arrays["importance_base"] * 1.01})
    with pytest.raises(ValueError, match="importance_base"):
        check_numbers.derive(check_numbers.Run(folder))


def test_the_checker_and_its_parts_import_numpy_and_json_only() -> None:
    folder = Path(check_numbers.__file__).parent
    names, seen, files = set(), set(), ["check_numbers"]
    for file in files:
        seen.add(file)
        for node in ast.walk(ast.parse((folder / f"{file}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                top, _, part = str(node.module).partition(".")
                if top == "report":
                    files += [part] if part not in files else []
                else:
                    names.add(top)
    assert names == {"__future__", "json", "sys", "pathlib", "numpy"}
    assert seen == {path.stem for path in folder.glob("check_*.py")}


def _get(tree, path: str):
    for part in _parts(path):
        tree = tree[part]
    return tree


def _set(tree, path: str, value) -> None:
    *parents, last = _parts(path)
    for part in parents:
        tree = tree[part]
    tree[last] = value


def _parts(path: str) -> list[str | int]:
    return [
        int(part[1:-1]) if part.startswith("[") else part for part in re.findall(r"\[\d+\]|[^.\[]+", path)
    ]
