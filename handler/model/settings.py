"""List every setting of the revoker once: name, default, allowed shape and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum


class Mode(Enum):
    OBSERVE = "observe"
    ENFORCE = "enforce"


class Answer(Enum):
    """What a setting says about one class of calls."""

    CONTAIN = "contain"
    REPORT = "report"
    IGNORE = "ignore"


class MissingGroup(Enum):
    """What to do where the baseline finds no group, or an empty one."""

    UNDECIDED = "undecided"
    TREAT_AS_EMPTY = "treat-as-empty"


class DenyScope(Enum):
    """What the deny covers: IAM and the ways around it, or every call."""

    IAM = "iam"
    EVERYTHING = "everything"


@dataclass(frozen=True)
class Knob:
    """One setting: a template parameter and the environment variable that carries it.

    `shape` is a regular expression for the whole value, written so that Python and CloudFormation
    (Java) read it alike; `allowed` is the closed list where there is one; `longest` is in
    characters, where the shape sets no end: together they stay below Lambda's 4 KB.
    """

    parameter: str
    variable: str
    default: str
    shape: str
    says: str
    why: str
    allowed: tuple[str, ...] = ()
    longest: int = 0


# The environment variable that carries the template's digest.
TEMPLATE_DIGEST = "TEMPLATE_DIGEST"

# '*' and '?' stay within one path segment, '**' crosses; a pattern of nothing but stars is refused,
# because it would make an administrator of everybody. Write '?' for a quote or a backslash in a
# path: in the environment, which is measured as JSON, either takes two characters.
_ROLE_PATTERN = (
    r"(arn:aws[a-z-]*:iam::[0-9]{12}:)?role/(?![*?/]*( |,|$))[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+"
    r"( until [0-9]{4}-[0-9]{2}-[0-9]{2})?"
)

KNOBS = (
    Knob(
        parameter="Mode",
        variable="MODE",
        default="observe",
        shape=r"(observe|enforce)",
        allowed=("observe", "enforce"),
        says="observe: only report who would be contained. enforce: contain them.",
        why="A first installation must not lock out anybody.",
    ),
    Knob(
        parameter="CentralBusArn",
        variable="CENTRAL_BUS_ARN",
        default="",
        shape=r"arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/iam-org-revoker",
        says="ARN of the central event bus (output BusArn of the central stack).",
        why="Reports go there only.",
        longest=100,
    ),
    Knob(
        parameter="AdminGroupName",
        variable="ADMIN_GROUP_NAME",
        default="Administrators",
        shape=r"[A-Za-z0-9+=,.@_-]{1,128}",
        says="IAM group whose members may call IAM: the IAM users who are administrators.",
        why="There is one list of them in each account.",
    ),
    Knob(
        parameter="AdminRolePatterns",
        variable="ADMIN_ROLE_PATTERNS",
        default=(
            "role/stacksets-exec-*,role/AWSControlTowerExecution,"
            "role/OrganizationAccountAccessRole,role/iam-administrators/**"
        ),
        shape=rf"{_ROLE_PATTERN}(, ?{_ROLE_PATTERN})*",
        says=(
            "Roles that may call IAM, separated by commas: 'role/PATH/NAME' or a full ARN; "
            "* and ? stay within a path segment, ** crosses; 'until 2026-12-31' is its last day."
        ),
        why="The defaults are roles that roll out and rescue an Organization: never contain these.",
        longest=2_800,
    ),
    Knob(
        parameter="RoleCallers",
        variable="ROLE_CALLERS",
        default="contain",
        shape=r"(contain|report|ignore)",
        allowed=("contain", "report", "ignore"),
        says=(
            "What to do about role sessions that call IAM. A role that an unauthorized caller "
            "created, or that is already contained, stays contained."
        ),
        why="A deny on a role binds everybody who uses it; some teams begin with users only.",
    ),
    Knob(
        parameter="DeniedCalls",
        variable="DENIED_CALLS",
        default="contain",
        shape=r"(contain|report|ignore)",
        allowed=("contain", "report", "ignore"),
        says="What to do about an IAM call that failed.",
        why="A refused attempt shows intent, but changed nothing.",
    ),
    Knob(
        parameter="SelfServiceCalls",
        variable="SELF_SERVICE_CALLS",
        default="ChangePassword",
        shape=r"([A-Za-z]+(, ?[A-Za-z]+)*)?",
        says="IAM calls that a user may make on themselves, separated by commas.",
        why="Changing one's own password is not administration.",
        longest=512,
    ),
    Knob(
        parameter="MissingGroup",
        variable="MISSING_GROUP",
        default="undecided",
        shape=r"(undecided|treat-as-empty)",
        allowed=("undecided", "treat-as-empty"),
        says=(
            "What to do in an account whose group is missing or empty at the baseline. "
            "undecided: contain no user there. treat-as-empty: contain every user who calls IAM."
        ),
        why="An account whose group has another name must not lose all administrators.",
    ),
    Knob(
        parameter="DenyScope",
        variable="DENY_SCOPE",
        default="iam",
        shape=r"(iam|everything)",
        allowed=("iam", "everything"),
        says="iam: deny IAM and the ways around it. everything: deny every AWS call.",
        why="Some teams want a contained caller to do nothing until they have investigated.",
    ),
    Knob(
        parameter="ContainRescueRoles",
        variable="CONTAIN_RESCUE_ROLES",
        default="no",
        shape=r"(no|yes)",
        allowed=("no", "yes"),
        says="yes: contain an exempt role if an unauthorized caller changed its trust policy.",
        why="The roles that rescue an account must not be locked out by mistake.",
    ),
    Knob(
        parameter="BreakerHours",
        variable="BREAKER_HOURS",
        default="4",
        shape=r"[0-9]{1,3}",
        says="Hours for which a change of template or parameters arms the circuit breaker.",
        why="A bad change shows within hours; an attacker must not find it armed forever.",
    ),
    Knob(
        parameter="BreakerLimit",
        variable="BREAKER_LIMIT",
        default="5",
        shape=r"[0-9]{1,4}",
        says="Principals contained while it is armed; further ones are only reported (0: off).",
        why="A wrong group name must not lock out everybody before the mails are read.",
    ),
    Knob(
        parameter="InlineDeny",
        variable="INLINE_DENY",
        default="never",
        shape=r"(never|allow)",
        allowed=("never", "allow"),
        says="allow: an inline deny as the last deny method, if quotas refuse all others.",
        why="IAM cannot limit what iam:PutUserPolicy writes: that permission could also grant.",
    ),
)


@dataclass(frozen=True)
class RolePattern:
    """One entry of AdminRolePatterns; `until` is the last day on which it holds, in UTC."""

    pattern: str
    until: date | None = None

    def matches(self, *, role_arn: str, on: date) -> bool:
        """True when the whole ARN fits the pattern and the entry has not expired on that day."""
        if self.until is not None and on > self.until:
            return False
        return re.fullmatch(_expression(self.pattern), role_arn) is not None


@dataclass(frozen=True)
class Settings:
    """The knobs, read; `template` is no knob but a digest of the template, empty where unknown."""

    mode: Mode
    central_bus_arn: str
    admin_group: str
    admin_roles: tuple[RolePattern, ...]
    role_callers: Answer
    denied_calls: Answer
    self_service: frozenset[str]
    inline_deny: bool
    missing_group: MissingGroup
    deny_scope: DenyScope
    contain_rescue_roles: bool
    breaker_hours: int
    breaker_limit: int
    template: str = ""

    @property
    def enforcing(self) -> bool:
        return self.mode is Mode.ENFORCE

    @property
    def everything(self) -> bool:
        return self.deny_scope is DenyScope.EVERYTHING


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from environment variables; a missing variable takes the knob's default.

    Raises ValueError with one sentence per bad value.
    """
    values = {knob.variable: environment.get(knob.variable, knob.default) for knob in KNOBS}
    bad = [
        f"{knob.parameter} is {values[knob.variable]!r}; it must match {knob.shape}"
        for knob in KNOBS
        if not re.fullmatch(knob.shape, values[knob.variable])
    ]
    if bad:
        raise ValueError("; ".join(bad))
    return Settings(
        mode=Mode(values["MODE"]),
        central_bus_arn=values["CENTRAL_BUS_ARN"],
        admin_group=values["ADMIN_GROUP_NAME"],
        admin_roles=read_role_patterns(values["ADMIN_ROLE_PATTERNS"]),
        role_callers=Answer(values["ROLE_CALLERS"]),
        denied_calls=Answer(values["DENIED_CALLS"]),
        self_service=frozenset(_entries(values["SELF_SERVICE_CALLS"])),
        inline_deny=values["INLINE_DENY"] == "allow",
        missing_group=MissingGroup(values["MISSING_GROUP"]),
        deny_scope=DenyScope(values["DENY_SCOPE"]),
        contain_rescue_roles=values["CONTAIN_RESCUE_ROLES"] == "yes",
        breaker_hours=int(values["BREAKER_HOURS"]),
        breaker_limit=int(values["BREAKER_LIMIT"]),
        template=environment.get(TEMPLATE_DIGEST, ""),
    )


def read_role_patterns(text: str) -> tuple[RolePattern, ...]:
    """Entries of AdminRolePatterns; raises ValueError that names the entry it cannot read."""
    return tuple(_read_role_pattern(entry) for entry in _entries(text))


def _read_role_pattern(entry: str) -> RolePattern:
    if not re.fullmatch(_ROLE_PATTERN, entry):
        raise ValueError(
            f"{entry!r} is no administrator role pattern: write role/PATH/NAME or a full role ARN, "
            "with at least one character besides stars"
        )
    pattern, _, until = entry.partition(" until ")
    try:
        return RolePattern(pattern=pattern, until=date.fromisoformat(until) if until else None)
    except ValueError as error:
        raise ValueError(f"{entry!r} ends on {until}, which is no day of the calendar") from error


def _entries(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _expression(pattern: str) -> str:
    """The pattern as a regular expression for a whole ARN, anchored on both sides by the caller."""
    wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    expression = "".join(wild.get(part, re.escape(part)) for part in parts)
    begin = "" if pattern.startswith("arn:") else "arn:aws[a-z-]*:iam::[0-9]{12}:"
    return begin + expression
