"""Answering a call: reads before the deny, what is told, what is raised, what is learnt."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from handler.model.cloudtrail import read_event
from handler.model.names import DENY_GROUP
from handler.model.reasons import Action, Reason
from handler.model.report import Disposition, Report, ReportedImpact
from handler.revoker.respond.respond import ForeignEvent, answer
from handler.revoker.state.context import ReportRefused
from tests.doubles.account import BUS, World, a_session, a_user, call, event
from tests.doubles.iam import ACCOUNT


def test_a_users_deny_lands_with_the_second_call() -> None:
    world = World().installed()
    id = world.iam.add_user("mallory")
    answer(call(a_user("mallory", id)), world.tools())
    assert world.iam.calls[:2] == ["get_group", "attach_user_policy"]


def test_a_roles_deny_lands_with_the_first_call() -> None:
    world = World().installed()
    id = world.iam.add_role("deployer")
    reads: list[int] = []
    world.iam.after = lambda _: reads.append(world.dynamo.reads)
    answer(call(a_session("deployer", id)), world.tools())
    assert (world.iam.calls[0], reads[0]) == ("attach_role_policy", 1)


def test_the_report_says_who_called_what_and_what_was_done() -> None:
    world = World().installed()
    id = world.iam.add_user("mallory")
    answer(call(a_user("mallory", id)), world.tools())
    assert world.bus.entries[0]["EventBusName"] == BUS
    assert world.bus.entries[0]["Source"] == "iam-org-revoker"
    assert ("events", "eu-west-1") in world.asked
    assert world.bus.reports() == [
        Report(
            event_id="00000000-0000-0000-0000-000000000001",
            account=ACCOUNT,
            disposition=Disposition.CONTAINED,
            reason="not-an-administrator",
            alias="example-alias",
            region="us-east-1",
            partition="aws",
            principal_kind="user",
            principal_name="mallory",
            principal_arn=f"arn:aws:iam::{ACCOUNT}:user/mallory",
            principal_id=id,
            access_key="AKIAEXAMPLE",
            service="iam.amazonaws.com",
            call="CreateUser",
            call_time="2026-11-22T10:00:00Z",
            source_ip="192.0.2.1",
            request='{"userName": "accomplice"}',
            containment="00000000-0000-0000-0000-000000000001",
            method="managed-policy",
            mode="enforce",
            product_version="0.1.0",
            impacts=(
                ReportedImpact(
                    what="a new user 'accomplice'",
                    remediation="contain",
                    done="already gone",
                ),
            ),
            undo=(
                (
                    "aws",
                    "iam",
                    "detach-user-policy",
                    "--user-name=mallory",
                    f"--policy-arn=arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker/iam-org-revoker-deny",
                ),
            ),
        )
    ]


def test_an_administrator_on_the_groups_second_page_is_left_alone_and_nobody_is_told() -> None:
    world = World()
    for number in range(4):
        world.iam.add_user(f"admin-{number}", groups=("Administrators",))
    id = world.iam.add_user("alice", groups=("Administrators",))
    world.installed()
    verdict = answer(call(a_user("alice", id)), world.tools())
    assert (verdict.action, verdict.reason) == (Action.IGNORE, Reason.ADMINISTRATOR_USER)
    assert world.bus.entries == []
    assert set(world.iam.calls) == {"get_group"}


def test_an_administrators_name_with_another_id_is_no_administrator() -> None:
    world = World()
    world.iam.add_user("alice", groups=("Administrators",))
    world.installed()
    former = a_user("alice", "AIDAEXAMPLEFORMER")
    verdict = answer(call(former), world.tools())
    assert verdict.action is Action.CONTAIN
    assert world.bus.reports()[0].disposition is Disposition.CALLER_DELETED
    assert not world.iam.holds("alice")


def test_a_record_without_an_id_falls_back_to_the_name() -> None:
    world = World()
    world.iam.add_user("alice", groups=("Administrators",))
    world.installed()
    verdict = answer(call(a_user("alice", "")), world.tools())
    assert verdict.reason is Reason.ADMINISTRATOR_USER


def test_a_missing_group_is_said_in_the_report() -> None:
    world = World()
    del world.iam.groups["Administrators"]
    id = world.iam.add_user("mallory")
    answer(call(a_user("mallory", id)), world.tools())
    assert world.bus.reports()[0].notes == (
        "The baseline found no group 'Administrators' here, or nobody in it.",
    )


def test_observe_mode_tells_and_touches_nothing() -> None:
    world = World().installed()
    id = world.iam.add_user("mallory")
    answer(call(a_user("mallory", id)), world.tools(MODE="observe"))
    assert world.bus.reports()[0].disposition is Disposition.WOULD_CONTAIN
    assert world.bus.reports()[0].held_by == "Mode"
    assert not world.iam.holds("mallory")


def test_root_is_told_of_and_no_containment_is_tried() -> None:
    world = World().installed()
    root = {"type": "Root", "accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root"}
    answer(call(root, "UpdateAccountPasswordPolicy", requestParameters={}), world.tools())
    assert world.bus.reports()[0].disposition is Disposition.CANNOT_CONTAIN
    assert world.iam.calls == ["list_account_aliases"]


def test_an_unreadable_record_is_told_of_under_the_functions_own_account() -> None:
    world = World().installed()
    answer(read_event({"detail": None}), world.tools())
    report = world.bus.reports()[0]
    assert (report.account, report.disposition) == (ACCOUNT, Disposition.NOTICE)
    assert report.notes == ("Unreadable: the event carries no CloudTrail record.",)


def test_no_client_is_made_for_a_call_that_concerns_nobody() -> None:
    world = World().installed()
    service = {"type": "AWSService", "invokedBy": "eks.amazonaws.com"}
    answer(call(service), world.tools())
    assert world.asked == []


def test_a_quota_on_every_deny_method_ends_as_cannot_contain_with_the_reasons() -> None:
    world = World().installed()
    id = world.iam.add_user("mallory")
    world.iam.fail = {
        "attach_user_policy": ["LimitExceeded"],
        "add_user_to_group": ["AccessDenied"],
    }
    answer(call(a_user("mallory", id)), world.tools())
    report = world.bus.reports()[0]
    assert report.disposition is Disposition.CANNOT_CONTAIN
    assert report.notes == (
        "Could not attach the deny policy: LimitExceeded, refused.",
        "Could not add the user to the deny group: AccessDenied, refused.",
    )
    assert world.iam.groups[DENY_GROUP].members == set()


def test_a_refused_report_is_raised_after_the_deny() -> None:
    world = World().installed()
    world.bus.refuse = "AccessDeniedException"
    id = world.iam.add_user("mallory")
    with pytest.raises(ReportRefused, match="AccessDeniedException: not allowed"):
        answer(call(a_user("mallory", id)), world.tools())
    assert world.iam.holds("mallory")


def test_a_throttled_group_look_up_is_raised_and_nobody_is_contained() -> None:
    world = World().installed()
    id = world.iam.add_user("mallory")
    world.iam.fail["get_group"] = ["Throttling"]
    with pytest.raises(ClientError, match="Throttling"):
        answer(call(a_user("mallory", id)), world.tools())
    assert not world.iam.holds("mallory")


def test_an_event_of_another_account_is_refused() -> None:
    world = World().installed()
    foreign = event(a_user("mallory", "AIDAEXAMPLE")) | {"account": "222233334444"}
    foreign["detail"]["recipientAccountId"] = "222233334444"
    with pytest.raises(ForeignEvent):
        answer(read_event(foreign), world.tools())


def test_an_alias_that_a_policy_hides_costs_nothing_but_the_alias() -> None:
    world = World().installed()
    id = world.iam.add_user("mallory")
    world.iam.fail["list_account_aliases"] = ["AccessDenied"]
    answer(call(a_user("mallory", id)), world.tools())
    assert world.bus.reports()[0].alias == ""
