"""Who hears of one unit's accounts, by the real tool and a real call of IAM, over HTTP."""

from __future__ import annotations

import re
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from handler.model.names import INCIDENT_TOPIC
from handler.notifier.messages.schedule import next_morning
from sandbox.box import Box
from sandbox.demo.product_setup import Stage
from stacksets.execute.dry_run import dry_run
from stacksets.execute.executor import StepFailed
from stacksets.planners.removal import Choice
from stacksets.steps.model import StepKind
from tests.rollout.operator import Operator, stacks
from tests.rollout.removal.remains import remains
from tests.rollout.removal.test_remove import contain, remove
from tests.rollout.test_command_line import Terminal

pytestmark = pytest.mark.deep

SANDBOX, WORKLOADS = "sandbox-team@example.com", "workloads-team@example.com"
TEAM, BY_HAND = "security@example.com", "by-hand@example.com"


@pytest.fixture
def reported(operator: Operator) -> Operator:
    """With a recipient for each of the two units, the second by its id; nothing is applied yet."""
    operator.file += recipient("Sandbox", SANDBOX)
    operator.file += recipient(operator.box.layout.workloads, WORKLOADS)
    return operator


@pytest.fixture
def enforcing(reported: Operator) -> Operator:
    """Rolled out in enforce mode everywhere."""
    since = reported.today - timedelta(days=60)
    rule = f'mode = "enforce"\nobserved_since = {since}\n'
    text = reported.file.replace("[[ring]]\n", f"[[ring]]\n{rule}")
    reported.file = text.replace(
        "[[ring]]", '[parameters]\nMissingGroup = "treat-as-empty"\n[[ring]]', 1
    )
    reported.apply()
    return reported


def recipient(unit: str, address: str) -> str:
    return f'[[recipients]]\nou = "{unit}"\nemail = "{address}"\n'


def asked(box: Box) -> Iterator[tuple[str, str]]:
    """(address, link) of each mail that asks to confirm a subscription."""
    for mail in box.outbox:
        if link := re.search(r"http\S+ConfirmSubscription\S+", mail.body):
            yield mail.address, link[0]


def liveness(box: Box, word: str) -> set[str]:
    """Who got a mail about incidents with this in its subject."""
    box.settle(ignore_hidden=True)
    topic = f":{INCIDENT_TOPIC}"
    return {
        mail.address for mail in box.outbox if mail.topic.endswith(topic) and word in mail.subject
    }


def planned_until_quiet(operator: Operator) -> None:
    """What the sets do by themselves has ended; what is left is ours."""
    operator.box.settle(ignore_hidden=True)
    while operator.plan().unfinished:
        operator.apply()


def rogue(box: Box, account: str) -> None:
    key = box.new_user(account, "mallory", "iam:*")
    box.client("iam", account, key=key).create_user(UserName="accomplice")


def test_each_team_hears_of_its_own_unit_and_the_security_team_of_all(reported: Operator) -> None:
    box = reported.box
    box.outbox.confirms = False
    made = reported.plan()
    assert [*dry_run(made.steps)] == []
    with pytest.raises(StepFailed) as caught:
        reported.apply()
    assert caught.value.said == (
        f"Nobody has confirmed the subscription of {SANDBOX}, {TEAM}, {WORKLOADS}"
    )
    assert all(list(stacks(box, one)) == [] for one in box.members)
    assert {address for address, _ in asked(box)} == {TEAM, SANDBOX, WORKLOADS}
    for _, link in [*asked(box)]:
        with urllib.request.urlopen(link) as answer:
            assert answer.status == 200
    reported.apply()
    assert reported.plan().empty
    before = list(reported.made)
    reported.apply()
    assert reported.made == before
    assert before.count("subscribe") == 2


def test_a_rogue_call_is_told_to_the_unit_s_recipient_and_to_nobody_else_s(
    enforcing: Operator,
) -> None:
    box = enforcing.box
    first, second = (enforcing.accounts_in(unit)[0] for unit in ("Sandbox", "Workloads"))
    contain(box, first)
    assert liveness(box, f"revoked] {first}") == {TEAM, SANDBOX}
    contain(box, second)
    assert liveness(box, f"revoked] {second}") == {TEAM, WORKLOADS}

    # The topic goes with its stack, and takes them along.
    remove(enforcing, Choice.RELEASE)
    assert [one for one in remains(box, box.security) if INCIDENT_TOPIC in one] == []


def test_an_account_that_moves_or_joins_is_in_the_right_filter_after_the_next_apply(
    enforcing: Operator,
) -> None:
    box = enforcing.box
    moving = enforcing.accounts_in("Sandbox")[0]
    box.client("organizations", box.management).move_account(
        AccountId=moving,
        SourceParentId=box.layout.sandbox,
        DestinationParentId=box.layout.workloads,
    )
    joined = box.new_account("newcomer", parent=box.layout.sandbox)
    planned_until_quiet(enforcing)
    shown = {
        step.says.split(" hears")[0].split()[-1]: {line[:14] for line in step.shows}
        for step in enforcing.plan().steps
        if step.kind is StepKind.RECIPIENT
    }
    assert shown == {
        SANDBOX: {f"- {moving}", f"+ {joined}"},
        WORKLOADS: {f"+ {moving}"},
    }
    while not enforcing.plan().empty:
        enforcing.apply()
    assert enforcing.made.count("set_subscription_attributes") == 2
    contain(box, moving)
    assert liveness(box, f"revoked] {moving}") == {TEAM, WORKLOADS}
    contain(box, joined)
    assert liveness(box, f"revoked] {joined}") == {TEAM, SANDBOX}


def test_a_digest_reaches_everybody_whose_account_it_names(reported: Operator) -> None:
    """In observe mode, where the morning's digest is the first mail there is."""
    box = reported.box
    reported.file += recipient(box.layout.sandbox, "nobody-rogue@example.com").replace(
        box.layout.sandbox, "Sandbox/Empty"
    )
    box.client("organizations", box.management).create_organizational_unit(
        ParentId=box.layout.sandbox, Name="Empty"
    )
    reported.apply()
    for unit in ("Sandbox", "Workloads"):
        rogue(box, reported.accounts_in(unit)[0])
    box.settle(ignore_hidden=True)
    box.advance(next_morning(box.time()) - box.time() + 1)
    Stage(box, "").sweep()
    assert liveness(box, "[IAM would be revoked] 2 accounts") == {TEAM, SANDBOX, WORKLOADS}
    assert liveness(box, "") == {TEAM, SANDBOX, WORKLOADS}


def test_whom_the_file_drops_is_unsubscribed_and_who_subscribed_by_hand_is_not(
    reported: Operator,
) -> None:
    box = reported.box
    reported.apply_interrupted_after_each_call()
    topic = f"arn:aws:sns:us-east-1:{box.security}:{INCIDENT_TOPIC}"
    sns = box.client("sns", box.security)
    sns.subscribe(
        TopicArn=topic,
        Protocol="email",
        Endpoint=BY_HAND,
        Attributes={"FilterPolicy": f'{{"account": ["{box.members[0]}"]}}'},
    )
    assert reported.plan().empty
    # One goes, and the other becomes the security team: the stack subscribes her anew.
    reported.file = reported.file.replace(recipient("Sandbox", SANDBOX), "")
    reported.file = reported.file.replace(recipient(box.layout.workloads, WORKLOADS), "")
    reported.file = reported.file.replace(f'"{TEAM}"', f'"{WORKLOADS}"')
    reported.apply_interrupted_after_each_call()
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert {one["Endpoint"] for one in listed} == {BY_HAND, WORKLOADS}
    # Named by the file, her list is the file's from then on; without confirming anything.
    reported.file += recipient("Sandbox", BY_HAND)
    reported.apply_interrupted_after_each_call()
    reported.file = reported.file.replace(recipient("Sandbox", BY_HAND), "")
    reported.apply()
    assert reported.made.count("subscribe") == 2
    assert reported.made.count("unsubscribe") == 3
    assert reported.made.count("set_subscription_attributes") == 1


def test_the_commands_of_a_plan_do_the_same(reported: Operator, tmp_path: Path) -> None:
    """Run by the AWS CLI: one address more, one with other accounts, and one less."""
    box = reported.box
    reported.apply()
    reported.file = reported.file.replace(recipient(box.layout.workloads, WORKLOADS), "")
    reported.file += recipient("Workloads", SANDBOX) + recipient("/", "whole@example.com")
    terminal = Terminal(box, tmp_path)
    terminal.file.write_text(f'{reported.file}[access.profiles]\n{box.security} = "security"\n')
    shown = terminal.run("plan")
    assert (shown.returncode, shown.stderr) == (0, "")
    script = terminal.run("plan", "--as-cli").stdout
    assert [
        line.split(" sns ")[1].split()[0] for line in script.splitlines() if " sns " in line
    ] == [
        "unsubscribe",
        "set-subscription-attributes",
        "subscribe",
        "list-subscriptions-by-topic",
        "list-subscriptions-by-topic",
    ]
    ran = subprocess.run(
        ["bash", "-c", script],
        env=terminal.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert reported.plan().empty
