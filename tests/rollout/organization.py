"""An Organization of 40 accounts in 6 units and 3 rings, and how it is looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from sandbox.__main__ import profile
from sandbox.box import Box
from sandbox.demo.product_setup import to_the_team
from stacksets.cli.status import read_status as look_at_status
from stacksets.observed.heartbeats import read_kept
from stacksets.status.coverage import Coverage, coverage
from stacksets.status.states import State
from tests.rollout.operator import Operator

ROOT = Path(__file__).parents[2]
ACCOUNTS = 40
# Where each unit hangs, by name; "" is the root. The box has made the first two.
UNITS = {
    "Workloads": "",
    "Sandbox": "",
    "Platform": "",
    "Partners": "",
    "Data": "",
    "Payments": "Workloads",
}
EARLY = 'name = "early"\nunits = ["Platform", "Partners"]\n'
EVERYONE = 'name = "everyone"\nunits = ["Workloads", "Data"]\n'
RINGS = f"""
[[ring]]
name = "canary"
units = ["Sandbox"]
mode = "enforce"
observed_since = 2026-01-01
accept_unguarded = true

[[ring]]
{EARLY}
[[ring]]
{EVERYONE}
"""


def founded(box: Box, folder: Path) -> Operator:
    """The units and accounts, and an operator with the file that init writes and three rings."""
    org = box.client("organizations", box.management)
    units = {"Workloads": box.layout.workloads, "Sandbox": box.layout.sandbox}
    for name, above in UNITS.items():
        if name not in units:
            made = org.create_organizational_unit(
                ParentId=units.get(above, box.layout.root), Name=name
            )
            units[name] = made["OrganizationalUnit"]["Id"]
    org.move_account(
        AccountId=box.security,
        SourceParentId=box.layout.root,
        DestinationParentId=units["Platform"],
    )
    for number in range(ACCOUNTS - 3):
        name = list(UNITS)[number % len(UNITS)]
        box.new_account(f"{name.lower()}-{number}", parent=units[name])
    text = initial(box, folder)
    before, _, rest = text.partition("[[ring]]")
    text = (
        before.replace('"undecided"', '"treat-as-empty"')
        + RINGS
        + rest[rest.index("[management]") :]
    )
    return Operator(box, text)


def initial(box: Box, folder: Path) -> str:
    """What `python -m stacksets init` writes, run as a person of the management account."""
    config, file = folder / "config", folder / "rollout.toml"
    config.write_text(profile(box, box.management, "management"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "stacksets", "init", "--file", str(file)),
            *("--profile", "management", "--email", "security@example.com"),
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AWS_CONFIG_FILE": str(config)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return file.read_text()


def everybody(box: Box) -> list[str]:
    listed = box.client("organizations", box.management).get_paginator("list_accounts").paginate()
    return sorted(one["Id"] for page in listed for one in page["Accounts"])


def quiet(box: Box) -> None:
    """Let everything arrive."""
    box.settle(timeout=600, ignore_hidden=True)


def reported(box: Box, account: str) -> list[str]:
    """The subjects of the team's mails about an account."""
    return [mail.subject for mail in box.outbox if to_the_team(mail) and account in mail.subject]


def seen(operator: Operator) -> Coverage:
    given = operator.read_inputs()
    inputs = look_at_status(
        given.wanted, operator.clients(), member=given.member, now=operator.box.time()
    )
    assert read_kept(operator.box.client("dynamodb", operator.box.security)).readable
    return coverage(inputs)


def states(operator: Operator) -> dict[State, int]:
    return dict(Counter(row.state for row in seen(operator).rows))


def reconcile(box: Box) -> None:
    """Reconcile twice, the self-test in between, and then the sweep that reads their heartbeats."""
    for seconds in (901, 901, 61):
        box.advance(seconds)
        box.tick()
        quiet(box)
