"""Watch how the attacks end: look at all rows together until each has, or patience has. Shell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from handler.model.names import DENY_POLICY, iam_arn
from handler.notifier.messages.notice import NoticeKind
from stacksets.execute.waiters import bearers
from stacksets.prove.attacks.actor import code_of
from stacksets.prove.attacks.model import End
from stacksets.prove.attacks.scene import AT_ONCE, Scene
from stacksets.prove.incidents import Incident, read_incidents
from stacksets.prove.play import Progress
from stacksets.prove.seen import Played, Seen


def watch(played: Sequence[Played], scene: Scene, table: Any, progress: Progress) -> list[Seen]:
    """Look until each row has ended as expected, or for as long as patience has it."""
    waiting = scene.waiting
    seen = [Seen(one, unmet=list(one.row.ends)) for one in played]
    awaited = [one for one in seen if one.played.is_on and one.played.row.contained]
    began, said = waiting.clock(), ""
    while True:
        _look(seen, scene, read_incidents(table, scene.account))
        if all(one.is_done for one in awaited) or waiting.is_over(since=began):
            return seen
        if said != (said := _summary(awaited)):
            progress(f"{said} ({waiting.clock() - began:.0f} s)")
        waiting.sleep(waiting.poll)


def _summary(rows: Sequence[Seen]) -> str:
    def count(holds: Callable[[Seen], Any]) -> int:
        return sum(1 for one in rows if holds(one))

    return (
        f"Of {len(rows)} callers {count(lambda one: one.refused_at)} are contained, "
        f"{count(lambda one: one.reported_at)} reported, {count(lambda one: one.mailed_at)} mailed"
    )


def _look(seen: Sequence[Seen], scene: Scene, incidents: Iterable[Incident]) -> None:
    deny = iam_arn(
        partition=scene.partition, account=scene.account, kind="policy", name=DENY_POLICY
    )
    denied = set(bearers(scene.iam, deny))
    of: dict[str, list[Incident]] = {}
    for incident in incidents:
        of.setdefault(incident.first.facts.get("principal_id", ""), []).append(incident)
    now = scene.waiting.clock()
    rows = [one for one in seen if one.played.is_on and not one.is_done]
    for one in rows:
        one.held = {word for word, id in one.played.cast.ids.items() if id in denied}
        _note_incidents(one, of, now)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        list(pool.map(_ask, (one for one in rows if one.played.row.caller in one.held)))


def _note_incidents(one: Seen, of: Mapping[str, Sequence[Incident]], now: float) -> None:
    mine = of.get(one.played.cast.ids[one.played.row.caller], ())
    one.kinds |= {incident.kind for incident in mine}
    contained = [incident for incident in mine if incident.kind is NoticeKind.CONTAINED]
    if contained:
        one.reported_at = one.reported_at or now
    if any(incident.mailed for incident in contained):
        one.mailed_at = one.mailed_at or now


def _ask(one: Seen) -> None:
    """What only IAM knows: whether it refuses the caller, and how the other ends are."""
    cast, clock = one.played.cast, one.played.cast.scene.waiting.clock
    if not one.refused_at and cast.by(one.played.row.caller).is_refused():
        one.refused_at = clock()
    one.unmet = [end for end in one.unmet if not _holds(end, one.played)]


def _holds(end: End, played: Played) -> bool:
    try:
        return end.check(played.cast)
    except KeyError:
        # The attack never came to make it, where the caller was contained before.
        return played.stopped
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise
        return False
