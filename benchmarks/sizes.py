"""How plan and status grow with the Organization: calls, processor time and memory, in one table.

`python -m benchmarks.sizes --write docs/rollout.md` measures everything and puts the table there.
The Organizations are made up and answer in AWS's page sizes; what the network would add is not in
the seconds. Each row is a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.memory import peak_memory
from benchmarks.rolling_out import planned
from benchmarks.status_scale import Stub, look_at
from stacksets.cli.gc_tuning import collect_seldom

ROOT = Path(__file__).parent.parent
SIZES = (100, 1_000, 10_000)
LOOKS = 3
BEGIN, END = "<!-- sizes -->\n", "<!-- end of sizes -->\n"
COLUMNS = (
    "",
    "accounts",
    "calls",
    "calls an account",
    "processor time",
    "time, by the row above",
    "peak memory",
    "memory an account more",
)


@dataclass(frozen=True)
class Row:
    """One look over so many accounts; `seconds` are of processor time, the least of some looks;
    `peak` is the process's most memory in bytes, made-up answers in it."""

    what: str
    accounts: int
    calls: int
    seconds: float
    peak: int


def _first_plan(size: int) -> Callable[[], int]:
    return lambda: planned(size, before=None)[1].total()


def _later_plan(size: int) -> Callable[[], int]:
    """As each plan after the first one: all sets stand."""
    first, _ = planned(size, before=None)
    return lambda: planned(size, before=first)[1].total()


def _status(size: int) -> Callable[[], int]:
    stub = Stub(size)

    def seen() -> int:
        stub.calls.clear()
        look_at(stub)
        return stub.calls.total()

    return seen


# What makes the Organization, and answers what looks at it and says how many calls that took.
KINDS: Mapping[str, Callable[[int], Callable[[], int]]] = {
    "first plan": _first_plan,
    "later plan": _later_plan,
    "status": _status,
}


def measure(what: str, size: int) -> Row:
    """The same look some times in this process, and the shortest: the machine does other things,
    too."""
    look = KINDS[what](size)
    seconds = float("inf")
    for _ in range(LOOKS):
        began = time.process_time()
        calls = look()
        seconds = min(seconds, time.process_time() - began)
    return Row(what, size, calls, seconds, peak_memory())


def table(rows: Iterable[Row]) -> str:
    """The Markdown table; `rows` of one kind stand together, the smaller ones first."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" + "|--:" * (len(COLUMNS) - 1) + "|"]
    above: Row | None = None
    for row in rows:
        smaller = above if above and above.what == row.what else None
        grown = f"{row.seconds / smaller.seconds:.1f} times" if smaller else ""
        more = (
            f"{(row.peak - smaller.peak) / (row.accounts - smaller.accounts) / 1e3:.1f} kB"
            if smaller
            else ""
        )
        cells = (
            *(row.what, f"{row.accounts:,}", f"{row.calls:,}", f"{row.calls / row.accounts:.3f}"),
            *(f"{row.seconds:.2f} s", grown, f"{row.peak / 1e6:.0f} MB", more),
        )
        lines.append("| " + " | ".join(cells) + " |")
        above = row
    return "\n".join(lines) + "\n"


def with_table(text: str, made: str) -> str:
    """A document with the table in its place. Raises ValueError where it has none."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The document has no {BEGIN.strip()} and {END.strip()}.")
    return f"{head}{BEGIN}\n{made}\n{END}{tail}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizes", description=__doc__)
    parser.add_argument("--write", type=Path, help="document to put the table into")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="ACCOUNTS")
    parser.add_argument("--one", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        # As `python -m stacksets` does.
        collect_seldom()
        print(json.dumps(asdict(measure(options.one, options.sizes[0]))))
        return 0
    made = table(measure_apart(what, size) for what in KINDS for size in options.sizes)
    print(made)
    if options.write:
        options.write.write_text(with_table(options.write.read_text(), made))
    return 0


def measure_apart(what: str, size: int) -> Row:
    """The same in a process of its own, whose peak is of nothing else."""
    command = [sys.executable, "-m", "benchmarks.sizes", "--one", what, "--sizes", str(size)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return Row(**json.loads(said))


if __name__ == "__main__":
    sys.exit(main())
