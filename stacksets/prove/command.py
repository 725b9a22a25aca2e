"""The command prove: play attacks in an account made for tests, and say how each ended.

Exit codes: 0 no difference, 1 a difference or a refusal, 2 a bad file or option, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from handler.notifier.messages.notice import visible
from stacksets.cli.apply import agreed
from stacksets.cli.common import Stopped, add_common_options, read_file, read_inputs, read_release
from stacksets.execute.executor import advice
from stacksets.execute.waiters import Waiting
from stacksets.observe.clients import CannotEnter, Clients, open_clients, sentence
from stacksets.planners.rollout import plan
from stacksets.prove.attacks.catalog import ROWS
from stacksets.prove.attacks.model import Row
from stacksets.prove.attacks.scene import PATH, Scene
from stacksets.prove.checks import Check, checks, depths, grown, letters_check
from stacksets.prove.clean import Left, clean
from stacksets.prove.enter import find, open_scene
from stacksets.prove.fit import refusals, wrong_account
from stacksets.prove.judge import judge
from stacksets.prove.play import Progress, play
from stacksets.prove.points import pointers
from stacksets.prove.probes import alarm_probe, history_probe, tamper_probe, until
from stacksets.prove.proof import Proof, proof_json
from stacksets.prove.seen import Played
from stacksets.prove.show import proof_table
from stacksets.prove.watch import watch
from stacksets.steps.guardrail import many
from stacksets.steps.inputs import Given

# SQS counts messages within a minute or so.
QUEUE_SECONDS = 60.0


def add_prove_command(commands: Any) -> None:
    """Add prove to the command line."""
    says = "play attacks in an account made for tests, and say how each ended"
    command = commands.add_parser("prove", help=says, description=f"{says.capitalize()}.")
    add_common_options(command)
    command.add_argument("--account", required=True, help="the account made for tests")
    command.add_argument(
        "--i-understand",
        action="store_true",
        help="play there although the account has other users or roles",
    )
    command.add_argument(
        "--row",
        type=int,
        action="append",
        metavar="NUMBER",
        choices=sorted({row.row for row in ROWS}),
        help="play this row of docs/attacks.md alone; may be repeated",
    )
    command.add_argument(
        "--json", type=Path, metavar="FILE", help="write the proof, without names, to be published"
    )
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument(
        "--poll", type=float, default=3.0, metavar="SECONDS", help="between looks (default: 3)"
    )
    command.add_argument(
        "--patience",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="how long to wait for each thing that is expected (default: 600)",
    )
    command.set_defaults(command=_prove)


def _prove(options: argparse.Namespace) -> int:
    if options.json and not options.json.parent.is_dir():
        raise Stopped(
            f"There is no folder {options.json.parent}: make it, or name another file.", 2
        )
    console, left = Console(highlight=False), list[Left]()
    try:
        given, clients = _looked(options)
        waiting = Waiting(time.sleep, time.time, poll=options.poll, patience=options.patience)
        scene = entered(given, clients, options.account, waiting, understood=options.i_understand)
        rows = [row for row in ROWS if options.row is None or row.row in options.row]
        _announce(console, scene, many(len(rows), "attack"))
        if not options.yes and not agreed():
            raise Stopped("Nothing was done.")
        with _showing(console) as progress:
            proof = proved(given, clients, scene, rows, progress=progress, left=left)
    except KeyboardInterrupt as error:
        raise Stopped("\n".join(["Interrupted.", *_remains(left)]), 130) from error
    except CannotEnter as error:
        raise Stopped(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        said = f"AWS refused: {sentence(error)}. {advice(error)}".rstrip()
        raise Stopped("\n".join([said, *_remains(left)])) from error
    for part in proof_table(proof):
        console.print(part)
    if options.json:
        options.json.write_text(json.dumps(proof_json(proof), indent=2) + "\n")
    for line in _remains(left):
        console.print(Text(line, style="bold red"), soft_wrap=True)
    return 1 if proof.differences or left else 0


def _looked(options: argparse.Namespace) -> tuple[Given, Clients]:
    release = read_release(options.templates)
    wanted = read_file(options.file, release).entered_by(options.access_role)
    clients = open_clients(wanted.access, region=wanted.region, profile=options.profile)
    today = datetime.fromtimestamp(time.time(), UTC).date()
    return read_inputs(wanted, release, clients, today=today), clients


def entered(
    given: Given, clients: Clients, account: str, waiting: Waiting, *, understood: bool
) -> Scene:
    """The account, ready to be played in. Raises Stopped with why it is not fit."""
    if unfit := wrong_account(given, account):
        raise Stopped(unfit)
    found = find(clients, account)
    said = list(refusals(given, found, understood=understood))
    if said or found.settings is None:
        raise Stopped("\n".join(map(visible, said)))
    return open_scene(given, clients, found, found.settings, waiting)


def proved(
    given: Given,
    clients: Clients,
    scene: Scene,
    rows: Sequence[Row],
    *,
    progress: Progress,
    left: list[Left],
) -> Proof:
    """Play the rows and make the checks; removes all that it made, whatever happens. Puts into
    `left` what could not be removed. Raises ClientError."""
    central = given.wanted.central.account
    table = clients.of("dynamodb", central)
    progress("Removing what an earlier run may have left ...")
    clean(scene.iam, scene.waiting)
    before = depths(clients, scene.account, central)
    found = list(checks(given, plan(given), clients, scene.account))
    try:
        played = play(rows, scene, progress)
        seen = watch(played, scene, table, progress)
        found += _probed(clients, central, scene, played, progress)
        found.append(_letters(clients, central, scene, before))
    finally:
        left[:] = [Left(f"what stands under {PATH}", "it was not removed to the end")]
        progress("Removing every throw-away principal ...")
        left[:] = clean(scene.iam, scene.waiting)
    return Proof(
        at=datetime.fromtimestamp(scene.waiting.clock(), UTC).date().isoformat(),
        aws=".amazonaws." in str(scene.iam.meta.endpoint_url),
        region=scene.region,
        digest=given.member.digest,
        patience=scene.waiting.patience,
        results=tuple(map(judge, seen)),
        checks=tuple(found),
        points_to=tuple(pointers(seen)),
    )


def _probed(
    clients: Clients, central: str, scene: Scene, played: Sequence[Played], progress: Progress
) -> Iterator[Check]:
    function, table = clients.of("lambda", scene.account), clients.of("dynamodb", central)
    progress("Changing the function's description, and back ...")
    yield tamper_probe(function, table, scene)
    progress("Setting an alarm of the central account, and back ...")
    yield alarm_probe(clients.of("cloudwatch", central), scene.waiting)
    progress("Looking into the event history ...")
    friends = [one.cast["friend"] for one in played if "friend" in one.cast.names]
    trail = clients.of("cloudtrail", scene.account)
    yield from (history_probe(trail, friend, scene.waiting) for friend in friends[:1])


def _letters(clients: Clients, central: str, scene: Scene, before: Mapping[str, int]) -> Check:
    """SQS counts by and by, and others' reports pass through as well."""
    waiting = replace(scene.waiting, patience=min(QUEUE_SECONDS, scene.waiting.patience))
    until(lambda: not grown(before, depths(clients, scene.account, central)), waiting)
    return letters_check(before, depths(clients, scene.account, central))


def _announce(console: Console, scene: Scene, attacks: str) -> None:
    said = (
        f"This plays {attacks} in account {scene.account}, by users and roles that it makes under "
        f"{PATH} and removes again. The security team gets mails of them, a digest, and mails "
        "[Revoker tampered] about you: the proof changes the function's description, and takes "
        "each deny off at the end."
    )
    console.print(Text(said))


@contextmanager
def _showing(console: Console) -> Iterator[Progress]:
    """One line that changes on a terminal, a line each anywhere else."""
    if not console.is_terminal:
        yield lambda line: print(line, flush=True)
        return
    with console.status("") as status:
        yield status.update


def _remains(left: Sequence[Left]) -> Iterator[str]:
    """What the operator has to remove by hand."""
    if left:
        yield f"Not removed, under {PATH}: run prove again, or remove it by hand."
    yield from (f"  {visible(one.what)}: {visible(one.said)}" for one in left)
