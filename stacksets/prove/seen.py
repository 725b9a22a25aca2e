"""A row that is played, and what was seen of it so far, as values. Nothing here calls AWS."""

from __future__ import annotations

from dataclasses import dataclass, field

from handler.notifier.messages.notice import NoticeKind
from stacksets.prove.attacks.cast import Cast
from stacksets.prove.attacks.model import End, Row


@dataclass
class Played:
    """A row and its cast. `called_at` is when its first call was made, 0 for never; `left_out` and
    `failed` say why it was not played. `stopped`: IAM refused the rest of its calls."""

    row: Row
    cast: Cast
    called_at: float = 0.0
    left_out: str = ""
    failed: str = ""
    stopped: bool = False

    @property
    def is_on(self) -> bool:
        return not self.left_out and not self.failed


@dataclass
class Seen:
    """What was seen of one row so far; times are the clock's, 0 for never.

    `held` are the words of the principals that bear the deny. At `refused_at` IAM refused the
    caller's next call, at `reported_at` its containment was an incident, at `mailed_at` a mail
    about it was published. `kinds` are those of the caller's incidents, `unmet` the ends that do
    not hold yet.
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
        """The principals that must bear the deny, except those that the attack did not come to
        make."""
        row, made = self.played.row, self.played.cast.ids
        return {word for word in row.contained if word in made or not self.played.stopped}

    @property
    def is_done(self) -> bool:
        ended = self.expected <= self.held and not self.unmet
        return bool(ended and self.refused_at and self.mailed_at)
