"""The main job on small invented tables: what is written, what is said, what goes wrong and how it is told."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import DataError, ModelFileError, UsageError
from retrograd.report import schema
from retrograd.train import Event, fit, resume, tune_lr
from retrograd.train.run_folder import RunFolder

KEYS = ["task", "target", "metrics", "baseline", "model", "run", "seconds", "epochs", "parameters"]
REGRESSION = {"rmse", "mae", "r2", "median_absolute_error"}
CLASSES = {"accuracy", "balanced_accuracy", "log_loss", "roc_auc", "f1_macro"}
QUICK = {"hidden": (8,), "epochs": 6, "lr": 0.01}


def houses(rows: int = 240, seed: int = 0) -> dict[str, list]:
    rng = np.random.default_rng(seed)
    size, town = rng.uniform(40, 200, rows), rng.choice(["Ulm", "Bonn", "Kiel"], rows)
    age = np.where(rng.random(rows) < 0.1, np.nan, rng.integers(0, 100, rows))
    price = (
        2000 * size
        + np.select([town == "Ulm", town == "Bonn"], [50_000, 20_000], 0)
        + rng.normal(0, 9000, rows)
    )
    return {
        "size": size.tolist(),
        "age": age.tolist(),
        "town": town.tolist(),
        "price": np.round(price, 2).tolist(),
    }


def fruit(rows: int = 240, classes: int = 3) -> dict[str, list]:
    rng = np.random.default_rng(1)
    kind = rng.integers(classes, size=rows)
    return {
        "weight": (kind * 30 + rng.normal(100, 15, rows)).tolist(),
        "sweet": (rng.normal(size=rows) - kind).tolist(),
        "fruit": np.array(["apple", "pear", "quince"])[kind].tolist(),
    }


def write_csv(path: Path, table: dict[str, list]) -> Path:
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows([["" if cell != cell else cell for cell in row] for row in zip(*table.values())])
    return path


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


@pytest.mark.parametrize(
    "options, words",
    [
        ({"target": "prise"}, "did you mean 'price'"),
        ({"target": 9}, "no column number 9"),
        ({"activation": "rellu"}, "no activation"),
        ({"optimizer": "magic"}, "no optimizer"),
        ({"loss": "cross_entropy"}, "no loss"),
        ({"lr": -1.0}, "learning rate"),
        ({"epochs": 0}, "0 epochs"),
        ({"batch_size": 0}, "batch size"),
        ({"dropout": 1.0}, "dropout"),
        ({"hidden": (0,)}, "hidden layers"),
        ({"time_limit": 0.0}, "time limit"),
        ({"threads": 0}, "0 threads"),
        ({"seed": -1}, "seed"),
        ({"group": "nothing"}, "no column 'nothing'"),
    ],
)
def test_a_wrong_call_gets_a_clear_error_and_no_folder(tmp_path, options, words):
    with pytest.raises((DataError, UsageError), match=words) as error:
        fit(houses(), **{"target": "price", "out": tmp_path / "runs", **options})
    assert error.value.hint
    assert not (tmp_path / "runs").exists()


def test_bad_targets_are_told(tmp_path):
    table = houses()
    with pytest.raises(DataError, match="missing in every row"):
        fit({**table, "price": [None] * 240}, "price", out=tmp_path)
    with pytest.raises(DataError, match="at least 10"):
        fit({name: values[:9] for name, values in table.items()}, "price", out=tmp_path)
    with pytest.raises(DataError):
        fit({**table, "price": [1.0] * 240}, "price", out=tmp_path)
    some = [None, *table["price"][1:]]
    events: list[Event] = []
    fit({**table, "price": some}, "price", out=tmp_path, progress=events.append, **QUICK)
    assert any("left out: 1 row without price" in event.message for event in events)


def test_an_unwritable_folder_is_told_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    events: list[Event] = []
    with pytest.raises(UsageError, match="cannot write"):
        fit(houses(), "price", out=tmp_path / "file", progress=events.append)
    assert "start" not in [event.kind for event in events]


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


@pytest.mark.row("TRN-11")
def test_ctrl_c_saves_keeps_the_best_and_resume_ends_with_the_same_bits(tmp_path):
    path = write_csv(tmp_path / "houses.csv", houses())
    settings = {**QUICK, "epochs": 12, "dropout": 0.1}
    whole = fit(path, "price", out=tmp_path / "whole", **settings)

    def press(event: Event) -> None:
        if event.kind == "epoch" and event.values["epoch"] == 5:
            signal.raise_signal(signal.SIGINT)

    stopped = fit(path, "price", out=tmp_path / "runs", progress=press, **settings)
    assert stopped.interrupted
    assert stopped.report is None
    assert list(stopped.summary) == KEYS
    assert np.isfinite(stopped.model.predict(path)).all()
    events: list[Event] = []
    resumed = resume(stopped.path, progress=events.append)
    assert not resumed.interrupted
    assert resumed.path == stopped.path
    _same_run(whole.path, resumed.path)
    # a finished run is given back as it is
    again = resume(stopped.path)
    assert again.summary["metrics"] == resumed.summary["metrics"]


def _same_run(one: Path, other: Path) -> None:
    assert (one / "predictions.csv").read_bytes() == (other / "predictions.csv").read_bytes()
    logs = [RunFolder(path).read_metrics() for path in (one, other)]
    for record in (*logs[0], *logs[1]):
        record.pop("rows_per_second")
    assert logs[0] == logs[1]
    weights = [rg.load(path).network.graph.constants for path in (one, other)]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    evidence = [dict(np.load(path / "evidence.npz")) for path in (one, other)]
    assert all(np.array_equal(evidence[0][name], evidence[1][name]) for name in evidence[0])


@pytest.mark.row("TRN-11")
@pytest.mark.slow
def test_a_run_killed_at_any_instant_resumes_to_the_same_bits(tmp_path):
    path = write_csv(tmp_path / "houses.csv", houses(1500))
    settings = {"hidden": (16,), "epochs": 40, "lr": 0.01, "dropout": 0.1}
    whole = fit(path, "price", out=tmp_path / "whole", **settings)
    program = (
        "import sys; import retrograd.train.job as job; from retrograd.train.checkpoint import write_checkpoint\n"
        "from retrograd.train.trainer import Trainer\n"
        "inner = Trainer.fit\n"
        "Trainer.fit = lambda self, *a, **k: inner(self, *a, **{**k, 'checkpoint_steps': 7})\n"  # checkpoints within epochs
        f"job.fit(sys.argv[1], 'price', out=sys.argv[2], **{settings!r})\n"
    )
    for trial, seconds in enumerate((0.4, 0.9, 1.6)):
        out = tmp_path / f"killed-{trial}"
        process = subprocess.Popen([sys.executable, "-c", program, str(path), str(out)], env=_environment())
        deadline = time.monotonic() + 60
        while (
            not list(out.glob("*/checkpoints/*.safetensors"))
            and time.monotonic() < deadline
            and process.poll() is None
        ):
            time.sleep(0.01)
        time.sleep(seconds)
        process.kill()
        process.wait()
        (run,) = out.iterdir()
        _same_run(whole.path, resume(run).path)


def test_a_changed_file_cannot_be_resumed(tmp_path):
    path = write_csv(tmp_path / "houses.csv", houses())
    run = fit(path, "price", out=tmp_path / "runs", progress=_stop_at_once, **QUICK)
    assert run.interrupted
    write_csv(path, houses(seed=5))
    with pytest.raises(DataError, match="has changed"):
        resume(run.path)
    memory = fit(houses(), "price", out=tmp_path / "runs", progress=_stop_at_once, **QUICK)
    with pytest.raises(UsageError, match="data in memory"):
        resume(memory.path)
    assert not resume(memory.path, data=houses()).interrupted


def _stop_at_once(event: Event) -> None:
    if event.kind == "epoch" and event.values["epoch"] == 1:
        signal.raise_signal(signal.SIGINT)


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ModelFileError, match="holds no model"):
        rg.load(tmp_path)
    with pytest.raises(ModelFileError, match="no file"):
        rg.load(tmp_path / "nothing.safetensors")


def test_rates_that_diverge_are_told_with_a_way_out(tmp_path):
    with pytest.raises(DataError, match="training failed") as error:
        fit(houses(), "price", out=tmp_path, hidden=(8,), optimizer="sgd", lr=1e30, epochs=3)
    assert "--lr" in str(error.value)


def _environment() -> dict[str, str]:
    """For another process: it imports the same package."""
    return {**os.environ, "PYTHONPATH": str(Path(rg.__file__).parents[1])}
