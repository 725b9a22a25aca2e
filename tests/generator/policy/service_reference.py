"""What AWS's Service Authorization Reference, as policy_sentry packs it, objects to in a policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from itertools import product
from typing import Any

from policy_sentry.shared.iam_data import get_service_prefix_data

from tests.generator.documents import Document, listed

# What our policies use of the keys that no service's table has (IAM User Guide, "AWS global
# condition context keys"; the last: Lambda Developer Guide, "Working with Lambda execution
# environment credentials").
GLOBAL_KEYS = {
    "aws:PrincipalAccount": "String",
    "aws:PrincipalArn": "ARN",
    "aws:PrincipalIsAWSService": "Bool",
    "aws:PrincipalOrgID": "String",
    "aws:ResourceAccount": "String",
    "aws:ResourceOrgID": "String",
    "aws:SourceAccount": "String",
    "aws:SourceArn": "ARN",
    "aws:TokenIssueTime": "Date",
    "lambda:SourceFunctionArn": "ARN",
}
OPERATORS = {
    "String": "String((Not)?Equals(IgnoreCase)?|(Not)?Like)",
    "ARN": "Arn(Not)?(Equals|Like)",
    "Date": "Date((Not)?Equals|(Less|Greater)Than(Equals)?)",
    "Bool": "Bool",
}
READING = ("Read", "List")


def findings(document: Document) -> Iterator[str]:
    """Yield what the Reference does not know, or knows otherwise; nothing where all is well."""
    for statement in document["Statement"]:
        resources = listed(statement.get("Resource", []))
        named = {one: expand(one) for one in listed(statement.get("Action", []))}
        if left := {one: expand(one) for one in listed(statement.get("NotAction", []))}:
            meant = {each for arn in resources for each in expand(f"{arn.split(':')[2]}:*")}
            named["any other"] = sorted(meant.difference(*left.values()))
        yield from (f"no action: {one}" for one, all_of in (named | left).items() if not all_of)
        known = {one: all_of for one, all_of in named.items() if all_of}
        yield from _resources(known, resources)
        yield from _conditions(known, statement.get("Condition", {}))
        if statement["Effect"] == "Allow" and "*" in resources:
            wide = (one for one, all_of in known.items() if all(map(_narrows, all_of)))
            yield from (f"on * for no reason: {one}" for one in wide)
    yield from _lacking(document)


def expand(pattern: str) -> list[str]:
    """Every action that a pattern names."""
    service, _, name = pattern.lower().partition(":")
    known = _service(service).get("privileges", ())
    return [f"{service}:{one}" for one in known if fnmatchcase(one.lower(), name)]


def types(action: str) -> dict[str, str]:
    """The resource types of an action, each with its ARN. None: a policy allows it on `*` alone."""
    arns = _service(action)["resources"]
    kinds = (kind for kind in _privilege(action)["resource_types"] if kind)
    return {kind: re.sub(r"\$\{[^}]+\}", "*", arns[kind]["arn"]) for kind in kinds}


def fits(action: str, resource: str) -> bool:
    """Whether the resource of a policy, wildcards and all, can name one that the action knows."""
    return resource == "*" or any(
        _share(resource, arn) and not (kind == "bucket" and "/" in resource)
        for kind, arn in types(action).items()
    )


def _resources(named: dict[str, list[str]], resources: list[str]) -> Iterator[str]:
    for pattern, all_of in named.items():
        if resources and not any(fits(one, resource) for one in all_of for resource in resources):
            yield f"no resource of {pattern}: {', '.join(resources)}"
    actions = [one for all_of in named.values() for one in all_of]
    useless = [arn for arn in resources if not any(fits(one, arn) for one in actions)]
    if useless != resources:
        yield from (f"no resource of these actions: {arn}" for arn in useless)


def _conditions(named: dict[str, list[str]], condition: Document) -> Iterator[str]:
    tests = [(operator, key) for operator, keys in condition.items() for key in keys]
    for (operator, key), (pattern, all_of) in product(tests, named.items()):
        kinds = {kind for one in all_of if (kind := _key(one, key))}
        if not kinds:
            yield f"no key of {pattern}: {key}"
        elif operator != "Null" and not any(_compares(operator, one) for one in kinds):
            yield f"no operator for {', '.join(kinds)}: {operator} of {key}"


def _lacking(document: Document) -> Iterator[str]:
    """Yield what an action is refused for that AWS authorizes on several resources at once."""
    allowed: dict[str, list[str]] = {}
    for statement in document["Statement"]:
        for action in listed(statement.get("Action", [])) if "Resource" in statement else ():
            if expand(action) == [action]:
                allowed.setdefault(action, []).extend(listed(statement["Resource"]))
    for action, resources in allowed.items():
        for kind, arn in types(action).items():
            given = "*" in resources or any(_share(one, arn) for one in resources)
            if _privilege(action)["resource_types"][kind]["required"] and not given:
                yield f"{action} without its {kind}"


def _narrows(action: str) -> bool:
    """Whether an action changes something, and could be allowed on less than everything."""
    return _privilege(action)["access_level"] not in READING and bool(types(action))


def _compares(operator: str, kind: str) -> bool:
    """Whether a condition operator suits the type of a key: one of sets for each ArrayOf."""
    one = kind.removeprefix("ArrayOf")
    sets = "" if one == kind else "(ForAllValues|ForAnyValue):"
    return re.fullmatch(f"{sets}({OPERATORS[one]})(IfExists)?", operator) is not None


def _key(action: str, key: str) -> str | None:
    """The type of a condition key, if the action or one of its resources supports it."""
    known, rows = _service(action), _privilege(action)["resource_types"]
    supporting = (*rows.values(), *(known["resources"][kind] for kind in rows if kind))
    if any(key in one["condition_keys"] for one in supporting):
        return str(known["conditions"][key]["type"])
    return GLOBAL_KEYS.get(key)


def _privilege(action: str) -> dict[str, Any]:
    return _service(action)["privileges"][action.partition(":")[2]]


@cache
def _service(action: str) -> dict[str, Any]:
    # policy_sentry has read all of its data, once, when it was imported.
    return get_service_prefix_data(action.partition(":")[0].lower())


def _share(one: str, other: str) -> bool:
    """Whether some ARN matches both patterns; a `*` ends with its part, but for the last one."""
    mine, theirs = one.split(":", 5), other.split(":", 5)
    return len(mine) == len(theirs) and all(map(_meet, mine, theirs))


@cache
def _meet(one: str, other: str) -> bool:
    if not one or not other:
        return set(one + other) <= {"*"}
    if one[0] == "*":
        return _meet(one[1:], other) or _meet(one, other[1:])
    if other[0] == "*":
        return _meet(other, one)
    return one[0] == other[0] and _meet(one[1:], other[1:])
