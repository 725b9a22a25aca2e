"""Every documented way to escalate, played with a real key: it ends as its row says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from handler.revoker.impacts.table import IMPACT_ROWS
from handler.revoker.state.context import WAIT_SECONDS
from sandbox.demo.product_setup import TEAM_ADDRESS, late_events
from tests.attacks.conftest import NewPlay
from tests.attacks.play import Play, calls_of
from tests.attacks.rows import Row
from tests.attacks.scenarios.all import ROWS

# Documented beside those that the gains know: aimed at the revoker, not at anybody's rights.
AT_THE_REVOKER = {54, 55, 56}


def _rows() -> Iterator[Any]:
    """Yield each row; the first of each method is played in the short run too."""
    methods: set[int] = set()
    for row in ROWS:
        deep = [pytest.mark.deep] if row.row in methods else []
        yield pytest.param(row, id=f"{row.row}: {row.title}", marks=deep)
        methods.add(row.row)


@pytest.mark.parametrize("row", _rows())
def test_an_attack_ends_as_its_row_says(row: Row, new_play: NewPlay) -> None:
    play = new_play(row.where)
    play.user("mallory", "iam:*", "sts:*")
    row.prepare(play)
    play.hear()
    before, mailed = play.marks(), len(play.box.outbox)
    with late_events(play.box) as records:
        row.attack(play)
    reports = play.hear()
    if row.waits:
        play.reconcile(after=WAIT_SECONDS + 1)
        reports += play.hear()
        play.reports = reports
    assert calls_of(records, play.account) == list(row.calls)
    gave = sorted(impact.what for report in reports for impact in report.impacts)
    assert gave == sorted(map(play.fill, row.gave))
    after = play.marks()
    for mark, words in (("contained", row.contained), ("sessions", row.sessions)):
        assert after[mark] - before[mark] == {play[word] for word in words}, mark
    _check_mail(row, play, mailed)
    for word in row.contained:
        assert play.is_held(word), word
        assert word not in play.keys or play.refused(word), word
    for outcome in row.ends:
        outcome.check(play)
    assert not play.alice.list_users()["IsTruncated"], "an administrator keeps IAM"


def _check_mail(row: Row, play: Play, mailed: int) -> None:
    subjects = [
        mail.subject for mail in list(play.box.outbox)[mailed:] if mail.address == TEAM_ADDRESS
    ]
    if row.mail:
        begins, about = f"{row.mail} {play.account} ", play.names.get(row.about, row.about)
        assert any(s.startswith(begins) and about in s for s in subjects), subjects
    else:
        assert subjects == []


def test_every_documented_row_that_is_a_call_of_iam_is_played() -> None:
    assert {row.row for row in ROWS} == set(IMPACT_ROWS) - {0} | AT_THE_REVOKER
    titles = [row.title for row in ROWS]
    assert len(titles) == len(set(titles))
