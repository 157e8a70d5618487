"""What every test run has in common: one BLAS thread, seeds, warnings as errors, real data, and the row report.

The row report says which tests stand for which row of `docs/coverage.md` and how they ended:
`pytest --row-report=FILE` writes it as JSON, and `tools/coverage_rows.py` makes the page from it.
"""

from __future__ import annotations

import os

# Before NumPy is imported: one thread, so that a result has the same bits on every machine and two test
# processes do not fight over two cores.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import atexit
import json
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

if "RETROGRAD_CACHE_DIR" not in os.environ:
    # Compiled programs of a test run are nobody's afterwards, and those of the user's own work prove nothing here.
    os.environ["RETROGRAD_CACHE_DIR"] = tempfile.mkdtemp(prefix="retrograd-tests-")
    atexit.register(shutil.rmtree, os.environ["RETROGRAD_CACHE_DIR"], ignore_errors=True)

ROOT = Path(__file__).resolve().parent.parent
ROWS_FILE = ROOT / "tests" / "rows.txt"

# No deadline: a test that fails because a machine is slow says nothing about the code.  Derandomised: a failure is
# there again tomorrow, on every machine.
hypothesis.settings.register_profile(
    "retrograd", deadline=None, derandomize=True, max_examples=50, database=None
)
hypothesis.settings.load_profile("retrograd")


@pytest.fixture(autouse=True)
def _seeds() -> None:
    """Every test starts from the same random state, so the order in which tests run does not matter."""
    random.seed(0)
    np.random.seed(0)
    for name in ("retrograd", "torch"):
        manual_seed = getattr(sys.modules.get(name), "manual_seed", None)
        if manual_seed is not None:
            manual_seed(0)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the real data sets, or a skip that says how to have them."""
    folder = os.environ.get("RETROGRAD_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data: set RETROGRAD_DATA to the folder that holds the data sets")
    return Path(folder).resolve()


# --- rows ------------------------------------------------------------------------------------------------------------


class RowReport:
    """Collects, for every test marked with rows, how it ended."""

    def __init__(self) -> None:
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        rows = [value for name, value in report.user_properties if name == "row"]
        if not rows:
            return
        entry = self.tests.setdefault(report.nodeid, {"rows": rows, "outcome": "passed", "reason": ""})
        if report.failed:
            entry["outcome"] = "failed"
        elif report.skipped and entry["outcome"] == "passed":
            entry["outcome"] = "skipped"
            entry["reason"] = _skip_reason(report)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--row-report", metavar="FILE", help="write the outcome of every test marked with a row, as JSON"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--row-report") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(RowReport(), "row-report")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known = {line.split()[0] for line in ROWS_FILE.read_text(encoding="utf-8").splitlines() if line.strip()}
    for item in items:
        for mark in item.iter_markers("row"):
            unknown = [row for row in mark.args if row not in known]
            if unknown or not mark.args:
                raise pytest.UsageError(f"{item.nodeid}: row{mark.args} is not in tests/rows.txt")
            # user_properties travel with the report, also from the processes of pytest-xdist
            item.user_properties.extend(("row", row) for row in mark.args)


def pytest_sessionfinish(session: pytest.Session) -> None:
    report = session.config.pluginmanager.get_plugin("row-report")
    if report is not None:
        path = Path(session.config.getoption("--row-report"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps({"tests": report.tests}, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Skipped tests are counted by reason: what was not tested is part of the result."""
    reasons = Counter(_skip_reason(report) for report in terminalreporter.stats.get("skipped", []))
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"skipped {count}: {reason}")


def _skip_reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    text = text.removeprefix("Skipped: ")
    missing = re.match(r"could not import '([\w.]+)'", text)
    return f"{missing[1]} is not installed" if missing else text


@pytest.fixture
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, for code that writes beside it (runs/, predictions)."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
