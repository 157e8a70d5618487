"""The recipe: every setting of a training run, chosen by the size of the table or given by the person.

The sizes were measured on six real tables (benchmarks/tables.py).  Up to some thousands of rows the average of eight small
networks is best: one network of any shape lost 1 to 4 % of the headline metric to it.  With more rows one residual network
whose numbers are encoded wins clearly, and is quicker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import UsageError
from retrograd.train.programs import CALLS, NEVER, Policy, allowed, pays_for_job
from retrograd.train.progress import Progress, silent
from retrograd.train.tabular import ACTIVATIONS, Architecture, TabularNet, quantile_edges
from retrograd.train.trainer import Trainer

_MANY_ROWS = 6000
OPTIMIZERS = ("adamw", "adam", "sgd", "rmsprop", "adagrad")
REGRESSION_LOSSES: dict[str, Callable[[], Callable[..., Any]]] = {
    "mse": nn.MSELoss, "mae": nn.L1Loss, "huber": nn.HuberLoss, "smooth_l1": nn.SmoothL1Loss,
}  # fmt: skip
CLASS_LOSSES = ("cross_entropy", "label_smoothing")
RATE_BOUNDS = {
    "adamw": (1e-3, 2e-3),
    "adam": (1e-3, 2e-3),
    "rmsprop": (2e-4, 2e-3),
    "sgd": (1e-3, 0.3),
    "adagrad": (3e-3, 0.1),
}
"""Between these the suggestion of the range test is taken; beyond them its noise would cost more than it gains."""
_MEMBERS_RATE_BOUNDS = (4e-4, 7e-4)


def rate_bounds(recipe: Recipe) -> tuple[float, float]:
    """The rates that are sensible for a recipe; members that are averaged learn slowly, which keeps them apart."""
    return _MEMBERS_RATE_BOUNDS if recipe.architecture.members > 1 else RATE_BOUNDS[recipe.optimizer]


@dataclass(frozen=True)
class Recipe:
    """All settings of a run; with the seed and the data they determine it."""

    architecture: Architecture
    optimizer: str
    lr: float | None
    weight_decay: float
    batch_size: int
    epochs: int
    patience: int
    loss: str
    average: float | None = 0.998
    smoothing: float = 0.0
    clip_norm: float | None = 1.0
    compiled: bool = False

    def to_json(self) -> dict[str, Any]:
        """As a plain dict."""
        return {**asdict(self), "architecture": self.architecture.to_json()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Recipe:
        """From `to_json`."""
        return cls(**{**content, "architecture": Architecture.from_json(content["architecture"])})


@dataclass(frozen=True)
class Decided:
    """One decision, for the report: what, the choice, why, and by whom ("you" or "retrograd")."""

    what: str
    choice: str
    why: str
    by: str = "retrograd"

    def to_json(self) -> dict[str, str]:
        """The keys of `retrograd.report.schema.Decision`."""
        return asdict(self)


def choose_recipe(
    rows: int,
    numbers: int,
    task_kind: str,
    *,
    epochs: int | None = None,
    hidden: Sequence[int] | int | None = None,
    activation: str | None = None,
    dropout: float | None = None,
    optimizer: str | None = None,
    lr: float | None = None,
    batch_size: int | None = None,
    loss: str | None = None,
    compile: bool | None = None,
) -> tuple[Recipe, list[Decided]]:
    """The recipe for ``rows`` training rows with ``numbers`` number columns; what is given is taken as it is.

    ``compile``: whether there are programs; None: unless ``RETROGRAD_COMPILE=0``, where they pay (see `programs`).

    >>> recipe, decided = choose_recipe(15000, 18, "regression", lr=0.001)
    >>> recipe.batch_size, recipe.architecture.describe()
    (256, 'residual MLP, 2 blocks of 128 units, relu, dropout 0.15, numbers encoded in 16 bins')
    >>> [d.what for d in decided if d.by == "you"]
    ['learning rate']
    """
    _check(task_kind, epochs, activation, dropout, optimizer, lr, batch_size, loss)
    many = rows >= _MANY_ROWS
    asked = (
        None if hidden is None else tuple(int(u) for u in ([hidden] if isinstance(hidden, int) else hidden))
    )
    if asked is not None and any(units < 1 for units in asked):
        raise UsageError(f"hidden layers of {asked} units", hint="--hidden 64,32")
    # every member learns from an M-th of the mean loss: optimisers whose steps have no scale do not notice
    several = asked is None and not many and optimizer != "sgd"
    bins = min(16, 1024 // max(1, numbers)) if many and asked is None else 0
    usual_dropout = 0.0 if asked is not None else 0.15 if many else 0.2
    architecture = Architecture(
        width=128,
        blocks=2,
        dropout=usual_dropout if dropout is None else float(dropout),
        activation=activation or "relu",
        bins=bins if bins >= 4 else 0,
        hidden=(128, 64) if asked is None and not many else asked,
        members=8 if several else 1,
    )
    default_batch = (
        32 if rows < 1500 else 64 if rows < 3000 else 128 if rows < 8000 else 256 if rows < 30000 else 512
    )
    default_epochs = 60 if rows < 8000 else 40
    chosen_epochs = default_epochs if epochs is None else int(epochs)
    batch = min(default_batch if batch_size is None else int(batch_size), rows)
    repaid = pays_for_job(rows, batch, chosen_epochs, architecture.tensors) and allowed()
    recipe = Recipe(
        architecture=architecture,
        optimizer=optimizer or "adamw",
        lr=lr,
        weight_decay=0.01 if (optimizer or "adamw") == "adamw" else 1e-4,
        batch_size=batch,
        epochs=chosen_epochs,
        patience=max(8, chosen_epochs // 4),
        loss=loss or ("mse" if task_kind == "regression" else "cross_entropy"),
        smoothing=0.0 if many else 0.7,
        compiled=repaid if compile is None else compile,
    )
    size = f"{rows} training rows"
    decided = [
        _decision(
            "network",
            architecture.describe(),
            f"for {size}",
            asked is not None or activation or dropout is not None,
        ),
        _decision(
            "optimiser",
            recipe.optimizer,
            "adapts its steps to each weight; decays weights",
            optimizer is not None,
        ),
        _decision("batch size", str(recipe.batch_size), f"for {size}", batch_size is not None),
        _decision(
            "epochs",
            f"at most {recipe.epochs}",
            f"stops after {recipe.patience} without gain",
            epochs is not None,
        ),
        _decision("loss", recipe.loss, "squared error" if recipe.loss == "mse" else "", loss is not None),
    ]
    if lr is not None:
        decided.append(_decision("learning rate", f"{lr:g}", "", True))
    return recipe, decided


def _decision(what: str, choice: str, why: str, given: Any) -> Decided:
    return Decided(
        what, choice, "as you asked" if given else why or "the usual choice", "you" if given else "retrograd"
    )


def _check(
    task_kind: str,
    epochs: int | None,
    activation: str | None,
    dropout: float | None,
    optimizer: str | None,
    lr: float | None,
    batch_size: int | None,
    loss: str | None,
) -> None:
    losses = tuple(REGRESSION_LOSSES) if task_kind == "regression" else CLASS_LOSSES
    for option, value, known in (
        ("activation", activation, tuple(ACTIVATIONS)),
        ("optimizer", optimizer, OPTIMIZERS),
        ("loss", loss, losses),
    ):
        if value is not None and value not in known:
            raise UsageError(
                f"no {option} {value!r} for this task",
                hint=f"--{option} {known[0]} (or {', '.join(known[1:])})",
            )
    if epochs is not None and epochs < 1:
        raise UsageError(f"{epochs} epochs", hint="--epochs 50")
    if batch_size is not None and batch_size < 1:
        raise UsageError(f"batch size {batch_size}", hint="--batch-size 64")
    if dropout is not None and not 0 <= dropout < 1:
        raise UsageError(f"dropout {dropout}", hint="--dropout 0.2; a share of the units, below 1")
    if lr is not None and not 0 < lr < float("inf"):
        raise UsageError(f"learning rate {lr}", hint="--lr 0.001")


def build_loss(
    name: str, task_kind: str, class_weights: np.ndarray | None = None
) -> Callable[[Any, Any], Any]:
    """The loss called ``name``: of outputs (n, 1) and values (n,), or of class scores (n, K) and codes (n,).

    Outputs of several members, (members, n, ...), have the mean of the members' losses.
    """
    if task_kind == "regression":
        error = REGRESSION_LOSSES[name]()
        return lambda output, target: error(output.squeeze(-1), _for_members(target, output))
    weight = None if class_weights is None else rg.tensor(np.asarray(class_weights, dtype=np.float32))
    smoothing = 0.05 if name == "label_smoothing" else 0.0
    entropy = nn.CrossEntropyLoss(weight=weight, label_smoothing=smoothing)

    def loss(output: Any, target: Any) -> Any:
        return entropy(output.reshape(-1, output.shape[-1]), _for_members(target, output).reshape(-1))

    return loss


def _for_members(target: Any, output: Any) -> Any:
    """Targets (n,) once for every member where the output is (members, n, ...)."""
    if output.ndim == 2:
        return target
    return rg.broadcast_to(target.unsqueeze(0), tuple(output.shape[:2]))


def build_trainer(
    recipe: Recipe,
    numbers: np.ndarray,
    category_sizes: Sequence[int],
    task_kind: str,
    *,
    classes: int = 0,
    class_weights: np.ndarray | None = None,
    seed: int = 0,
    lr: float | None = None,
    schedule: bool = True,
    metrics: Any = None,
    progress: Progress = silent,
) -> Trainer:
    """A new network and its trainer; ``numbers`` are those of the training rows.  The seed starts the random stream.

    The rate rises for a tenth of the steps and falls to nought by the last one (`OneCycleLR`, Smith 2018).
    """
    rg.manual_seed(seed)
    outputs = 1 if task_kind == "regression" else classes
    bins = recipe.architecture.bins
    edges = quantile_edges(numbers, bins) if bins else None
    model = TabularNet(numbers.shape[1], category_sizes, outputs, recipe.architecture, edges)
    rate = lr if lr is not None else recipe.lr if recipe.lr is not None else 1e-3
    optimizer = build_optimizer(recipe.optimizer, model, rate, recipe.weight_decay)
    steps = recipe.epochs * -(-len(numbers) // min(recipe.batch_size, len(numbers)))
    scheduler = None
    if schedule:
        scheduler = optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=rate,
            total_steps=steps + 1,
            pct_start=0.1,
            div_factor=10.0,
            cycle_momentum=False,
        )
    return Trainer(
        model,
        optimizer,
        build_loss(recipe.loss, task_kind, class_weights),
        batch_size=recipe.batch_size,
        seed=seed,
        scheduler=scheduler,
        clip_norm=recipe.clip_norm,
        patience=recipe.patience,
        average=recipe.average,
        smoothing=recipe.smoothing,
        metrics=metrics,
        progress=progress,
        compile=Policy(CALLS) if recipe.compiled else NEVER,
    )


def build_optimizer(name: str, model: Any, lr: float, weight_decay: float) -> Any:
    """The optimiser called ``name``; biases, norms and embeddings are not decayed (they do not multiply inputs)."""
    weights = {key for key, p in model.named_parameters() if p.ndim >= 2 and key.endswith("weight")}
    weights = {key for key in weights if "embedding" not in key}
    decayed = [p for key, p in model.named_parameters() if key in weights]
    others = [p for key, p in model.named_parameters() if key not in weights]
    groups = [{"params": decayed, "weight_decay": weight_decay}]
    if others:
        groups.append({"params": others, "weight_decay": 0.0})
    if name == "sgd":
        return optim.SGD(groups, lr=lr, momentum=0.9, nesterov=True)
    kind = {"adamw": optim.AdamW, "adam": optim.Adam, "rmsprop": optim.RMSprop, "adagrad": optim.Adagrad}[
        name
    ]
    return kind(groups, lr=lr)


def with_rate(recipe: Recipe, lr: float) -> Recipe:
    """The recipe with its learning rate."""
    return replace(recipe, lr=float(lr))


def with_activation(recipe: Recipe, name: str) -> Recipe:
    """The recipe with another activation."""
    return replace(recipe, architecture=replace(recipe.architecture, activation=name))


def with_epochs(recipe: Recipe, epochs: int) -> Recipe:
    """The recipe with another number of epochs."""
    return replace(recipe, epochs=int(epochs), patience=max(8, int(epochs) // 4))
