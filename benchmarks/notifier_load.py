"""What telling of many calls costs: mails, writes, time, memory, waiting, four ways side by side.

`python -m benchmarks.notifier_load --write docs/notifier-load.md` runs all and writes the tables.
Each way handles each load in a process of its own, one after the other. Its own packages:
`pip install -c constraints.txt -c benchmarks/constraints.txt -e .[benchmark]`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.load import LOADS, START, Event
from benchmarks.memory import peak_memory
from benchmarks.notifier_variants import WAYS, Clock, Topic, Way
from benchmarks.table import Meter

# Longest time that a message waits for others of its batch (the mapping's window).
WINDOW_SECONDS = 5
# Memory is looked at in a run of its own, since looking takes time: over so many events.
LOOKED_AT = 2_000
COLUMNS = (
    "mails",
    "in the worst second",
    "longest wait",
    "writes an event",
    "units an event",
    "events a second, to ours",
    "memory",
)
BEGIN, END = "<!-- telling -->\n", "<!-- end -->\n"


@dataclass
class Result:
    """What one way made of one load; seconds are of processor time, `waited` simulated."""

    events: int = 0
    invocations: int = 0
    mails: int = 0
    most_mails_a_second: int = 0
    unnamed: int = 0
    waited: float = 0.0
    requests: int = 0
    writes: int = 0
    units: float = 0.0
    seconds: float = 0.0
    table_seconds: float = 0.0
    peak: int = 0
    resident: int = 0


def measure(load: str, way: str, events: int, *, look: bool = False) -> Result:
    """Let one way tell of one load, until nothing is owed any more."""
    clock, meter = Clock(START), Meter()
    topic = Topic(clock)
    made = WAYS[way][1](clock, topic, meter)
    result = Result()
    came: dict[tuple[str, str], float] = {}
    minute = START
    arriving = islice(LOADS[load].events(), events)
    for batch in _batches(arriving, clock, made.batch):
        for one in batch:
            came.setdefault(one.who, one.at)
        result.events += len(batch)
        records = [_record(result.events - n, one) for n, one in enumerate(batch)]
        event = {"Records": records}
        _run(result, partial(made.invoke, event), look=look)
        while made.sweep and clock.now >= minute + 60:
            minute += 60
            _run(result, made.sweep, look=look)
    _sweep_the_rest(made, clock, result, look=look)
    waits = [topic.named[who] - at for who, at in came.items() if who in topic.named]
    result.mails, result.waited = len(topic.mails), max(waits)
    result.unnamed = len(came) - len(waits)
    result.most_mails_a_second = max(Counter(int(at) for at in topic.mails).values())
    result.requests, result.writes, result.units = meter.requests, meter.writes, meter.units
    result.table_seconds = meter.seconds
    result.resident = peak_memory()
    return result


def _batches(events: Iterator[Event], clock: Clock, size: int) -> Iterator[list[Event]]:
    """What Lambda would hand over: as many as came meanwhile, up to a batch; one consumer."""
    batch: list[Event] = []
    for event in events:
        if batch and (
            len(batch) == size or event.at > max(clock.now, batch[0].at + WINDOW_SECONDS)
        ):
            # Whole, or its window is over.
            full = len(batch) == size
            clock.now = max(clock.now, batch[-1].at if full else batch[0].at + WINDOW_SECONDS)
            yield batch
            batch = []
        batch.append(event)
    if batch:
        clock.now = max(clock.now, batch[-1].at)
        yield batch


def _sweep_the_rest(made: Way, clock: Clock, result: Result, *, look: bool) -> None:
    due = made.sweep is not None
    while made.sweep and due:
        clock.now = (int(clock.now) // 60 + 1) * 60
        due = bool(_run(result, made.sweep, look=look))


def _record(number: int, event: Event) -> dict[str, Any]:
    return {
        "messageId": f"m-{number}",
        "receiptHandle": "r",
        "body": event.body,
        "attributes": {"SentTimestamp": str(int(event.at * 1000))},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:444455556666:iam-org-revoker-reports",
        "awsRegion": "us-east-1",
    }


def _run(result: Result, invoke: Any, *, look: bool) -> Any:
    """One invocation with its processor time; with `look`, the memory that it takes instead."""
    result.invocations += 1
    if look:
        tracemalloc.start()
        answer = invoke()
        result.peak = max(result.peak, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        return answer
    began = time.process_time()
    answer = invoke()
    result.seconds += time.process_time() - began
    return answer


def table_of(load: str, results: dict[str, Result], whole: Result) -> str:
    """One Markdown table: the notifier on the whole load, then a row per way on its sample."""
    ours, count = results["ours"], LOADS[load].count
    rows = [f"### {LOADS[load].title}", "", f"| | {' | '.join(COLUMNS)} |"]
    rows.append("|---" + "|--:" * len(COLUMNS) + "|")
    shown = [(WAYS["ours"][0], replace(whole, peak=ours.peak))] if ours.events < count else []
    shown += [(WAYS[way][0], one) for way, one in results.items()]
    for title, one in shown:
        if one.unnamed:
            raise RuntimeError(f"{title} never named {one.unnamed} incidents of {load}")
        part = "" if one.events == count else f", first {one.events:,}"
        rows.append(
            f"| {title}{part} | {one.mails:,} | {one.most_mails_a_second} | {one.waited:.0f} s "
            f"| {one.writes / one.events:.2f} | {one.units / one.events:.1f} "
            f"| {_speed(one) / _speed(ours):.2f} | {_memory(one)} |"
        )
    said = (
        f"The notifier took {1e6 / _speed(whole):,.0f} us of one core for an event, "
        f"{whole.invocations:,} invocations and {whole.requests:,} requests to the table; "
        f"the process, the table in it, {whole.resident / 2**20:.0f} MB."
    )
    return "\n".join([*rows, "", said]) + "\n"


def _memory(one: Result) -> str:
    return f"{one.peak / 2**20:.1f} MB" if one.peak else "not looked at"


def _speed(one: Result) -> float:
    """Events a second of the function's own processor time."""
    return one.events / (one.seconds - one.table_seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notifier_load", description=__doc__)
    parser.add_argument("--write", type=Path, help="document to put the tables into")
    parser.add_argument("--load", choices=LOADS, action="append", help="only this load")
    parser.add_argument("--whole", action="store_true", help="every way on all of each load")
    parser.add_argument("--events", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--look", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    loads = options.load or list(LOADS)
    if options.one:
        looked_at = measure(loads[0], options.one, options.events, look=options.look)
        print(json.dumps(asdict(looked_at)))
        return 0
    text = "\n".join(table_of(load, *_measured(load, whole=options.whole)) for load in loads)
    print(text)
    if options.write:
        head, _, rest = options.write.read_text().partition(BEGIN)
        options.write.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")
    return 0


def _measured(load: str, *, whole: bool) -> tuple[dict[str, Result], Result]:
    """Each way in fresh processes: what one leaves in memory is not the other's."""
    found, count = {}, LOADS[load].count
    events = count if whole else LOADS[load].sample
    for way in WAYS:
        result = _in_a_process(load, way, events)
        looked_at = _in_a_process(load, way, min(events, LOOKED_AT), "--look")
        found[way] = replace(result, peak=looked_at.peak)
        print(f"{load}, {way}: done", file=sys.stderr)
    return found, found["ours"] if events == count else _in_a_process(load, "ours", count)


def _in_a_process(load: str, way: str, events: int, *more: str) -> Result:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.notifier_load", "--load", load]
    command += ["--one", way, "--events", str(events), *more]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Result(**json.loads(said))


if __name__ == "__main__":
    sys.exit(main())
