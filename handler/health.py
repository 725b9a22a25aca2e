"""How this account's revoker is: its rules, the trail that feeds them, when it last heard. Shell.

Reads only; whatever may not be read is said to be unknown, and a patrol goes on.
"""

from __future__ import annotations

from typing import Any

from handler.delivery import LAST_EVENT
from handler.names import CALLS_RULE, TAMPER_RULE, TAMPER_STORES_RULE
from handler.tools import Tools

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
