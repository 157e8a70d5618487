"""Writes docs/coverage.md: every row of the articles that is built so far, the tests that stand for it, their result.

    .venv/bin/python -m pytest --row-report=build/rows.json
    .venv/bin/python tools/coverage_rows.py build/rows.json

A row is something that the four articles on backpropagation describe; `tests/rows.txt` lists the ids.  A test stands
for a row by `@pytest.mark.row("ENG-01")`.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coverage.md"

HEADER = """# Coverage

Four articles on backpropagation describe what this project implements. Each row below is one thing they describe, with
the tests that stand for it and how they ended. A test that could not run says why. The page is generated:

    make coverage

"""


def read_rows(path: Path = ROOT / "tests" / "rows.txt") -> dict[str, str]:
    """Row id -> what it is, in the order of the list."""
    rows: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            row, _, title = line.partition("  ")
            if row in rows:
                raise SystemExit(f"{path}: {row} is listed twice")
            rows[row] = title.strip()
    return rows


def marked_tests(folder: Path = ROOT / "tests") -> dict[str, set[str]]:
    """Row id -> the tests marked for it, read from the source: no test needs to run for this.

    A mark counts on a test function, on its class, and as the module's `pytestmark`.
    """
    marked: dict[str, set[str]] = defaultdict(set)
    for path in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        name = path.relative_to(folder.parent).as_posix()
        _collect(tree.body, name, _module_rows(tree), marked)
    return marked


def _collect(body: list[ast.stmt], prefix: str, inherited: list[str], marked: dict[str, set[str]]) -> None:
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            _collect(node.body, f"{prefix}::{node.name}", inherited + _mark_rows(node.decorator_list), marked)
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            for row in inherited + _mark_rows(node.decorator_list):
                marked[row].add(f"{prefix}::{node.name}")


def _mark_rows(decorators: list[ast.expr]) -> list[str]:
    rows: list[str] = []
    for node in decorators:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.mark.row", "mark.row"):
            rows += [ast.literal_eval(argument) for argument in node.args]
    return rows


def _module_rows(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            return _mark_rows(
                node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
            )
    return []


def write_page(report: dict[str, Any], rows: dict[str, str]) -> str:
    """The page, from the JSON of `pytest --row-report`: one line per row and test function."""
    outcomes: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for test, entry in report["tests"].items():
        result = entry["outcome"] if not entry["reason"] else f"{entry['outcome']} ({entry['reason']})"
        for row in entry["rows"]:
            outcomes[row][test.split("[")[0]][result] += 1
    states = Counter(_state(outcomes.get(row, {})) for row in rows)
    lines = [
        f"{len(rows)} rows: " + ", ".join(f"{count} {state}" for state, count in states.most_common()) + "."
    ]
    lines += ["", "| row | what the articles describe | tests | result |", "|---|---|---|---|"]
    for row, title in rows.items():
        tests = outcomes.get(row, {})
        names = "<br>".join(f"`{name.removeprefix('tests/')}`" for name in sorted(tests)) or "none"
        results = "<br>".join(_counted(tests[name]) for name in sorted(tests)) or "no test"
        lines.append(f"| {row} | {title} | {names} | {results} |")
    return HEADER + "\n".join(lines) + "\n"


def _state(tests: dict[str, Counter[str]]) -> str:
    words = {result.split(" ")[0] for counts in tests.values() for result in counts}
    if not words:
        return "without a test"
    return "failing" if "failed" in words else "passing" if "passed" in words else "not run here"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(
        f"{result} ×{count}" if count > 1 else result for result, count in sorted(counts.items())
    )


def page_tests(page: str) -> dict[str, set[str]]:
    """Row id -> tests named on a page: what `write_page` wrote, read back."""
    found: dict[str, set[str]] = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 6 and cells[3].startswith("`"):
            found[cells[1]] = {f"tests/{name.strip('`')}" for name in cells[3].split("<br>")}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "reports", type=Path, nargs="+", help="what pytest --row-report wrote; of two, the later counts"
    )
    arguments = parser.parse_args()
    rows = read_rows()
    tests: dict[str, Any] = {}
    for path in arguments.reports:
        tests |= json.loads(path.read_text(encoding="utf-8"))["tests"]
    page = write_page({"tests": tests}, rows)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
    missing = [row for row in rows if row not in page_tests(page)]
    print(
        f"{PAGE.relative_to(ROOT)}: {len(rows)} rows" + (f", no test: {' '.join(missing)}" if missing else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
