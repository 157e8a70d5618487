"""Bad input of every kind: a sentence, a hint, exit status 1 or 2, no traceback, nothing written over."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.support import Result, flower_lines, house_lines, write_table


def expect_error(result: Result, code: int, *words: str) -> None:
    """The error's form, and that it names what it is about."""
    assert result.code == code, result.err
    assert result.out == ""
    message = result.err[result.err.index("error: ") :]
    assert message.rstrip().splitlines()[-1].lstrip().startswith("hint: ")
    for word in words:
        assert word in message, message


def train(cli: Callable[..., Result], *words: object) -> Result:
    return cli("train", *words, "--epochs", "1")


def test_no_such_file(cli, houses: Path) -> None:
    expect_error(train(cli, "hauses.csv"), 1, "hauses.csv")


def test_empty_file(cli, in_tmp_path: Path) -> None:
    Path("empty.csv").touch()
    expect_error(train(cli, "empty.csv"), 1, "empty.csv", "empty")


def test_header_only(cli, in_tmp_path: Path) -> None:
    Path("names.csv").write_text("a,b,price\n")
    expect_error(train(cli, "names.csv"), 1, "names.csv")


def test_only_blank_lines(cli, in_tmp_path: Path) -> None:
    Path("blank.csv").write_text("\n\n\n")
    expect_error(train(cli, "blank.csv"), 1, "blank.csv")


def test_missing_target_offers_the_nearest_name(cli, houses: Path) -> None:
    result = train(cli, houses, "--target", "prise")
    assert result.code in (1, 2)
    expect_error(result, result.code, "'prise'", "price")


@pytest.mark.parametrize("option", ["--group", "--time", "--exclude"])
def test_unknown_column_in_other_options(cli, houses: Path, option: str) -> None:
    result = train(cli, houses, "--target", "price", option, "romms")
    assert result.code in (1, 2)
    expect_error(result, result.code, "'romms'", "rooms")


def test_constant_target(cli, in_tmp_path: Path) -> None:
    lines = [[*line[:-1], "5" if i else "price"] for i, line in enumerate(house_lines(40))]
    expect_error(train(cli, write_table(Path("t.csv"), lines), "--target", "price"), 1, "price")


def test_target_missing_in_some_rows_is_said(cli, in_tmp_path: Path) -> None:
    lines = [[*line[:-1], ""] if 0 < i <= 7 else line for i, line in enumerate(house_lines(60))]
    result = train(cli, write_table(Path("t.csv"), lines), "--target", "price", "--json")
    assert result.code == 0
    assert "7 rows" in result.err


def test_target_missing_in_all_rows(cli, in_tmp_path: Path) -> None:
    lines = [[*line[:-1], "" if i else "price"] for i, line in enumerate(house_lines(40))]
    expect_error(train(cli, write_table(Path("t.csv"), lines), "--target", "price"), 1, "price")


def test_fewer_than_ten_rows(cli, in_tmp_path: Path) -> None:
    expect_error(train(cli, write_table(Path("t.csv"), house_lines(9)), "--target", "price"), 1, "9 rows")


def test_numbers_with_stray_text(cli, in_tmp_path: Path) -> None:
    lines = house_lines(80)
    lines[5][0] = "about 100"
    result = train(cli, write_table(Path("t.csv"), lines), "--target", "price", "--json")
    assert result.code == 0, result.err
    facts = json.loads(Path("runs/t-001/run.json").read_text())
    kinds = {column["name"]: column["kind"] for column in facts["data"]["columns"]}
    assert kinds["area"] == "number"
    assert "area" in result.err
    assert "about 100" in result.err


def test_duplicate_column_names(cli, in_tmp_path: Path) -> None:
    lines = house_lines(40)
    lines[0][1] = "area"
    result = train(cli, write_table(Path("t.csv"), lines), "--target", "price")
    if result.code == 0:
        assert "area" in result.err
    else:
        expect_error(result, 1, "area")


@pytest.mark.slow
def test_category_with_fifty_thousand_values(cli, in_tmp_path: Path) -> None:
    lines = house_lines(50_000)
    for i, line in enumerate(lines[1:]):
        line[2] = f"type {i:05d}"
    result = train(
        cli, write_table(Path("t.csv"), lines), "--target", "price", "--time-limit", "20s", "--json"
    )
    assert result.code == 0, result.err
    assert "heating" in result.err


@pytest.mark.parametrize("column", [0, 4])
def test_infinite_numbers(cli, in_tmp_path: Path, column: int) -> None:
    lines = house_lines(60)
    lines[3][column], lines[9][column] = "inf", "-inf"
    result = train(cli, write_table(Path("t.csv"), lines), "--target", "price")
    if result.code == 0:
        assert "infinite" in result.err
    else:
        expect_error(result, 1, "infinite")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_forbidden_out(cli, houses: Path) -> None:
    Path("locked").mkdir(mode=0o500)
    expect_error(train(cli, houses, "--target", "price", "--out", "locked/runs"), 2, "locked", "--out")


def test_out_that_is_a_file(cli, houses: Path) -> None:
    Path("taken").write_text("mine")
    expect_error(train(cli, houses, "--target", "price", "--out", "taken"), 2, "taken", "--out")
    assert Path("taken").read_text() == "mine"


def test_directory_as_a_table(cli, in_tmp_path: Path) -> None:
    Path("folder").mkdir()
    expect_error(train(cli, "folder"), 1, "folder")


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 40,
        b"\x89PNG\r\n\x1a\n" + bytes(5000),
        b"PAR1" + bytes(100),
        b"PK\x03\x04" + bytes(5000),
    ],
    ids=["bytes", "picture", "broken parquet", "zip"],
)
@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.bin", "x.csv.gz"])
def test_binary_file_as_a_table(cli, in_tmp_path: Path, name: str, content: bytes) -> None:
    Path(name).write_bytes(content)
    expect_error(train(cli, name), 1, name)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["--epochs", "0"], "epochs"),
        (["--epochs", "-1"], "epochs"),
        (["--lr", "0"], "rate"),
        (["--lr", "nan"], "rate"),
        (["--batch-size", "0"], "batch"),
        (["--dropout", "1.5"], "dropout"),
        (["--activation", "rely"], "relu"),
        (["--optimizer", "adma"], "adam"),
        (["--loss", "cross_entropy"], "loss"),
        (["--threads", "0"], "threads"),
        (["--seed", "-1"], "seed"),
    ],
)
def test_settings_that_cannot_be(cli, houses: Path, words: list[str], name: str) -> None:
    expect_error(cli("train", houses, "--target", "price", *words), 2, name)


def test_huge_rate_fails_with_a_hint_or_reports_a_useless_network(cli, houses: Path) -> None:
    result = cli("train", houses, "--target", "price", "--epochs", "3", "--lr", "1e30", "--optimizer", "sgd")
    if result.code:
        expect_error(result, 1, "--lr")
    else:
        assert "not learnt anything" in result.out


# --- models ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a sound model file."""
    from retrograd.train import fit

    folder = tmp_path_factory.mktemp("model")
    table = write_table(folder / "flowers.csv", flower_lines())
    return (fit(table, "kind", out=folder, epochs=1).path / "model.safetensors").read_bytes()


def header_of(content: bytes) -> dict:
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length])


def with_header(content: bytes, header: dict) -> bytes:
    (length,) = struct.unpack("<Q", content[:8])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "text": lambda content: b"not a model at all\n",
    "truncated": lambda content: content[: len(content) // 2],
    "truncated header": lambda content: content[:100],
    "huge header length": lambda content: struct.pack("<Q", 2**62) + content[8:],
    "pickle": lambda content: b"\x80\x04cposix\nsystem\n(S'echo hacked'\ntR.",
    "no metadata": lambda content: with_header(
        content, {key: value for key, value in header_of(content).items() if key != "__metadata__"}
    ),
    "other metadata": lambda content: with_header(
        content, {**header_of(content), "__metadata__": {"format": "pt"}}
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_damaged_or_hostile_model(cli, flowers: Path, model: bytes, damage: str, command: str) -> None:
    Path("m.safetensors").write_bytes(DAMAGES[damage](model))
    expect_error(cli(command, "m.safetensors", flowers), 1, "m.safetensors")


def test_flipped_bytes_never_crash(cli, flowers: Path, model: bytes) -> None:
    for place in range(8, min(len(model), 20_000), 997):
        Path("m.safetensors").write_bytes(model[:place] + bytes([model[place] ^ 0x55]) + model[place + 1 :])
        result = cli("predict", "m.safetensors", flowers)
        assert result.code in (0, 1)
        assert "something that should not happen" not in result.err, result.err


def test_no_such_model(cli, flowers: Path) -> None:
    expect_error(cli("predict", "runs/none-001", flowers), 1, "none-001")


def test_folder_without_a_model(cli, flowers: Path) -> None:
    Path("folder").mkdir()
    expect_error(cli("predict", "folder", flowers), 1, "folder")


@pytest.mark.parametrize("name", ["none", "folder", "file.txt"])
def test_resume_of_what_is_no_run(cli, in_tmp_path: Path, name: str) -> None:
    Path("folder").mkdir()
    Path("file.txt").write_text("x")
    expect_error(cli("resume", name), 1, name)
