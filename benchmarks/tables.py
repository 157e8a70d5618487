"""Six real tables: the default command against a linear model and a tuned scikit-learn MLP.

    RETROGRAD_DATA=... python benchmarks/tables.py                 # all tables, three seeds; continues where it stopped
    RETROGRAD_DATA=... python benchmarks/tables.py --table wine --seeds 0

For every table and seed all three models get the same rows, split and prepared by Retrograd with that seed.
scikit-learn's MLP is tuned by a random search of 20 configurations on the validation rows of seed 0 (its early stopping
watches the same validation rows as ours, and its best epoch is kept, as ours is); the winner is then trained with each
seed.  Retrograd runs as the command does, with no option but the target (and `--group id` for King County, where the
same house is sold twice).  Finished parts are kept in build/benchmarks/tables.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np

from retrograd.metrics import headline, metrics_for, paired_bootstrap
from retrograd.train import evidence as ev
from retrograd.train import fit
from retrograd.train.options import Options
from retrograd.train.problem import Problem, read_problem

TABLES: dict[str, dict[str, Any]] = {
    "king-county": {"file": "king-county-houses/kc_house_data.csv", "target": "price", "group": "id"},
    "california": {"file": "california-housing/housing.csv", "target": "median_house_value"},
    "adult": {"file": "adult-income/adult-train.csv", "target": "c15", "header": False},
    "wine": {"file": "wine-quality/winequality-white.csv", "target": "c12", "header": False},
    "breast-cancer": {"file": "breast-cancer-wdbc/wdbc.data", "target": "c2", "header": False},
    "titanic": {"file": "titanic/titanic.csv", "target": "survived"},
}
CONFIGURATIONS = 20
EPOCHS, PATIENCE = 100, 10


def asked(name: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Path of the table and the options of the command."""
    entry = dict(TABLES[name])
    return folder / entry.pop("file"), entry


def design(problem: Problem) -> dict[str, np.ndarray]:
    """Prepared numbers and one-hot categories of each split, for models that know no embeddings."""
    kept = ev.frequent_categories(problem.part("train").inputs[1], problem.preparation.category_sizes)
    return {
        split: ev.linear_inputs(problem.part(split), kept).astype(np.float32)
        for split in ("train", "validation", "test")
    }


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """One configuration of the search."""
    shapes = [(64,), (128,), (256,), (64, 64), (128, 64), (128, 128), (256, 128), (64, 64, 64)]
    return {
        "hidden_layer_sizes": list(shapes[rng.integers(len(shapes))]),
        "activation": ["relu", "tanh"][rng.integers(2)],
        "alpha": float(10 ** rng.uniform(-6, 0)),
        "learning_rate_init": float(10 ** rng.uniform(-4, -2)),
        "batch_size": int([32, 64, 128, 256][rng.integers(4)]),
    }


def train_sklearn(
    problem: Problem, inputs: dict[str, np.ndarray], configuration: dict[str, Any], seed: int
) -> tuple[float, dict[str, np.ndarray], int]:
    """Best validation loss, scores on validation and test rows at that epoch, and the epoch."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    regression = problem.task.kind == "regression"
    target = {split: problem.part(split).target for split in ("train", "validation")}
    model = (MLPRegressor if regression else MLPClassifier)(
        **{**configuration, "hidden_layer_sizes": tuple(configuration["hidden_layer_sizes"])},
        random_state=seed,
    )
    classes = {} if regression else {"classes": np.arange(problem.n_classes)}
    best, weights, best_epoch = np.inf, None, 0
    for epoch in range(EPOCHS):
        model.partial_fit(inputs["train"], target["train"], **classes)
        if regression:
            loss = float(np.mean((model.predict(inputs["validation"]) - target["validation"]) ** 2))
        else:
            given = model.predict_proba(inputs["validation"])[
                np.arange(len(target["validation"])), target["validation"]
            ]
            loss = float(-np.mean(np.log(np.clip(given, 1e-15, 1))))
        if loss < best:
            best, best_epoch = loss, epoch
            weights = [array.copy() for array in model.coefs_], [array.copy() for array in model.intercepts_]
        elif epoch - best_epoch >= PATIENCE:
            break
    if weights is None:
        return np.inf, {}, 0
    model.coefs_, model.intercepts_ = weights
    scores = {}
    for split in ("validation", "test"):
        if regression:
            scaled = np.clip(model.predict(inputs[split]), *(ev.output_range(problem) or (-np.inf, np.inf)))
            scores[split] = np.asarray(problem.preparation.decode_target(scaled), dtype=np.float64)
        else:
            scores[split] = model.predict_proba(inputs[split]).astype(np.float64)
    return best, scores, best_epoch + 1


class Store:
    """Finished parts, by key, in one JSON file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}

    def drop(self, starts: list[str]) -> None:
        """Forget the parts whose keys start so."""
        self.parts = {key: part for key, part in self.parts.items() if not key.startswith(tuple(starts))}

    def get(self, key: str, work: Any) -> Any:
        """The part called ``key``, made by ``work()`` when it is not there yet."""
        if key not in self.parts:
            started = time.monotonic()
            part = work()
            part["seconds"] = round(time.monotonic() - started, 1)
            self.parts[key] = part
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(".part")
            temporary.write_text(json.dumps(self.parts, indent=1))
            os.replace(temporary, self.path)
            print(f"{key}: {part['seconds']} s", file=sys.stderr, flush=True)
        return self.parts[key]


def measure(name: str, seed: int, folder: Path, store: Store) -> dict[str, Any]:
    """All three models on one table and seed; headline metric on the test rows and paired comparisons."""
    path, options = asked(name, folder)
    reading = {**Options(seed=seed).reading(), **{k: v for k, v in options.items() if k != "target"}}

    def search() -> dict[str, Any]:
        problem = read_problem(path, options["target"], **{**reading, "seed": 0})
        inputs = design(problem)
        rng = np.random.default_rng(0)
        tried = [draw(rng) for _ in range(CONFIGURATIONS)]
        losses = [
            store.get(
                f"{name}/search/{i}", lambda c=c: {"loss": train_sklearn(problem, inputs, c, 0)[0], "of": c}
            )["loss"]
            for i, c in enumerate(tried)
        ]
        return {"configuration": tried[int(np.argmin(losses))], "validation_loss": float(np.min(losses))}

    def compare() -> dict[str, Any]:
        problem = read_problem(path, options["target"], **reading)
        kind, actual = problem.task.kind, problem.part("test").actual
        _, theirs, epoch = train_sklearn(problem, design(problem), tuned["configuration"], seed)
        with tempfile.TemporaryDirectory() as out:
            run = fit(path, out=out, seed=seed, **options)
            arrays = dict(np.load(run.path / "evidence.npz", allow_pickle=False))
        ours = arrays["test_prediction" if kind == "regression" else "test_probabilities"]
        assert np.array_equal(arrays["test_actual"], actual)
        rivals = {"linear": arrays["test_linear"], "sklearn": theirs["test"]}
        metric = headline(kind)
        models = {"ours": ours, "constant": arrays["test_baseline"], **rivals}
        return {
            "task": kind,
            "metric": metric,
            "test_rows": len(actual),
            "scores": {model: metrics_for(kind, actual, scores) for model, scores in models.items()},
            "against": {
                rival: paired_bootstrap(kind, actual, ours, scores, seed=seed)
                for rival, scores in rivals.items()
            },
            "our_seconds": run.summary["seconds"],
            "our_epochs": run.summary["epochs"],
            "sklearn_epochs": epoch,
        }

    tuned = store.get(f"{name}/search", search)
    return store.get(f"{name}/seed-{seed}", compare)


def markdown(results: dict[str, list[dict[str, Any]]]) -> str:
    """The table for the docs: means over seeds, and the verdict of each seed's paired bootstrap."""
    lines = [
        "| table | metric | constant | linear | scikit-learn tuned | Retrograd | against linear | against scikit-learn |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    for name, runs in results.items():
        metric = runs[0]["metric"]
        means = {
            model: float(np.mean([run["scores"][model][metric] for run in runs]))
            for model in ("constant", "linear", "sklearn", "ours")
        }
        verdicts = {
            rival: ", ".join(run["against"][rival]["verdict"] for run in runs)
            for rival in ("linear", "sklearn")
        }
        cells = [f"{means[model]:,.0f}" if means[model] > 1000 else f"{means[model]:.4f}" for model in means]
        lines.append(
            f"| {name} | {metric} | {' | '.join(cells)} | {verdicts['linear']} | {verdicts['sklearn']} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--table", action="append", choices=list(TABLES))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument(
        "--again", action="store_true", help="measure Retrograd again; keep the search of its rival"
    )
    parser.add_argument("--store", default="build/benchmarks/tables.json", type=Path)
    arguments = parser.parse_args()
    folder = os.environ.get("RETROGRAD_DATA")
    if not folder:
        parser.error("set RETROGRAD_DATA to the folder that holds the data sets")
    warnings.filterwarnings("ignore", module="sklearn")
    store = Store(arguments.store)
    if arguments.again:
        store.drop([f"{name}/seed-" for name in arguments.table or TABLES])
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    results = {
        name: [measure(name, seed, Path(folder), store) for seed in seeds]
        for name in arguments.table or list(TABLES)
    }
    print(json.dumps(results, indent=1))
    print(markdown(results), file=sys.stderr)


if __name__ == "__main__":
    main()
