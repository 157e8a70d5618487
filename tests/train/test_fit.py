"""The main job on small invented tables: what is written, what is said, what is predicted."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import DataError
from retrograd.report import schema
from retrograd.train import Event, fit, tune_lr
from retrograd.train.run_folder import RunFolder
from train.invented_tables import QUICK, fruit, houses, write_csv

KEYS = ["task", "target", "metrics", "baseline", "model", "run", "seconds", "epochs", "parameters"]


REGRESSION = {"rmse", "mae", "r2", "median_absolute_error"}


CLASSES = {"accuracy", "balanced_accuracy", "log_loss", "roc_auc", "f1_macro"}


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    out = tmp_path_factory.mktemp("regression")
    events: list[Event] = []
    path = write_csv(out / "houses.csv", houses())
    return (
        fit(path, "price", out=out / "runs", progress=events.append, **{**QUICK, "epochs": 25}),
        events,
        path,
    )


@pytest.fixture(scope="module")
def classification(tmp_path_factory):
    return fit(fruit(), "fruit", out=tmp_path_factory.mktemp("classes"), **{**QUICK, "epochs": 25})


def test_a_run_leaves_everything_in_its_folder(regression):
    run, _, _ = regression
    assert run.path.name == "houses-001"
    names = {path.name for path in run.path.iterdir()}
    assert names == {
        "run.json", "metrics.jsonl", "checkpoints", "model.safetensors", "predictions.csv", "evidence.npz",
        "report.json", "report.html",
    }  # fmt: skip
    assert not list(run.path.rglob("*.part"))
    facts = json.loads((run.path / "run.json").read_text())
    evidence = dict(np.load(run.path / "evidence.npz", allow_pickle=False))
    schema.check_schema(facts, evidence)
    assert facts["status"] == "finished"
    assert {"importance_scores", "curve_scores"} <= set(evidence)
    assert len(list((run.path / "checkpoints").iterdir())) >= 1
    log = RunFolder(run.path).read_metrics()
    assert [record["epoch"] for record in log] == list(range(1, len(log) + 1))
    assert {
        "train_loss",
        "validation_loss",
        "validation_rmse",
        "lr",
        "rows_per_second",
        "gradient_norm",
    } <= set(log[0])


def test_the_summary_has_exactly_the_keys_that_json_prints(regression, classification):
    for run, metrics in ((regression[0], REGRESSION), (classification, CLASSES)):
        assert list(run.summary) == KEYS
        assert set(run.summary["metrics"]) == {"test", "validation"}
        assert set(run.summary["metrics"]["test"]) == set(run.summary["metrics"]["validation"]) == metrics
        assert json.loads(json.dumps(run.summary)) == run.summary
        assert Path(run.summary["model"]).is_file()
        assert run.summary["parameters"] > 0
    assert regression[0].summary["task"] == "regression"
    assert classification.summary["task"] == "multiclass"
    assert classification.summary["metrics"]["test"]["accuracy"] > 0.6


def test_cost_is_said_before_training_and_again_afterwards(regression):
    run, events, _ = regression
    kinds = [event.kind for event in events]
    assert kinds.index("cost") < kinds.index("start") < kinds.index("epoch") < kinds.index("done")
    cost = events[kinds.index("cost")]
    assert {"parameters", "seconds", "memory_bytes", "operations"} <= set(cost.values)
    both = json.loads((run.path / "run.json").read_text())["cost"]
    assert both["estimate"]["epochs"] == 25
    assert both["actual"]["epochs"] == run.summary["epochs"]
    assert both["actual"]["seconds"] > 0
    said = " ".join(event.message for event in events if event.kind == "decision")
    assert "price" in said
    assert "as you asked" in said


@pytest.mark.row("TRN-02")
def test_errors_in_the_targets_own_units_are_exact(regression):
    run, _, path = regression
    with open(path) as file:
        truth = [float(row["price"]) for row in csv.DictReader(file)]
    evidence = dict(np.load(run.path / "evidence.npz"))
    with open(run.path / "predictions.csv") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["row"]) for row in rows] == evidence["test_rows"].tolist()
    again = run.model.predict(path)
    for i, row in enumerate(rows):
        assert float(row["actual"]) == truth[int(row["row"])] == evidence["test_actual"][i]
        signed = float(row["prediction"]) - float(row["actual"])
        assert signed == evidence["test_prediction"][i] - evidence["test_actual"][i]
        assert float(row["prediction"]) == pytest.approx(again[int(row["row"])], rel=1e-5)
    squared = np.mean([(float(row["prediction"]) - float(row["actual"])) ** 2 for row in rows])
    assert run.summary["metrics"]["test"]["rmse"] == pytest.approx(np.sqrt(squared))


def test_predictions_come_one_per_row_in_order_in_units_or_names(regression, classification):
    model = rg.load(regression[0].path)
    table = houses(50, seed=9)
    every = model.predict(table)
    assert every.shape == (50,)
    assert np.corrcoef(every, table["price"])[0, 1] > 0.8
    order = np.random.default_rng(0).permutation(50)
    shuffled = {name: [values[i] for i in order] for name, values in table.items()}
    np.testing.assert_allclose(model.predict(shuffled), every[order], rtol=1e-5)
    without_target = {name: values for name, values in table.items() if name != "price"}
    np.testing.assert_allclose(model.predict(without_target), every)
    one = [{name: values[3] for name, values in without_target.items()}]
    np.testing.assert_allclose(model.predict(one), every[3:4], rtol=1e-5)
    kinds = classification.model
    columns = kinds.predict_table(fruit(20))
    assert list(columns) == ["prediction", "probability_apple", "probability_pear", "probability_quince"]
    total = sum(columns[f"probability_{name}"] for name in kinds.classes)
    np.testing.assert_allclose(total, 1.0)
    likeliest = np.array(kinds.classes)[kinds.probabilities(fruit(20)).argmax(1)]
    assert columns["prediction"].tolist() == likeliest.tolist()
    with pytest.raises(DataError, match="a number, not a class"):
        model.probabilities(table)


def test_unseen_categories_and_missing_cells_are_handled_and_a_missing_column_named(regression):
    model = regression[0].model
    rows = [
        {"size": 100.0, "age": 10.0, "town": "Atlantis"},
        {"size": None, "age": None, "town": None},
        {"size": 100.0, "age": 10.0, "town": "Ulm"},
    ]
    assert np.isfinite(model.predict(rows)).all()
    with pytest.raises(DataError, match="'size'"):
        model.predict([{"age": 10.0, "town": "Ulm"}])


def test_evaluate_says_metrics_and_what_was_left_out(regression):
    run, _, path = regression
    found = run.model.evaluate(path)
    assert found["rows"] == 240
    assert set(found["metrics"]) == REGRESSION
    table = houses(40, seed=3)
    table["price"][:5] = [None] * 5  # type: ignore[list-item]
    assert run.model.evaluate(table)["left_out"] == 5
    with pytest.raises(DataError, match="price"):
        run.model.evaluate({name: values for name, values in table.items() if name != "price"})


@pytest.mark.row("TRN-07")
def test_the_same_seed_gives_the_same_run(tmp_path):
    first, second = (fit(fruit(), "fruit", out=tmp_path, seed=4, **QUICK) for _ in range(2))
    assert [first.path.name, second.path.name] == ["table-001", "table-002"]
    assert (first.path / "predictions.csv").read_bytes() == (second.path / "predictions.csv").read_bytes()
    other = fit(fruit(), "fruit", out=tmp_path, seed=5, **QUICK)
    assert (first.path / "predictions.csv").read_bytes() != (other.path / "predictions.csv").read_bytes()


def test_the_time_limit_is_kept(tmp_path):
    started = time.monotonic()
    run = fit(houses(2000), "price", out=tmp_path, time_limit=4.0, epochs=100_000)
    assert run.summary["epochs"] < 100_000
    assert "time" in json.dumps(json.loads((run.path / "run.json").read_text())["decisions"])
    assert time.monotonic() - started < 60  # a wide bound: it would take hours without the limit


def test_an_own_test_set_and_groups(tmp_path):
    train, test = (
        write_csv(tmp_path / "train.csv", houses()),
        write_csv(tmp_path / "test.csv", houses(60, seed=8)),
    )
    run = fit(train, "price", test=test, out=tmp_path / "runs", **QUICK)
    evidence = dict(np.load(run.path / "evidence.npz"))
    assert evidence["test_actual"].tolist() == houses(60, seed=8)["price"]
    assert len(evidence["train_rows"]) + len(evidence["validation_rows"]) == 240
    table = houses()
    table["owner"] = [f"owner {i // 4}" for i in range(240)]
    run = fit(table, "price", group="owner", out=tmp_path / "runs", **QUICK)
    evidence = dict(np.load(run.path / "evidence.npz"))
    owners = [
        {table["owner"][row] for row in evidence[f"{split}_rows"]}
        for split in ("train", "validation", "test")
    ]
    assert not owners[0] & owners[1]
    assert not (owners[0] | owners[1]) & owners[2]
    assert "owner" not in run.model.inputs


def test_what_is_asked_for_is_what_is_built(tmp_path):
    run = fit(
        houses(), "price", out=tmp_path, hidden=(12, 5), activation="tanh", dropout=0.1, optimizer="sgd", lr=0.02,
        batch_size=30, epochs=2, loss="huber", exclude=["age"],
    )  # fmt: skip
    facts = json.loads((run.path / "run.json").read_text())
    assert facts["model"]["description"] == "MLP, hidden layers of 12, 5 units, tanh, dropout 0.1"
    settings = facts["settings"]
    assert (settings["optimizer"], settings["lr"], settings["batch_size"], settings["epochs"]) == (
        "sgd",
        0.02,
        30,
        2,
    )
    assert settings["loss"] == "huber"
    assert {d["what"] for d in facts["decisions"] if d["by"] == "you"} >= {
        "network",
        "optimiser",
        "learning rate",
    }
    assert run.model.inputs == ["size", "town"]
    # 1 size + 3 towns = 4 inputs: 4·12 + 12, 12·5 + 5, 5 + 1
    assert run.summary["parameters"] == 4 * 12 + 12 + 12 * 5 + 5 + 5 + 1


def test_tune_lr_judges_every_rate_of_a_table(tmp_path):
    sweep = tune_lr(houses(), "price", rates=[1e-6, 1e-3, 1e-2, 1e3], steps=60, hidden=(16,))
    verdicts = {item.rate: item.verdict for item in sweep.verdicts}
    assert verdicts[1e-6] == "crawling"
    assert verdicts[sweep.best] == "fine"
    assert verdicts[1e3] in ("overshooting", "diverging")
    assert not list(tmp_path.iterdir())
