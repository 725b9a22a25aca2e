"""The knobs: defaults, refusals, and what an administrator role pattern matches."""

from __future__ import annotations

from datetime import date

import pytest

from handler.model.settings import (
    KNOBS,
    Answer,
    DenyScope,
    MissingGroup,
    Mode,
    RolePattern,
    Settings,
    read_role_patterns,
    read_settings,
)

BUS = "arn:aws:events:us-east-1:999988887777:event-bus/iam-org-revoker"
TODAY = date(2026, 3, 2)
ACCOUNT = "arn:aws:iam::111122223333:"


def test_without_a_variable_each_knob_takes_its_default() -> None:
    assert read_settings({"CENTRAL_BUS_ARN": BUS}) == Settings(
        mode=Mode.OBSERVE,
        central_bus_arn=BUS,
        admin_group="Administrators",
        admin_roles=(
            RolePattern("role/stacksets-exec-*"),
            RolePattern("role/AWSControlTowerExecution"),
            RolePattern("role/OrganizationAccountAccessRole"),
            RolePattern("role/iam-administrators/**"),
        ),
        role_callers=Answer.CONTAIN,
        denied_calls=Answer.CONTAIN,
        self_service=frozenset({"ChangePassword"}),
        inline_deny=False,
        missing_group=MissingGroup.UNDECIDED,
        deny_scope=DenyScope.IAM,
        contain_rescue_roles=False,
        breaker_hours=4,
        breaker_limit=5,
    )


def test_every_variable_is_read() -> None:
    environment = {
        "MODE": "enforce",
        "CENTRAL_BUS_ARN": BUS,
        "ADMIN_GROUP_NAME": "iam+admins=1,2.@_-",
        "ADMIN_ROLE_PATTERNS": "role/a, arn:aws:iam::111122223333:role/b/* until 2026-12-31",
        "ROLE_CALLERS": "report",
        "DENIED_CALLS": "ignore",
        "SELF_SERVICE_CALLS": "ChangePassword, CreateAccessKey",
        "INLINE_DENY": "allow",
        "MISSING_GROUP": "treat-as-empty",
        "DENY_SCOPE": "everything",
        "CONTAIN_RESCUE_ROLES": "yes",
        "BREAKER_HOURS": "12",
        "BREAKER_LIMIT": "0",
    }
    assert set(environment) == {knob.variable for knob in KNOBS}
    assert read_settings(environment) == Settings(
        mode=Mode.ENFORCE,
        central_bus_arn=BUS,
        admin_group="iam+admins=1,2.@_-",
        admin_roles=(
            RolePattern("role/a"),
            RolePattern("arn:aws:iam::111122223333:role/b/*", date(2026, 12, 31)),
        ),
        role_callers=Answer.REPORT,
        denied_calls=Answer.IGNORE,
        self_service=frozenset({"ChangePassword", "CreateAccessKey"}),
        inline_deny=True,
        missing_group=MissingGroup.TREAT_AS_EMPTY,
        deny_scope=DenyScope.EVERYTHING,
        contain_rescue_roles=True,
        breaker_hours=12,
        breaker_limit=0,
    )


@pytest.mark.parametrize(
    ("variable", "value", "parameter"),
    [
        ("MODE", "Enforce", "Mode"),
        ("MODE", "", "Mode"),
        ("MODE", "enforce\n", "Mode"),
        ("CENTRAL_BUS_ARN", "", "CentralBusArn"),
        ("CENTRAL_BUS_ARN", BUS + "-evil", "CentralBusArn"),
        ("CENTRAL_BUS_ARN", BUS.replace("999988887777", "*"), "CentralBusArn"),
        ("ADMIN_GROUP_NAME", "", "AdminGroupName"),
        ("ADMIN_GROUP_NAME", "a/b", "AdminGroupName"),
        ("ADMIN_ROLE_PATTERNS", "", "AdminRolePatterns"),
        ("ADMIN_ROLE_PATTERNS", "role/**", "AdminRolePatterns"),
        ("ADMIN_ROLE_PATTERNS", "role/a,", "AdminRolePatterns"),
        ("ROLE_CALLERS", "allow", "RoleCallers"),
        ("DENIED_CALLS", "contain,report", "DeniedCalls"),
        ("SELF_SERVICE_CALLS", "iam:ChangePassword", "SelfServiceCalls"),
        ("SELF_SERVICE_CALLS", "Change*", "SelfServiceCalls"),
        ("INLINE_DENY", "always", "InlineDeny"),
    ],
)
def test_a_value_outside_its_shape_is_refused_by_its_parameter_s_name(
    variable: str, value: str, parameter: str
) -> None:
    shape = next(knob.shape for knob in KNOBS if knob.variable == variable)
    with pytest.raises(ValueError, match="must match") as refusal:
        read_settings({"CENTRAL_BUS_ARN": BUS, variable: value})
    assert str(refusal.value) == f"{parameter} is {value!r}; it must match {shape}"


def test_all_bad_values_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"^Mode is .*; InlineDeny is ") as refusal:
        read_settings({"CENTRAL_BUS_ARN": BUS, "MODE": "x", "INLINE_DENY": "y"})
    assert "CentralBusArn" not in str(refusal.value)


def test_every_closed_list_is_its_shape() -> None:
    for knob in KNOBS:
        if knob.allowed:
            assert knob.shape == f"({'|'.join(knob.allowed)})"
            assert knob.default in knob.allowed


@pytest.mark.parametrize(
    "entry",
    [
        "role/*",
        "role/**",
        'role/a"b/c',
        "role/a\\b/c",
        "role/?*",
        "role/*/*",
        "role/**/**",
        "role//",
        "role/",
        "role/* until 2026-12-31",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::*:role/a",
        "arn:aws:sts::111122223333:assumed-role/a/b",
        "arn:aws:iam::111122223333:user/mallory",
        "user/mallory",
        "*",
        "deploy",
        "Role/deploy",
        "role/two words",
        "role/line\nbreak",
        "role/deploy until tomorrow",
        "role/deploy until 2026-12-31 and longer",
        "role/d\u00e9ploy",
    ],
)
def test_an_entry_that_is_no_pattern_or_fits_everybody_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="is no administrator role pattern") as refusal:
        read_role_patterns(entry)
    assert str(refusal.value) == (
        f"{entry!r} is no administrator role pattern: write role/PATH/NAME or a full role ARN, "
        "with at least one character besides stars"
    )


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "0000-01-01"])
def test_a_date_that_does_not_exist_is_refused_with_its_entry(day: str) -> None:
    with pytest.raises(ValueError, match="no day of the calendar") as refusal:
        read_settings({"CENTRAL_BUS_ARN": BUS, "ADMIN_ROLE_PATTERNS": f"role/a until {day}"})
    assert str(refusal.value) == (
        f"'role/a until {day}' ends on {day}, which is no day of the calendar"
    )


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("role/deploy", "role/deploy", True),
        ("role/deploy", "role/deploy-evil", False),
        ("role/deploy", "role/evil-deploy", False),
        ("role/deploy", "role/teams/deploy", False),
        ("role/deploy", "role/Deploy", False),
        ("role/deploy", "role/deploy\n", False),
        ("role/deploy", "user/deploy", False),
        ("role/d.ploy", "role/deploy", False),
        ("role/deploy-*", "role/deploy-1", True),
        ("role/deploy-*", "role/deploy-", True),
        ("role/deploy-*", "role/deploy-1/evil", False),
        ("role/*/deploy", "role/teams/deploy", True),
        ("role/*/deploy", "role/teams/europe/deploy", False),
        ("role/*/deploy", "role/deploy", False),
        ("role/teams/**", "role/teams/deploy", True),
        ("role/teams/**", "role/teams/europe/deploy", True),
        ("role/teams/**", "role/teams-evil/deploy", False),
        ("role/**/deploy", "role/teams/europe/deploy", True),
        ("role/deploy-?", "role/deploy-1", True),
        ("role/deploy-?", "role/deploy-12", False),
        ("role/deploy-?", "role/deploy-/", False),
        ("role/a+b", "role/a+b", True),
        ("role/a+b", "role/aab", False),
    ],
)
def test_one_star_stays_within_a_segment_and_two_cross(
    pattern: str, resource: str, expected: bool
) -> None:
    (entry,) = read_role_patterns(pattern)
    assert entry.matches(role_arn=ACCOUNT + resource, on=TODAY) is expected
    (full,) = read_role_patterns(ACCOUNT + pattern)
    assert full.matches(role_arn=ACCOUNT + resource, on=TODAY) is expected


@pytest.mark.parametrize(
    ("arn", "short", "full"),
    [
        ("arn:aws:iam::111122223333:role/deploy", True, True),
        ("arn:aws:iam::444455556666:role/deploy", True, False),
        ("arn:aws-cn:iam::111122223333:role/deploy", True, False),
        ("arn:aws:sts::111122223333:role/deploy", False, False),
        ("arn:aws:iam::11112222333:role/deploy", False, False),
        ("role/deploy", False, False),
        ("", False, False),
    ],
)
def test_a_short_pattern_is_for_every_account_and_partition_a_full_one_for_its_own(
    arn: str, short: bool, full: bool
) -> None:
    assert RolePattern("role/deploy").matches(role_arn=arn, on=TODAY) is short
    assert RolePattern(ACCOUNT + "role/deploy").matches(role_arn=arn, on=TODAY) is full


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2026, 3, 1), True), (date(2026, 3, 2), True), (date(2026, 3, 3), False)],
)
def test_a_dated_pattern_holds_to_the_end_of_its_day(day: date, expected: bool) -> None:
    (entry,) = read_role_patterns("role/deploy until 2026-03-02")
    assert entry == RolePattern("role/deploy", until=date(2026, 3, 2))
    assert entry.matches(role_arn=ACCOUNT + "role/deploy", on=day) is expected
