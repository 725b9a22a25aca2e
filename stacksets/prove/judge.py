"""Judge what was seen of a row against what it expects. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from handler.notice import NoticeKind
from stacksets.prove.rows import as_noun
from stacksets.prove.seen import Seen

AS_EXPECTED = "yes"
# A caller that is left alone has none of these.
AGAINST = frozenset(
    {NoticeKind.CONTAINED, NoticeKind.CANNOT_CONTAIN, NoticeKind.WOULD_CONTAIN, NoticeKind.GONE}
)


@dataclass(frozen=True)
class Result:
    """How one row ended. `ok` is None where it was left out. The delays are seconds from the first
    call until its incident was written down, until IAM refused the caller and until a mail was
    published, None for what was not seen."""

    row: int
    title: str
    expected: str
    seen: str
    ok: bool | None
    event: float | None = None
    deny: float | None = None
    mail: float | None = None


def judge(seen: Seen) -> Result:
    """The row's result."""
    played, row = seen.played, seen.played.row
    problems = [played.failed] if played.failed else list(_problems(seen))
    said = f"left out: {played.left_out}" if played.left_out else "; ".join(problems)
    return Result(
        row=row.row,
        title=row.title,
        expected=row.expected,
        seen=said or AS_EXPECTED,
        ok=None if played.left_out else not problems,
        event=_delay(seen, seen.reported_at),
        deny=_delay(seen, seen.refused_at),
        mail=_delay(seen, seen.mailed_at),
    )


def _delay(seen: Seen, at: float) -> float | None:
    return round(at - seen.played.called_at, 1) if at else None


def _problems(seen: Seen) -> Iterator[str]:
    if seen.played.left_out:
        return
    row = seen.played.row
    yield from _of_people(seen)
    if row.contained:
        yield from (end.otherwise for end in seen.unmet)
        yield from _of_reports(seen)
    elif seen.kinds & AGAINST:
        yield f"reported as {_listed(seen.kinds & AGAINST)}"


def _of_people(seen: Seen) -> Iterator[str]:
    caller = seen.played.row.caller
    for word in sorted(seen.expected - seen.held):
        yield "not contained" if word == caller else f"{as_noun(word)} not contained"
    for word in sorted(seen.held - seen.expected):
        yield "contained" if word == caller else f"{as_noun(word)} contained"
    if caller in seen.expected & seen.held and not seen.refused_at:
        yield "contained, yet not refused"


def _of_reports(seen: Seen) -> Iterator[str]:
    if not seen.reported_at:
        against = seen.kinds & AGAINST
        yield f"reported as {_listed(against)}" if against else "not reported"
    elif not seen.mailed_at:
        yield "no mail"


def _listed(kinds: frozenset[NoticeKind] | set[NoticeKind]) -> str:
    return ", ".join(sorted(kind.value for kind in kinds))
