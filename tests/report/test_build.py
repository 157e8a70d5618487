"""What the report says of networks that win, tie, lose and learn nothing; and of runs with less in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from report.synthetic_run import make_run
from retrograd.errors import DataError
from retrograd.report import build_report, read_run, write_report
from retrograd.report.judgement import judge_more_rows, margin


def _report(folder: Path, kind: str = "regression", **changed) -> dict:
    facts, evidence, history = read_run(make_run(folder, kind))
    return build_report(facts, {**evidence, **changed}, history)


def test_wins_ties_loses_and_nothing_learnt(tmp_path: Path) -> None:
    facts, evidence, history = read_run(make_run(tmp_path))
    line, constant, actual = (evidence[f"test_{name}"] for name in ("linear", "baseline", "actual"))
    noise = np.random.default_rng(99).normal(size=len(actual))
    cases = {
        "wins": actual + 100 * noise,
        "ties": line + noise,
        "loses": line + 30_000 * noise,
        "useless": constant + 20_000 * noise,
    }
    for verdict, prediction in cases.items():
        comparison = build_report(facts, {**evidence, "test_prediction": prediction}, history)["comparison"]
        assert comparison["verdict"] == verdict
        assert ("does not win" in comparison["sentence"]) == (verdict in ("ties", "loses"))
    useless = build_report(facts, {**evidence, "test_prediction": constant + 20_000 * noise}, history)
    assert "not learnt anything" in useless["comparison"]["sentence"]
    assert not any("Use the model" in step["what"] for step in useless["next_steps"])


def test_a_narrow_win_is_called_narrow(tmp_path: Path) -> None:
    facts, evidence, history = read_run(make_run(tmp_path))
    line, actual = evidence["test_linear"], evidence["test_actual"]
    for share, narrow in ((0.997, True), (0.7, False)):  # the errors are the line's, a little or much smaller
        prediction = actual + share * (line - actual)
        comparison = build_report(facts, {**evidence, "test_prediction": prediction}, history)["comparison"]
        assert comparison["verdict"] == "wins"
        assert ("narrowly" in comparison["sentence"]) == narrow
        assert margin(comparison) == pytest.approx(1 - share)


def test_a_curve_that_never_reaches_the_model_settles_nothing() -> None:
    curve = {
        "now": {"value": 50.0},
        "double": {"value": 40.0},
        "change": {"value": -10.0, "low": -12.0, "high": -8.0},
    }
    assert judge_more_rows(curve, present=45.0)["verdict"] == "helps"
    found = judge_more_rows(curve, present=30.0)
    assert found["verdict"] == "unclear"
    assert "would not reach its score" in found["sentence"]


def test_report_is_plain_json_and_has_every_part(tmp_path: Path) -> None:
    for kind in ("regression", "binary", "multiclass"):
        report = _report(tmp_path / kind, kind)
        assert json.loads(json.dumps(report, allow_nan=False)) == report
        expected = {
            "task", "target", "data", "split", "decisions", "findings", "cost", "history", "metrics", "comparison",
            "calibration", "confusion", "importance", "learning_curve", "overfitting", "versions", "seed", "next_steps",
        }  # fmt: skip
        assert expected <= set(report)
        assert report["metrics"]["headline"] == ("rmse" if kind == "regression" else "log_loss")
        assert (report["confusion"] is None) == (kind == "regression")


def test_parts_that_were_not_measured_are_null_and_the_page_does_without(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    with np.load(folder / "evidence.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files if not name.startswith(("importance", "curve"))}
    np.savez(folder / "evidence.npz", **kept)
    facts = json.loads((folder / "run.json").read_text())
    for key in ("overfitting", "baselines", "threads", "command", "next_command"):
        del facts[key]
    facts["findings"] = []
    facts["cost"] = {"estimate": {}, "actual": {}}
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "metrics.jsonl").write_text("")
    report = write_report(folder)
    assert report["importance"] is None
    assert report["learning_curve"] is None
    assert report["history"] == []
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "What does it look at?" not in page
    assert "no leaks" in page


def test_one_class_in_the_test_rows_and_a_diverged_epoch(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "binary")
    with np.load(folder / "evidence.npz") as arrays:
        evidence = dict(arrays)
    same = evidence["test_actual"] == 1
    for name in ("rows", "actual", "prediction", "probabilities", "baseline", "linear"):
        evidence[f"test_{name}"] = evidence[f"test_{name}"][same]
    evidence["importance_rows"] = evidence["test_rows"]
    np.savez(folder / "evidence.npz", **evidence)
    with open(folder / "metrics.jsonl", "a") as file:
        file.write('{"epoch": 31, "train_loss": NaN, "validation_loss": Infinity}\n')
    report = write_report(folder)
    assert report["metrics"]["test"]["roc_auc"] == {"value": None, "low": None, "high": None}
    assert report["history"][-1] == {"epoch": 31, "train_loss": None, "validation_loss": None}
    assert "not defined" in (folder / "report.html").read_text(encoding="utf-8")


def test_ten_rows_and_perfect_predictions(tmp_path: Path) -> None:
    folder = make_run(tmp_path, n=12)
    with np.load(folder / "evidence.npz") as arrays:
        evidence = dict(arrays)
    for split in ("train", "validation", "test"):
        evidence[f"{split}_prediction"] = evidence[f"{split}_actual"]
    np.savez(folder / "evidence.npz", **evidence)
    report = write_report(folder)
    assert report["metrics"]["test"]["rmse"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_last_epoch_best_means_train_longer(tmp_path: Path) -> None:
    facts, evidence, history = read_run(make_run(tmp_path))
    facts["training"]["best_epoch"] = facts["training"]["epochs"]
    steps = build_report(facts, evidence, history)["next_steps"]
    assert any("more epochs" in step["what"] for step in steps)


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda f, e: f.pop("task"), "run.json has no 'task'"),
        (lambda f, e: f["data"].pop("columns"), "'data' has no 'columns'"),
        (lambda f, e: f["task"].update(kind="ranking"), "ranking"),
        (lambda f, e: e.pop("test_linear"), "no 'test_linear'"),
        (lambda f, e: e.pop("importance_base"), "importance_columns but not importance_base"),
        (lambda f, e: e.update(test_actual=e["test_actual"][:-1]), "test_actual has shape"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, spoil, words: str) -> None:
    facts, evidence, history = read_run(make_run(tmp_path))
    spoil(facts, evidence)
    with pytest.raises(DataError, match=words) as caught:
        build_report(facts, evidence, history)
    assert caught.value.hint


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no run\.json"):
        write_report(tmp_path)
