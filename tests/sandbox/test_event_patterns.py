"""The emulator's matcher of event patterns answers as AWS's own does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.box import Box

GOLDEN = Path(__file__).parents[3] / "shared" / "eventbridge-golden.json"
ISSUER = "arn:aws:iam::777788889991:role/iam-org-revoker/iam-org-revoker"


def matches(box: Box, pattern: dict[str, Any], event: dict[str, Any]) -> bool | str:
    """Whether the event matches; "invalid" for a pattern that is refused."""
    events = box.client("events", box.members[0])
    try:
        answer = events.test_event_pattern(
            EventPattern=json.dumps(pattern), Event=json.dumps(event)
        )
    except events.exceptions.InvalidEventPatternException:
        return "invalid"
    return bool(answer["Result"])


def test_all_answers_recorded_from_the_matcher_of_aws(box: Box) -> None:
    if not GOLDEN.exists():
        pytest.skip(f"the recorded answers of AWS's matcher are not here: {GOLDEN}")
    golden = json.loads(GOLDEN.read_text())
    differing = [
        (case["p"], case["e"])
        for case in golden["results"]
        if matches(box, golden["patterns"][case["p"]], golden["events"][case["e"]]) != case["r"]
    ]
    assert (len(golden["results"]), differing) == (816, [])


USER = {"type": "IAMUser", "userName": "alice"}
REVOKER = {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": ISSUER}}}
OTHER = {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": f"{ISSUER}-evil"}}}
NOT_US = {
    "userIdentity": {
        "sessionContext": {
            "sessionIssuer": {"arn": [{"exists": False}, {"anything-but": [ISSUER]}]}
        }
    }
}
NAIVE = {
    "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [{"anything-but": [ISSUER]}]}}}
}


@pytest.mark.parametrize(
    ("pattern", "detail", "expected"),
    [
        (NOT_US, {"userIdentity": USER}, True),
        (NOT_US, {"userIdentity": REVOKER}, False),
        (NOT_US, {"userIdentity": OTHER}, True),
        (NAIVE, {"userIdentity": USER}, False),
        ({"readOnly": [False]}, {"readOnly": False}, True),
        ({"readOnly": ["false"]}, {"readOnly": False}, False),
        ({"userIdentity": {"sessionContext": [{"exists": False}]}}, {"userIdentity": OTHER}, True),
        ({"$or": [{"a": ["x"]}, {"b": [{"prefix": "y"}]}]}, {"b": "yes"}, True),
        ({"$or": [{"a": ["x"]}, {"b": [{"prefix": "y"}]}]}, {"b": "no"}, False),
        ({"eventName": [{"wildcard": "*Policy"}]}, {"eventName": "AttachUserPolicy"}, True),
        ({"eventName": [{"wildcard": "*Policy"}]}, {"eventName": "CreatePolicyVersion"}, False),
    ],
)
def test_the_traps_that_the_templates_must_avoid(
    box: Box, pattern: dict[str, Any], detail: dict[str, Any], expected: bool
) -> None:
    event = {
        "id": "1",
        "account": box.members[0],
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "source": "aws.iam",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": detail,
    }
    assert matches(box, {"detail": pattern}, event) is expected
