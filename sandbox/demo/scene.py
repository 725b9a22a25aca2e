"""What a scene of the demo is made of: a title, what is played, and what must be seen of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.demo.product_setup import Stage


@dataclass(frozen=True)
class Seen:
    """One expectation and whether it was met; `subjects` in a text are quoted as seen."""

    text: str
    ok: bool


@dataclass(frozen=True)
class Scene:
    title: str
    play: Callable[[Stage], Iterator[Seen]]


def mails(stage: Stage, *beginnings: str, why: str = "") -> Iterator[Seen]:
    """Just so many mails, whose subjects begin so; `why` there are several."""
    subjects = [mail.subject for mail in stage.new_mails()]
    ok = len(subjects) == len(beginnings) and all(
        subject.startswith(beginning)
        for subject, beginning in zip(subjects, beginnings, strict=True)
    )
    match len(beginnings):
        case 0:
            text = "nobody is mailed"
        case 1:
            text = "the security team gets one mail"
        case count:
            text = f"the security team gets {count} mails, {why}"
    yield Seen(text if ok else f"{text} (got {subjects})", ok)


def some_mails(stage: Stage, *beginnings: str) -> Iterator[Seen]:
    """Mails of these kinds, at least one each, and of no other."""
    subjects = [mail.subject for mail in stage.new_mails()]
    kinds = {one for subject in subjects for one in beginnings if subject.startswith(one)}
    ok = kinds == set(beginnings) and all(s.startswith(beginnings) for s in subjects)
    text = f"the security team gets {len(subjects)} mails"
    yield Seen(text if ok else f"{text} (got {subjects})", ok)
