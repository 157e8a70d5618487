"""Where a loader is in its order, as plain numbers that fit into any file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import StateError
from ...functions.random import Generator, default_generator

State = dict[str, Any]


def generators_of(loader: Any) -> list[Generator]:
    """The streams of random numbers that decide the order, each once."""
    batches = loader.batch_sampler
    holders = [loader, loader.sampler, batches, getattr(batches, "sampler", None)]
    found = (getattr(holder, "generator", None) for holder in holders)
    own = (g for g in found if isinstance(g, Generator) and g is not default_generator)
    return list({id(g): g for g in own}.values())


def numbers(generator: Generator) -> list[int]:
    """Seed and counter."""
    return [generator.initial_seed(), generator.counter]


def set_numbers(generator: Generator, saved: list[int]) -> None:
    generator.manual_seed(saved[0])
    generator.counter = int(saved[1])


class Position:
    """An epoch that has begun: the state of the generators before it drew from them, and how many batches it has given."""

    def __init__(self, loader: Any) -> None:
        self.generators = [numbers(g) for g in generators_of(loader)]
        self.default = numbers(default_generator)
        self.sampler = _sampler_state(loader)
        self.batch = 0
        self.over = False


def save(loader: Any, position: Position | None) -> State:
    """The state of a loader; between epochs it is that of its generators now, and batch None."""
    under_way = position is not None and not position.over
    now = position if position is not None and under_way else Position(loader)
    return {
        "batch": now.batch if under_way else None,
        "generators": now.generators,
        "default_generator": now.default,
        "sampler": now.sampler,
        "loader": description(loader),
    }


def description(loader: Any) -> State:
    """What must be the same for an order to go on."""
    try:
        rows = len(loader.dataset)
    except TypeError:
        rows = None
    sizes = loader.batch_sampler if loader.batch_size is None else loader
    return {
        "rows": rows,
        "batch_size": getattr(sizes, "batch_size", None),
        "drop_last": bool(getattr(sizes, "drop_last", False)),
        "streams": max(1, loader.num_workers) if loader._is_stream else None,
        "generators": len(generators_of(loader)),
    }


def check(loader: Any, saved: Mapping[str, Any]) -> None:
    """Refuse a state of another loader."""
    try:
        theirs = dict(saved["loader"])
        complete = {"batch", "generators", "default_generator"} <= saved.keys()
    except (KeyError, TypeError):
        theirs, complete = {}, False
    if not complete:
        raise StateError("this is not the state of a DataLoader", hint="state = loader.state_dict()")
    for key, ours in description(loader).items():
        if theirs.get(key) != ours:
            raise StateError(
                f"the saved order is of a loader with {_SHOWN[key]} {theirs.get(key)}, this one has {ours}",
                hint="make the loader as it was made when the state was saved",
            )


_SHOWN = {
    "rows": "the number of rows",
    "batch_size": "batch_size",
    "drop_last": "drop_last",
    "streams": "the number of workers that read the stream",
    "generators": "the number of generators",
}


def restore_generators(loader: Any, saved: Mapping[str, Any]) -> None:
    for generator, state in zip(generators_of(loader), saved["generators"], strict=True):
        set_numbers(generator, state)
    sampler = _stateful(loader)
    if sampler is not None and saved.get("sampler") is not None:
        sampler.load_state_dict(saved["sampler"])


def _stateful(loader: Any) -> Any:
    """The sampler, if it is one with a state of its own."""
    for sampler in (loader.batch_sampler, getattr(loader.batch_sampler, "sampler", None), loader.sampler):
        if hasattr(sampler, "state_dict") and hasattr(sampler, "load_state_dict"):
            return sampler
    return None


def _sampler_state(loader: Any) -> Any:
    sampler = _stateful(loader)
    return None if sampler is None else sampler.state_dict()
