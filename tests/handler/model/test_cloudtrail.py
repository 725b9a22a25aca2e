"""The reader of CloudTrail records: what it reads, and that nothing makes it raise."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.model.cloudtrail import Call, Caller, CallerKind, read_event, read_record
from handler.model.reasons import Standing, Verdict
from handler.model.settings import read_settings
from handler.revoker.judge.rules import decide
from tests.handler.judge.tables import ENVIRONMENT, OWN_ROLE_ARN, ROOT, bases

BASES = bases()
SETTINGS = read_settings(ENVIRONMENT)
# Real records lie beside the project where they could be had; they are nobody's to commit.
RECORDED = ROOT.parent / "shared" / "cloudtrail"
HOLES: tuple[Any, ...] = (None, "", [], {}, 0, "x")


def verdict(call: Call) -> Verdict:
    return decide(call, Standing(), SETTINGS, own_role_arn=OWN_ROLE_ARN)


# ---- what is read


def test_a_user_s_call_is_read_whole() -> None:
    record = BASES["user"]
    assert read_record(record) == Call(
        event_id="00000000-0000-4000-8000-000000000002",
        account="111122223333",
        caller=Caller(
            kind=CallerKind.USER,
            type="IAMUser",
            account="111122223333",
            partition="aws",
            name="mallory",
            id="AIDAEXAMPLEMALLORY000",
            arn="arn:aws:iam::111122223333:user/staff/mallory",
            access_key="AKIAEXAMPLEMALLORY00",
        ),
        service="iam.amazonaws.com",
        name="AttachUserPolicy",
        time=1772446530.0,
        time_text="2026-03-02T10:15:30Z",
        region="us-east-1",
        source_ip="192.0.2.1",
        user_agent="aws-cli/2.0 example",
        request={
            "userName": "example-target",
            "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
        },
    )


def test_a_role_session_is_its_role_with_the_path() -> None:
    assert read_record(BASES["role"]).caller == Caller(
        kind=CallerKind.ROLE,
        type="AssumedRole",
        account="111122223333",
        partition="aws",
        name="deploy",
        id="AROAEXAMPLEDEPLOY0000",
        arn="arn:aws:iam::111122223333:role/teams/deploy",
        session="build-17",
        access_key="ASIAEXAMPLEDEPLOY000",
        session_began="2026-03-02T09:00:00Z",
        session_began_at=1_772_442_000.0,
    )


def test_a_role_session_without_an_issuer_loses_the_path_and_says_so() -> None:
    caller = read_record(BASES["role-without-issuer"]).caller
    assert caller.arn == "arn:aws:iam::111122223333:role/deploy"
    assert caller.path_lost
    assert (caller.name, caller.id) == ("deploy", "AROAEXAMPLEDEPLOY0000")


def test_a_federated_user_is_the_user_that_issued_it() -> None:
    caller = read_record(BASES["federated-user"]).caller
    assert caller.kind is CallerKind.USER
    assert (caller.name, caller.id) == ("mallory", "AIDAEXAMPLEMALLORY000")
    assert caller.arn == "arn:aws:iam::111122223333:user/staff/mallory"
    assert caller.session == "visitor"


@pytest.mark.parametrize(
    ("base", "kind", "name", "id"),
    [
        ("console-user", CallerKind.USER, "mallory", "AIDAEXAMPLEMALLORY000"),
        ("root", CallerKind.ROOT, "example-alias", "111122223333"),
        ("assumed-root", CallerKind.ROOT, "", "111122223333"),
        ("federated-user-of-root", CallerKind.ROOT, "", "111122223333"),
        ("aws-service", CallerKind.SERVICE, "", ""),
        ("service-event", CallerKind.SERVICE, "", ""),
        ("identity-center-user", CallerKind.OTHER, "", "00000000-0000-4000-8000-000000000003"),
        ("unknown", CallerKind.OTHER, "mallory", ""),
        ("aws-account", CallerKind.OTHER, "", "AROAEXAMPLEVISITOR000"),
    ],
)
def test_each_kind_of_caller_is_known_by_what_its_record_has(
    base: str, kind: CallerKind, name: str, id: str
) -> None:
    caller = read_record(BASES[base]).caller
    assert (caller.kind, caller.name, caller.id) == (kind, name, id)


def test_the_name_is_the_arn_s_where_the_issuer_spells_it_otherwise() -> None:
    record = copy.deepcopy(BASES["role"])
    record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] = "Deploy"
    assert read_record(record).caller.name == "deploy"


def test_an_envelope_s_account_and_time_stand_in_for_the_record_s() -> None:
    record = copy.deepcopy(BASES["aws-service"])
    del record["recipientAccountId"], record["eventTime"]
    event = {"account": "444455556666", "time": "2026-03-02T10:15:30Z", "detail": record}
    call = read_event(event)
    assert (call.account, call.time) == ("444455556666", 1772446530.0)


def test_a_record_that_is_issued_again_counts_under_its_first_id() -> None:
    record = BASES["user"] | {"addendum": {"originalEventID": "first"}}
    assert read_record(record).event_id == "first"


def test_a_record_without_an_id_gets_one_from_its_content_whatever_the_order_of_its_fields() -> (
    None
):
    record = {key: value for key, value in BASES["user"].items() if key != "eventID"}
    shuffled = dict(reversed(record.items()))
    assert read_record(record).event_id == read_record(shuffled).event_id
    assert read_record(record).event_id != read_record(record | {"eventTime": ""}).event_id


@pytest.mark.parametrize(
    ("flag", "name", "expected"),
    [
        (True, "CreateUser", True),
        (False, "GetUser", False),
        ("true", "CreateUser", True),
        ("True", "CreateUser", True),
        ("false", "GetUser", False),
        (None, "GetUser", True),
        (None, "ListRoles", True),
        (None, "GenerateCredentialReport", True),
        (None, "SimulatePrincipalPolicy", True),
        (None, "CreateUser", False),
        (0, "GetUser", False),
        ({}, "GetUser", False),
    ],
)
def test_a_call_is_read_only_by_its_flag_and_without_one_by_its_verb(
    flag: object, name: str, expected: bool
) -> None:
    record = BASES["user"] | {"readOnly": flag, "eventName": name}
    assert read_record(record).read_only is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T10:15:30Z", 1772446530.0),
        ("2026-03-02 10:15:30", 1772446530.0),
        ("2026-03-02T10:15:30.5Z", 1772446530.5),
        ("2026-02-30T10:15:30Z", None),
        ("2026-03-02T25:15:30Z", None),
        ("2026-03-02", None),
        ("0000-00-00T00:00:00Z", None),
        ("9999-12-31T23:59:59.999999Z", None),
        ("2026-03-02T10:15:30Z\n", None),
        ("20\u0662\u0666-03-02T10:15:30Z", None),
        (1772446530, None),
    ],
)
def test_a_time_is_read_or_unknown(text: object, expected: float | None) -> None:
    assert read_record(BASES["user"] | {"eventTime": text}).time == expected


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"eventName": ""}, "the record has no eventName"),
        ({"userIdentity": {}}, "the record has no userIdentity.type"),
        (
            {"userIdentity": {"type": "IAMUser", "accountId": "111122223333"}},
            "userIdentity of type IAMUser has neither a name nor an id",
        ),
        (
            {
                "recipientAccountId": None,
                "userIdentity": {"type": "IAMUser", "userName": "mallory"},
            },
            "the record names no account",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    assert read_record(BASES["user"] | change).unreadable == sentence


def test_an_event_without_a_record_says_so() -> None:
    assert read_event({}).unreadable == "the event carries no CloudTrail record"


# ---- what nothing breaks


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each (container, key) of a JSON value, deepest first, so that a hole hides no other."""
    keys: list[Any] = []
    match value:
        case dict():
            keys = list(value)
        case list():
            keys = list(range(len(value)))
    for key in keys:
        yield from places(value[key])
        yield value, key


def punched(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The record with one hole at a time; the same object each time, whole again at the end."""
    for container, key in list(places(record)):
        kept = container[key]
        for hole in HOLES:
            container[key] = hole
            yield record
        if isinstance(container, dict):
            order = dict(container)
            del container[key]
            yield record
            container.update(order)
        container[key] = kept


def ends_in_a_verdict(record: dict[str, Any]) -> None:
    bare, wrapped = read_record(record), read_event({"account": "111122223333", "detail": record})
    assert isinstance(bare, Call)
    assert isinstance(verdict(bare), Verdict)
    assert isinstance(verdict(wrapped), Verdict)
    assert bare.event_id


@pytest.mark.parametrize("name", BASES)
def test_no_hole_in_a_fake_record_stops_the_reader(name: str) -> None:
    record = copy.deepcopy(BASES[name])
    holes = 0
    for holed in punched(record):
        ends_in_a_verdict(holed)
        holes += 1
    assert record == BASES[name]
    assert holes > 100


def shape(value: Any, path: str = "") -> frozenset[str]:
    """The paths of a record and what it calls a caller; records of one shape break alike."""
    match value:
        case dict():
            below = (shape(inner, f"{path}.{key}") for key, inner in value.items())
            return frozenset({path}).union(*below)
        case list():
            return frozenset({path}).union(*(shape(inner, f"{path}[]") for inner in value))
    return frozenset({path, f"{path}={value}" if path.endswith(".type") else path})


def recorded() -> Iterator[dict[str, Any]]:
    if not RECORDED.is_dir():
        pytest.skip(f"no folder of recorded events beside the project ({RECORDED.name})")
    for path in sorted(RECORDED.glob("*.jsonl*")):
        content = path.read_bytes()
        text = gzip.decompress(content) if path.suffix == ".gz" else content
        yield from map(json.loads, text.splitlines())


def test_every_recorded_event_ends_in_a_verdict() -> None:
    for record in recorded():
        ends_in_a_verdict(record)


def test_no_hole_in_a_recorded_event_stops_the_reader() -> None:
    """One record of each shape among the IAM calls."""
    by_shape = {
        shape(record): record
        for record in recorded()
        if record.get("eventSource") == "iam.amazonaws.com"
    }
    assert len(by_shape) > 20
    for record in by_shape.values():
        for holed in punched(record):
            ends_in_a_verdict(holed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TEXTS = st.sampled_from(
    [
        "IAMUser", "AssumedRole", "FederatedUser", "Root", "AWSService", "true", "AwsServiceEvent",
        "arn:aws:iam::111122223333:role/a", "arn:aws:sts::111122223333:assumed-role/a/b", "arn:",
        "2026-03-02T10:15:30Z", "111122223333", "ChangePassword", "CreateServiceLinkedRole",
    ]
)  # fmt: skip
FIELDS = st.sampled_from(
    [
        "userIdentity", "sessionContext", "sessionIssuer", "type", "arn", "userName", "accountId",
        "principalId", "eventName", "eventTime", "eventType", "eventID", "addendum", "attributes",
        "requestParameters", "recipientAccountId", "readOnly", "invokedBy", "errorCode", "detail",
    ]
)  # fmt: skip
RECORDS = st.recursive(
    TEXTS | JSON, lambda inner: st.dictionaries(FIELDS, inner, max_size=8), max_leaves=30
)


@settings(max_examples=300, deadline=None)
@given(JSON | RECORDS)
def test_any_json_is_read_as_a_call_and_judged(value: object) -> None:
    for call in (read_event(value), read_record(value), read_event({"detail": value})):
        assert isinstance(call, Call)
        assert isinstance(verdict(call), Verdict)
