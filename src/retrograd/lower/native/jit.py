"""From LLVM's language to the address of a function: optimise, emit an object, link it into this process.

LLVM is imported late: a program that compiles nothing never loads it.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from . import level as levels
from .kernel import Kernel
from .level import Level

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
    if levels.of_this_cpu() is None:
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
    """The address of each kernel, by its symbol; each is compiled and linked once in a process."""
    wanted = {kernel.symbol: kernel for kernel in kernels}
    with _lock:
        new = [kernel for symbol, kernel in wanted.items() if (level.name, symbol) not in _addresses]
        if new:
            objects = [compile_object(kernel.text, level) for kernel in new]
            found = _link(objects, [kernel.symbol for kernel in new], level)
            _addresses.update({(level.name, symbol): address for symbol, address in found.items()})
        return {symbol: _addresses[level.name, symbol] for symbol in wanted}


def triple_of(level: Level) -> str:
    """LLVM's name of the system that code of this level is for."""
    import llvmlite.binding as llvm

    here = llvm.get_process_triple()
    if levels.architecture(here) != level.architecture:
        return f"{level.architecture}-unknown-linux-gnu"
    # LLVM links no COFF objects into a running process.
    return here + "-elf" if os.name == "nt" else here


@functools.cache
def _target(level: Level) -> Any:
    import llvmlite.binding as llvm

    triple = triple_of(level)
    if levels.architecture(llvm.get_process_triple()) == level.architecture:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
    else:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    return llvm.Target.from_triple(triple).create_target_machine(
        cpu=level.cpu, features=level.features, opt=2, reloc="pic", codemodel="small", jit=True
    )


def _optimised(text: str, level: Level) -> tuple[Any, Any]:
    import llvmlite.binding as llvm

    machine = _target(level)
    module = llvm.parse_assembly(text, llvm.create_context())
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(module, builder)
    return machine, module


def compile_object(text: str, level: Level) -> bytes:
    """The object file of one module."""
    with _lock:
        machine, module = _optimised(text, level)
        return machine.emit_object(module)


def assembly(text: str, level: Level) -> str:
    """What `compile_object` gives, for people to read; for a CPU that is not this one too."""
    with _lock:
        machine, module = _optimised(text, level)
        return machine.emit_assembly(module)


@functools.cache
def _linker() -> Any:
    import llvmlite.binding as llvm

    return llvm.create_lljit_compiler(_target(levels.LEVELS[levels.current().name]), use_jit_link=True)


def _link(objects: list[bytes], names: list[str], level: Level) -> dict[str, int]:
    """Bring objects into this process, for its whole life."""
    import llvmlite.binding as llvm

    library = llvm.JITLibraryBuilder()
    for content in objects:
        library.add_object_img(content)
    library.add_current_process()
    for name, address in _outside.items():
        library.import_symbol(name, address)
    for name in names:
        library.export_symbol(name)
    tracker = library.link(_linker(), f"kernels{next(_numbers)}")
    found = {name: tracker[name] for name in names}
    # Never unloaded: a thread may be inside a kernel while the interpreter shuts down.
    tracker.detach()
    return found
