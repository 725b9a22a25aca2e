"""The pure parts of a proof: its rows, its judgement, what is refused, what is published."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.names import REVOKER
from handler.model.settings import KNOBS, Settings, read_settings
from handler.notifier.messages.notice import NoticeKind
from stacksets.__main__ import main
from stacksets.execute.waiters import Waiting
from stacksets.prove.attacks.actor import TRIES, Actor
from stacksets.prove.attacks.cast import Cast
from stacksets.prove.attacks.catalog import ROWS
from stacksets.prove.attacks.credentials import code
from stacksets.prove.attacks.model import Row
from stacksets.prove.attacks.scene import Scene
from stacksets.prove.fit import Found, refusals
from stacksets.prove.judge import Result, judge
from stacksets.prove.points import pointers
from stacksets.prove.probes import history_probe
from stacksets.prove.proof import Proof, proof_json
from stacksets.prove.seen import Played, Seen
from tests.attacks.scenarios.all import ROWS as DOCUMENTED
from tests.prove.document import DOCUMENT, EXAMPLE, with_tables
from tests.stacksets.scene import MANAGEMENT, ONE, SECURITY, changed, given

OPERATOR = f"arn:aws:iam::{ONE}:role/OrganizationAccountAccessRole"
# What the rows call a principal that an attack makes, and what docs/attacks.md does.
NOUNS = {"new-user": "accomplice", "new-role": "backdoor"}


def settings(**changes: str) -> Settings:
    plain = {knob.variable: knob.default for knob in KNOBS}
    bus = f"arn:aws:events:us-east-1:{SECURITY}:event-bus/iam-org-revoker"
    return read_settings(plain | {"CENTRAL_BUS_ARN": bus, "MODE": "enforce"} | changes)


def scene(**changes: Any) -> Scene:
    plain = Scene(
        account=ONE,
        partition="aws",
        region="us-east-1",
        outsider=SECURITY,
        settings=settings(),
        has_group=True,
        iam=None,
        sts=None,
        by_key=lambda key: key,
        run="0123",
        waiting=Waiting(sleep=lambda _: None, clock=lambda: 0.0, patience=0.0),
    )
    return replace(plain, **changes)


def test_thirty_rows_and_more_are_those_of_the_document_with_the_same_principals_contained() -> (
    None
):
    documented = {(row.row, row.title): row for row in DOCUMENTED}
    assert len(ROWS) >= 30
    assert len({row.title for row in ROWS}) == len(ROWS)
    for row in ROWS:
        same = documented[row.row, row.title]
        assert [NOUNS.get(word, word) for word in row.contained] == list(same.contained), row.title


def test_the_document_counts_the_rows_and_checks_as_they_are() -> None:
    checks = len(json.loads(EXAMPLE.read_text())["checks"])
    assert checks == 9
    figures = f"plays {len(ROWS)} of its {len(DOCUMENTED)} [attacks](attacks.md)"
    assert f"{figures} in one of your accounts and makes nine checks" in DOCUMENT.read_text()


def test_the_document_shows_the_proof_that_is_committed() -> None:
    text = DOCUMENT.read_text()
    assert with_tables(text) == text, "run python -m tests.prove.document"


@pytest.mark.parametrize(
    ("title", "changes", "said"),
    [
        ("A new user, by a role's session", {"ROLE_CALLERS": "report"}, "RoleCallers is report"),
        (
            "A new user, refused for want of permission",
            {"DENIED_CALLS": "ignore"},
            "DeniedCalls is ignore",
        ),
        (
            "One's own console password changed",
            {"SELF_SERVICE_CALLS": ""},
            "SelfServiceCalls lacks ChangePassword",
        ),
    ],
)
def test_a_row_is_left_out_where_the_parameters_want_another_end(
    title: str, changes: Mapping[str, str], said: str
) -> None:
    (row,) = [row for row in ROWS if row.title == title]
    assert row.unless(scene()) == ""
    assert row.unless(scene(settings=settings(**changes))) == said


def test_nobody_is_put_into_a_group_that_is_missing() -> None:
    left_out = [row.title for row in ROWS if row.unless(scene(has_group=False))]
    assert left_out == [
        "Oneself put into the administrators' group",
        "Every administrator's password reset",
    ]


def played(**changes: Any) -> Played:
    row = Row(row=18, title="A new user", attack=print, contained=("mallory", "new-user"))
    ids = {"mallory": "AIDA1", "new-user": "AIDA2", "victim": "AIDA3"}
    return replace(Played(row, Cast(scene(), 1, ids=ids), called_at=100.0), **changes)


def ended(**changes: Any) -> Seen:
    """A row that ended as expected, but for these fields."""
    good = Seen(
        played(),
        held={"mallory", "new-user"},
        refused_at=102.0,
        reported_at=101.0,
        mailed_at=103.5,
        kinds={NoticeKind.CONTAINED},
    )
    return replace(good, **changes)


def test_a_row_that_ended_as_expected_has_its_delays() -> None:
    assert ended().is_done
    expected = "contained, new user too"
    assert judge(ended()) == Result(18, "A new user", expected, "yes", True, 1.0, 2.0, 3.5)


LEFT_ALONE = replace(played().row, contained=())
NOT_CONTAINED = {"held": set(), "refused_at": 0.0}
CANNOT = {"kinds": {NoticeKind.CANNOT_CONTAIN}, "reported_at": 0.0}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({**NOT_CONTAINED, "kinds": set()}, "not contained"),
        ({**NOT_CONTAINED, **CANNOT}, "not contained, reported as cannot-contain"),
        ({"held": {"mallory"}}, "new user not contained"),
        ({"held": {"mallory", "new-user", "victim"}}, "victim contained"),
        ({"refused_at": 0.0}, "contained, yet not refused"),
        ({"reported_at": 0.0, "kinds": set()}, "not reported"),
        ({"mailed_at": 0.0}, "no mail"),
        ({"played": played(failed="not played: CreateUser Throttling")}, "not played: CreateUser"),
        ({"played": played(row=LEFT_ALONE)}, "contained; new user contained"),
        ({"played": played(row=LEFT_ALONE), **NOT_CONTAINED}, "reported as contained"),
    ],
)
def test_a_row_that_ended_otherwise_says_in_what(changes: Mapping[str, Any], said: str) -> None:
    found = judge(ended(**changes))
    assert found.ok is False
    assert found.seen.startswith(said)


def test_what_the_attack_did_not_come_to_make_is_not_missed() -> None:
    stopped = played(stopped=True)
    del stopped.cast.ids["new-user"]
    assert judge(ended(played=stopped, held={"mallory"})).ok


def test_a_row_that_was_left_out_differs_in_nothing() -> None:
    found = judge(ended(played=played(left_out="RoleCallers is report"), **NOT_CONTAINED))
    assert (found.ok, found.seen) == (None, "left out: RoleCallers is report")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({**NOT_CONTAINED, "kinds": set()}, "No call was answered"),
        ({**NOT_CONTAINED, **CANNOT}, "Every call was reported, and nobody could be contained"),
        ({"kinds": set(), "reported_at": 0.0}, "Callers were contained, and no report has arrived"),
        ({"mailed_at": 0.0}, "Reports have arrived, and no mail went out"),
        ({"refused_at": 0.0}, "A caller bears iam-org-revoker-deny and is not refused"),
    ],
)
def test_what_all_rows_have_in_common_points_to_a_fault(
    changes: Mapping[str, Any], said: str
) -> None:
    (pointed,) = pointers([ended(**changes), ended(**changes)])
    assert pointed.startswith(said)
    assert list(pointers([ended(), ended(**changes)])) == ([pointed] if "bears" in said else [])


def found(**changes: Any) -> Found:
    plain = Found(
        account=ONE,
        operator=OPERATOR,
        settings=settings(),
        users=(),
        roles=(
            OPERATOR,
            f"arn:aws:iam::{ONE}:role/stacksets-exec-0123",
            f"arn:aws:iam::{ONE}:role/iam-org-revoker/{REVOKER}",
            f"arn:aws:iam::{ONE}:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForX",
            f"arn:aws:iam::{ONE}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_01",
            f"arn:aws:iam::{ONE}:role/aws-controltower-ForwardSnsNotificationRole",
            f"arn:aws:iam::{ONE}:role/iam-org-revoker-proof/proof-0123-1-deployer",
        ),
    )
    return replace(plain, **changes)


def test_an_account_with_our_and_awss_own_principals_alone_is_fit() -> None:
    assert list(refusals(given(), found(), understood=False)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"account": MANAGEMENT}, f"Account {MANAGEMENT} is the management account"),
        ({"account": SECURITY}, f"Account {SECURITY} is the security account"),
        ({"account": "999988887777"}, "Account 999988887777 is in no ring of the file"),
        ({"settings": None}, f"There is no revoker in account {ONE}"),
        ({"settings": settings(MODE="observe")}, f"The revoker of account {ONE} observes"),
        (
            {"operator": f"arn:aws:iam::{ONE}:role/another"},
            f"You work in account {ONE} as arn:aws:iam::{ONE}:role/another, no administrator's",
        ),
        ({"operator": f"arn:aws:iam::{ONE}:root"}, f"You work in account {ONE} as"),
        ({"users": ("anna",)}, f"Account {ONE} is in use (user anna)"),
        (
            {"roles": (f"arn:aws:iam::{ONE}:role/service-role/pipeline",)},
            f"Account {ONE} is in use (role pipeline)",
        ),
        (
            {"roles": (f"arn:aws:iam::{ONE}:role/aws-service-roles/pipeline",)},
            f"Account {ONE} is in use (role pipeline)",
        ),
    ],
)
def test_an_account_that_is_not_fit_is_refused_with_why(
    changes: Mapping[str, Any], said: str
) -> None:
    (refused,) = refusals(given(), found(**changes), understood=False)
    assert refused.startswith(said)


def test_an_excluded_account_is_in_no_ring() -> None:
    more = f'[management]\ninstall = true\n[[excluded]]\naccount = "{ONE}"\nreason = "a test"\n'
    file = changed(("[management]\ninstall = true\n", more))
    (refused,) = refusals(given(file), found(), understood=False)
    assert refused.startswith(f"Account {ONE} is in no ring")


@pytest.mark.parametrize(
    ("secret", "kept"),
    [
        ("arn:aws:iam::111122223333:user/proof-0123-1-mallory", "..."),
        ("account 111122223333, please", "account ..., please"),
        ("o-exampleorgid", "..."),
        ("AIDAEXAMPLEMALLORY00 and ASIAIOSFODNN7EXAMPLE", "... and ..."),
        ("security@example.com", "..."),
        ("user proof-0a1b-12-new-user", "user ..."),
        ("The rule iam-org-revoker-calls is on", "The rule iam-org-revoker-calls is on"),
    ],
)
def test_what_is_published_names_nobody(secret: str, kept: str) -> None:
    result = Result(1, "A title", "contained", secret, False)
    proof = Proof("2026-12-01", True, "us-east-1", "0123", 600.0, (result,), (), (secret,))
    written = proof_json(proof)
    assert (written["rows"][0]["seen"], written["points_to"]) == (kept, [kept])
    assert (written["where"], written["differences"]) == ("aws", 1)


# RFC 6238, appendix B: the first six digits of the eight, from the right.
@pytest.mark.parametrize(
    ("at", "digits"), [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")]
)
def test_the_codes_of_an_mfa_device_are_those_of_the_standard(at: int, digits: str) -> None:
    assert code(b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at) == digits


class Iam:
    """IAM that answers with these error codes, one after the other, and then well."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        self.calls = 0

    def create_user(self, **asked: Any) -> str:
        self.calls += 1
        if self.codes:
            raise refusal(self.codes.pop(0))
        return str(asked["UserName"])


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "CreateUser")


@pytest.mark.parametrize(
    ("codes", "awaits_policy", "calls"),
    [
        (("NoSuchEntity", "InvalidClientTokenId"), False, 3),
        (("AccessDenied",), True, 2),
        (("AccessDenied",), False, 0),
        (("LimitExceeded",), True, 0),
        (("NoSuchEntity",) * TRIES, False, 0),
    ],
)
def test_only_what_iam_does_not_know_yet_is_tried_again(
    codes: tuple[str, ...], awaits_policy: bool, calls: int
) -> None:
    iam, slept = Iam(*codes), list[float]()
    actor = Actor(iam, slept.append, awaits_policy=awaits_policy)
    if calls:
        assert actor.create_user(UserName="anna") == "anna"
        assert (actor.done, iam.calls, len(slept)) == (1, calls, calls - 1)
    else:
        with pytest.raises(ClientError):
            actor.create_user(UserName="anna")


def test_a_refusal_after_a_call_that_came_through_is_a_containment() -> None:
    iam = Iam()
    actor = Actor(iam, lambda _: None, awaits_policy=True)
    actor.create_user(UserName="anna")
    iam.codes = ["AccessDenied"]
    with pytest.raises(ClientError):
        actor.create_user(UserName="bert")
    assert iam.calls == 2


@pytest.mark.parametrize(
    ("finds", "said"),
    [
        (lambda key: True, "yes"),
        (lambda key: key == "EventName", "no, only the event's name"),
        (lambda key: False, "not in the history yet"),
    ],
)
def test_the_event_history_is_told_in_both_worlds(finds: Callable[[str], bool], said: str) -> None:
    class Trail:
        def lookup_events(self, *, LookupAttributes: list[dict[str, str]]) -> Any:
            record = {"requestParameters": {"userName": "friend"}}
            event = {"EventName": "AddUserToGroup", "CloudTrailEvent": json.dumps(record)}
            return {"Events": [event] if finds(LookupAttributes[0]["AttributeKey"]) else []}

    times = iter(range(1_000))
    waiting = Waiting(sleep=lambda _: None, clock=lambda: next(times), patience=3.0)
    check = history_probe(Trail(), "friend", waiting)
    assert (check.ok, check.seen) == (None, said)


def test_a_file_in_no_folder_is_refused_before_anything_is_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "nowhere"
    words = ["prove", "--account", ONE, "--json", str(missing / "proof.json")]
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"There is no folder {missing}: make it")
