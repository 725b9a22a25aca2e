"""Judge what was seen of a row against what it expects. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from handler.notifier.messages.notice import NoticeKind
from stacksets.prove.attacks.model import as_noun
from stacksets.prove.seen import Seen

AS_EXPECTED = "yes"
# A caller that is left alone has none of these.
AGAINST = frozenset(
    {
        NoticeKind.CONTAINED,
        NoticeKind.CANNOT_CONTAIN,
        NoticeKind.WOULD_CONTAIN,
        NoticeKind.CALLER_DELETED,
    }
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
    row = seen.played.row
    if seen.played.left_out:
        return
    if row.contained and row.caller not in seen.held:
        # Whatever else is missing follows from it.
        against = seen.kinds & AGAINST
        yield f"not contained, reported as {_listed(against)}" if against else "not contained"
        return
    for word in sorted(seen.expected ^ seen.held):
        said = "contained" if word in seen.held else "not contained"
        yield said if word == row.caller else f"{as_noun(word)} {said}"
    if not row.contained:
        if seen.kinds & AGAINST:
            yield f"reported as {_listed(seen.kinds & AGAINST)}"
        return
    if not seen.refused_at:
        yield "contained, yet not refused"
    yield from (end.otherwise for end in seen.unmet)
    if not seen.reported_at:
        yield "not reported"
    elif not seen.mailed_at:
        yield "no mail"


def _listed(kinds: frozenset[NoticeKind] | set[NoticeKind]) -> str:
    return ", ".join(sorted(kind.value for kind in kinds))
