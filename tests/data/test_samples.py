"""Tables to try things on: those that ship are the real ones, those that are fetched are checked, none overwrites."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from retrograd.data import infer_task, list_samples, propose_target, read_table, write_sample
from retrograd.data import samples as module
from retrograd.data.catalogue import FETCHED, FILES, INVENTED, SAMPLES, SHIPPED, PublicFile
from retrograd.errors import DataError, UsageError

# SHA-256 of the text of the tables: whoever changes a value has to say so here.
HASHES = {
    "digits": "592cc047d0a1cc7fdef9fd724514209dcb45a80aa147dc3ab375e3e1a9a380f4",
    "breast-cancer": "518936fa92ca3d8a78c420aee22030c4e519ffcba3be15dd23e83f2fc22e20e5",
    "diabetes": "9193026b7622ff944f0a6855a10107b24caf50dad69787c46e6890e69c27faca",
    "wine": "d3fcd1284adcc1c3c1ecc37221dbf2e73d7c3f7a132fbd36525ab1b97baa741b",
    "rings-invented": "a0ab71995952af93e4b045930fd878609b5575a4df704de4cf04d59d491af375",
    "waves-invented": "b706996dac9ff8a45f6a0396feed7d49ad2628ff2cf8042437a49a0d224865e2",
}
TASKS = {
    "digits": ("multiclass", 10),
    "breast-cancer": ("binary", 2),
    "diabetes": ("regression", 0),
    "wine": ("multiclass", 3),
    "rings-invented": ("multiclass", 3),
    "waves-invented": ("regression", 0),
}


@pytest.fixture(autouse=True)
def _no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETROGRAD_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")


@pytest.mark.parametrize("name", HASHES)
def test_what_needs_no_network(name: str, tmp_path: Path) -> None:
    path = write_sample(name, tmp_path)
    assert path == tmp_path / f"{name}.csv"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == HASHES[name]
    sample, table = SAMPLES[name], read_table(path)
    assert (table.n_rows, len(table.columns)) == (sample.rows, sample.columns)
    assert list(table.columns)[-1] == sample.target
    assert propose_target(table)[0] == sample.target  # the command needs no --target
    task = infer_task(table.columns[sample.target])
    assert (task.kind, len(task.classes or [])) == TASKS[name]
    assert sum(column.n_missing for column in table.columns.values()) == 0


@pytest.mark.parametrize("name, loader", [
    ("digits", "load_digits"), ("breast-cancer", "load_breast_cancer"),
    ("diabetes", "load_diabetes"), ("wine", "load_wine"),
])  # fmt: skip
def test_values_are_scikit_learns(name: str, loader: str, tmp_path: Path) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    bunch = getattr(datasets, loader)(**({"scaled": False} if name == "diabetes" else {}))
    table = read_table(write_sample(name, tmp_path))
    *inputs, target = table.columns.values()
    assert [column.name for column in inputs] == [n.replace(" ", "_") for n in bunch.feature_names]
    for column, expected in zip(inputs, bunch.data.T, strict=True):
        np.testing.assert_array_equal(column.values.astype(float), expected)
    if name in ("digits", "diabetes"):
        np.testing.assert_array_equal(np.asarray(target.values, dtype=float), bunch.target)
    else:
        assert target.text().tolist() == bunch.target_names[bunch.target].tolist()


def test_source_and_licence_lie_beside_the_tables_that_ship() -> None:
    for sample in SHIPPED.values():
        words = " ".join((module.FOLDER / f"{sample.name}.txt").read_text().split())
        assert sample.source in words
        assert sample.licence in words
    assert "BSD 3-Clause" in (module.FOLDER / "LICENSE-scikit-learn.txt").read_text()
    assert sum(path.stat().st_size for path in module.FOLDER.iterdir()) < 1_000_000


def test_the_listing() -> None:
    listing = list_samples()
    assert len({sample.name for sample in listing}) == len(listing)
    for sample in listing:
        assert all((sample.title, sample.target, sample.source, sample.licence))
        assert (sample.origin == "invented") == sample.name.endswith("-invented")
        assert (sample.origin == "invented") == ("nvented" in sample.description)
    for sample in INVENTED.values():
        assert sample.notes[0].startswith("invented data")
    for file in FILES.values():
        assert all(url.startswith("https://") for url in file.urls)


def test_invented_tables_are_what_they_say(tmp_path: Path) -> None:
    rings = read_table(write_sample("rings-invented", tmp_path)).columns
    radius = np.hypot(rings["x1"].values, rings["x2"].values)
    for kind, centre in (("inner", 1.0), ("middle", 2.0), ("outer", 3.0)):
        mine = radius[rings["ring"].text() == kind]
        assert abs(mine.mean() - centre) < 0.05
        assert abs(mine.std() - 0.2) < 0.03
    waves = {
        name: column.values
        for name, column in read_table(write_sample("waves-invented", tmp_path)).columns.items()
    }
    rest = waves["height"] - np.sin(2 * waves["x1"]) - 0.5 * np.cos(3 * waves["x2"])
    assert abs(rest.std() - 0.1) < 0.01
    assert abs(rest.mean()) < 4 * 0.1 / math.sqrt(len(rest))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "wine.csv"
    mine.write_text("my own wines\n")
    assert write_sample("wine", tmp_path) == tmp_path / "wine-2.csv"
    assert write_sample("wine", tmp_path / "wine.csv") == tmp_path / "wine-3.csv"
    assert mine.read_text() == "my own wines\n"
    packed = [write_sample("wine", tmp_path / "w.csv.gz") for _ in range(2)]
    assert [path.name for path in packed] == ["w.csv.gz", "w-2.csv.gz"]
    assert packed[0].read_bytes() == packed[1].read_bytes()
    assert gzip.decompress(packed[0].read_bytes()) == (tmp_path / "wine-2.csv").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_names_and_places(tmp_path: Path) -> None:
    assert write_sample("Breast_Cancer", f"{tmp_path}/new/").name == "breast-cancer.csv"
    assert write_sample("wine", tmp_path / "other" / "w.csv").is_file()
    with pytest.raises(UsageError, match="nearest: diabetes") as caught:
        write_sample("diabets", tmp_path)
    assert caught.value.hint == "retrograd sample diabetes"
    with pytest.raises(UsageError, match="no sample") as caught:
        write_sample("qqqqqq", tmp_path)
    assert caught.value.hint == "retrograd sample"
    with pytest.raises(UsageError, match="is written as"):
        write_sample("wine", tmp_path / "w.parquet")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write here"):
        write_sample("wine", tmp_path / "file" / "wine.csv")


# --- public tables ---------------------------------------------------------------------------------------------------

TABLE = b"1,a\n2,b\n3,a\n"


@dataclass
class Server:
    """A web server on this machine: what it answers to a path, as (status, body); it counts what was asked."""

    url: str
    answers: dict[str, tuple[int, bytes]]
    asked: list[str]


@pytest.fixture
def server() -> Iterator[Server]:
    answers: dict[str, tuple[int, bytes]] = {}
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, body = answers.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if self.path == "/cut" else body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield Server(f"http://127.0.0.1:{httpd.server_address[1]}", answers, asked)
        httpd.shutdown()
        thread.join()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch, server: Server) -> PublicFile:
    """The catalogue's entry for wine-quality-red, published by the server instead."""
    file = PublicFile(
        "wine-quality/winequality-red.csv", (f"{server.url}/first", f"{server.url}/second"),
        hashlib.sha256(TABLE).hexdigest(), len(TABLE), "number,letter",
    )  # fmt: skip
    monkeypatch.setitem(FILES, "wine-quality-red", file)
    return file


def test_a_download_is_checked_and_written(server: Server, public: PublicFile, tmp_path: Path) -> None:
    server.answers["/first"] = (200, TABLE)
    path = write_sample("wine-quality-red", tmp_path)
    assert path.read_bytes() == b"number,letter\n" + TABLE
    assert server.asked == ["/first"]


def test_the_second_address_serves_when_the_first_fails(
    server: Server, public: PublicFile, tmp_path: Path
) -> None:
    server.answers["/second"] = (200, b"n,l\n" + TABLE)  # a copy with a header row of its own
    assert write_sample("wine-quality-red", tmp_path).read_bytes() == b"number,letter\n" + TABLE
    assert server.asked == ["/first", "/second"]


@pytest.mark.parametrize("body", [
    TABLE.replace(b"2", b"9"), TABLE[:-3], TABLE + b"4,c\n", b"", b"<html>not found</html>", b"x" * 100_000,
])  # fmt: skip
def test_a_damaged_download_is_refused_and_nothing_kept(
    server: Server, public: PublicFile, tmp_path: Path, body: bytes
) -> None:
    server.answers["/first"] = server.answers["/second"] = (200, body)
    with pytest.raises(DataError, match="could not be fetched") as caught:
        write_sample("wine-quality-red", tmp_path)
    assert "another SHA-256" in str(caught.value)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_no_answer_half_an_answer_no_server(
    server: Server, public: PublicFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["/cut"] = (200, TABLE)
    urls = (f"{server.url}/nothing", f"{server.url}/cut", "http://127.0.0.1:1/closed")
    monkeypatch.setitem(FILES, "wine-quality-red", replace(public, urls=urls))
    monkeypatch.setattr(module, "TIMEOUT", 2.0)
    with pytest.raises(DataError, match="could not be fetched") as caught:
        write_sample("wine-quality-red", tmp_path)
    assert all(url in str(caught.value) for url in urls)
    assert "404" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_local_copy_is_taken_and_checked(
    server: Server, public: PublicFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETROGRAD_DATA", str(tmp_path / "data"))
    copy = tmp_path / "data" / public.path
    copy.parent.mkdir(parents=True)
    copy.write_bytes(TABLE)
    path = write_sample("wine-quality-red", tmp_path / "out.csv")
    assert path.read_bytes() == b"number,letter\n" + TABLE
    copy.write_bytes(TABLE[:-1])
    with pytest.raises(DataError, match="not the published file") as caught:
        write_sample("wine-quality-red", tmp_path / "out.csv")
    assert "RETROGRAD_DATA" in (caught.value.hint or "")
    assert server.asked == []
    copy.unlink()  # a folder without this table: downloaded
    server.answers["/first"] = (200, TABLE)
    assert write_sample("wine-quality-red", tmp_path / "out.csv").name == "out-2.csv"


@pytest.mark.parametrize("name", FETCHED)
def test_the_catalogue_describes_the_real_files(
    data_dir: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETROGRAD_DATA", str(data_dir))
    sample, file = FETCHED[name], FILES[name]
    assert (data_dir / file.path).stat().st_size == file.size
    table = read_table(write_sample(name, tmp_path))
    assert (table.n_rows, len(table.columns)) == (sample.rows, sample.columns)
    assert propose_target(table)[0] == sample.target
    assert infer_task(table.columns[sample.target]).kind in ("regression", "binary", "multiclass")
