"""Refuse the event patterns that EventBridge refuses and the emulator takes: too long, too complex.

In front of PutRule and of CloudFormation's rules; which events a pattern matches stays the
emulator's.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.cloudformation.provisioners import MODULE, TABLE, Props, ResourceRefused
from sandbox.core import patches
from sandbox.events.buses import BRIDGE
from sandbox.events.pattern_complexity import MOST, complexity

RULE = "AWS::Events::Rule"
# EventBridge User Guide, "Quotas": characters, and adjustable.
LONGEST = 2_048


def install_pattern_limits() -> None:
    """Look at each rule that is made or changed, until the hooks are restored."""
    put, plain = patches.get(BRIDGE, "_put_rule"), patches.get(MODULE, TABLE)[RULE]

    def asked(data: Props) -> Any:
        found = _problem(data.get("EventPattern") or "")
        return _error(*found) if found else put(data)

    def create(logical_id: str, props: Props, stack: str) -> Any:
        _stack_may_put(props)
        return plain["create"](logical_id, props, stack)

    def update(made: str, old: Props, new: Props, *more: Any) -> Any:
        _stack_may_put(new)
        return plain["update"](made, old, new, *more)

    patches.replace(BRIDGE, "_put_rule", asked)
    patches.replace_entry(MODULE, TABLE, RULE, {**plain, "create": create, "update": update})


def _problem(pattern: str) -> tuple[str, str] | None:
    """(code, why) of a refusal. Of what is no JSON the emulator judges."""
    if len(pattern) > LONGEST:
        return "LimitExceededException", f"The event pattern is longer than {LONGEST} characters."
    try:
        score = complexity(json.loads(pattern or "{}"))
    except ValueError:
        return None
    if score > MOST:
        return (
            "InvalidEventPatternException",
            "Event pattern is not valid. Reason: Rule is too complex",
        )
    return None


def _stack_may_put(props: Props) -> None:
    """Raises what CloudFormation fails with, where PutRule would refuse."""
    pattern = props.get("EventPattern") or ""
    text = pattern if isinstance(pattern, str) else json.dumps(pattern, separators=(",", ":"))
    if found := _problem(text):
        raise ResourceRefused(found[1], "InvalidRequest")


def _error(code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    body = json.dumps({"__type": code, "message": message}).encode()
    return 400, {"Content-Type": "application/x-amz-json-1.1"}, body
