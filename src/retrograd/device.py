"""The one device: the CPU.  What scripts ask about others gets an honest answer."""

from __future__ import annotations

from typing import Any

from .errors import UsageError


class device(str):  # lower case as in PyTorch
    """Where tensors live: always ``device("cpu")``; any other is refused with a hint.  Equal to its name as a string.

    >>> import retrograd as rg
    >>> rg.ones(2).device == rg.device("cpu") == "cpu"
    True
    """

    type: str
    index: int | None  # type: ignore[assignment]

    def __new__(cls, type: Any = "cpu", index: int | None = None) -> device:
        name = str(type)
        kind, _, number = name.partition(":")
        if kind != "cpu" or (number and number != "0") or index not in (None, 0):
            raise UsageError(
                f"device {name!r} does not exist: Retrograd runs on the CPU",
                hint="use device='cpu', or leave it out",
            )
        made = super().__new__(cls, "cpu")
        made.type, made.index = "cpu", 0 if number or index == 0 else None
        return made

    def __repr__(self) -> str:
        return "device(type='cpu')"


CPU = device("cpu")


class _NotHere:
    """Answers for a kind of device that does not exist here."""

    def __init__(self, name: str) -> None:
        self.name = name

    def is_available(self) -> bool:
        """False: there is no such device."""
        return False

    def is_built(self) -> bool:
        """False: there is no such device."""
        return False

    def device_count(self) -> int:
        """0: there is no such device."""
        return 0

    def manual_seed(self, seed: int) -> None:
        """Without effect: there is no such device to seed; `retrograd.manual_seed` seeds everything."""

    manual_seed_all = manual_seed

    def empty_cache(self) -> None:
        """Without effect: there is no memory of a device to give back."""

    synchronize = ipc_collect = reset_peak_memory_stats = empty_cache

    def __repr__(self) -> str:
        return f"<no {self.name} here>"


class _Cudnn(_NotHere):
    """Switches that scripts set: without effect, for everything is deterministic here."""

    deterministic, benchmark, enabled = False, False, False


class _Backends:
    """``backends.mps.is_available()`` and the like."""

    mps = _NotHere("mps")
    cuda = _NotHere("cuda")
    cudnn = _Cudnn("cudnn")


cuda = _NotHere("cuda")
backends = _Backends()
