"""Imports point down, floor by floor, and nothing that is not ours does our mathematics.

The imports are read from the source, so a late import inside a function counts too; only what stands under
`if TYPE_CHECKING:` does not, because it never runs.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "retrograd"

# From the roof to the cellar.  A unit may import from the floors below it and from its neighbours, but neighbours
# may not import each other in a circle.
FLOORS: list[set[str]] = [
    {"__main__"},
    {"cli"},
    {"train", "bench"},
    {"report"},
    {"metrics"},
    {"data"},
    {"__init__"},  # the public face; it opens the floors above it late, when somebody asks for them
    {"check"},
    {"nn", "optim", "utils", "linalg", "signal", "special"},
    {"compilation", "specialization"},
    {"lower"},
    {"passes"},
    {
        "autograd",
        "gradcheck",
        "batch",
        "trace",
        "capture",
        "staging",
        "graph",
        "drawing",
        "func",
        "paths",
        "blame",
        "adjust",
        "saving",
        "random",
        "testing",
    },
    {"tensor", "conversion", "operators", "eager", "methods", "inplace", "backward"},
    {"functions"},
    {"grad", "modes"},
    {"ops"},
    {"op"},
    {
        "types",
        "errors",
        "absent",
        "tree",
        "device",
        "printing",
        "threads",
        "memory",
        "files",
        "tensor_file",
        "program",
    },
]
# The whole of what these units may import from the package.
ONLY = {"metrics": {"errors"}}
# Peers: we measure ourselves against them, and never compute with them.
PEERS = {"torch", "jax", "jaxlib", "sklearn", "scipy", "pandas", "polars", "autograd", "tensorflow", "keras"}
# What `import retrograd` must not load.
LATE = {"llvmlite", "duckdb", "matplotlib", "rich", "typer", "safetensors", *PEERS}


def imports(path: Path, package: Path) -> Iterator[tuple[int, str, bool]]:
    """(line, absolute module or module.name, inside a function?) for every import in a file that can run."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    never = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    late = {
        id(inner) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for inner in ast.walk(node)
    }
    module = (package.name, *path.relative_to(package).with_suffix("").parts)
    for node in ast.walk(tree):
        if id(node) in never:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, id(node) in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(module[: len(module) - node.level]) if node.level else []
            base += node.module.split(".") if node.module else []
            yield from (
                (node.lineno, ".".join([*base, alias.name]), id(node) in late) for alias in node.names
            )


def units(package: Path) -> set[str]:
    """The package's first-level modules and folders."""
    return {path.stem for path in package.glob("*.py")} | {
        path.name for path in package.iterdir() if any(path.rglob("*.py"))
    }


def unit_of(path: Path, package: Path) -> str:
    return path.relative_to(package).with_suffix("").parts[0]


def violations(package: Path) -> list[str]:
    """Every import that points up, sideways in a circle, or out to a peer."""
    floor = {unit: level for level, members in enumerate(FLOORS) for unit in members}
    known = units(package)
    found = [f"{unit}: on no floor; add it to FLOORS" for unit in sorted(known - floor.keys())]
    sideways: dict[str, set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        here = unit_of(path, package)
        if here not in floor:
            continue
        for line, name, late in imports(path, package):
            place = f"{path.relative_to(package)}:{line}"
            parts = name.split(".")
            if parts[0] in PEERS:
                found.append(f"{place}: imports {parts[0]}, which is a peer")
            if parts[0] != package.name:
                continue
            if len(parts) > 2 and parts[1] not in known:
                found.append(f"{place}: imports {name}, which does not exist")
                continue
            # `from .. import x` is the unit x where there is one, and otherwise a name of the public face
            there = parts[1] if len(parts) > 1 and parts[1] in known else "__init__"
            if there == here or (here == "__init__" and late):
                continue
            if floor.get(there, -1) < floor[here]:
                found.append(f"{place}: {here} imports {there}, which is above it")
            elif here in ONLY and there not in ONLY[here]:
                found.append(f"{place}: {here} imports {there}; it may import only {', '.join(ONLY[here])}")
            elif floor[there] == floor[here]:
                sideways.setdefault(here, set()).add(there)
    return found + [
        f"{unit}: imports itself through its neighbours"
        for unit in sorted(sideways)
        if reaches(sideways, unit)
    ]


def reaches(edges: dict[str, set[str]], start: str) -> bool:
    """True when following the edges from `start` leads back to it."""
    seen: set[str] = set()
    open_ends = list(edges.get(start, ()))
    while open_ends:
        unit = open_ends.pop()
        if unit == start:
            return True
        if unit not in seen:
            seen.add(unit)
            open_ends += edges.get(unit, ())
    return False


def test_imports_point_down() -> None:
    assert violations(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        ("ops/exp.py", "from ..tensor import Tensor", "ops imports tensor, which is above it"),
        ("grad.py", "def f():\n    from .functions import exp", "grad imports functions, which is above it"),
        ("nn/linear.py", "import retrograd as rg", "nn imports __init__, which is above it"),
        ("nn/linear.py", "from .. import manual_seed", "nn imports __init__, which is above it"),
        ("__init__.py", "from .data import read_table", "__init__ imports data, which is above it"),
        ("metrics/roc.py", "from ..data import Table", "it may import only errors"),
        ("train/fit.py", "import scipy.optimize", "imports scipy, which is a peer"),
        ("train/fit.py", "from sklearn.metrics import roc_auc_score", "imports sklearn, which is a peer"),
        ("cli/plugin.py", "def f():\n    import torch", "imports torch, which is a peer"),
        ("trace.py", "from . import graph", "imports itself through its neighbours"),
        ("cellar.py", "", "on no floor"),
        ("nn/linear.py", "from ..cellar import coal", "imports retrograd.cellar.coal, which does not exist"),
        # allowed: these must not be reported, or the test could not tell right from wrong
        ("nn/linear.py", "from ..functions import linear", None),
        ("train/fit.py", "from ..report import render", None),
        ("train/fit.py", "import retrograd as rg", None),
        ("__init__.py", "def __getattr__(name):\n    from . import data", None),
        (
            "ops/exp.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..tensor import Tensor",
            None,
        ),
        ("batch.py", "from .autograd import grad", None),
    ],
)
def test_planted_import_is_found(tmp_path: Path, file: str, line: str, expected: str | None) -> None:
    package = tmp_path / "retrograd"
    sound = {
        "__init__.py": "from .tensor import Tensor",
        "errors.py": "",
        "tensor.py": "from .functions import exp",
        "functions/__init__.py": "from ..ops import exp",
        "ops/__init__.py": "import numpy",
        "grad.py": "from .errors import GradError",
        "graph.py": "from .trace import trace",
        "trace.py": "",
        "autograd.py": "from .grad import backward",
        "data/__init__.py": "",
        "report/__init__.py": "",
    }
    for name, text in sound.items():
        write(package / name, text)
    assert violations(package) == []
    write(package / file, line)
    found = violations(package)
    if expected is None:
        assert found == []
    else:
        assert found
        assert all(expected in text for text in found)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def test_every_dependency_is_declared() -> None:
    """What src/ imports from outside is in pyproject.toml, so a plain install has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.match(r"[\w-]+", text)[0].replace("-", "_") for text in project["dependencies"]}  # type: ignore[index]
    used = {
        name.split(".")[0]
        for path in PACKAGE.rglob("*.py")
        for _, name, _ in imports(path, PACKAGE)
        if name.split(".")[0] not in sys.stdlib_module_names
    }
    assert used - {"retrograd"} <= declared


def loaded_by(code: str) -> set[str]:
    """The top-level modules that are loaded after a fresh interpreter has run `code`."""
    command = [
        sys.executable,
        "-c",
        f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})",
    ]
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path}
    )
    return set(done.stdout.split())


def test_import_is_light() -> None:
    """`import retrograd` loads NumPy and nothing heavy; what is heavy is imported when it is used."""
    if not (PACKAGE / "__init__.py").exists():
        pytest.skip("the package has no face yet")
    assert loaded_by("import retrograd") & LATE == set()
    assert "duckdb" in loaded_by("import retrograd, duckdb")  # control: it would be seen
