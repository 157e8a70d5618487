"""Training steps of dense nets beside every other library, and what belongs to them: the figures of docs/speed.md.

    python benchmarks/step_time.py                          # all of it, with the machine to itself: about 20 minutes
    python benchmarks/step_time.py --net 64-128-10 --only steps --threads 1
    python benchmarks/step_time.py --docs                   # docs/speed.md anew from the JSON that was kept

Forward, backward and Adam in float32, by Retrograd compiled, PyTorch eager (fused Adam) and torch.compile, JAX jit and
scikit-learn's partial_fit, on one and two threads.  The processes are alive side by side and take turns; each ratio is the
median over rounds of ours by the best of the others, and a control (fixed NumPy work) shows rounds in which the machine was
not itself.  Besides: the machine's own rate at the step's products, the limit study (limit.c, where there is a C
compiler), first calls, peak memory, one row, a whole process on the digits, widths 32 to 256, an idle process and one
without a PATH.  JSON goes to --out and to standard output, tables to standard error.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from retrograd.bench import NETS, PEERS
from retrograd.bench.measure import Plan, machine, measure
from retrograd.bench.tables import header, markdown, tables
from retrograd.cli.console import table

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("steps", "first", "memory", "row", "digits", "widths", "idle")
BEGIN, END = "<!-- step_time.py: begin -->", "<!-- step_time.py: end -->"

FULL = Plan(
    threads=(1, 2),
    rounds=15,
    seconds=0.15,
    limit=Path(__file__).with_name("limit.c"),
    first_calls=5,
    memory=tuple(NETS.values()),
    one_row=NETS["13-64-64-1"],
    digits=5,
    widths=(32, 256),
    idle=True,
)


def frame() -> dict[str, Any]:
    """The tables' frame with nothing measured yet."""
    rows = [
        {
            "net": net.name,
            "batch": net.batch,
            "threads": threads,
            "target_ratio": net.ratio[threads],
            "target_of_limit": net.of_limit.get(threads),
            "target_of_rate": net.of_rate,
            "of_limit": None,
        }
        for threads in FULL.threads
        for net in FULL.nets
    ]
    return {"steps": rows}


def write_docs(page: Path, found: dict[str, Any]) -> None:
    """Put the tables between the page's two marks."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{page} has no {BEGIN} ... {END}")
    page.write_text(f"{before}{begin}\n{markdown(found)}\n{end}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--net", action="append", choices=list(NETS), help="only this net; may be repeated")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; may be repeated")
    parser.add_argument("--without", action="append", default=[], choices=[peer.name for peer in PEERS])
    parser.add_argument("--threads", type=int, action="append", help="only so many; may be repeated")
    parser.add_argument("--rounds", type=int, default=FULL.rounds)
    parser.add_argument("--seconds", type=float, default=FULL.seconds, help="of one turn")
    parser.add_argument("--widths", type=int, nargs=2, default=FULL.widths, metavar=("FIRST", "LAST"))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "benchmarks" / "step_time.json")
    parser.add_argument("--docs", action="store_true", help="measure nothing; write docs/speed.md from --out")
    given = parser.parse_args()
    if given.docs:
        found = json.loads(given.out.read_text(encoding="utf-8")) if given.out.exists() else frame()
        write_docs(ROOT / "docs" / "speed.md", found)
        return
    cores = machine()["cores"]
    names = given.net or list(NETS)
    plan = dataclasses.replace(
        FULL,
        nets=[NETS[name] for name in names],
        memory=[net for net in FULL.memory if net.name in names],
        peers=[peer for peer in PEERS if peer.name not in given.without],
        threads=[n for n in given.threads or FULL.threads if n <= cores],
        rounds=given.rounds,
        first_calls=min(FULL.first_calls, given.rounds),
        digits=min(FULL.digits, given.rounds),
        seconds=given.seconds,
        widths=tuple(given.widths),
        parts=frozenset(given.only or ()),
    )
    found = measure(plan, lambda text: print(text, file=sys.stderr, flush=True))
    text = json.dumps(found, indent=1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    print(header(found), file=sys.stderr)
    for each in tables(found):
        print(f"\n{each.title}\n{table(each.rows, left=each.left)}", file=sys.stderr)


if __name__ == "__main__":
    main()
