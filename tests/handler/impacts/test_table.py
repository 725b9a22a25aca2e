"""The gain tables, on the source and on the joined code; odd shapes; the undo against IAM's API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from handler.model.cloudtrail import read_record
from handler.model.settings import read_role_patterns
from handler.revoker.impacts.model import Remediation
from handler.revoker.impacts.table import GIVES_NOTHING, IMPACT_ROWS, IMPACT_TABLE, impacts_of
from tests.handler.impacts.tables import (
    CASES,
    SETTINGS,
    YES,
    Case,
    call_of,
    impacts_found,
    joined_code,
    rescues,
)
from tests.handler.judge.tables import bases

# What these do is told by their name alone.
NEEDS_NO_PARAMETERS = {
    "DeleteAccountPasswordPolicy",
    "DisableOrganizationsRootCredentialsManagement",
    "DisableOrganizationsRootSessions",
    "DisableOutboundWebIdentityFederation",
    "EnableOrganizationsRootCredentialsManagement",
    "EnableOrganizationsRootSessions",
    "EnableOutboundWebIdentityFederation",
    "PutAccountProperties",
    "UpdateAccountPasswordPolicy",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"row {case.row}: {case.name}")
def test_the_gains_are_as_the_table_says(case: Case) -> None:
    assert impacts_found(call_of(case)) == case.impacts


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"row {case.row}: {case.name}")
def test_the_joined_code_says_the_same(case: Case) -> None:
    index = joined_code()
    record = json.loads(json.dumps(bases()[case.base]))
    record |= {
        "eventName": case.event,
        "requestParameters": case.request,
        "responseElements": case.response,
        "errorCode": case.error,
    }
    assert impacts_found(index.read_record(record), index=index) == case.impacts


@pytest.mark.parametrize("case", YES, ids=lambda case: f"row {case.row}: {case.name}")
def test_a_failed_call_gives_nothing(case: Case) -> None:
    assert impacts_found(call_of(case, error="AccessDenied")) == []
    assert impacts_found(call_of(case, error="LimitExceededException")) == []


def test_every_row_has_its_cases_and_no_case_is_there_twice() -> None:
    names = [(case.row, case.name) for case in CASES]
    assert len(names) == len(set(names))
    assert {case.row for case in CASES} == set(IMPACT_ROWS)
    assert {case.row for case in YES} == set(IMPACT_ROWS) - {40}
    assert set(IMPACT_ROWS) == {0, *range(1, 30), *range(31, 35), 40, 41, *range(43, 51)}


def test_every_call_of_the_table_and_every_remediation_stands_in_some_case() -> None:
    assert set(IMPACT_TABLE) - {case.event for case in YES} == set()
    assert GIVES_NOTHING - {case.event for case in CASES if not case.impacts} == set()
    found = {impact["remediation"] for case in YES for impact in case.impacts}
    assert found == {remediation.value for remediation in Remediation}


def test_every_call_of_the_table_is_a_call_of_iam() -> None:
    known = set(get_session().get_service_model("iam").operation_names)
    # Newer than the model that some installations carry.
    assert (set(IMPACT_TABLE) | GIVES_NOTHING) - known <= {"AcquireRole", "PutAccountProperties"}


def test_no_write_call_of_iam_passes_unseen() -> None:
    """What the table does not know is an unknown gain, not none."""
    model = get_session().get_service_model("iam")
    for name in model.operation_names:
        if name.startswith(("Get", "List", "Simulate", "Generate")):
            continue
        record = bases()["user"] | {"eventName": name, "requestParameters": None}
        assert bool(impacts_found(read_record(record))) == (name not in GIVES_NOTHING), name


@pytest.mark.parametrize("case", YES, ids=lambda case: f"row {case.row}: {case.name}")
def test_every_undo_is_a_command_that_iam_has_with_all_it_needs(case: Case) -> None:
    model = get_session().get_service_model("iam")
    verbs = {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}
    for impact in case.impacts:
        for program, service, verb, *flags in impact.get("undo", []):
            assert (program, service) == ("aws", "iam")
            shape = verbs[verb].input_shape
            members = {xform_name(name, "-") for name in shape.members} if shape else set()
            required = (
                {xform_name(name, "-") for name in shape.required_members} if shape else set()
            )
            given_flags = {flag.removeprefix("--").partition("=")[0] for flag in flags}
            assert required <= given_flags <= members


def test_a_read_only_call_or_one_of_another_service_gives_nothing() -> None:
    record = bases()["user"] | {"eventName": "CreateUser", "requestParameters": {"userName": "eve"}}
    assert impacts_found(read_record(record)) != []
    assert impacts_found(read_record(record | {"readOnly": True})) == []
    assert impacts_found(read_record(record | {"eventSource": "sso-directory.amazonaws.com"})) == []
    assert impacts_found(read_record(record | {"eventName": ""})) == []


def test_a_name_of_another_case_is_the_same_group_and_the_same_user() -> None:
    request = {"groupName": "ADMINISTRATORS", "userName": "MALLORY"}
    record = bases()["user"] | {"eventName": "AddUserToGroup", "requestParameters": request}
    (impact,) = impacts_of(read_record(record), admin_group="Administrators", rescue=rescues)
    assert (impact.remediation, impact.id) == (Remediation.REMOVE, "AIDAEXAMPLEMALLORY000")


def test_a_group_that_only_looks_like_the_administrators_group_is_told() -> None:
    for group in ("Administrators2", "Administrators ", "xAdministrators", "/Administrators"):
        request = {"groupName": group, "userName": "eve"}
        record = bases()["user"] | {"eventName": "AddUserToGroup", "requestParameters": request}
        (impact,) = impacts_of(read_record(record), admin_group="Administrators", rescue=rescues)
        assert impact.remediation is Remediation.REPORT


def test_a_document_nested_deeper_than_any_reader_goes_is_unreadable_not_an_error() -> None:
    request = {"roleName": "deploy", "policyDocument": "[" * 100_000}
    record = bases()["user"] | {"eventName": "UpdateAssumeRolePolicy", "requestParameters": request}
    (impact,) = impacts_of(read_record(record), admin_group="Administrators", rescue=rescues)
    assert impact.missing == (
        "The record does not carry the old trust policy: see CloudTrail or your IaC for it. "
        "The new one cannot be read."
    )


def test_a_name_cannot_fill_a_mail() -> None:
    request = {"userName": "a" * 5000, "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    record = bases()["user"] | {"eventName": "AttachUserPolicy", "requestParameters": request}
    (impact,) = impacts_of(read_record(record), admin_group="Administrators", rescue=rescues)
    assert len(impact.what) < 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = sorted(
    {key for case in CASES for part in (case.request, case.response) for key in part or {}}
)


@given(
    event=st.sampled_from(sorted(IMPACT_TABLE)) | st.text(max_size=20),
    base=st.sampled_from(sorted(bases())),
    request=json_values | st.dictionaries(st.sampled_from(KEYS), json_values, max_size=6),
    response=json_values
    | st.dictionaries(
        st.sampled_from(KEYS), st.dictionaries(st.sampled_from(KEYS), json_values), max_size=3
    ),
)
def test_any_shape_gives_values_and_each_says_its_undo_or_what_is_missing(
    event: str, base: str, request: Any, response: Any
) -> None:
    record = bases()[base] | {
        "eventName": event,
        "requestParameters": request,
        "responseElements": response,
    }
    impacts = impacts_of(read_record(record), admin_group="Administrators", rescue=rescues)
    for impact in impacts:
        assert impact.row in IMPACT_ROWS
        assert impact.what
        assert impact.undo or impact.missing
        for value in (
            impact.name,
            impact.id,
            impact.credential,
            impact.group,
            impact.missing,
            impact.what,
        ):
            assert isinstance(value, str)
        assert all(isinstance(word, str) and word for command in impact.undo for word in command)
        if impact.remediation in (Remediation.CONTAIN, Remediation.SILENCE):
            assert impact.name or impact.id


@pytest.mark.parametrize("case", YES, ids=lambda case: f"row {case.row}: {case.name}")
def test_a_hole_in_a_record_is_never_a_gain_overlooked(case: Case) -> None:
    """Each parameter taken away or spoilt: something is still told."""
    for part in ("requestParameters", "responseElements"):
        whole = case.request if part == "requestParameters" else case.response
        for key in whole or {}:
            spoils: tuple[dict[str, Any], ...] = (
                *({}, {key: None}, {key: ""}, {key: []}, {key: {}}, {key: 0}, {key: "x"}),
            )
            for spoilt in spoils:
                record = bases()[case.base] | {
                    "eventName": case.event,
                    "requestParameters": case.request,
                    "responseElements": case.response,
                }
                rest = {k: v for k, v in whole.items() if k != key}
                record[part] = rest | spoilt
                assert len(impacts_found(read_record(record))) == 1, (part, key, spoilt)


@pytest.mark.parametrize("case", YES, ids=lambda case: f"row {case.row}: {case.name}")
def test_parameters_that_cloudtrail_left_out_are_never_taken_for_the_caller(case: Case) -> None:
    record = bases()[case.base] | {
        "eventName": case.event,
        "requestParameters": {"omitted": True, "originalSize": 102401},
        "responseElements": None,
    }
    (impact,) = impacts_of(read_record(record), admin_group="Administrators", rescue=rescues)
    if case.event in IMPACT_TABLE and case.event not in NEEDS_NO_PARAMETERS:
        assert (impact.row, impact.remediation, impact.critical) == (
            45,
            Remediation.LIST_SINCE,
            True,
        )


def test_the_patterns_that_rescue_in_these_tests_are_the_default_ones() -> None:
    assert SETTINGS.admin_roles == read_role_patterns(
        "role/stacksets-exec-*,role/AWSControlTowerExecution,role/OrganizationAccountAccessRole,"
        "role/iam-administrators/**"
    )
    assert rescues("OrganizationAccountAccessRole")
    assert not rescues("OrganizationAccountAccessRole-evil")
