"""An account whose rules may not invoke its revoker is not covered, and `status` says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handler.model.names import DENY_POLICY, REVOKER
from sandbox.demo.organization_trail import start_trail
from tests.status.conftest import Landscape
from tests.waiting import wait_until

REMEDIATION = (
    "Look there at the resource policy of the function iam-org-revoker (`aws lambda get-policy`), "
    "at the targets of the rules iam-org-revoker-calls and iam-org-revoker-canary, at throttling "
    "of the function, and at its log."
)
LATE = "came through the dead-letter queue: the caller was free for up to 20 minutes."
FAILED = (
    "Its self-test failed: its event came through the dead-letter queue: EventBridge could not "
    "invoke the revoker (NO_PERMISSIONS)."
)


@pytest.fixture(scope="module")
def account(landscape: Landscape) -> str:
    """A new account, from whose function the rules' permissions are taken away."""
    box = landscape.box
    made = box.new_account("unreached", parent=landscape.units["Enforced"])
    start_trail(box, made)
    functions = box.client("lambda", made)

    def policy() -> Any:
        try:
            return json.loads(functions.get_policy(FunctionName=REVOKER)["Policy"])
        except functions.exceptions.ResourceNotFoundException:
            return {"Statement": []}

    def of_rules() -> list[str]:
        return [
            one["Sid"]
            for one in policy()["Statement"]
            if one["Principal"] == {"Service": "events.amazonaws.com"}
        ]

    wait_until(lambda: len(of_rules()) == 2)
    for statement in of_rules():
        functions.remove_permission(FunctionName=REVOKER, StatementId=statement)
    return made


def reported(landscape: Landscape, account: str) -> dict[str, Any]:
    """The account in what `status --json` prints."""
    printed = json.loads(landscape.run("status", "--json").stdout)
    return next(one for one in printed["accounts"] if one["account"] == account)


def test_an_account_whose_events_come_as_dead_letters_is_not_covered(
    landscape: Landscape, account: str, tmp_path: Path
) -> None:
    box = landscape.box
    landscape.quarter()
    # Two letters: the self-test's event and this call's.
    key = box.new_user(account, "mallory", "iam:*")
    box.client("iam", key=key).create_group(GroupName="made-by-mallory")
    box.settle(ignore_hidden=True)
    landscape.quarter()
    found = reported(landscape, account)
    assert (found["state"], found["amiss"]) == ("ill", True)
    assert [found["why"], *(one["why"] for one in found["also"])] == [FAILED, f"2 events {LATE}"]
    assert {one["todo"] for one in (found, *found["also"])} == {REMEDIATION}
    assert (found["heartbeat"]["dead_letters"], found["heartbeat"]["redriven"]) == (0, 2)
    assert found["heartbeat"]["self_test"]["ok"] is False
    # Late, she is contained all the same.
    attached = box.client("iam", account).list_attached_user_policies(UserName="mallory")
    assert [one["PolicyName"] for one in attached["AttachedPolicies"]] == [DENY_POLICY]
    page = tmp_path / "page.html"
    assert landscape.run("status", "--page", str(page)).returncode == 1
    assert FAILED in page.read_text()


def test_without_a_call_the_failed_self_test_alone_says_so(
    landscape: Landscape, account: str
) -> None:
    landscape.quarter()
    found = reported(landscape, account)
    assert (found["state"], found["why"], found["also"]) == ("ill", FAILED, [])
