"""How this account's revoker is: its rules, the trail that feeds them, when it last heard. Shell.

Reads only; whatever may not be read is said to be unknown, and a reconciliation goes on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from handler.model.names import CALLS_RULE, LEDGER_WRITES, TAMPER_RULE, TAMPER_STORES_RULE
from handler.revoker.respond.dispatch import LAST_EVENT
from handler.revoker.state.context import Tools

_HIDDEN = ("AccessDenied", "AccessDeniedException")


def calls_rule_state(tools: Tools) -> str:
    """ENABLED, DISABLED, missing or unknown."""
    return _rule_state(CALLS_RULE, tools)


def tamper_rule_state(tools: Tools) -> str:
    """The worse of the two rules' states."""
    states = {_rule_state(name, tools) for name in (TAMPER_RULE, TAMPER_STORES_RULE)}
    return next(s for s in ("missing", "DISABLED", "unknown", "ENABLED") if s in states)


def trail_state(tools: Tools) -> str:
    """Whether a trail brings IAM's calls here: logging, stopped, none or unknown.

    EventBridge sees calls only where a trail logs; an organization's trail counts as well.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """
    cloudtrail = tools.clients("cloudtrail", tools.here.region)
    try:
        trails = cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
        arns = [trail["TrailARN"] for trail in trails if _sees_iam(trail, tools.here.region)]
        if not arns:
            return "none"
        if any(cloudtrail.get_trail_status(Name=arn)["IsLogging"] for arn in arns):
            return "logging"
    except cloudtrail.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in (*_HIDDEN, "TrailNotFoundException"):
            return "unknown"
        raise
    return "stopped"


def table_policy_state(tools: Tools) -> str:
    """Whether the ledger's own policy keeps everybody else out: denies, missing, changed, unknown.

    CloudFormation neither sees that it is gone nor puts it back while the template's is the same.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
    """
    here, dynamodb = tools.here, tools.table.client
    arn = f"arn:{here.partition}:dynamodb:{here.region}:{here.account}:table/{tools.table.name}"
    try:
        policy = json.loads(dynamodb.get_resource_policy(ResourceArn=arn)["Policy"])
    except dynamodb.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "PolicyNotFoundException":
            return "missing"
        # Of a table just made it may answer that there is none (API reference, GetResourcePolicy);
        # whatever the refusal, the heartbeat is worth more than this answer.
        return "unknown"
    found = policy.get("Statement", [])
    statements = [found] if isinstance(found, Mapping) else found
    kept = any(_keeps_out(one, table=arn, role_arn=here.role_arn) for one in statements)
    return "denies" if kept else "changed"


def _keeps_out(statement: Mapping[str, Any], *, table: str, role_arn: str) -> bool:
    """Not the whole text: AWS does not say that it gives back what was put, blank for blank."""
    conditions = [{"ArnNotEquals": {"aws:PrincipalArn": one}} for one in (role_arn, [role_arn])]
    return (
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and set(LEDGER_WRITES) <= set(statement.get("Action", ()))
        and statement.get("Resource") in (table, [table])
        and statement.get("Condition") in conditions
    )


def last_event_at(tools: Tools) -> float:
    """Epoch seconds of the last event, to the hour; 0 for none yet."""
    return float(tools.table.read([LAST_EVENT]).get(LAST_EVENT, {}).get("at", 0))


def _sees_iam(trail: dict[str, Any], region: str) -> bool:
    return trail.get("IncludeGlobalServiceEvents", False) and (
        trail.get("IsMultiRegionTrail", False) or trail.get("HomeRegion") == region
    )


def _rule_state(name: str, tools: Tools) -> str:
    events = tools.clients("events", tools.here.region)
    try:
        state = str(events.describe_rule(Name=name)["State"])
    except events.exceptions.ClientError as error:
        match error.response["Error"]["Code"]:
            case "ResourceNotFoundException":
                return "missing"
            case code if code in _HIDDEN:
                return "unknown"
        raise
    # ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS delivers more, never less.
    return "DISABLED" if state == "DISABLED" else "ENABLED"
