"""From LLVM's language to the address of a function: optimise, emit an object, link it into this process.

LLVM is imported late: a program that compiles nothing never loads it.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import cache
from . import level as levels
from .kernel import Kernel
from .level import Level

_PASSES = ("always_inliner", "sroa", "loop_simplify", "loop_rotate", "instruction_combine", "simplify_cfg")
"""Kernels come with their vectors written out: the full pipeline takes seven times as long, for the same code."""
_FORMAT = "1"
"""Goes into every key on disk, with the level and LLVM's version: to be changed with anything else that changes objects."""
_MOST_THREADS = 8
_MATHEMATICS = tuple(
    name + suffix
    for name in ("fma", "fmod", "floor", "ceil", "trunc", "rint", "nearbyint", "round", "roundeven")
    for suffix in ("", "f")
) + ("memcpy", "memset", "memmove")

_lock = threading.RLock()
_addresses: dict[tuple[str, str], int] = {}
_outside: dict[str, int] = {}
_numbers = itertools.count()

if hasattr(os, "register_at_fork"):
    # Nobody is inside LLVM at a fork: the child would wait for ever for a lock of a thread that it has not.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


@functools.cache
def reason() -> str | None:
    """Why nothing can be compiled here; None when it can."""
    try:
        import llvmlite.binding as llvm
    except ImportError as error:
        return f"llvmlite is not installed ({error}); pip install llvmlite"
    if not levels.possible():
        return f"no native code for {llvm.get_process_triple()}"
    return None


def available() -> bool:
    """Whether kernels can be compiled and called in this process; `reason` says why not."""
    return reason() is None


def symbols(names: Mapping[str, int]) -> None:
    """Make functions outside known to kernels that are linked from now on: name -> address."""
    with _lock:
        _outside.update(names)


def compile_kernels(kernels: Iterable[Kernel], level: Level) -> dict[str, int]:
    """The address of each kernel, by its symbol; each is compiled once on a machine, and linked once in a process."""
    wanted = {kernel.symbol: kernel for kernel in kernels}
    with _lock:
        new = [kernel for symbol, kernel in wanted.items() if (level.name, symbol) not in _addresses]
        if new:
            names = [kernel.symbol for kernel in new]
            try:
                found = _link(objects(new, level), names)
            except RuntimeError:
                # Whole, ours, and yet not linked: whatever it is, it is replaced.
                found = _link(objects(new, level, anew=True), names)
            _addresses.update({(level.name, symbol): address for symbol, address in found.items()})
        return {symbol: _addresses[level.name, symbol] for symbol in wanted}


def objects(kernels: Sequence[Kernel], level: Level, anew: bool = False) -> list[bytes]:
    """The object file of each kernel, from the disk where it is there; ``anew``: compiled in any case."""
    same = (_FORMAT, *_PASSES, identity(level), triple_of(level))
    keys = [cache.key(*same, kernel.symbol) for kernel in kernels]  # a digest of the text
    kept = [None if anew else cache.entry(key, "object") for key in keys]
    missing = [i for i, content in enumerate(kept) if content is None]
    made = _compile_all([kernels[i].text for i in missing], level)
    for i, content in zip(missing, made, strict=True):
        kept[i] = content
        cache.put(keys[i], content, "object")
    return [content for content in kept if content is not None]


def _compile_all(texts: Sequence[str], level: Level) -> list[bytes]:
    """The objects of these modules, by as many threads as there are cores to run on."""
    made: dict[int, bytes] = {}
    failed: list[BaseException] = []
    # the longest first: none is left to run alone at the end
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    todo = iter(order)

    def work() -> None:
        try:
            while (i := next(todo, None)) is not None:
                made[i] = _compile(texts[i], level)
        except BaseException as error:
            failed.append(error)
            order.clear()  # the others stop at their next one

    helpers = [threading.Thread(target=work) for _ in range(min(_cores(), len(texts) // 2) - 1)]
    try:
        for helper in helpers:
            helper.start()
        work()
    finally:
        order.clear()
        for helper in helpers:
            if helper.ident is not None:
                helper.join()
    if failed:
        raise failed[0]
    return [made[i] for i in range(len(texts))]


def _cores() -> int:
    try:
        return min(_MOST_THREADS, len(os.sched_getaffinity(0)))
    except AttributeError:
        return min(_MOST_THREADS, os.cpu_count() or 1)


@functools.cache
def triple_of(level: Level) -> str:
    """LLVM's name of the system that code of this level is for."""
    import llvmlite.binding as llvm

    here = llvm.get_process_triple()
    if levels.architecture(here) != level.architecture:
        return f"{level.architecture}-unknown-linux-gnu"
    # LLVM links no COFF objects into a running process.
    return here + "-elf" if os.name == "nt" else here


@functools.cache
def llvm_version() -> str:
    """For instance "22.1.0"."""
    import llvmlite.binding as llvm

    return ".".join(map(str, llvm.llvm_version_info))


def identity(level: Level, *more: str) -> str:
    """Everything that the bits of a program's results depend on, besides the program; ``more``: of the matrix product.

    Recorded in ``run.json``: equal strings promise equal bits.
    """
    return "; ".join((level.name, f"{level.cpu} {level.features}".strip(), f"LLVM {llvm_version()}", *more))


class _Compiler:
    """LLVM's machinery for one level, for one thread at a time."""

    def __init__(self, level: Level) -> None:
        import llvmlite.binding as llvm

        if levels.architecture(llvm.get_process_triple()) == level.architecture:
            llvm.initialize_native_target()
            llvm.initialize_native_asmprinter()
        else:
            llvm.initialize_all_targets()
            llvm.initialize_all_asmprinters()
        self.machine = llvm.Target.from_triple(triple_of(level)).create_target_machine(
            cpu=level.cpu, features=level.features, opt=2, reloc="pic", codemodel="small", jit=True
        )
        self.layout = str(self.machine.target_data)
        self.tuning = llvm.create_pipeline_tuning_options(speed_level=2)
        self.builder = llvm.create_pass_builder(self.machine, self.tuning)
        self.passes = llvm.create_new_module_pass_manager()
        for name in _PASSES:
            getattr(self.passes, f"add_{name}_pass")()

    def optimised(self, text: str) -> Any:
        import llvmlite.binding as llvm

        module = llvm.parse_assembly(text, llvm.create_context())
        module.triple = self.machine.triple
        module.data_layout = self.layout
        module.verify()
        _without_lock("LLVMPY_RunNewModulePassManager")(self.passes, module, self.builder)
        return module

    def emit(self, module: Any, as_object: bool) -> bytes:
        from llvmlite.binding import ffi

        with ffi.OutputString() as wrong:
            buffer = _without_lock("LLVMPY_TargetMachineEmitToMemory")(
                self.machine, module, int(as_object), wrong
            )
            if not buffer:
                raise RuntimeError(str(wrong))
        try:
            start, size = ffi.lib.LLVMPY_GetBufferStart(buffer), ffi.lib.LLVMPY_GetBufferSize(buffer)
            return ctypes.string_at(start, size)
        finally:
            ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


@functools.cache
def _without_lock(name: str) -> Any:
    """One of llvmlite's functions, but not under the lock that it holds around every call.

    LLVM itself needs none: each thread has a context, a target and passes of its own.
    """
    from llvmlite.binding import ffi

    locked = getattr(ffi.lib, name)
    return getattr(getattr(ffi.lib, "_lib_handle", None), name, locked)


_mine = threading.local()


def _compiler(level: Level) -> _Compiler:
    known: dict[str, _Compiler] = _mine.__dict__.setdefault("compilers", {})
    if level.name not in known:
        known[level.name] = _Compiler(level)
    return known[level.name]


def _compile(text: str, level: Level) -> bytes:
    compiler = _compiler(level)
    return compiler.emit(compiler.optimised(text), True)


def assembly(text: str, level: Level) -> str:
    """The instructions that a module becomes, for people to read; for CPUs that are not this one too."""
    with _lock:
        compiler = _compiler(level)
        return compiler.emit(compiler.optimised(text), False).decode()


@functools.cache
def _linker() -> Any:
    import llvmlite.binding as llvm

    linker = llvm.create_lljit_compiler(_compiler(levels.current()).machine, use_jit_link=True)
    _register_mathematics()
    return linker


def _register_mathematics() -> None:
    """What LLVM calls by itself where the CPU has no instruction: from the C library, wherever Python found it."""
    for name in (None, "libm.so.6", "libSystem.B.dylib", "ucrtbase.dll", "msvcrt.dll"):
        try:
            library = ctypes.CDLL(name)
        except (OSError, TypeError):
            continue
        for function in _MATHEMATICS:
            if function not in _outside and hasattr(library, function):
                _outside[function] = ctypes.cast(getattr(library, function), ctypes.c_void_p).value or 0


def _link(contents: list[bytes], names: list[str]) -> dict[str, int]:
    """Bring objects into this process, for its whole life."""
    import llvmlite.binding as llvm

    linker = _linker()
    library = llvm.JITLibraryBuilder()
    for content in contents:
        library.add_object_img(content)
    library.add_current_process()
    for name, address in _outside.items():
        library.import_symbol(name, address)
    for name in names:
        library.export_symbol(name)
    tracker = library.link(linker, f"kernels{next(_numbers)}")
    found = {name: tracker[name] for name in names}
    # Never unloaded: a thread may be inside a kernel while the interpreter shuts down.
    tracker.detach()
    return found
