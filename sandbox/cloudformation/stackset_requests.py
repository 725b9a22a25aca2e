"""Read what a StackSets request asks for: template, parameters, capabilities, target accounts.

Judges the request as AWS does before anything runs; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from sandbox.cloudformation.stackset_model import Parameters, StackSet, StackSetRefused
from sandbox.core import patches
from sandbox.iam.dependent_actions import NO_TEMPLATE, bucket_and_key, may_read
from sandbox.organizations.organization import Organization, accounts, is_parent, parents_of

Request = dict[str, Any]
ENGINE = "ministack.services.cloudformation.engine"
MAX_BODY, MAX_OBJECT = 51_200, 1_000_000
# API Reference, CreateStackInstances, UpdateStackInstances and DeleteStackInstances.
MOST_OUS = 50
FILTERS = ("NONE", "INTERSECTION", "DIFFERENCE", "UNION")


def invalid(message: str) -> StackSetRefused:
    """The error of most bad requests."""
    return StackSetRefused("ValidationError", message)


def read_template(request: Request, previous: str = "") -> str:
    """The template: inline up to 51,200 bytes, or up to 1 MB from a bucket of the calling account.
    Service-managed sets take no nested stacks, macros or transforms (docs: "Create StackSets with
    service-managed permissions"). Raises StackSetRefused."""
    if request.get("UsePreviousTemplate"):
        return previous
    body = request.get("TemplateBody") or ""
    if len(body.encode()) > MAX_BODY:
        raise invalid(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_BODY}"
        )
    body = body or _fetch(request.get("TemplateURL") or "")
    template = parse_template(body)
    kinds = {one.get("Type") for one in template.get("Resources", {}).values()}
    if template.get("Transform") or "Fn::Transform" in body:
        raise invalid("Stack sets with service-managed permissions support no transforms.")
    if "AWS::CloudFormation::Stack" in kinds:
        raise invalid("Stack sets with service-managed permissions support no nested stacks.")
    return body


def parse_template(body: str) -> dict[str, Any]:
    """A template as a dict. Raises StackSetRefused."""
    try:
        template: dict[str, Any] = patches.get(ENGINE, "_parse_template")(body)
    except (ValueError, TypeError, yaml.YAMLError) as problem:
        raise invalid(f"Template format error: {problem}") from problem
    if not isinstance(template, dict) or not template.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    return template


def read_parameters(request: Request, template: str, previous: Parameters) -> Parameters:
    """Every parameter of the template with its value. Raises StackSetRefused."""
    parsed = parse_template(template)
    given = request.get("Parameters") or []
    before = {one["ParameterKey"]: one["ParameterValue"] for one in previous}
    unknown = [one["ParameterKey"] for one in given if one["ParameterKey"] not in _declared(parsed)]
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    sent = [
        {
            "Key": one["ParameterKey"],
            "Value": one.get("ParameterValue", ""),
            "UsePreviousValue": one.get("UsePreviousValue", False),
        }
        for one in given
    ]
    try:
        resolved = patches.get(ENGINE, "_resolve_parameters")(parsed, sent, before)
    except ValueError as problem:
        raise invalid(str(problem)) from problem
    return [
        {"ParameterKey": key, "ParameterValue": str(one["Value"])} for key, one in resolved.items()
    ]


def read_overrides(request: Request, stack_set: StackSet) -> Parameters | None:
    """The parameter overrides for the targeted instances, None where none are given."""
    given: Parameters | None = request.get("ParameterOverrides")
    declared = _declared(parse_template(stack_set.template))
    unknown = [key for key in (one["ParameterKey"] for one in given or []) if key not in declared]
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return given


def check_capabilities(request: Request, template: str) -> list[str]:
    """The capabilities given, if they are enough for the template. Raises StackSetRefused."""
    rule = patches.get("ministack.services.cloudformation.handlers", "_required_capabilities")
    required, _ = rule(parse_template(template), strict=True)
    given: list[str] = request.get("Capabilities") or []
    enough = {*given, *(["CAPABILITY_IAM"] if "CAPABILITY_NAMED_IAM" in given else [])}
    missing = [one for one in required if one not in enough]
    if missing:
        raise StackSetRefused(
            "InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]"
        )
    return given


def target_accounts(organization: Organization, request: Request) -> dict[str, str]:
    """The accounts that the request targets and the OU that led to each. The management account
    is never among them. Raises StackSetRefused."""
    targets = request.get("DeploymentTargets") or {}
    ous, listed = targets.get("OrganizationalUnitIds") or [], targets.get("Accounts") or []
    rule = targets.get("AccountFilterType") or "NONE"
    if request.get("Accounts") or not ous:
        raise invalid(
            "StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit "
            "as target"
        )
    if rule not in FILTERS or bool(listed) != (rule != "NONE"):
        raise invalid("AccountFilterType and Accounts must be given together.")
    if len(ous) > MOST_OUS:
        raise invalid(f"An operation takes {MOST_OUS} organizational units, not {len(ous)}.")
    for ou in ous:
        if not is_parent(organization, ou):
            raise invalid(f"Organizational unit {ou} does not exist in the organization.")
    found = dict(_below(organization, ous))
    match rule:
        case "INTERSECTION":
            return {key: ou for key, ou in found.items() if key in listed}
        case "DIFFERENCE":
            return {key: ou for key, ou in found.items() if key not in listed}
        case "UNION":
            more = {key: str(next(parents_of(organization, key), "")) for key in listed}
            return {**more, **found}
        case _:
            return found


def target_ous(request: Request) -> list[str]:
    """The OUs (or the root) that the request names."""
    ous: list[str] = (request.get("DeploymentTargets") or {}).get("OrganizationalUnitIds") or []
    return ous


def _below(organization: Organization, ous: list[str]) -> Iterator[tuple[str, str]]:
    for account in accounts(organization):
        if account == organization.state.management:
            continue
        for parent in parents_of(organization, account):
            if parent in ous:
                yield account, parent
                break


def _declared(template: dict[str, Any]) -> dict[str, Any]:
    declared: dict[str, Any] = template.get("Parameters") or {}
    return declared


def _fetch(url: str) -> str:
    if url and not may_read(url):
        raise invalid(NO_TEMPLATE)
    bucket, key = bucket_and_key(url)
    content = patches.get("ministack.services.s3", "_get_object_data")(bucket, key) if key else None
    if content is None:
        raise invalid("Either TemplateBody or a readable TemplateURL must be provided.")
    if len(content) > MAX_OBJECT:
        raise invalid(f"Template may not exceed {MAX_OBJECT} bytes in size.")
    return str(content.decode())
