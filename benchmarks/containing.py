"""How far the deny is from the event: AWS calls before it, and what the cold start loads.

`python -m benchmarks.containing` prints a Markdown table. The calls are those that the real handler
makes of the in-memory IAM, and what stands in a row or side by side is measured; the cold path is
timed as whole processes, in turn with boto3's, so that the ratio holds on a noisy machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.steps import Stepped, Steps
from handler.revoker import main as revoker
from handler.revoker.respond.respond import answer
from handler.revoker.state.context import Tools
from handler.revoker.state.standing import Together
from handler.revoker.state.table import Table
from stacksets.observed.templates import read_template
from tests.doubles.account import World, a_session, a_user, call

ROOT = Path(__file__).parent.parent
RUNS = 7
OURS = "import handler.revoker.main as r; r._client('iam', 'us-east-1')"
WITH_BOTO3 = "import handler.revoker.main, boto3; boto3.client('iam', region_name='us-east-1')"
NOTHING = "pass"
COUNT = "; import sys; print(len(sys.modules))"


def steps_before_the_deny(together: Together = revoker._together) -> dict[str, list[list[str]]]:
    """AWS calls up to and with the deny, by kind of caller: those of each sequential step.

    The first call of a cold process, with a group of one page. What the handler hands to its
    `together` is one step where both run at once, and two where they do not.
    """
    world = World().installed()
    mallory, deployer = world.iam.add_user("mallory"), world.iam.add_role("deployer")
    return {
        "IAM user": _steps(world, "mallory", a_user("mallory", mallory), together),
        "role session": _steps(world, "deployer", a_session("deployer", deployer), together),
    }


def _steps(
    world: World, name: str, identity: dict[str, Any], together: Together
) -> list[list[str]]:
    steps = Steps()
    landed: list[int] = []

    def look(_: str) -> None:
        if not landed and world.iam.holds(name):
            landed.append(steps.now)

    world.iam.after = look
    answer(call(identity, eventID=name), stepped_tools(world, steps, together))
    return steps.rows()[: landed[0]]


def stepped_tools(world: World, steps: Steps, together: Together) -> Tools:
    """The world's tools with every client on the clock."""
    return replace(
        world.tools(),
        clients=lambda service, region: Stepped(world.clients(service, region), steps),
        table=Table(Stepped(world.dynamo, steps), world.table.name),
        together=steps.beside(together),
    )


def shown_steps(rows: list[list[str]]) -> str:
    """As a cell of the table: how many, and which."""
    return f"{len(rows)} ({', then '.join(' beside '.join(sorted(row)) for row in rows)})"


def an_administrators_call() -> tuple[int, int, int]:
    """Table reads, table writes and IAM calls of an administrator's second call."""
    world = World().installed()
    identity = a_user("standing", world.iam.users["standing"].id)
    answer(call(identity, eventID="first"), world.tools())
    world.iam.calls.clear()
    world.dynamo.reads = world.dynamo.writes = 0
    answer(call(identity, eventID="second"), world.tools())
    return world.dynamo.reads, world.dynamo.writes, len(world.iam.calls)


def template_sizes() -> list[str]:
    """Rows of each committed template's size on the wire, in bytes, and how it travels."""
    rows = []
    for name in ("member", "central"):
        template = read_template(ROOT / "templates" / f"{name}.yaml")
        way = "TemplateBody" if template.fits_in_request else "TemplateURL"
        rows.append(f"| {name} | {template.size:,} | {way} |")
    return rows


def cold_seconds(code: str) -> float:
    """Wall time of a fresh interpreter that runs `code`, in seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return time.perf_counter() - began


def modules(code: str) -> int:
    """How many modules a fresh interpreter has loaded after `code`."""
    shown = subprocess.run(
        [sys.executable, "-c", code + COUNT], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return int(shown.stdout)


def main() -> None:
    """Print both tables."""
    print("| caller | sequential steps until the deny has landed | predecessor |")
    print("|---|---|---|")
    for kind, rows in steps_before_the_deny().items():
        theirs = "3" if kind == "IAM user" else "never contained"
        print(f"| {kind} | {shown_steps(rows)} | {theirs} |")
    reads, writes, iam = an_administrators_call()
    print(
        f"\nAn administrator's call, in a process that has met her before: {reads} table read, "
        f"{writes} writes, {iam} IAM calls.\n"
    )
    print("| template | bytes as minified JSON | travels as |")
    print("|---|---|---|")
    print("\n".join(template_sizes()))
    for code in (OURS, WITH_BOTO3):
        cold_seconds(code)
    pairs = [tuple(map(cold_seconds, (NOTHING, OURS, WITH_BOTO3))) for _ in range(RUNS)]
    ratios = [(ours - nothing) / (boto3 - nothing) for nothing, ours, boto3 in pairs]
    print()
    print("| cold path to an IAM client | modules loaded | time against boto3 (median, min-max) |")
    print("|---|---|---|")
    print(
        f"| ours (botocore only) | {modules(OURS)} | {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f}-{max(ratios):.2f}) |"
    )
    print(f"| the same with boto3 | {modules(WITH_BOTO3)} | 1 |")


if __name__ == "__main__":
    main()
