"""The page: one file that is safe, legible to machines that read aloud, the same bytes each time."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from report.synthetic_run import HOSTILE, make_run
from retrograd.errors import DataError
from retrograd.report import render, write_report

KINDS = ("regression", "binary", "multiclass")
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Tags with their attributes, and complaints about tags that do not close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if not {"svg", "style"} & set(self.open):
            self.words.append(data)


def _read(folder: Path) -> tuple[str, Reader]:
    page = (folder / "report.html").read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(page)
    return page, reader


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_run(tmp_path_factory.mktemp(request.param), request.param, n=240, hostile=HOSTILE)
    write_report(folder)
    return folder


def test_data_cannot_become_markup(folder: Path) -> None:
    page, reader = _read(folder)
    assert "<script" not in page.lower()
    assert "&lt;script&gt;" in page
    assert not any(
        tag == "script" or any(name.startswith("on") for name in attrs) for tag, attrs in reader.tags
    )
    assert reader.wrong == []
    assert reader.open == []


@pytest.mark.parametrize("place", ["name", "source", "target", "finding", "decision", "version", "note"])
def test_every_field_is_escaped(tmp_path: Path, place: str) -> None:
    folder = make_run(tmp_path, n=120)
    facts = json.loads((folder / "run.json").read_text())
    bad = '"><img src=x onerror=alert(1)>\x00\u2028'
    match place:
        case "name":
            facts["name"] = bad
        case "source":
            facts["data"]["source"] = bad
        case "target":
            facts["target"] = {"name": bad, "reason": bad, "unit": "<b>"}
        case "finding":
            facts["findings"] = [
                {"code": bad, "severity": bad, "message": bad, "columns": [bad], "rows": [], "hint": bad}
            ]
        case "decision":
            facts["decisions"] = [{"what": bad, "choice": bad, "why": bad, "by": bad}]
        case "version":
            facts["versions"] = {bad: bad}
        case "note":
            facts["data"]["notes"] = [bad]
            facts["command"] = facts["next_command"] = facts["cpu"] = bad
            facts["overfitting"]["sentence"] = facts["training"]["stopped_because"] = bad
    (folder / "run.json").write_text(json.dumps(facts))
    write_report(folder)
    page, reader = _read(folder)
    assert "<img" not in page
    assert not any(tag in ("img", "b>") for tag, _ in reader.tags)
    assert reader.wrong == []
    assert "\x00" not in page


def test_it_loads_nothing(folder: Path) -> None:
    page, reader = _read(folder)
    for tag, attrs in reader.tags:
        assert tag not in ("link", "iframe", "object", "embed", "img", "base", "form")
        for name, value in attrs.items():
            if name in ("href", "xlink:href", "src"):
                assert str(value).startswith("#"), (tag, value)
    assert not re.search(r"https?://|@import|url\((?!#)", page)


def test_every_picture_has_its_words_and_every_link_its_place(folder: Path) -> None:
    _, reader = _read(folder)
    pictures = [attrs for tag, attrs in reader.tags if tag == "svg"]
    assert len(pictures) >= 5
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for attrs in pictures:
        assert attrs["role"] == "img"
        assert attrs["aria-labelledby"] in ids
    for _, attrs in reader.tags:
        target = attrs.get("href")
        if target:
            assert target[1:] in ids


def test_pictures_take_the_pages_colours(folder: Path) -> None:
    page, _ = _read(folder)
    drawn = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.S))
    assert "var(--ink)" in drawn
    assert not re.search(r"#0000\d\d", drawn)
    assert "DejaVu" not in drawn
    assert set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", drawn)) == set()


def test_same_files_same_bytes(folder: Path) -> None:
    before = (folder / "report.html").read_bytes()
    render(folder)
    assert (folder / "report.html").read_bytes() == before
    assert [path.name for path in folder.iterdir() if path.name.endswith(".part")] == []


def test_the_users_plot_settings_do_not_matter(folder: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    before = (folder / "report.html").read_bytes()
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "path"}):
        render(folder)
        assert matplotlib.rcParams["font.size"] == 30
    assert (folder / "report.html").read_bytes() == before


def test_losses_over_decades_have_plain_ticks(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    path = folder / "metrics.jsonl"
    epochs = [json.loads(line) for line in path.read_text().splitlines()]
    for k, epoch in enumerate(epochs):
        epoch["train_loss"] = 10.0 ** -(4 * k / (len(epochs) - 1))
    path.write_text("".join(json.dumps(epoch) + "\n" for epoch in epochs))
    write_report(folder)
    page, _ = _read(folder)
    assert ">0.001<" in page.replace("\n", "")
    assert "mathdefault" not in page


def test_it_says_when_the_network_does_not_win(tmp_path: Path) -> None:
    folder = make_run(tmp_path, skill=0.0)
    write_report(folder)
    _, reader = _read(folder)
    words = "".join(reader.words)
    assert "has not learnt anything" in words
    assert "The linear model is better than the network" in words


def test_numbers_have_their_units(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    report = write_report(folder)
    _, reader = _read(folder)
    words = "".join(reader.words).replace("\u2060", "").replace("\xa0", " ")
    assert f"${report['metrics']['test']['rmse']['value']:,.0f}" in words
    assert f"${report['comparison']['linear']['metrics']['rmse']['value']:,.0f}" in words
    assert "95 % interval" in words


def test_names_in_any_script_and_very_long_ones(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "multiclass", hostile="平方メートル \u202e" + "x" * 300, classes=25)
    write_report(folder)
    page, reader = _read(folder)
    assert "平方メートル" in page
    assert reader.wrong == []
    assert "confusion matrix is in report.json" in page  # too many classes to draw


def test_no_report_yet(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no report\.json"):
        render(tmp_path)
