"""docs/compile.md says what is so: its examples are run."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import retrograd as rg

PAGE = Path(__file__).resolve().parents[2] / "docs" / "compile.md"
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run(text: str) -> tuple[str, int]:
    """What doctest says of a page, and how many examples it has."""
    said: list[str] = []
    # a fence is no part of what is printed
    parser, lines = doctest.DocTestParser(), text.replace("```python", "").replace("```", "")
    example = parser.get_doctest(lines, {"__name__": "__main__"}, PAGE.name, str(PAGE), 0)
    doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=said.append)
    return "".join(said), len(example.examples)


def test_the_examples_of_the_page_give_what_stands_there() -> None:
    pytest.importorskip("llvmlite")
    threads = rg.get_num_threads()
    try:
        said, examples = run(PAGE.read_text(encoding="utf-8"))
    finally:
        rg.set_num_threads(threads)
    assert said == ""
    assert examples > 40


def test_a_wrong_example_would_be_noticed() -> None:
    """The control."""
    said, _ = run(
        "```python\n>>> import retrograd as rg\n>>> rg.compile(lambda x: x * 2)(rg.ones(2))\ntensor([3., 3.])\n\n```\n"
    )
    assert "Expected:" in said
