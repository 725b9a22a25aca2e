"""The one sandbox of a test run: opened when the first test asks, shared by all that do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.box import Box


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    """An Organization in a box. Take an account of your own (`account`), others share the rest."""
    from sandbox.box import open_box

    with open_box() as opened:
        yield opened


@pytest.fixture
def account(box: Box, request: pytest.FixtureRequest) -> str:
    """A member account that no other test has touched."""
    return box.new_account("".join(c for c in request.node.name if c.isalnum())[:40])
