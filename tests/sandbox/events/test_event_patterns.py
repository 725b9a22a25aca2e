"""The emulator's matcher of event patterns answers as AWS's own does, and refuses what AWS does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.events.pattern_complexity import complexity
from tests.sandbox.cloudformation.templates import deploy, failures, resource, template

GOLDEN = Path(__file__).parents[4] / "shared" / "eventbridge-golden.json"
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


STACKS = ("WebStack", "MailStack", "SharedStack", "WatchStack")


def of_stacks(*names: str) -> dict[str, Any]:
    """A pattern of the shape that EventBridge is known to have refused with four names, and taken
    with three."""
    return {"detail": {"stack-id": [{"wildcard": f"*:stack/{name}/*"} for name in names]}}


@pytest.mark.parametrize(
    ("filters", "score"),
    [
        ([], 0),
        (["plain", {"prefix": "a"}], 0),
        ([{"wildcard": "*"}], 2),
        ([{"wildcard": r"a\*b"}], 1),
        # Examples of the User Guide: too many wildcards, and the same with fewer.
        ([{"wildcard": "*:*:*:*:*:event-bus/*"}], 11),
        ([{"wildcard": "arn:aws:events:us-east-1:*:event-bus/*"}], 3),
        # And a sequence that comes again after a wildcard.
        ([{"wildcard": "/Users/*/dir/dir/dir/dir/dir/doc.txt"}], 7),
        ([{"wildcard": "/Users/*/doc.txt"}], 2),
        ([{"anything-but": {"wildcard": "*/lib/*"}}, {"wildcard": "*/bin/*"}], 7),
    ],
)
def test_a_pattern_is_as_complex_as_the_matcher_of_aws_says(filters: list[Any], score: int) -> None:
    assert complexity({"detail": {"name": filters}}) == score


def test_fields_count_apart_and_what_is_of_one_field_together() -> None:
    wildcard = [{"wildcard": "*/lib/*"}]
    assert complexity({"a": wildcard, "b": wildcard}) == 4
    assert complexity({"$or": [{"a": wildcard}, {"a": [{"wildcard": "*/bin/*"}]}]}) == 7
    # The matcher shares what values of one filter begin with, and scores 5.
    assert complexity({"a": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}) == 7


@pytest.mark.parametrize(
    ("pattern", "code", "why"),
    [
        (of_stacks(*STACKS), "InvalidEventPatternException", "Rule is too complex"),
        ({"source": ["s" * 2_048]}, "LimitExceededException", "longer than 2048 characters"),
    ],
)
def test_a_rule_too_complex_or_too_long_is_refused(
    box: Box, account: str, pattern: dict[str, Any], code: str, why: str
) -> None:
    events = box.client("events", account)
    events.put_rule(Name="watch", EventPattern=json.dumps(of_stacks(*STACKS[:3])))
    with pytest.raises(ClientError, match=why) as caught:
        events.put_rule(Name="watch", EventPattern=json.dumps(pattern))
    assert caught.value.response["Error"]["Code"] == code
    assert json.loads(events.describe_rule(Name="watch")["EventPattern"]) == of_stacks(*STACKS[:3])


def test_a_stack_with_such_a_rule_rolls_back_made_or_changed(box: Box, account: str) -> None:
    def body(*names: str) -> str:
        watching = resource("AWS::Events::Rule", Name="watch", EventPattern=of_stacks(*names))
        return template(Watch=watching)

    refused = deploy(box, account, "refused", body(*STACKS))
    assert refused["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Rule is too complex" in failures(box, account, refused["StackId"])["Watch"]
    assert deploy(box, account, "taken", body(*STACKS[:3]))["StackStatus"] == "CREATE_COMPLETE"
    changed = deploy(box, account, "taken", body(*STACKS))
    assert changed["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
