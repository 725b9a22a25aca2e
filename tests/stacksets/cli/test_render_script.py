"""A plan as commands, as JSON, and a dry run that finds what AWS would refuse by its shape."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stacksets.cli.progress import Lines
from stacksets.cli.render_script import as_commands
from stacksets.cli.render_table import as_json, summary
from stacksets.execute.dry_run import dry_run
from stacksets.execute.waiters import Counted
from stacksets.planners.rollout import plan
from stacksets.steps.model import Call, Saved, Step, StepKind, Until, Wait
from tests.stacksets.scene import MANAGEMENT, SECURITY, changed, given, rolled_out


def commands() -> list[str]:
    made = plan(given())
    return list(
        as_commands(made.steps, profiles={SECURITY: "security"}, own=MANAGEMENT, region="us-east-1")
    )


def test_the_commands_are_a_script_that_a_shell_can_read() -> None:
    script = "\n".join(commands())
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_a_line_break_in_a_unit_s_name_begins_no_command() -> None:
    step = Step(
        kind=StepKind.TRUST, says="Attach", target_text="Large\ncurl example.com: 3 accounts"
    )
    lines = list(as_commands([step], profiles={}, own=MANAGEMENT, region="us-east-1"))
    assert lines[-1] == "# Attach: Large\\ncurl example.com: 3 accounts"


def aws(does: str) -> str:
    """The AWS CLI of the management account, which answers every command alike."""
    return f"""aws() {{
        if [ "$3" = sts ] || [ "$5" = sts ]; then echo {MANAGEMENT}; else {does}; fi
    }}"""


def test_a_script_does_nothing_by_the_credentials_of_another_account() -> None:
    script = "\n".join([aws("echo made"), *commands()])
    ran = subprocess.run(["bash"], input=script, text=True, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (
        1,
        "",
        f"Nothing was done: the profile security must lead to account {SECURITY}.\n",
    )
    nobody = script.replace(f"then echo {MANAGEMENT}", "then return 255")
    ran = subprocess.run(["bash"], input=nobody, text=True, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (
        1,
        "",
        f"Nothing was done: the shell's credentials must lead to account {MANAGEMENT}.\n",
    )


@pytest.mark.parametrize(
    ("operation", "until", "answer", "code"),
    [
        ("UpdateStackSet", Until.OPERATION, "echo SUCCEEDED", 0),
        ("UpdateStackSet", Until.OPERATION, "echo FAILED", 1),
        ("UpdateStack", Until.STACK, "echo UPDATE_COMPLETE", 0),
        ("UpdateStack", Until.STACK, "echo UPDATE_ROLLBACK_COMPLETE", 1),
        ("DeleteStack", Until.STACK, "echo DELETE_FAILED", 1),
    ],
)
def test_a_script_ends_at_the_first_step_that_does_not_succeed(
    operation: str, until: Until, answer: str, code: int
) -> None:
    call = Call(MANAGEMENT, "cloudformation", operation, {"StackName": "x"})
    wait = Wait(until, MANAGEMENT, "x")
    step = Step(kind=StepKind.RING, says="It", target_text="all", calls=(call,), wait=wait)
    lines = as_commands([step], profiles={}, own=MANAGEMENT, region="us-east-1")
    script = "\n".join([aws(answer), *lines])
    assert subprocess.run(["bash"], input=script, text=True, check=False).returncode == code


def test_a_stack_that_is_gone_is_gone_as_wanted() -> None:
    call = Call(MANAGEMENT, "cloudformation", "DeleteStack", {"StackName": "x"})
    wait = Wait(Until.STACK, MANAGEMENT, "x")
    step = Step(kind=StepKind.RING, says="It", target_text="all", calls=(call,), wait=wait)
    lines = as_commands([step], profiles={}, own=MANAGEMENT, region="us-east-1")
    script = "\n".join([aws('[ "$4" != describe-stacks ]'), *lines])
    subprocess.run(["bash"], input=script, text=True, check=True)


def test_a_function_is_invoked_as_the_command_line_takes_it() -> None:
    arguments = {"FunctionName": "x", "Payload": '{"reconcile": true}'}
    call = Call(MANAGEMENT, "lambda", "Invoke", arguments)
    step = Step(kind=StepKind.CONTAINED, says="It", target_text="all", calls=(call,))
    lines = list(as_commands([step], profiles={}, own=MANAGEMENT, region="us-east-1"))
    assert lines[-1] == (
        "printf %s '{\"reconcile\": true}' | "
        "aws --region us-east-1 lambda invoke --function-name x "
        "--payload fileb:///dev/stdin /dev/stdout"
    )


def test_each_command_takes_the_account_it_is_for() -> None:
    lines = commands()
    assert "aws --region us-east-1 cloudformation activate-organizations-access" in lines
    security = "aws --profile security --region us-east-1 s3api create-bucket"
    assert any(line.startswith(security) for line in lines)
    assert not any(f"--profile {MANAGEMENT}" in line for line in lines)


def test_each_command_takes_the_profile_of_the_one_who_plans_and_the_region() -> None:
    made = plan(given())
    lines = as_commands(
        made.steps, profiles={}, own=MANAGEMENT, region="us-gov-west-1", profile="my own"
    )
    calls = [call for line in lines for call in line.split("aws ")[1:] if call.startswith("--")]
    assert len(calls) > 20
    assert {call.partition(" --region ")[0] for call in calls} == {
        "--profile 'my own'",
        f"--profile {SECURITY}",
    }
    assert all("--region us-gov-west-1 " in call for call in calls)


def test_a_script_carries_the_templates_that_were_planned_with(tmp_path: Path) -> None:
    folder = tmp_path / "of another release"
    script = as_commands(
        plan(given()).steps,
        profiles={},
        own=MANAGEMENT,
        region="us-east-1",
        templates=folder,
    )
    prints = [line for line in script if line.startswith("python -m stacksets template ")]
    assert [line.partition(" > ")[0] for line in prints] == [
        f"python -m stacksets template {name} --templates '{folder}'"
        for name in ("central", "member")
    ]


def test_what_one_call_answers_reaches_the_next() -> None:
    lines = commands()
    made = next(n for n, line in enumerate(lines) if line.startswith("GUARDRAIL=$(aws "))
    used = [n for n, line in enumerate(lines) if '--policy-id "$GUARDRAIL"' in line]
    assert len(used) == 2
    assert min(used) > made


def test_json_has_every_call_whole() -> None:
    content = json.loads(as_json(plan(given())))
    calls = [call for step in content["steps"] for call in step["calls"]]
    assert calls[0] == {
        "account": MANAGEMENT,
        "service": "cloudformation",
        "operation": "ActivateOrganizationsAccess",
        "arguments": {},
        "saves": None,
    }
    assert content["refusals"] == []


def test_the_last_line_says_how_much_there_is_to_do() -> None:
    assert summary(plan(given())) == "15 steps, 5 accounts."
    assert summary(plan(given(observed=rolled_out()))) == (
        "Nothing to do: everything is as the file says."
    )
    less = changed(("install = true", "install = false"))
    assert summary(plan(given(less, rolled_out()))) == (
        "Nothing to do, but more stands than the file asks for: the notes say what."
    )


def step(*calls: Call) -> Step:
    return Step(StepKind.RING, "Do it", "somebody", calls=calls)


def test_a_dry_run_finds_a_call_of_the_wrong_shape() -> None:
    wrong = Call(MANAGEMENT, "cloudformation", "CreateStackSet", {"StackSetNam": "x"})
    (problem,) = dry_run([step(wrong)])
    assert 'Missing required parameter in input: "StackSetName"' in problem


def test_a_dry_run_finds_a_value_that_nobody_saves() -> None:
    arguments = {"PolicyId": Saved("GUARDRAIL"), "TargetId": "r-ab12"}
    call = Call(MANAGEMENT, "organizations", "AttachPolicy", arguments)
    assert list(dry_run([step(call)])) == [
        "Do it: AttachPolicy wants GUARDRAIL, which no call before it saves."
    ]


def test_without_a_terminal_each_change_is_one_line() -> None:
    lines: list[str] = []
    clock: Iterator[float] = iter([0.0, 7.0])
    log = Lines(lines.append, lambda: next(clock))
    log.begins(replace(step(), ring="canary", accounts=(SECURITY, MANAGEMENT)), 2, 5)
    for counted in (Counted(1, 0, "RUNNING"), Counted(1, 0, "RUNNING"), Counted(2, 1, "FAILED")):
        log.counted(counted)
    log.waits("Another operation\nis in progress")
    log.ended()
    assert lines == [
        "2/5 Do it: somebody",
        "2/5   RUNNING 1 of 2",
        "2/5   FAILED 2 of 2, 1 failed",
        "2/5   busy, waiting: Another operation\\nis in progress",
        "2/5 done in 7 s",
    ]
