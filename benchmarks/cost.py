"""What the product costs by AWS's list prices, from what the templates make. Asks nothing of AWS.

`python -m benchmarks.cost` writes the tables into docs/cost.md. Resources, rates and memory come
from templates/*.yaml, requests from running the handlers (request_counts.py), the processor time
of a reconciliation from reconciliation.py, prices from prices.py; the rest is an assumption below.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cfn_flip

from benchmarks import prices, request_counts
from benchmarks.prices import PRICES, PUBLISHED_COSTS, Price
from benchmarks.request_counts import Usage

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "cost.md"
TABLES = re.compile(r"(<!-- cost -->\n).*(<!-- end -->)", re.DOTALL)
MONTH_SECONDS = 730 * 3_600
SIZES = (10, 100, 1_000, 10_000)

# ---- measured

# Processor seconds of a reconciliation in a new process, the interpreter's start included: what
# benchmarks/reconciliation.py gave, median of 7, Python 3.13 (the template's runtime), a shared
# x86-64 server, November 2026. Compiling the code alone took 0.093.
RECONCILING_SECONDS = 0.84

# ---- of AWS

# AWS Lambda Developer Guide, "Configure Lambda function memory": one vCPU at 1,769 MB, and power in
# proportion below. No page promises more for the start of a process.
VCPU_GB = 1_769 / 1_024

# ---- assumptions

# Seconds that a request takes; the function waits for it, and Lambda bills the waiting.
WAIT_SECONDS = {"dynamodb": 0.01, "iam": 0.1, "cloudtrail": 0.2}
OTHER_WAIT_SECONDS = 0.04
# What a function needs beside the waiting when its process is warm.
OWN_SECONDS = 0.05
# Lambda writes a line when it begins and one when it ends, each of JSON.
LOGGED_BYTES = 1_500
# An event source mapping keeps five long polls of 20 s open on an idle queue.
# AWS Lambda Developer Guide, "Using Lambda with Amazon SQS" (polling behaviour).
POLLS_A_SECOND = 5 / 20
# What waits is handed over after so many seconds; reconciliations spread over five minutes.
WINDOW_SECONDS, SPREAD_SECONDS = 5, 300
BATCH = 100
ITEM_BYTES = 4_000
# DynamoDB asks KMS anew for the key of a table (where it is not AWS's own) after so long.
# DynamoDB Developer Guide, "Encryption at rest: How it works".
KEY_HELD_SECONDS = 300
# A busy account's month: calls by administrators and pipelines, calls by offenders, their number.
BUSY_CALLS, BUSY_OFFENCES, BUSY_OFFENDERS = 100_000, 100, 10


@dataclass(frozen=True)
class Made:
    """What a template makes that costs by the month, and what its function and schedule are."""

    memory_gb: float
    wakes_a_month: float
    keys: int
    alarms: int
    metrics: int
    sealed_tables: int


Bill = dict[Price, float]


def read_made(name: str) -> Made:
    """From templates/NAME.yaml, without what only a parameter adds."""
    template = json.loads(cfn_flip.to_json((ROOT / "templates" / f"{name}.yaml").read_text()))
    found: dict[str, list[dict[str, Any]]] = {}
    for resource in template["Resources"].values():
        if "Condition" not in resource:
            found.setdefault(resource["Type"], []).append(resource.get("Properties", {}))
    [function] = found["AWS::Lambda::Function"]
    if function["Architectures"] != ["arm64"]:
        raise ValueError(f"the prices are those of arm64, not of {function['Architectures']}")
    rates = [
        one["ScheduleExpression"]
        for kind in ("AWS::Events::Rule", "AWS::Scheduler::Schedule")
        for one in found.get(kind, [])
        if "ScheduleExpression" in one
    ]
    alarms = found.get("AWS::CloudWatch::Alarm", [])
    return Made(
        memory_gb=function["MemorySize"] / 1_024,
        wakes_a_month=sum(MONTH_SECONDS / _seconds_of(rate) for rate in rates),
        keys=len(found.get("AWS::KMS::Key", [])),
        alarms=len(alarms),
        metrics=len({a["MetricName"] for a in alarms if not a["Namespace"].startswith("AWS/")}),
        sealed_tables=sum(
            one.get("SSESpecification", {}).get("SSEEnabled", False)
            for one in found.get("AWS::DynamoDB::Table", [])
        ),
    )


def _seconds_of(rate: str) -> int:
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", rate)
    if not found:
        raise ValueError(f"{rate} is no rate that this script can read")
    return int(found[1]) * {"minute": 60, "hour": 3_600, "day": 86_400}[found[2]]


def run(used: Usage, made: Made, *, times: float, own: float = OWN_SECONDS) -> Bill:
    """So many invocations that each use that, and `own` seconds beside the waiting for AWS."""
    each = {
        prices.INVOCATION: 1.0,
        prices.GB_SECOND: made.memory_gb * (_waits(used) + own),
        prices.READ: used.reads,
        prices.WRITE: used.writes,
        prices.QUEUED: used.requests["sqs"],
        prices.PUBLISHED: used.requests["sns"],
        prices.METRIC_CALL: used.requests["cloudwatch"],
        prices.LOGGED: LOGGED_BYTES / 1e9,
    }
    return {price: amount * times for price, amount in each.items()}


def _waits(used: Usage) -> float:
    return sum(count * _wait(service) for service, count in used.requests.items())


def _wait(service: str) -> float:
    return WAIT_SECONDS.get(service, OTHER_WAIT_SECONDS)


def reconciling_seconds(made: Made) -> float:
    """What a reconciliation needs for itself at the share of a processor that its memory brings.

    Each begins a new process: after a quarter of an hour nothing says that the old one is kept.
    """
    return RECONCILING_SECONDS * VCPU_GB / made.memory_gb


def total(*bills: Bill) -> float:
    """Dollars."""
    return sum(price.dollars * amount for bill in bills for price, amount in bill.items())


def _sealing(made: Made) -> float:
    """How often DynamoDB asks for the tables' keys while the schedule alone wakes the function."""
    return made.sealed_tables * min(made.wakes_a_month, MONTH_SECONDS / KEY_HELD_SECONDS)


def idle_account(made: Made) -> Bill:
    """A member's month in which nobody calls IAM: reconciliations and their heartbeats."""
    woken, own = made.wakes_a_month, reconciling_seconds(made)
    reconciliations = run(request_counts.of_a_reconciliation(), made, times=woken, own=own)
    stored = {prices.STORED: ITEM_BYTES / 1e9, prices.BACKED_UP: ITEM_BYTES / 1e9}
    sent = {prices.WAKING: woken, prices.EVENT: woken, prices.KEY_REQUEST: _sealing(made)}
    return reconciliations | sent | stored


def heard_account(made: Made, member: Made, *, accounts: int) -> Bill:
    """One account's heartbeats at the central account, of so many accounts."""
    beats = member.wakes_a_month
    together = min(BATCH, max(1.0, accounts / SPREAD_SECONDS * WINDOW_SECONDS))
    heard = run(request_counts.of_a_heartbeat().part(together), made, times=beats / together)
    # Sent by the rule, received and deleted by Lambda, ten at a time.
    heard[prices.QUEUED] += beats * (1 + 2 / min(10.0, together))
    return heard


def idle_central(made: Made) -> Bill:
    """The central account's month without a report and without an account."""
    swept = run(request_counts.of_a_sweep(), made, times=made.wakes_a_month)
    polls = {prices.QUEUED: MONTH_SECONDS * POLLS_A_SECOND}
    fixed = {
        prices.KEY: float(made.keys),
        prices.KEY_REQUEST: _sealing(made),
        prices.ALARM: float(made.alarms),
        prices.METRIC: float(made.metrics),
    }
    return {**swept, **fixed, prices.QUEUED: swept[prices.QUEUED] + polls[prices.QUEUED]}


def administrators_calls(member: Made, calls: float) -> Bill:
    """Calls that the ledger vouches for, one invocation each, warm."""
    return run(request_counts.of_an_administrators_call(), member, times=calls)


def offences(member: Made, central: Made, calls: float, *, offenders: int) -> tuple[Bill, Bill]:
    """Calls of unauthorized callers, in member and central account; `offenders` in each batch."""
    contained = run(request_counts.of_an_offence(), member, times=calls) | {prices.EVENT: calls}
    reported = request_counts.of_a_report(principals=offenders)
    mails = reported.requests["sns"] * calls
    heard = run(reported.part(request_counts.BATCH), central, times=calls / request_counts.BATCH)
    heard[prices.QUEUED] += calls * (1 + 2 / 10)
    return contained, heard | {prices.MAIL: mails, prices.KEY_REQUEST: mails}


def per_month(member: Made, central: Made, *, accounts: int, busy: bool) -> float:
    """Dollars for an organization of so many accounts, the central account included."""
    each = total(idle_account(member), heard_account(central, member, accounts=accounts))
    if busy:
        each += total(administrators_calls(member, BUSY_CALLS))
        each += total(*offences(member, central, BUSY_OFFENCES, offenders=BUSY_OFFENDERS))
    return accounts * each + total(idle_central(central))


def printed() -> str:
    """All tables in Markdown."""
    member, central = read_made("member"), read_made("central")
    alone = total(idle_account(member), heard_account(central, member, accounts=SIZES[0]))
    fixed = total(idle_central(central))
    idle = f"Of 10 accounts, an idle one costs **${alone:.3f}** a month"
    parts = [
        f"{idle}; the central account adds ${fixed:.2f}.",
        _months(member, central),
        _millions(member, central),
        "## How long a reconciliation takes",
        _reconciliation(member),
        "## Where an idle account's money goes",
        _lines(idle_account(member)),
        "## Where the central account's money goes",
        _lines(idle_central(central)),
        f"## The prices, {prices.AS_OF}, us-east-1",
        _table("what", "for", "US dollars", "AWS's page", rows=map(_price_row, PRICES)),
    ]
    return "\n\n".join(parts) + "\n"


def _price_row(price: Price) -> tuple[str, str, str, str]:
    return price.unit, f"{price.per:,}", f"${price.amount:.4f}".removesuffix("00"), price.page


def _reconciliation(made: Made) -> str:
    asked = request_counts.of_a_reconciliation()
    own, share = reconciling_seconds(made), made.memory_gb / VCPU_GB
    rows = [
        (f"{RECONCILING_SECONDS} processor seconds, measured, at {share:.1%} of one", f"{own:.2f}")
    ]
    for service, count in sorted(asked.requests.items()):
        each = f"{count:.1f} calls of {service}, {_wait(service) * 1_000:.0f} ms each, assumed"
        rows.append((each, f"{count * _wait(service):.2f}"))
    return _table("what", "seconds", rows=[*rows, ("together", f"{own + _waits(asked):.2f}")])


def _months(member: Made, central: Made) -> str:
    rows = []
    for size in SIZES:
        idle = per_month(member, central, accounts=size, busy=False)
        busy = per_month(member, central, accounts=size, busy=True)
        theirs = f"${PUBLISHED_COSTS[size]:.2f}" if size in PUBLISHED_COSTS else "not published"
        rows.append((f"{size:,}", f"${idle:,.2f}", f"${busy:,.2f}", theirs))
    heads = ("accounts", "idle, a month", "busy, a month", "Automated Security Response")
    return _table(*heads, rows=rows)


def _millions(member: Made, central: Made) -> str:
    million = 1e6
    one = offences(member, central, million, offenders=1)
    many = offences(member, central, million, offenders=request_counts.BATCH)
    rows = [
        ("calls of administrators", total(administrators_calls(member, million)), 0.0),
        ("calls of one unauthorized caller", total(one[0]), total(one[1])),
        ("calls of a million unauthorized callers", total(many[0]), total(many[1])),
    ]
    said = [(what, f"${here:.2f}", f"${there:.2f}") for what, here, there in rows]
    return _table("a million", "in the member accounts", "in the central account", rows=said)


def _lines(bill: Bill) -> str:
    ordered = sorted(bill.items(), key=lambda one: -one[0].dollars * one[1])
    rows = [
        (price.unit, f"{amount:,.2f}", f"${price.dollars * amount:.4f}")
        for price, amount in ordered
        if price.dollars * amount >= 0.00005
    ]
    return _table("what", "how much a month", "dollars a month", rows=rows)


def _table(*heads: str, rows: Any) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def with_tables(text: str) -> str:
    return TABLES.sub(lambda found: f"{found[1]}\n{printed()}\n{found[2]}", text)


def main() -> None:
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))


if __name__ == "__main__":
    main()
