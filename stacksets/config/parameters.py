"""Whether parameters fit a template, by the template's own rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from handler.model.settings import read_role_patterns

# What the rollout sets itself, from the rest of the file.
SET_BY_ROLLOUT = {
    "central": {"OrganizationId": "it follows from organization"},
    "member": {
        "CentralBusArn": "it follows from central.account and region",
        "Mode": "write mode beside parameters",
    },
}
# StackSets work in a member by a role of such a name.
ROLLOUT_ROLE = "role/stacksets-exec-0123456789abcdef"
PATTERNS = "AdminRolePatterns"


def parameter_problems(
    template: str, declared: Mapping[str, Any], given: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """(parameter, what is wrong with it) of each bad one. `template`: central or member;
    `declared` is the template's own Parameters."""
    for name, value in given.items():
        if name in SET_BY_ROLLOUT[template]:
            yield name, f"{name} cannot be given here: {SET_BY_ROLLOUT[template][name]}."
        elif name not in declared:
            known = ", ".join(sorted(declared.keys() - SET_BY_ROLLOUT[template].keys()))
            yield name, f"{name} is no parameter of the {template} template; there are {known}."
        elif template == "member" and name == PATTERNS and (reported := _patterns(value)):
            # Its sentence names the bad entry; that of the shape would only repeat the whole value.
            yield name, reported
        elif reported := _too_long(name, declared[name], value):
            yield name, reported
        elif says := _misfit(declared[name], value):
            yield name, f"{name} is {value!r}; it must be {says}."


def complete(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Every parameter of a template: the given value, else the default. What has neither is left
    out."""
    defaults = {name: str(one["Default"]) for name, one in declared.items() if "Default" in one}
    return {**defaults, **given}


def _too_long(name: str, declared: Mapping[str, Any], value: str) -> str:
    """By how many characters a value is too long, and what to do; "" where it is not."""
    longest = int(declared.get("MaxLength", len(value)))
    if len(value) <= longest:
        return ""
    return (
        f"{name} has {len(value):,} characters, {len(value) - longest:,} more than the "
        f"{longest:,} that AWS has room for: give fewer or shorter entries. Where it takes "
        "patterns, one with * stands for many names."
    )


def _misfit(declared: Mapping[str, Any], value: str) -> str:
    """What the value must be, "" where it is."""
    if "AllowedValues" in declared:
        allowed = [str(one) for one in declared["AllowedValues"]]
        return "" if value in allowed else "one of " + ", ".join(allowed)
    if declared["Type"] == "Number":
        least, most = declared.get("MinValue", 0), declared.get("MaxValue", 10**9)
        fits = re.fullmatch("[0-9]{1,9}", value) and int(least) <= int(value) <= int(most)
        return "" if fits else f"a whole number from {least} to {most}"
    pattern = declared.get("AllowedPattern", ".*")
    if re.fullmatch(pattern, value):
        return ""
    reported = declared.get("ConstraintDescription", "")
    return reported.removeprefix("must be ").rstrip(".") or f"of the shape {pattern}"


def _patterns(value: str) -> str:
    """The first thing that is wrong with the administrators' patterns, "" where nothing is: also
    what the shape alone does not tell, like days that do not exist, and our own rollout."""
    try:
        patterns = read_role_patterns(value)
    except ValueError as error:
        return f"{PATTERNS}: {error}."
    role = f"arn:aws:iam::111122223333:{ROLLOUT_ROLE}"
    # A pattern that ends does not do, so that any day will.
    lasting = [one for one in patterns if one.until is None]
    if any(one.matches(role_arn=role, on=date.min) for one in lasting):
        return ""
    reported = "without it the revoker takes IAM away from the role that rolls it out"
    return f"{PATTERNS} must hold 'role/stacksets-exec-*': {reported}."
