"""``retrograd train`` from the command line: what it prints, what it leaves, and every way a table can be written."""

from __future__ import annotations

import csv
import gzip
import json
import math
from pathlib import Path

import pytest

from cli.support import flower_lines, house_lines, write_table

QUICK = ("--epochs", "2", "--seed", "1")
REGRESSION = {"rmse", "mae", "r2", "median_absolute_error"}
CLASSES = {"accuracy", "balanced_accuracy", "log_loss", "roc_auc", "f1_macro"}


def test_result_log_and_run_folder(cli, houses: Path) -> None:
    result = cli("train", houses, "--target", "price", *QUICK)
    assert result.code == 0
    run = Path("runs/houses-001")
    written = {path.name for path in run.iterdir()}
    assert written >= {
        "run.json",
        "metrics.jsonl",
        "model.safetensors",
        "predictions.csv",
        "report.json",
        "report.html",
    }
    assert result.out.splitlines()[-1].split(maxsplit=1) == ["next", f"retrograd predict {run} NEWFILE"]
    assert f"{run}/report.html" in result.out
    assert "mean squared error" in result.out
    assert "The network" in result.out  # the verdict against the baselines, whichever it is
    labels = {line.split()[0] for line in result.err.splitlines()}
    assert {"decided", "cost"} <= labels
    assert "\x1b" not in result.out + result.err
    report = json.loads((run / "report.json").read_text())
    assert f"{report['metrics']['test']['r2']['value']:.3f}".replace("-", "−") in result.out


def test_the_unit_stands_with_every_number_of_the_target(cli, houses: Path) -> None:
    result = cli("train", houses, "--target", "price", "--unit", "$", *QUICK)
    errors = next(line for line in result.out.splitlines() if "mean absolute error" in line)
    assert errors.count("$") >= 5  # network, both ends of its interval, two baselines
    assert "$" in cli("evaluate", "runs/houses-001", houses).out
    assert "$" in Path("runs/houses-001/report.html").read_text()
    assert "$" not in next(line for line in result.out.splitlines() if "R²" in line)
    wrong = cli("train", houses, "--target", "price", "--unit", "x" * 21, *QUICK)
    assert (wrong.code, "hint:" in wrong.err) == (2, True)


def test_second_run_gets_its_own_folder(cli, houses: Path) -> None:
    first = cli("train", houses, "--target", "price", *QUICK, "--json")
    second = cli("train", houses, "--target", "price", *QUICK, "--json", "--quiet")
    assert second.err == ""
    one, two = json.loads(first.out), json.loads(second.out)
    assert (one["run"], two["run"]) == ("runs/houses-001", "runs/houses-002")
    assert one["metrics"] == two["metrics"]  # same seed, same data: same run


@pytest.mark.parametrize(
    ("table", "target", "task", "metrics"),
    [("houses", "price", "regression", REGRESSION), ("flowers", "kind", "multiclass", CLASSES)],
)
def test_json_is_one_object_with_the_promised_keys(
    cli, request: pytest.FixtureRequest, table: str, target: str, task: str, metrics: set[str]
) -> None:
    result = cli("train", request.getfixturevalue(table), "-t", target, *QUICK, "--json")
    assert result.code == 0
    found = json.loads(result.out)
    assert found.keys() >= {
        "task", "target", "metrics", "baseline", "model", "run", "seconds", "epochs", "parameters",
    }  # fmt: skip
    assert (found["task"], found["target"]) == (task, target)
    assert set(found["metrics"]) == {"test", "validation"}
    for split in found["metrics"].values():
        assert set(split) == metrics
        assert all(isinstance(value, float) and math.isfinite(value) for value in split.values())
    assert found["epochs"] == 2
    assert found["parameters"] > 0
    assert found["seconds"] > 0
    assert Path(found["model"]).is_file()
    assert Path(found["run"]).is_dir()


def test_target_is_proposed_with_a_reason(cli, flowers: Path) -> None:
    result = cli("train", flowers, *QUICK)
    assert result.code == 0
    assert result.out.startswith("kind:")
    assert "target kind:" in result.err


def test_target_by_number_and_options_reach_the_run(cli, houses: Path) -> None:
    result = cli(
        "train", houses, "--target", "5", *QUICK, "--out", "my runs", "--hidden", "16,8", "--activation", "tanh",
        "--dropout", "0.1", "--optimizer", "adam", "--lr", "0.01", "--batch-size", "8", "--loss", "huber",
        "--exclude", "built", "--exclude", "rooms", "--threads", "1", "--time-limit", "5m", "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["target"] == "price"
    facts = json.loads((Path("my runs") / "houses-001" / "run.json").read_text())
    asked = facts["options"]
    assert asked["hidden"] == [16, 8]
    assert (asked["activation"], asked["optimizer"], asked["loss"]) == ("tanh", "adam", "huber")
    assert (asked["dropout"], asked["lr"], asked["batch_size"], asked["time_limit"]) == (0.1, 0.01, 8, 300.0)
    uses = {column["name"]: column["use"] for column in facts["data"]["columns"]}
    assert (uses["built"], uses["rooms"], uses["area"]) == ("left out", "left out", "input")
    assert "you chose" in result.err
    assert "left out built: as you asked" in result.err


def test_path_with_spaces_is_quoted_in_the_next_command(cli, in_tmp_path: Path) -> None:
    write_table(Path("my houses.csv"), house_lines(40))
    result = cli("train", "my houses.csv", "--target", "price", *QUICK, "--out", "my runs")
    assert "retrograd predict 'my runs/" in result.out


def test_own_test_table(cli, houses: Path) -> None:
    write_table(Path("later.csv"), house_lines(30, seed=5))
    assert cli("train", houses, "--target", "price", *QUICK, "--test", "later.csv").code == 0
    with open("runs/houses-001/predictions.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 30


def test_table_of_another_country_and_system(cli, in_tmp_path: Path) -> None:
    """Semicolons, decimal commas, a byte order mark, Windows line ends, missing cells, compressed: all at once."""
    text = "".join(",".join(line) + "\n" for line in house_lines(60))
    text = text.replace(",gas,", ",?,", 5).replace(",oil,", ",,", 5).replace(",wood,", ",NA,", 5)
    text = text.replace(",", ";").replace(".", ",").replace("\n", "\r\n")
    Path("houses.csv.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.encode()))
    result = cli("train", "houses.csv.gz", "--target", "price", *QUICK, "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["task"] == "regression"
    facts = json.loads(Path("runs/houses-001/run.json").read_text())
    kinds = {column["name"]: column["kind"] for column in facts["data"]["columns"]}
    assert kinds == {
        "area": "number",
        "rooms": "number",
        "heating": "category",
        "built": "date",
        "price": "number",
    }
    assert facts["data"]["n_rows"] == 60


def test_table_without_names(cli, in_tmp_path: Path) -> None:
    write_table(Path("bare.csv"), flower_lines()[1:])
    found = json.loads(cli("train", "bare.csv", "--target", "3", "--no-header", *QUICK, "--json").out)
    assert found["target"] == "c3"


def test_resume_of_a_finished_run_says_so_and_repeats_the_result(cli, houses: Path) -> None:
    first = json.loads(cli("train", houses, "--target", "price", *QUICK, "--json").out)
    again = cli("resume", "runs/houses-001", "--json")
    assert again.code == 0
    assert json.loads(again.out)["metrics"] == first["metrics"]


def test_evaluate(cli, houses: Path) -> None:
    cli("train", houses, "--target", "price", *QUICK)
    result = cli("evaluate", "runs/houses-001", houses)
    assert result.code == 0
    assert result.out.startswith("price: 120 rows of houses.csv\n")
    assert "root mean squared error" in result.out
    found = json.loads(cli("evaluate", "runs/houses-001", houses, "--json").out)
    assert set(found["metrics"]) == REGRESSION
    assert found["rows"] == 120


def test_tune_lr(cli, flowers: Path) -> None:
    rates = ("--rates", "0.000001,0.003,30", "--steps", "30")
    result = cli("tune-lr", flowers, "--target", "kind", *rates)
    assert result.code == 0
    assert "<- best" in result.out
    assert (
        result.out.splitlines()[-1]
        .split(maxsplit=1)[1]
        .startswith("retrograd train flowers.csv --target kind --lr ")
    )
    found = json.loads(cli("tune-lr", flowers, "--target", "kind", *rates, "--json").out)
    verdicts = [item["verdict"] for item in found["rates"]]
    assert verdicts[0] == "crawling"
    assert verdicts[1] == "fine"
    assert verdicts[2] in ("diverging", "overshooting")
    assert found["best"] == 0.003
    assert not Path("runs").exists()


def test_sample(cli, in_tmp_path: Path) -> None:
    listing = cli("sample")
    assert listing.code == 0
    assert "diabetes" in listing.out
    assert "diabetes" in [sample["name"] for sample in json.loads(cli("sample", "--json").out)["samples"]]
    written = cli("sample", "diabetes", "--out", "d.csv")
    assert written.code == 0
    assert Path("d.csv").stat().st_size > 1000
    assert "retrograd train d.csv" in written.out
    unknown = cli("sample", "diabets")
    assert unknown.code == 2
    assert "diabetes" in unknown.err


@pytest.mark.parametrize("option", ["--exclude", "--group", "--time"])
def test_options_that_name_the_target_or_nothing(cli, flowers: Path, option: str) -> None:
    result = cli("train", flowers, "--target", "kind", option, "kind")
    assert result.code == 2
    assert f"{option} kind: this is the target" in result.err
    assert cli("train", flowers, "--target", "kind", option, "petal", "--epochs", "0").code == 2
    result = cli("train", flowers, "--target", "kind", option, "petl")
    assert result.code == 2
    assert "did you mean 'petal'?" in result.err
    assert not Path("runs").exists()


def test_a_target_that_is_not_there(cli, flowers: Path) -> None:
    result = cli("train", flowers, "--target", "kindd")
    assert result.code == 2
    assert "did you mean 'kind'?" in result.err


def test_no_updates_are_no_test_of_a_rate(cli, flowers: Path) -> None:
    for steps in ("0", "-3"):
        result = cli("tune-lr", flowers, "--target", "kind", "--steps", steps)
        assert result.code == 2
        assert "--steps 200" in result.err


def test_an_unwritable_place_is_a_wrong_command_line(cli, flowers: Path) -> None:
    """For every command alike."""
    below_a_file = "flowers.csv/below"
    assert cli("train", flowers, "--target", "kind", "--epochs", "1", "--out", below_a_file).code == 2
    assert cli("sample", "diabetes", "--out", below_a_file + "/d.csv").code == 2


def test_test_rows_that_were_trained_on_are_not_called_unseen(cli, flowers: Path) -> None:
    result = cli("train", flowers, "--target", "kind", "--epochs", "1", "--test", flowers)
    assert result.code == 0
    assert "not trained on" not in result.out
    assert "test rows, of which some were trained on as well" in result.out
    control = cli("train", flowers, "--target", "kind", "--epochs", "1")
    assert "test rows that were not trained on" in control.out
