"""How far the deny is from the event: AWS calls before it, and what the cold start loads.

`python -m benchmarks.containing` prints a Markdown table. The calls are counted on the real handler
over the in-memory IAM; the cold path is timed as whole processes, in turn with boto3's, so that the
ratio holds on a noisy machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from handler.revoker import handle
from tests.handler.test_revoker import HERE, World, a_session, a_user, event, settings

ROOT = Path(__file__).parent.parent
RUNS = 7
OURS = "import handler.revoker as r; r._client('iam', 'us-east-1')"
WITH_BOTO3 = "import handler.revoker, boto3; boto3.client('iam', region_name='us-east-1')"
NOTHING = "pass"
COUNT = "; import sys; print(len(sys.modules))"


def calls_before_the_deny() -> dict[str, list[str]]:
    """Names of the sequential AWS calls up to and with the deny, by kind of caller."""
    world = World()
    callers = {
        "IAM user": a_user("mallory", world.iam.add_user("mallory")),
        "role session": a_session("deployer", world.iam.add_role("deployer")),
    }
    found = {}
    for kind, identity in callers.items():
        world.iam.calls.clear()
        handle(event(identity), here=HERE, settings=settings(), clients=world.clients)
        deny = next(i for i, name in enumerate(world.iam.calls) if name.startswith("attach"))
        found[kind] = world.iam.calls[: deny + 1]
    return found


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
    print("| caller | sequential AWS calls until the deny has landed | predecessor |")
    print("|---|---|---|")
    for kind, names in calls_before_the_deny().items():
        theirs = "3" if kind == "IAM user" else "never contained"
        print(f"| {kind} | {len(names)} ({', '.join(names)}) | {theirs} |")
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
