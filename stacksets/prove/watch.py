"""Watch how the attacks end: look at all rows together until each has, or patience has. Shell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from handler.names import DENY_POLICY, iam_arn
from handler.notice import NoticeKind
from stacksets.prove.actor import code_of
from stacksets.prove.centre import Told, read_incidents
from stacksets.prove.play import Tell
from stacksets.prove.rows import End
from stacksets.prove.scene import AT_ONCE, Scene
from stacksets.prove.seen import Played, Seen
from stacksets.waiting import bearers


def watch(played: Sequence[Played], scene: Scene, table: Any, tell: Tell) -> list[Seen]:
    """Look until each row has ended as expected, or for as long as patience has it."""
    waiting = scene.waiting
    seen = [Seen(one, unmet=list(one.row.ends)) for one in played]
    open_rows = [one for one in seen if one.played.is_on and one.played.row.contained]
    began, said = waiting.clock(), ""
    while True:
        _look(seen, scene, list(read_incidents(table, scene.account)))
        left = [one for one in open_rows if not one.is_done]
        if not left or waiting.clock() - began > waiting.patience:
            return seen
        if said != (said := _progress(open_rows)):
            tell(f"{said} ({waiting.clock() - began:.0f} s)")
        waiting.sleep(waiting.poll)


def _progress(rows: Sequence[Seen]) -> str:
    def count(holds: Callable[[Seen], Any]) -> int:
        return sum(1 for one in rows if holds(one))

    return (
        f"Of {len(rows)} callers {count(lambda one: one.refused_at)} are contained, "
        f"{count(lambda one: one.reported_at)} reported, {count(lambda one: one.mailed_at)} mailed"
    )


def _look(seen: Sequence[Seen], scene: Scene, told: Sequence[Told]) -> None:
    arn = iam_arn(partition=scene.partition, account=scene.account, kind="policy", name=DENY_POLICY)
    denied = set(bearers(scene.iam, arn))
    of: dict[str, list[Told]] = {}
    for incident in told:
        of.setdefault(incident.first.facts.get("principal_id", ""), []).append(incident)
    now = scene.waiting.clock()
    on = [one for one in seen if one.played.is_on and not one.is_done]
    for one in on:
        one.held = {word for word, id in one.played.cast.ids.items() if id in denied}
        _note_incidents(one, of, now)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        list(pool.map(_ask, (one for one in on if one.played.row.caller in one.held)))


def _note_incidents(one: Seen, of: Mapping[str, Sequence[Told]], now: float) -> None:
    mine = of.get(one.played.cast.ids[one.played.row.caller], ())
    one.kinds |= {told.kind for told in mine}
    contained = [told for told in mine if told.kind is NoticeKind.CONTAINED]
    if contained:
        one.reported_at = one.reported_at or now
    if any(told.mailed for told in contained):
        one.mailed_at = one.mailed_at or now


def _ask(one: Seen) -> None:
    """What IAM alone tells: whether it refuses the caller, and what became of what was made."""
    cast, clock = one.played.cast, one.played.cast.scene.waiting.clock
    if not one.refused_at and cast.by(one.played.row.caller).is_refused():
        one.refused_at = clock()
    one.unmet = list(_unmet(one.unmet, one.played))


def _unmet(ends: Iterable[End], played: Played) -> Iterable[End]:
    for end in ends:
        try:
            if not end.check(played.cast):
                yield end
        except KeyError:
            # It was never made, since the caller was contained before.
            if not played.stopped:
                yield end
        except ClientError as error:
            if code_of(error) != "NoSuchEntity":
                raise
            yield end
