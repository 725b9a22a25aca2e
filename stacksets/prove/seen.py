"""A row that is played, and what was seen of it so far, as values. Nothing here calls AWS."""

from __future__ import annotations

from dataclasses import dataclass, field

from handler.notice import NoticeKind
from stacksets.prove.cast import Cast
from stacksets.prove.rows import End, Row


@dataclass
class Played:
    """A row and its cast. `called_at` is when its first call was made, 0 for never; `skipped` and
    `failed` say why it was not played. `stopped`: IAM refused the rest of its calls."""

    row: Row
    cast: Cast
    called_at: float = 0.0
    skipped: str = ""
    failed: str = ""
    stopped: bool = False

    @property
    def is_on(self) -> bool:
        return not self.skipped and not self.failed


@dataclass
class Seen:
    """What was seen of one row so far; times are the clock's, 0 for never.

    `held` are the words of whoever bears the deny; `refused_at`: IAM refuses the caller's next
    call. `kinds` are those of the caller's incidents. `unmet` are the ends that do not hold yet.
    """

    played: Played
    held: set[str] = field(default_factory=set)
    refused_at: float = 0.0
    reported_at: float = 0.0
    mailed_at: float = 0.0
    kinds: set[NoticeKind] = field(default_factory=set)
    unmet: list[End] = field(default_factory=list)

    @property
    def expected(self) -> set[str]:
        """Who must bear the deny, but for those whom the attack did not come to make."""
        made = self.played.cast.ids if self.played.stopped else self.played.row.contained
        return {word for word in self.played.row.contained if word in made}

    @property
    def is_done(self) -> bool:
        return bool(
            self.expected <= self.held and self.refused_at and self.mailed_at and not self.unmet
        )
