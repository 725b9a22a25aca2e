"""The responder's commands: what they ask, show and answer, over revokers in memory."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from handler.revoker.requests.requests import responder as ask_revoker
from handler.revoker.respond.dispatch import deliver
from handler.revoker.respond.respond import answer
from responder import account_commands
from responder.__main__ import main
from responder.client import Responder
from tests.doubles.account import a_session, a_user, call
from tests.doubles.iam import ACCOUNT
from tests.doubles.rounds import RESPONDER_ARN, Rounds, canary_event

OTHER = "222233334444"


class MemorySession:
    """The clients of a responder; `worlds` are the accounts that have a revoker."""

    def __init__(self, **worlds: Rounds) -> None:
        self.worlds = worlds
        self.requests: list[dict[str, Any]] = []
        self.incidents: list[str] = []
        self.broken: dict[str, bytes] = {}

    def client(self, service: str, **_: Any) -> Any:
        return self

    def get_credentials(self) -> Credentials:
        return Credentials("AKIAEXAMPLE", "secret", "token")

    @property
    def meta(self) -> Any:
        return type("Meta", (), {"endpoint_url": "https://events.us-east-1.amazonaws.com"})

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:
        account = FunctionName.split(":")[4]
        assert FunctionName == f"arn:aws:lambda:us-east-1:{account}:function:iam-org-revoker"
        request = json.loads(Payload)
        self.requests.append(request)
        if account in self.broken:
            return {"Payload": io.BytesIO(self.broken[account]), "FunctionError": "Unhandled"}
        if f"a{account}" not in self.worlds:
            refused = {"Error": {"Code": "ResourceNotFoundException", "Message": "no function"}}
            raise ClientError(refused, "Invoke")
        world = self.worlds[f"a{account}"]
        if request["responder"] == "self_test" and "nonce" in request:
            deliver(canary_event(request["nonce"]), world.later(7).tools())
        answered = ask_revoker(
            request, world.tools(), lambda _url, _headers: f"<Arn>{RESPONDER_ARN}</Arn>"
        )
        return {"Payload": io.BytesIO(json.dumps(answered).encode())}

    def get_paginator(self, operation: str) -> MemorySession:
        assert operation == "scan"
        return self

    def paginate(self, **arguments: Any) -> list[dict[str, Any]]:
        assert arguments["TableName"] == "iam-org-revoker-incidents"
        return [{"Items": [{"pk": {"S": key}} for key in self.incidents]}]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> MemorySession:
    world = Rounds()
    world.installed()
    id = world.iam.add_user("mallory")
    answer(call(a_user("mallory", id)), world.tools())
    made = MemorySession(**{f"a{ACCOUNT}": world.later(120)})
    responder = Responder(
        session=made, partition="aws", region="us-east-1", home="", endpoint_url=None
    )
    monkeypatch.setattr(account_commands, "open_client", lambda **_: responder)
    monkeypatch.setattr(account_commands, "POLL_SECONDS", 0.0)
    return made


def world_of(session: MemorySession) -> Rounds:
    return session.worlds[f"a{ACCOUNT}"]


def typed(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(line))


def test_list_shows_who_is_contained_by_which_call_and_what_it_gave(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", ACCOUNT]) == 0
    shown = capsys.readouterr().out
    for part in (
        ACCOUNT,
        "user mallory",
        "CreateUser",
        "managed-policy",
        "a new user 'accomplice'",
    ):
        assert part in shown
    assert "2026-11-22 10:00:10 UTC" in shown


def test_list_without_accounts_asks_those_that_the_central_account_was_told_of(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    session.incidents = [
        f"incident#{ACCOUNT}#contained#AIDA1",
        f"incident#{ACCOUNT}#told#AIDA2",
        "incident#unknown#refused#x",
    ]
    assert main(["list", "--json"]) == 0
    [answered] = json.loads(capsys.readouterr().out)
    assert answered["account"] == ACCOUNT
    assert len(session.requests) == 1


def test_an_account_without_a_revoker_is_one_sentence_beside_the_others(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", OTHER, ACCOUNT]) == 1
    captured = capsys.readouterr()
    assert captured.err == (
        f"Account {OTHER} has no revoker in us-east-1: it is unknown, or the rollout has not "
        "reached it.\n"
    )
    assert "user mallory" in captured.out


@pytest.mark.parametrize("account", ["12", "1111222233334", "mallory", "11112222333a"])
def test_what_is_no_account_makes_no_sense(
    session: MemorySession, account: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["show", account, "mallory"])
    assert stopped.value.code == 2
    assert f"{account} is no account: give its 12 digits" in capsys.readouterr().err


def test_show_tells_everything_about_one(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", ACCOUNT, "mallory"]) == 0
    shown = capsys.readouterr().out
    for part in ("not-an-administrator", "managed-policy", "AIDAEXAMPLE000000003", "accomplice"):
        assert part in shown


def test_who_is_not_contained_is_one_sentence(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", ACCOUNT, "nobody"]) == 1
    assert capsys.readouterr().err == f"{ACCOUNT}: Nothing is contained here as 'nobody'.\n"


def test_release_shows_the_plan_and_asks(
    session: MemorySession,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    typed(monkeypatch, "no\n")
    assert main(["release", ACCOUNT, "mallory", "--reason", "meant it"]) == 1
    captured = capsys.readouterr()
    assert "aws iam detach-user-policy --user-name=mallory" in captured.out
    assert captured.err == f"Release user mallory in {ACCOUNT}? [y/N] Nothing was released.\n"
    assert world_of(session).iam.holds("mallory")
    typed(monkeypatch, "y\n")
    assert main(["release", ACCOUNT, "mallory", "--reason", "meant it"]) == 0
    assert "user mallory was released at 2026-11-22 10:02:10 UTC." in capsys.readouterr().out
    assert not world_of(session).iam.holds("mallory")


def test_with_nobody_to_ask_nothing_is_released(
    session: MemorySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "")
    assert main(["release", ACCOUNT, "mallory", "--reason", "meant it"]) == 1
    assert world_of(session).iam.holds("mallory")


def test_a_second_release_says_when_the_first_was(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["release", ACCOUNT, "mallory", "--reason", "meant it", "--yes"]) == 0
    capsys.readouterr()
    assert main(["release", ACCOUNT, "mallory", "--reason", "meant it", "--yes"]) == 0
    assert capsys.readouterr().out == (
        "user mallory was released already, at 2026-11-22 10:02:10 UTC.\n"
    )


def test_what_only_an_administrator_may_undo_is_left_as_a_command(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    world = world_of(session)
    role = world.iam.add_role("deployer")
    world.iam.fail["attach_role_policy"] = ["LimitExceeded"]
    answer(call(a_session("deployer", role), eventID="00000000-2"), world.tools())
    assert main(["release", ACCOUNT, role, "--reason", "meant it", "--yes"]) == 1
    shown = capsys.readouterr().out
    assert "  aws iam delete-role-permissions-boundary --role-name=deployer\n" in shown


def test_while_it_is_left_list_and_show_and_a_second_release_say_so(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    world = world_of(session)
    role = world.iam.add_role("deployer")
    world.iam.fail["attach_role_policy"] = ["LimitExceeded"]
    answer(call(a_session("deployer", role), eventID="00000000-2"), world.tools())
    release = ["release", ACCOUNT, "deployer", "--reason", "meant it", "--yes"]
    command = "aws iam delete-role-permissions-boundary --role-name=deployer"
    assert (main(release), main(release)) == (1, 1)
    again = capsys.readouterr().out.partition("was released already")[2]
    assert command in again
    main(["list", ACCOUNT])
    assert "(RELEASED" in capsys.readouterr().out
    main(["show", ACCOUNT, "deployer"])
    assert command in capsys.readouterr().out
    world.iam.roles["deployer"].boundary = ""
    world.reconcile()
    assert main(release) == 0
    capsys.readouterr()
    main(["list", ACCOUNT])
    assert "deployer" not in capsys.readouterr().out


def test_a_principal_deleted_since_is_one_sentence(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    del world_of(session).iam.users["mallory"]
    arguments = ["release", ACCOUNT, "mallory", "--reason", "meant it", "--yes"]
    assert main(arguments) == 1
    assert capsys.readouterr().err == (
        f"{ACCOUNT}: user 'mallory' (AIDAEXAMPLE000000003) was deleted since.\n"
    )


def test_a_hostile_name_is_shown_and_not_obeyed(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    world = world_of(session)
    id = world.iam.add_user("[red]\x1b[2J\nowned")
    caller = a_user("[red]\x1b[2J\nowned", id)
    answer(call(caller, eventID="00000000-2"), world.tools())
    assert main(["show", ACCOUNT, id]) == 0
    assert "[red]\\x1b[2J\\nowned" in capsys.readouterr().out


def test_a_self_test_prints_each_delay(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["self_test", ACCOUNT]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-22 10:02:10 UTC  the revoker tagged its canary",
        "    7.00 s  the event arrived at the revoker",
        "    7.00 s  the deny was on the canary; it is off",
    ]


def test_a_self_test_that_fails_says_why(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    world_of(session).iam.fail["tag_role"] = ["AccessDenied"]
    assert main(["self_test", ACCOUNT]) == 1
    assert "FAILED: the canary could not be tagged: AccessDenied" in capsys.readouterr().out


def test_the_ledger_is_shown_and_confirmed(
    session: MemorySession, capsys: pytest.CaptureFixture[str]
) -> None:
    world_of(session).iam.add_user("bob", groups=("Administrators",))
    assert main(["ledger", "show", ACCOUNT]) == 0
    assert "nothing says who added her" in capsys.readouterr().out
    arguments = ["ledger", "confirm", ACCOUNT, "bob", "--member", "--reason", "asked her"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == (
        "bob (AIDAEXAMPLE000000004) is an administrator from 2026-11-22 10:02:10 UTC on, "
        "and in the group now.\n"
    )
    main(["ledger", "show", ACCOUNT])
    shown = capsys.readouterr().out
    assert "asked her" in shown
    assert "nothing says" not in shown


def test_confirming_demands_to_say_which(session: MemorySession) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["ledger", "confirm", ACCOUNT, "bob", "--reason", "asked her"])
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("answered", "says"),
    [
        (b'{"errorMessage": "out of memory"}', "failed: out of memory"),
        (b'"text"', "failed: Unhandled"),
        (b"not JSON", "did not answer: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_a_revoker_that_fails_is_one_sentence(
    session: MemorySession, answered: bytes, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    session.broken[ACCOUNT] = answered
    assert main(["show", ACCOUNT, "mallory"]) == 1
    assert says in capsys.readouterr().err


def test_every_request_carries_a_proof_that_holds_no_secret(session: MemorySession) -> None:
    main(["list", ACCOUNT])
    [request] = session.requests
    assert sorted(request["proof"]) == ["Authorization", "X-Amz-Date", "X-Amz-Security-Token"]
    assert "x-iam-org-revoker-request" in request["proof"]["Authorization"]
    assert "secret" not in json.dumps(request)


def test_credentials_that_do_not_exist_are_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list", "--profile", "no-such-profile"]) == 1
    assert capsys.readouterr().err == (
        "The responder cannot sign in: The config profile (no-such-profile) could not be found\n"
    )
