"""The revoker's shell: how many calls before the deny, what it tells the centre, what it raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.names import DENY_GROUP
from handler.report import Disposition, Report, from_detail
from handler.revoker import ForeignEvent, Here, ReportRefused, handle
from handler.settings import Settings, read_settings
from handler.reasons import Action, Reason
from tests.doubles.iam import ACCOUNT, MemoryIam

HERE = Here(partition="aws", region="us-east-1", account=ACCOUNT)
BUS = "arn:aws:events:eu-west-1:444455556666:event-bus/iam-org-revoker"


class MemoryBus:
    """The central bus as PutEvents shows it; `refuse` makes it answer a failed entry."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.refuse = ""

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        if self.refuse:
            entry = {"ErrorCode": self.refuse, "ErrorMessage": "not allowed"}
            return {"FailedEntryCount": 1, "Entries": [entry]}
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    def reports(self) -> list[Report]:
        return [from_detail(json.loads(entry["Detail"])) for entry in self.entries]


class World:
    """One account's IAM and the bus, handed out as clients; remembers which were asked for."""

    def __init__(self) -> None:
        self.iam = MemoryIam()
        self.bus = MemoryBus()
        self.asked: list[tuple[str, str]] = []

    def clients(self, service: str, region: str) -> Any:
        self.asked.append((service, region))
        return {"iam": self.iam, "events": self.bus}[service]


def settings(**variables: str) -> Settings:
    return read_settings({"MODE": "enforce", "CENTRAL_BUS_ARN": BUS} | variables)


def event(identity: dict[str, Any], **detail: Any) -> dict[str, Any]:
    return {
        "account": ACCOUNT,
        "source": "aws.iam",
        "detail": {
            "eventID": "00000000-0000-0000-0000-000000000001",
            "eventName": "CreateUser",
            "eventSource": "iam.amazonaws.com",
            "eventTime": "2026-11-22T10:00:00Z",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "192.0.2.1",
            "recipientAccountId": ACCOUNT,
            "requestParameters": {"userName": "puppet"},
            "userIdentity": identity,
        }
        | detail,
    }


def a_user(name: str, id: str) -> dict[str, Any]:
    return {
        "type": "IAMUser",
        "accountId": ACCOUNT,
        "principalId": id,
        "userName": name,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accessKeyId": "AKIAEXAMPLE",
    }


def a_session(role: str, id: str) -> dict[str, Any]:
    issuer = {
        "type": "Role",
        "principalId": id,
        "arn": f"arn:aws:iam::{ACCOUNT}:role/team/{role}",
        "accountId": ACCOUNT,
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "accountId": ACCOUNT,
        "principalId": f"{id}:someone",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/someone",
        "sessionContext": {"sessionIssuer": issuer},
    }


def test_a_users_deny_lands_with_the_second_call() -> None:
    world = World()
    id = world.iam.add_user("mallory")
    handle(event(a_user("mallory", id)), here=HERE, settings=settings(), clients=world.clients)
    assert world.iam.calls[:2] == ["get_group", "attach_user_policy"]


def test_a_roles_deny_lands_with_the_first_call() -> None:
    world = World()
    id = world.iam.add_role("deployer")
    handle(event(a_session("deployer", id)), here=HERE, settings=settings(), clients=world.clients)
    assert world.iam.calls[0] == "attach_role_policy"


def test_the_report_says_who_called_what_and_what_was_done() -> None:
    world = World()
    id = world.iam.add_user("mallory")
    handle(event(a_user("mallory", id)), here=HERE, settings=settings(), clients=world.clients)
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
            request='{"userName": "puppet"}',
            rung="managed-policy",
            mode="enforce",
            product_version="0.1.0",
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
    verdict = handle(
        event(a_user("alice", id)), here=HERE, settings=settings(), clients=world.clients
    )
    assert (verdict.action, verdict.reason) == (Action.IGNORE, Reason.ADMINISTRATOR_USER)
    assert world.bus.entries == []
    assert set(world.iam.calls) == {"get_group"}


def test_an_administrators_name_with_another_id_is_no_administrator() -> None:
    world = World()
    world.iam.add_user("alice", groups=("Administrators",))
    former = a_user("alice", "AIDAEXAMPLEFORMER")
    verdict = handle(event(former), here=HERE, settings=settings(), clients=world.clients)
    assert verdict.action is Action.CONTAIN
    assert world.bus.reports()[0].disposition is Disposition.GONE
    assert not world.iam.holds("alice")


def test_a_record_without_an_id_falls_back_to_the_name() -> None:
    world = World()
    world.iam.add_user("alice", groups=("Administrators",))
    verdict = handle(
        event(a_user("alice", "")), here=HERE, settings=settings(), clients=world.clients
    )
    assert verdict.reason is Reason.ADMINISTRATOR_USER


def test_a_missing_group_is_said_in_the_report() -> None:
    world = World()
    del world.iam.groups["Administrators"]
    id = world.iam.add_user("mallory")
    handle(event(a_user("mallory", id)), here=HERE, settings=settings(), clients=world.clients)
    assert world.bus.reports()[0].notes == (
        "This account has no group 'Administrators', so nobody is in it.",
    )


def test_observe_mode_tells_and_touches_nothing() -> None:
    world = World()
    id = world.iam.add_user("mallory")
    observing = settings(MODE="observe")
    handle(event(a_user("mallory", id)), here=HERE, settings=observing, clients=world.clients)
    assert world.bus.reports()[0].disposition is Disposition.WOULD_CONTAIN
    assert world.bus.reports()[0].held_by == "Mode"
    assert not world.iam.holds("mallory")


def test_root_is_told_of_and_no_containment_is_tried() -> None:
    world = World()
    root = {"type": "Root", "accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root"}
    handle(event(root), here=HERE, settings=settings(), clients=world.clients)
    assert world.bus.reports()[0].disposition is Disposition.CANNOT_CONTAIN
    assert world.iam.calls == ["list_account_aliases"]


def test_an_unreadable_record_is_told_of_under_the_functions_own_account() -> None:
    world = World()
    handle({"detail": None}, here=HERE, settings=settings(), clients=world.clients)
    report = world.bus.reports()[0]
    assert (report.account, report.disposition) == (ACCOUNT, Disposition.TOLD)
    assert report.notes == ("Unreadable: the event carries no CloudTrail record.",)


def test_no_client_is_made_for_a_call_that_concerns_nobody() -> None:
    world = World()
    service = {"type": "AWSService", "invokedBy": "eks.amazonaws.com"}
    handle(event(service), here=HERE, settings=settings(), clients=world.clients)
    assert world.asked == []


def test_a_quota_on_every_rung_ends_as_cannot_contain_with_the_reasons() -> None:
    world = World()
    id = world.iam.add_user("mallory")
    world.iam.fail = {
        "attach_user_policy": ["LimitExceeded"],
        "add_user_to_group": ["AccessDenied"],
    }
    handle(event(a_user("mallory", id)), here=HERE, settings=settings(), clients=world.clients)
    report = world.bus.reports()[0]
    assert report.disposition is Disposition.CANNOT_CONTAIN
    assert report.notes == (
        "Rung managed-policy: LimitExceeded, refused.",
        "Rung deny-group: AccessDenied, refused.",
    )
    assert world.iam.groups[DENY_GROUP].members == set()


def test_a_refused_report_is_raised_after_the_deny() -> None:
    world = World()
    world.bus.refuse = "AccessDeniedException"
    id = world.iam.add_user("mallory")
    with pytest.raises(ReportRefused, match="AccessDeniedException: not allowed"):
        handle(event(a_user("mallory", id)), here=HERE, settings=settings(), clients=world.clients)
    assert world.iam.holds("mallory")


def test_a_throttled_group_look_up_is_raised_and_nobody_is_contained() -> None:
    world = World()
    id = world.iam.add_user("mallory")
    world.iam.fail["get_group"] = ["Throttling"]
    with pytest.raises(ClientError, match="Throttling"):
        handle(event(a_user("mallory", id)), here=HERE, settings=settings(), clients=world.clients)
    assert not world.iam.holds("mallory")


def test_an_event_of_another_account_is_refused() -> None:
    world = World()
    foreign = event(a_user("mallory", "AIDAEXAMPLE")) | {"account": "222233334444"}
    foreign["detail"]["recipientAccountId"] = "222233334444"
    with pytest.raises(ForeignEvent):
        handle(foreign, here=HERE, settings=settings(), clients=world.clients)


def test_an_alias_that_a_policy_hides_costs_nothing_but_the_alias() -> None:
    world = World()
    id = world.iam.add_user("mallory")
    world.iam.fail["list_account_aliases"] = ["AccessDenied"]
    handle(event(a_user("mallory", id)), here=HERE, settings=settings(), clients=world.clients)
    assert world.bus.reports()[0].alias == ""
