"""A worker process: it gets row numbers, and sends batches."""

from __future__ import annotations

import multiprocessing
import os
import queue
import random
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from ...errors import RetrogradError
from ...functions.random import default_generator
from ...threads import set_num_threads
from .fetch import EndOfStream, Fetcher, RowError
from .transport import pack, receive, send

__all__ = ["WorkerInfo", "get_worker_info"]

PARENT_CHECK_SECONDS = 5.0


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this process is: ``id`` of ``num_workers``, its ``seed`` in this epoch, its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process of a `DataLoader`, which one it is; None elsewhere."""
    return _info


@dataclass
class Job:
    """What a worker needs to know."""

    id: int
    num_workers: int
    dataset: Any
    auto: bool
    collate: Callable[[Any], Any]
    drop_last: bool
    stream: bool
    init: Callable[[int], None] | None
    base_seed: int


@dataclass
class Failure:
    """An error on its way to the main process: an exception itself may not survive pickling."""

    kind: type[BaseException]
    text: str
    hint: str | None
    what: str
    trace: str


def failure(error: BaseException, what: str) -> Failure:
    kind = type(error)
    text = error.message if isinstance(error, RetrogradError) else str(error)
    hint = error.hint if isinstance(error, RetrogradError) else None
    return Failure(kind, text, hint, what, "".join(traceback.format_exception(error)).rstrip())


def seed_all(seed: int) -> None:
    """Seed everything that a dataset may draw from in a worker, which has these streams for itself."""
    default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


class _Sender(threading.Thread):
    """Sends while the worker loads the next batch."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(daemon=True)
        self.connection = connection
        self.waiting: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
        self.start()

    def run(self) -> None:
        try:
            while True:
                send(self.connection, self.waiting.get())
        except OSError:
            pass  # nobody listens any more


def run(job: Job, connection: Connection, others: list[Connection]) -> None:
    """Everything that a worker does, until it is told to stop or its parent is gone."""
    global _info
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the main process, which ends the workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = os.getppid()
    for other in others:  # copies of the main process's ends, which would hide that it has gone
        other.close()
    set_num_threads(1)
    worker = _Worker(job, _Sender(connection))
    while True:
        message = _next_message(connection, parent)
        if message is None:
            return
        worker.handle(*message)


def _next_message(connection: Connection, parent: int) -> Any:
    try:
        while not connection.poll(PARENT_CHECK_SECONDS):
            main = multiprocessing.parent_process()
            if os.getppid() != parent or (main is not None and not main.is_alive()):
                return None
        return receive(connection)
    except (EOFError, OSError):
        return None


class _Worker:
    def __init__(self, job: Job, sender: _Sender) -> None:
        self.job = job
        self.sender = sender
        self.fetcher: Fetcher | None = None
        self.base_seed = job.base_seed
        self.done = 0
        self.broken: Failure | None = None
        self._learn()
        seed_all(self.base_seed + job.id)
        try:
            if job.init is not None:
                job.init(job.id)
        except Exception as error:
            self.broken = failure(error, "worker_init_fn ran")

    def _learn(self) -> None:
        global _info
        job = self.job
        _info = WorkerInfo(job.id, job.num_workers, self.base_seed + job.id, job.dataset)

    def handle(self, kind: str, *content: Any) -> None:
        if kind == "epoch":
            self.base_seed, self.done, self.fetcher = *content, 0, None
            self._learn()
            return
        epoch, number, indices = content
        self.sender.waiting.put(self._answer(epoch, number, indices))

    def _answer(self, epoch: int, number: int, indices: Any) -> list[Any]:
        job = self.job
        if self.broken is not None:
            broken, self.broken = self.broken, None
            return pack((epoch, number, "error", broken))
        # Of a stream, the place is this worker's own: the numbers of batches depend on how many are asked for ahead.
        place = job.id + job.num_workers * self.done if job.stream else number
        self.done += 1
        try:
            seed_all(self.base_seed + place)
            if self.fetcher is None:
                self.fetcher = Fetcher(job.dataset, job.auto, job.collate, job.drop_last)
            return pack((epoch, number, "batch", self.fetcher.fetch(indices)))
        except EndOfStream:
            return pack((epoch, number, "end", None))
        except RowError as wrong:
            return self._report(epoch, number, failure(wrong.error, wrong.what))
        except Exception as error:
            return self._report(epoch, number, failure(error, "a batch was made ready to be sent"))

    @staticmethod
    def _report(epoch: int, number: int, found: Failure) -> list[Any]:
        try:
            return pack((epoch, number, "error", found))
        except Exception:  # the class of the error cannot be found by name from elsewhere
            found.kind = RuntimeError
            return pack((epoch, number, "error", found))
