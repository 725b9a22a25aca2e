"""An Organization for each file, since these tests let days pass and speak for a thousand accounts.

Whoever came before would be silent by then, and be told of. A process holds one box at a time, so
these come before the tests that share one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handler.model.names import SWEEP_RULE
from sandbox.box import Box, open_box
from sandbox.demo.product_setup import Stage, install
from tests.end_to_end.conftest import account, bare_account, client_of, no_fault_is_left, stranger

__all__ = ["account", "bare_account", "client_of", "no_fault_is_left", "stranger"]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with open_box(held=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def stage(box: Box) -> Stage:
    """Enforce in every member. Sweeps come when a test asks, and so do reconciliations of members
    that were there before: a heartbeat that comes once is a silence half an hour later."""
    installed = install(box, mode="enforce", central={"MailsPerMinute": "240"})
    box.client("events", box.security).disable_rule(Name=SWEEP_RULE)
    for member in (*box.members, box.security, box.management):
        scheduler = box.client("scheduler", member)
        for found in scheduler.list_schedules()["Schedules"]:
            scheduler.delete_schedule(Name=found["Name"], GroupName=found["GroupName"])
    box.settle()
    return installed


@pytest.fixture(scope="module")
def enforcing(stage: Stage) -> Stage:
    return stage
