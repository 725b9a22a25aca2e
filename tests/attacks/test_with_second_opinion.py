"""A second evaluator, by other people, decides every request of the attacks as the box did.

The last file of the folder: it looks at what was played before it in the same run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.second_opinion.differences import IN_THE_SANDBOX, unexplained
from tests.second_opinion.evaluators import need
from tests.second_opinion.recorder import Decided

pytestmark = pytest.mark.deep

HERE = Path(__file__).parent


def test_both_decide_alike_every_request_of_the_attacks(
    request: pytest.FixtureRequest, decided: list[Decided]
) -> None:
    played = {item.path for item in request.session.items}
    if not played.issuperset(HERE.glob("test_*.py")):
        pytest.skip("it looks at all that is played: run tests/attacks")
    need()
    assert len({asked.action for asked, _ in decided}) > 100
    assert unexplained(decided, IN_THE_SANDBOX) == []
