"""``retrograd predict``: one row out for every row in, in order, whatever the cells hold."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from cli.support import environment, flower_lines, house_lines, write_table
from retrograd.train.predict import load


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs/houses-001 and runs/flowers-001."""
    from retrograd.train import fit

    folder = tmp_path_factory.mktemp("trained")
    for name, lines, target in (("houses", house_lines(), "price"), ("flowers", flower_lines(), "kind")):
        table = write_table(folder / f"{name}.csv", lines)
        fit(table, target, out=folder / "runs", epochs=3, seed=1)
    return folder


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_one_row_out_per_row_in_and_in_order(cli, trained: Path, in_tmp_path: Path) -> None:
    lines = house_lines(50, seed=7)
    without_target = [line[:-1] for line in lines]
    result = cli("predict", trained / "runs/houses-001", write_table(Path("new.csv"), without_target))
    assert result.code == 0
    rows = rows_of(result.out)
    assert list(rows[0]) == ["prediction"]
    assert len(rows) == 50
    backwards = [without_target[0], *without_target[:0:-1]]
    turned = rows_of(cli("predict", trained / "runs/houses-001", write_table(Path("wen.csv"), backwards)).out)
    forward, back = [[float(row["prediction"]) for row in part] for part in (rows, turned[::-1])]
    assert forward == pytest.approx(back, rel=1e-5)
    areas = [float(line[0]) for line in lines[1:]]
    large, small = areas.index(max(areas)), areas.index(min(areas))
    assert forward[large] > forward[small]


def test_classes_have_their_probabilities(cli, trained: Path) -> None:
    rows = rows_of(cli("predict", trained / "runs/flowers-001", trained / "flowers.csv").out)
    names = ["aster", "bellis", "calla"]
    assert list(rows[0]) == ["prediction", *(f"probability_{name}" for name in names)]
    assert len(rows) == 120
    for row in rows:
        chances = {name: float(row[f"probability_{name}"]) for name in names}
        assert sum(chances.values()) == pytest.approx(1.0)
        assert row["prediction"] == max(chances, key=chances.__getitem__)


def test_model_file_alone_is_enough(cli, trained: Path, in_tmp_path: Path) -> None:
    alone = Path("copied.safetensors")
    alone.write_bytes((trained / "runs/flowers-001/model.safetensors").read_bytes())
    assert (
        cli("predict", alone, trained / "flowers.csv").out
        == cli("predict", trained / "runs/flowers-001", trained / "flowers.csv").out
    )


def test_missing_cells_and_new_categories(cli, trained: Path, in_tmp_path: Path) -> None:
    lines = [
        ["area", "rooms", "heating", "built"],
        ["100", "3", "gas", "1980-01-01"],
        ["", "?", "NA", ""],
        ["100", "3", "geothermal", "1980-01-01"],
    ]
    rows = rows_of(cli("predict", trained / "runs/houses-001", write_table(Path("odd.csv"), lines)).out)
    assert len(rows) == 3
    assert all(float(row["prediction"]) > 0 for row in rows)
    result = cli("predict", trained / "runs/houses-001", "odd.csv")
    assert "note: heating: 1 of 2 values was never seen in training ('geothermal')" in result.err
    assert cli("predict", trained / "runs/houses-001", "odd.csv", "--quiet").err == ""
    assert cli("predict", trained / "runs/houses-001", trained / "houses.csv").err == ""  # control
    told = [[*line, "100000"] for line in lines]
    told[0][-1] = "price"
    result = cli("evaluate", trained / "runs/houses-001", write_table(Path("told.csv"), told))
    assert "'geothermal'" in result.err


def test_a_stray_cell_counts_as_missing_and_is_named(cli, trained: Path, in_tmp_path: Path) -> None:
    lines = [line[:-1] for line in house_lines(6)]
    lines[3][0] = "large"
    result = cli("predict", trained / "runs/houses-001", write_table(Path("stray.csv"), lines))
    assert result.code == 0, result.err
    assert len(rows_of(result.out)) == 6
    assert "note: area" in result.err
    assert "'large'" in result.err


def test_out_writes_a_file_and_says_so(cli, trained: Path, in_tmp_path: Path) -> None:
    model, data = trained / "runs/flowers-001", trained / "flowers.csv"
    printed = cli("predict", model, data).out
    result = cli("predict", model, data, "--out", "p.csv")
    assert (result.code, result.out) == (0, "")
    assert "120 predictions in p.csv" in result.err
    assert Path("p.csv").read_text() == printed
    before = Path("p.csv").read_bytes()
    again = cli("predict", model, data, "--out", "p.csv")
    assert (again.code, again.out) == (2, "")
    assert "p.csv exists already" in again.err
    assert "hint: --out p-2.csv" in again.err
    assert Path("p.csv").read_bytes() == before
    assert cli("predict", model, data, "--out", ".").code == 2
    assert cli("predict", model, data, "--out", "/dev/null").code == 0 or sys.platform == "win32"
    cli("predict", model, data, "-o", "p.tsv")
    assert Path("p.tsv").read_text() == printed.replace(",", "\t")
    cli("predict", model, data, "-o", "p.csv.gz", "--quiet")
    assert gzip.decompress(Path("p.csv.gz").read_bytes()).decode() == printed
    assert json.loads(cli("predict", model, data, "-o", "p-2.csv", "--json").out)["rows"] == 120


def test_json(cli, trained: Path) -> None:
    found = json.loads(cli("predict", trained / "runs/flowers-001", trained / "flowers.csv", "--json").out)
    assert found["rows"] == 120
    assert {len(values) for values in found["predictions"].values()} == {120}
    assert set(found["predictions"]["prediction"]) <= {"aster", "bellis", "calla"}


def test_table_without_names_can_be_predicted(cli, in_tmp_path: Path) -> None:
    write_table(Path("bare.csv"), flower_lines()[1:])
    assert cli("train", "bare.csv", "--target", "3", "--no-header", "--epochs", "2").code == 0
    rows = rows_of(cli("predict", "runs/bare-001", "bare.csv", "--no-header").out)
    assert len(rows) == 120


def test_one_row_is_one_row(cli, trained: Path, in_tmp_path: Path) -> None:
    lines = flower_lines(4)
    lines[2][-1] = ""
    lines[3:] = [lines[3]]
    write_table(Path("few.csv"), lines)
    assert "left out: 1 row without kind" in cli("evaluate", trained / "runs/flowers-001", "few.csv").err
    write_table(Path("one.csv"), lines[:2])
    assert "1 row of one.csv" in cli("evaluate", trained / "runs/flowers-001", "one.csv").out
    assert "1 prediction in" in cli("predict", trained / "runs/flowers-001", "one.csv", "--out", "o.csv").err


def test_no_rows_in_no_rows_out(trained: Path) -> None:
    for name, width in (("flowers", 3), ("houses", 0)):
        model = load(trained / f"runs/{name}-001")
        assert len(model.predict([])) == 0
        assert model.scores([]).shape == ((0, width) if width else (0,))


def test_a_class_that_training_never_saw_is_named_with_its_file(
    cli, trained: Path, in_tmp_path: Path
) -> None:
    lines = [*flower_lines(20), ["1.0", "-1.0", "dahlia"]]
    result = cli("evaluate", trained / "runs/flowers-001", write_table(Path("more.csv"), lines))
    assert result.code == 1
    assert "'dahlia'" in result.err
    assert "at: more.csv" in result.err
    words = ("--target", "kind", "--epochs", "1", "--test", "more.csv", "--out", "runs")
    result = cli("train", trained / "flowers.csv", *words)
    assert result.code == 1
    assert "'dahlia'" in result.err
    assert "at: more.csv" in result.err


def test_a_table_in_the_place_of_the_model(cli, trained: Path) -> None:
    result = cli("predict", trained / "houses.csv", trained / "runs/houses-001")
    assert result.code == 1
    assert "houses.csv is not a model file" in result.err
    assert "swap the arguments" in result.err
    result = cli("predict", trained, trained / "houses.csv")
    assert result.code == 1
    assert "retrograd resume" not in result.err


def test_missing_column_is_named(cli, trained: Path, in_tmp_path: Path) -> None:
    narrow = [[line[0], line[2], line[3]] for line in house_lines(20)]
    result = cli("predict", trained / "runs/houses-001", write_table(Path("narrow.csv"), narrow))
    assert (result.code, result.out) == (1, "")
    assert "rooms" in result.err
    assert "hint:" in result.err


def test_target_of_another_type_is_no_obstacle_to_predict_and_an_error_to_evaluate(
    cli, trained: Path, in_tmp_path: Path
) -> None:
    lines = [[*line[:-1], "dear" if i else "price"] for i, line in enumerate(house_lines(20))]
    table = write_table(Path("words.csv"), lines)
    assert len(rows_of(cli("predict", trained / "runs/houses-001", table).out)) == 20
    result = cli("evaluate", trained / "runs/houses-001", table)
    assert result.code == 1
    assert "price" in result.err
    assert "hint:" in result.err


def test_evaluate_without_the_target(cli, trained: Path, in_tmp_path: Path) -> None:
    table = write_table(Path("no_target.csv"), [line[:-1] for line in house_lines(20)])
    result = cli("evaluate", trained / "runs/houses-001", table)
    assert result.code == 1
    assert "'price'" in result.err
    assert "hint:" in result.err


FORMS = {
    "semicolons and decimal commas": lambda text: text.replace(",", ";").replace(".", ",").encode(),
    "tabs": lambda text: text.replace(",", "\t").encode(),
    "pipes": lambda text: text.replace(",", "|").encode(),
    "windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "no newline at the end": lambda text: text.rstrip("\n").encode(),
    "quotes": lambda text: "".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in text.splitlines()
    ).encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "columns in another order": lambda text: "".join(
        ",".join(line.split(",")[::-1]) + "\n" for line in text.splitlines()
    ).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_same_rows_however_they_are_written(cli, trained: Path, in_tmp_path: Path, form: str) -> None:
    """The spelling of a table makes no difference to any digit of its predictions."""
    path = Path("houses.csv.gz" if form == "gzip" else "houses.csv")
    path.write_bytes(FORMS[form]((trained / "houses.csv").read_text()))
    result = cli("predict", trained / "runs/houses-001", path)
    assert result.code == 0, result.err
    assert result.out == cli("predict", trained / "runs/houses-001", trained / "houses.csv").out


def test_names_in_any_script_reach_a_pipe(trained: Path, in_tmp_path: Path) -> None:
    """Also where the machine's own encoding could not hold them."""
    names = {"aster": "紫菀", "bellis": "Gänseblümchen", "calla": "каллы"}
    lines = [[*line[:-1], names.get(line[-1], line[-1])] for line in flower_lines()]
    write_table(Path("flowers.csv"), lines)
    environ = environment(PYTHONUTF8="0", LC_ALL="C", PYTHONCOERCECLOCALE="0", LANG="C")
    for words in (
        ("train", "flowers.csv", "--target", "kind", "--epochs", "1"),
        ("predict", "runs/flowers-001", "flowers.csv"),
    ):
        done = subprocess.run([sys.executable, "-m", "retrograd", *words], capture_output=True, env=environ)
        assert done.returncode == 0, done.stderr
    rows = rows_of(done.stdout.decode("utf-8"))
    assert {f"probability_{name}" for name in names.values()} < set(rows[0])


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell there")
def test_reader_that_wants_one_line(trained: Path) -> None:
    command = f"'{sys.executable}' -m retrograd predict runs/houses-001 houses.csv | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=trained, env=environment())
    assert (done.stdout, done.stderr) == ("prediction\n", "")
