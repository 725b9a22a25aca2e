"""Drift of the two ordinary stacks: what is looked for, and what is said of what was found."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stacksets.containments.repair import Drift
from stacksets.drift.stacks import (
    by_hand,
    not_compared,
    put_back,
    stack_detection_steps,
    stack_resources,
)
from stacksets.execute.dry_run import dry_run
from stacksets.execute.executor import Walker
from stacksets.execute.waiters import Waiting
from stacksets.permissions.cloudformation import read_by_cloudformation
from stacksets.permissions.operator import Place, permissions
from tests.stacksets.execute.test_executor import NotReporting, clients, release
from tests.stacksets.scene import MANAGEMENT, SECURITY, given, rolled_out

BUSES = Drift(
    SECURITY, "", "Bus", "AWS::Events::EventBus", "DELETED", stack="iam-org-revoker-central"
)


def test_both_stacks_are_compared_by_calls_that_aws_knows() -> None:
    steps = list(stack_detection_steps(given(observed=rolled_out())))
    assert list(dry_run(steps)) == []
    assert [(call.account, call.operation, call.arguments) for s in steps for call in s.calls] == [
        (SECURITY, "DetectStackDrift", {"StackName": "iam-org-revoker-central"}),
        (MANAGEMENT, "DetectStackDrift", {"StackName": "iam-org-revoker"}),
    ]


def test_a_stack_that_cloudformation_does_not_compare_is_told() -> None:
    seen = rolled_out()
    assert seen.central is not None
    bad = replace(seen, central=replace(seen.central, status="UPDATE_IN_PROGRESS"))
    assert len(list(stack_detection_steps(given(observed=bad)))) == 1
    assert not_compared(given(observed=bad)) == {
        SECURITY: "the stack iam-org-revoker-central is UPDATE_IN_PROGRESS: run apply first"
    }
    assert not_compared(given(observed=seen)) == {}
    gone = replace(seen, central=None, management_stack=None)
    assert list(stack_detection_steps(given(observed=gone))) == []


def test_no_step_makes_them_anew_and_what_to_do_is_a_command() -> None:
    (miss,) = by_hand(given(observed=rolled_out()), [BUSES])
    assert miss.accounts == (SECURITY,)
    assert miss.why == (
        f"The stack iam-org-revoker-central in {SECURITY} has drifted in Bus, and is never made "
        "anew: it holds the incidents and what was heard of every account."
    )
    assert "aws cloudformation create-change-set" in miss.todo
    assert list(by_hand(given(observed=rolled_out()), [])) == []


def test_the_command_names_every_parameter_so_that_none_goes_back_to_its_default() -> None:
    first = put_back("x").split("; then ")[0]
    answers = (
        "aws() { if [ $2 = describe-stacks ]; then printf 'Mode\\nEmail\\n'; else "
        'printf "%s\\n" "$@"; fi; }'
    )
    ran = subprocess.run(
        ["bash", "-c", f"{answers}\n{first}"], check=True, capture_output=True, text=True
    )
    said = ran.stdout.split("\n")
    assert said[:2] == ["cloudformation", "create-change-set"]
    assert said[said.index("--parameters") + 1 :] == [
        *("ParameterKey=Mode,UsePreviousValue=true", "ParameterKey=Email,UsePreviousValue=true"),
        "",
    ]
    assert "REVERT_DRIFT" in said


class Compared:
    """A stack whose comparison ends so; two pages of what it found."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)

    def detect_stack_drift(self, **_: Any) -> Mapping[str, Any]:
        return {"StackDriftDetectionId": "look-1"}

    def describe_stack_drift_detection_status(self, StackDriftDetectionId: str) -> Any:
        assert StackDriftDetectionId == "look-1"
        said = {"DetectionStatusReason": "Failed to detect drift on resources [Key]"}
        return {"DetectionStatus": self.statuses.pop(0), **said}

    def describe_stack_resource_drifts(self, **asked: Any) -> Mapping[str, Any]:
        name = "Second" if asked.get("NextToken") else "First"
        row = {
            "LogicalResourceId": name,
            "ResourceType": "AWS::SQS::Queue",
            "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": [{"PropertyPath": "/DelaySeconds"}],
        }
        return {"StackResourceDrifts": [row], **({} if name == "Second" else {"NextToken": "n"})}


def walked(client: Compared) -> dict[str, str]:
    (step, *_) = stack_detection_steps(given(observed=rolled_out()))
    waiting = Waiting(sleep=lambda _: None, clock=lambda: 0.0)
    return Walker(clients(lambda *_: client), {}, waiting, NotReporting()).walk([step])


def test_a_comparison_is_waited_for_and_what_it_could_not_read_is_told() -> None:
    running = "DETECTION_IN_PROGRESS"
    assert walked(Compared(running, running, "DETECTION_COMPLETE")) == {}
    assert walked(Compared(running, "DETECTION_FAILED")) == {
        SECURITY: "the stack iam-org-revoker-central: Failed to detect drift on resources [Key]"
    }


def test_every_page_of_what_has_drifted_is_read() -> None:
    stack = rolled_out().central
    assert stack is not None
    found = list(stack_resources(Compared(), stack))
    assert [(one.resource, one.stack, one.paths) for one in found] == [
        ("First", "iam-org-revoker-central", ("/DelaySeconds",)),
        ("Second", "iam-org-revoker-central", ("/DelaySeconds",)),
    ]


def test_what_cloudformation_reads_covers_each_service_of_both_templates_and_no_data() -> None:
    known = {one.action.partition(":")[0] for one in read_by_cloudformation()}
    whole = release()
    kinds = {
        one["Type"].split("::")[1].lower()
        for template in (whole.central, whole.member)
        for one in template.document["Resources"].values()
    }
    assert kinds <= known
    verbs = ("Get", "List", "Describe")
    data = ("GetItem", "GetObject", "GetRecords")
    for one in permissions(Place.COMPARING):
        action = one.action.partition(":")[2]
        assert action.startswith(verbs)
        assert action not in data
