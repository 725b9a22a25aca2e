"""The commands plan and apply: read the file, look, show the steps, and walk them if told to."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from handler.model.names import REVOKER
from handler.notifier.messages.notice import visible
from stacksets.cli.common import (
    TEMPLATES,
    Release,
    Stopped,
    add_common_options,
    read_file,
    read_inputs,
    read_release,
)
from stacksets.cli.progress import shown
from stacksets.cli.render_table import as_json, report_unreached, show_plan
from stacksets.config.model import Wanted
from stacksets.execute.dry_run import dry_run
from stacksets.execute.executor import StepFailed, Walker
from stacksets.execute.waiters import Waiting
from stacksets.observe.clients import CannotEnter, Clients, open_clients
from stacksets.permissions.operator import Place, document, markdown
from stacksets.planners.rollout import plan
from stacksets.steps.inputs import Given
from stacksets.steps.model import Plan, Step

# How often apply plans anew after what was under way has ended.
ROUNDS = 5


def add_rollout_commands(commands: Any) -> None:
    """Add plan, apply and template to the command line."""
    for name, says, run in (
        ("plan", "show what apply would do; changes nothing", _plan),
        ("apply", "show the plan, ask, and do it", _apply),
    ):
        command = commands.add_parser(name, help=says, description=f"{says.capitalize()}.")
        add_common_options(command)
        shape = command.add_mutually_exclusive_group()
        shape.add_argument("--json", action="store_true", help="the plan as JSON")
        shape.add_argument("--as-cli", action="store_true", help="the plan as aws commands")
        command.set_defaults(command=run)
        if name == "apply":
            _add_apply_options(command)
    template = commands.add_parser("template", help="print a template as it is carried")
    template.add_argument("name", choices=("central", "member"))
    template.add_argument("--templates", type=Path, default=TEMPLATES, metavar="DIR")
    template.set_defaults(command=_template)
    rights = commands.add_parser(
        "permissions", help="print what the operator may do, as a policy for each account"
    )
    rights.add_argument("place", nargs="?", choices=[place.value for place in Place])
    rights.set_defaults(command=_permissions)


def _add_apply_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument(
        "--dry-run", action="store_true", help="hold each call against AWS's model, send nothing"
    )
    command.add_argument(
        "--poll", type=float, default=5.0, metavar="SECONDS", help="between looks (default: 5)"
    )
    command.add_argument(
        "--patience",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="how long to wait for mails to be confirmed (default: 600)",
    )


def _plan(options: argparse.Namespace) -> int:
    _, (given, made) = _planned(options)
    show_chosen(options, given, made)
    return 1 if made.refusals or made.unreached else 0


def _planned(options: argparse.Namespace) -> tuple[Clients, tuple[Given, Plan]]:
    release = read_release(options.templates)
    wanted = read_file(options.file, release).entered_by(options.access_role)
    try:
        clients = open_clients(wanted.access, region=wanted.region, profile=options.profile)
    except CannotEnter as error:
        raise Stopped(str(error)) from error
    return clients, _again(wanted, release, clients)


def _again(wanted: Wanted, release: Release, clients: Clients) -> tuple[Given, Plan]:
    given = read_inputs(
        wanted, release, clients, today=datetime.fromtimestamp(time.time(), UTC).date()
    )
    return given, plan(given)


def show_chosen(options: argparse.Namespace, given: Given, made: Plan) -> None:
    """Print the plan in the shape that the options ask for."""
    show_plan(
        given,
        made,
        for_program=options.json,
        by_hand=options.as_cli,
        profile=options.profile,
        templates=None if options.templates == TEMPLATES else options.templates,
    )


def _apply(options: argparse.Namespace) -> int:
    plans: list[Plan] = []
    try:
        return _rounds(options, plans)
    finally:
        # One document, however often it was planned anew, and also where a step failed.
        if options.json and plans:
            whole = replace(plans[-1], steps=tuple(step for one in plans for step in one.steps))
            print(as_json(whole))
            report_unreached(whole)


def _rounds(options: argparse.Namespace, plans: list[Plan]) -> int:
    """Show and walk, until nothing of ours is under way; puts each plan into `plans`."""
    clients, (given, made) = _planned(options)
    release = Release(given.member, given.central, given.guardrail)
    for done in ("Nothing was done.", *["Nothing more was done."] * ROUNDS):
        plans.append(made)
        if not options.json:
            show_chosen(options, given, made)
        if made.refusals:
            return 1
        if options.dry_run:
            return _dry(made, quiet=options.json or options.as_cli)
        if options.as_cli or (options.json and not options.yes) or not made.own:
            return 0 if made.empty else 1
        if not options.yes and not agreed():
            raise Stopped(done)
        tolerated = walk_steps(options, clients, release, made, again="apply")
        if not made.unfinished:
            return ended(tolerated, made)
        # What was under way has ended: now it can be said what comes next.
        given, made = _again(given.wanted, release, clients)
    raise Stopped("Something of ours is under way again and again: run apply in some minutes.")


def ended(tolerated: Mapping[str, str], made: Plan) -> int:
    """Name the accounts that failed within the tolerance, and those that no step reached; the exit
    code."""
    for account, said in sorted(tolerated.items()):
        print(f"account {account} failed, within the tolerance: {visible(said)}", file=sys.stderr)
    report_unreached(made)
    return 1 if tolerated or made.of_others or made.unreached else 0


def walk_steps(
    options: argparse.Namespace, clients: Clients, release: Release, made: Plan, *, again: str
) -> dict[str, str]:
    """Walk the operator's own steps; `again` is the command that takes up from where it stopped.
    Raises Stopped where a step fails, or at Ctrl-C."""
    # JSON has the standard output for itself.
    with shown(Console(highlight=False, stderr=options.json)) as listener:
        walker = Walker(
            clients=clients,
            contents=release.contents,
            waiting=Waiting(
                sleep=time.sleep, clock=time.time, poll=options.poll, patience=options.patience
            ),
            listener=listener,
        )
        try:
            return walker.walk(made.own)
        except StepFailed as error:
            reported = [
                failure(error, again=again),
                *standing_still(made.own, error.step, again=again),
            ]
            raise Stopped("\n".join(reported)) from error
        except KeyboardInterrupt as error:
            on = f"AWS goes on with what has begun; run {again} again: it takes up from there."
            reported = [f"Interrupted. {on}", *standing_still(made.own, None, again=again)]
            raise Stopped("\n".join(reported), 130) from error


def failure(error: StepFailed, *, again: str = "apply") -> str:
    """Why a step failed, in lines: the step, the accounts, what AWS said, what to do."""
    lines = [f"This step failed: {error.step.says} ({error.step.target_text}).", f"{error.said}."]
    lines += [f"  account {account}: {said}" for account, said in sorted(error.accounts.items())]
    advised = error.advice.replace("run apply again", f"run {again} again")
    lines.append(advised or f"Correct it, and run {again} again: it goes on from there.")
    return "\n".join(visible(line) for line in lines)


def standing_still(steps: tuple[Step, ...], last: Step | None, *, again: str) -> Iterator[str]:
    """A line where the steps up to `last` (None: any of them) have stopped a revoker: nothing but
    the rest of them starts it again."""
    walked = steps[: steps.index(last) + 1] if last in steps else steps
    stopped = {
        call.account
        for step in walked
        for call in step.calls
        if call.operation == "PutFunctionConcurrency"
    }
    if stopped:
        yield (
            f"The revoker may stand still in {', '.join(sorted(stopped))}, and contain nobody, "
            f"until {again} has gone through. To start it without that: aws lambda "
            f"delete-function-concurrency --function-name {REVOKER}"
        )


def _dry(made: Plan, *, quiet: bool) -> int:
    """`quiet`: the standard output is for something that programs read."""
    problems = list(dry_run(made.steps))
    for problem in problems:
        print(visible(problem), file=sys.stderr)
    calls = sum(1 for _ in made.calls())
    if not problems:
        said = f"Dry run: {calls} calls have the shape that AWS takes. Nothing was sent."
        print(said, file=sys.stderr if quiet else sys.stdout)
    return 1 if problems or made.unreached else 0


def agreed() -> bool:
    """Ask the person at the terminal."""
    try:
        return input("Do this? Write yes: ").strip() == "yes"
    except EOFError:
        return False


def _template(options: argparse.Namespace) -> int:
    release = read_release(options.templates)
    print(release.contents[options.name])
    return 0


def _permissions(options: argparse.Namespace) -> int:
    if options.place:
        print(json.dumps(document(Place(options.place)), indent=2))
    else:
        print(markdown(), end="")
    return 0
