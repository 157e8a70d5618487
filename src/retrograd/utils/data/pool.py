"""The worker processes as the main process sees them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import socket
import time
import warnings
import weakref
from dataclasses import replace
from multiprocessing.connection import wait
from typing import Any

from ...errors import RetrogradError, UsageError
from .transport import pack, receive, send
from .worker import Failure, Job, run

STOP_SECONDS = 5.0
"""How long a worker that is busy with a row may take to stop before it is ended."""


class WorkerError(RetrogradError, RuntimeError):
    """A worker process has died, or has not answered in time."""


class WorkerTimeout(WorkerError):
    """It may still answer."""


class _Text(str):
    """A text that KeyError prints as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class _Process:
    """One worker: its process and our end of its pipe."""

    def __init__(self, context: Any, job: Job, earlier: list[Any]) -> None:
        self.id = job.id
        self.connection, theirs = context.Pipe()
        inherited = [p.connection for p in earlier] + [self.connection]
        forked = context.get_start_method() == "fork"
        self.process = context.Process(
            target=run, args=(job, theirs, inherited if forked else []), daemon=True
        )
        try:
            with warnings.catch_warnings():
                # Python warns of forking a process with threads. NumPy's are made for that; a worker starts its own.
                warnings.filterwarnings(
                    "ignore", message=".*multi-threaded.*fork", category=DeprecationWarning
                )
                self.process.start()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            self.connection.close()
            raise UsageError(
                f"the dataset, collate_fn or worker_init_fn cannot be sent to a worker process: {error}",
                hint="define them at the top of a module, not inside a function; or multiprocessing_context='fork'",
            ) from error
        finally:
            theirs.close()  # so that the pipe ends when the worker does


class Pool:
    """Worker processes of one loader, in the order of their numbers."""

    def __init__(self, context: Any, job: Job) -> None:
        self.members: list[_Process] = []
        self._finalizer = weakref.finalize(self, _stop, self.members, os.getpid())
        for i in range(job.num_workers):
            self.members.append(_Process(context, replace(job, id=i), self.members))

    def tell(self, worker: int, *message: Any) -> None:
        """Send a message to a worker."""
        try:
            send(self.members[worker].connection, pack(message))
        except OSError:
            raise self._gone(worker) from None

    def hear(self, worker: int, timeout: float) -> Any:
        """The next message of a worker; an error if it has died, or takes longer than ``timeout`` seconds (0: any time)."""
        member = self.members[worker]
        sources = [member.connection, member.process.sentinel]
        ready = wait(sources, timeout or None)
        if not ready:
            raise WorkerTimeout(
                f"DataLoader worker {worker} (pid {member.process.pid}) gave no batch within {timeout:g} seconds",
                hint="a larger timeout=, or timeout=0 to wait as long as it takes",
            )
        try:
            if member.connection in ready or member.connection.poll():
                return receive(member.connection)
        except (EOFError, OSError, pickle.UnpicklingError):
            pass
        raise self._gone(worker)

    def _gone(self, worker: int) -> WorkerError:
        process = self.members[worker].process
        process.join(1.0)
        code = process.exitcode
        how = f"ended with exit code {code}"
        if code is None:
            how = "closed its connection"
        elif code < 0:
            with contextlib.suppress(ValueError):
                how = f"was killed by signal {-code} ({signal.Signals(-code).name})"
        return WorkerError(
            f"DataLoader worker {worker} (pid {process.pid}) {how}",
            hint="killed workers often mean too little memory: lower num_workers or batch_size; "
            "num_workers=0 loads in this process, where errors show",
        )

    def close(self) -> None:
        """Stop all workers; a second call does nothing."""
        self._finalizer()


def _stop(members: list[_Process], owner: int) -> None:
    if os.getpid() != owner:
        return  # a forked copy of this pool: the workers are not its own
    for m in members:
        _hang_up(m.connection)
    deadline = time.monotonic() + STOP_SECONDS
    for m in members:
        m.process.join(max(0.0, deadline - time.monotonic()))
    for end in ("terminate", "kill"):
        for m in members:
            if m.process.is_alive():
                getattr(m.process, end)()
                m.process.join(1.0)
    members.clear()


def _hang_up(connection: Any) -> None:
    """End a pipe for both sides, also where a process that was forked later holds a copy of our end."""
    if hasattr(socket, "AF_UNIX"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as pipe:
            pipe.shutdown(socket.SHUT_RDWR)
    connection.close()


def raise_here(found: Failure, worker: int, batch: int) -> None:
    """Raise a worker's error in the main process: of its own kind where that can be made of a text."""
    text = (
        f"{found.text}\n  in DataLoader worker {worker}, batch {batch}: {found.what}\n"
        f"The worker's traceback:\n{found.trace}"
    )
    raise _rebuilt(found, text) from None


def _rebuilt(found: Failure, text: str) -> BaseException:
    try:
        if issubclass(found.kind, RetrogradError):
            return found.kind(text, hint=found.hint, where="")
        error = found.kind(_Text(text))
        if isinstance(error, Exception) and not isinstance(error, StopIteration):
            return error
    except Exception:
        pass  # a class that is not made of one text
    return RuntimeError(f"{found.kind.__name__}: {text}")


def default_context(given: Any) -> Any:
    """The way to start processes: the one that is asked for, or the system's."""
    return given if given is not None else multiprocessing.get_context()
