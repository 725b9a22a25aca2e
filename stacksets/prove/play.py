"""Play the attacks: make all principals, wait until their keys work, call. Judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from stacksets.prove.attacks.actor import REFUSED, code_of
from stacksets.prove.attacks.cast import Cast
from stacksets.prove.attacks.model import Row
from stacksets.prove.attacks.scene import AT_ONCE, Scene
from stacksets.prove.seen import Played

Progress = Callable[[str], None]


def play(rows: Sequence[Row], scene: Scene, progress: Progress) -> list[Played]:
    """Play the rows side by side; a row that AWS refuses to prepare is not played."""
    played = [
        Played(row, Cast(scene, number), left_out=row.unless(scene))
        for number, row in enumerate(rows, start=1)
    ]
    progress(f"Making the principals of {len(rows)} attacks ...")
    _at_once(_prepare, played)
    _await_keys(played, scene, progress)
    progress("Calling IAM with their keys ...")
    _at_once(_attack, played)
    return played


def _at_once(do: Callable[[Played], None], played: Iterable[Played]) -> None:
    pool = ThreadPoolExecutor(max_workers=AT_ONCE)
    try:
        list(pool.map(do, (one for one in played if one.is_on)))
    finally:
        # Nothing more is begun after Ctrl-C, and nothing is removed while it is being made.
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare(one: Played) -> None:
    try:
        one.cast.user("mallory", "iam:*")
        one.row.prepare(one.cast)
    except ClientError as error:
        one.failed = _not_played(error)


def _await_keys(played: Iterable[Played], scene: Scene, progress: Progress) -> None:
    """New keys and policies take IAM some seconds. A key that never works fails in its row."""
    waiting = scene.waiting
    began = waiting.clock()
    left = [actor for one in played if one.is_on for actor in one.cast.actors.values()]
    while left := [actor for actor in left if not actor.answers()]:
        if waiting.is_over(since=began):
            return
        progress(f"Waiting until IAM knows {len(left)} new keys ...")
        waiting.sleep(waiting.poll)


def _attack(one: Played) -> None:
    one.called_at = one.cast.scene.waiting.clock()
    try:
        one.row.attack(one.cast)
    except ClientError as error:
        caller = one.cast.by(one.row.caller)
        # Contained before all of the attack was done; or the refused call is the attack.
        if code_of(error) in REFUSED and (caller.done or not caller.awaits_policy):
            one.stopped = True
        else:
            one.failed = _not_played(error)


def _not_played(error: ClientError) -> str:
    return f"not played: {error.operation_name} {code_of(error)}"
