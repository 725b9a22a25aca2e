"""What a test run has one of, opened when the first test asks: the sandbox, the second engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from sandbox.box import Box

# The same examples in each whole run, and none judged by its time.
settings.load_profile("ci")

# What whoever runs them has set for his own work: profiles, credentials, colours.
for name in [*os.environ]:
    if name.startswith("AWS_") or name in ("FORCE_COLOR", "NO_COLOR"):
        del os.environ[name]


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    """An Organization in a box. Take an account of your own (`account`), others share the rest."""
    from sandbox.box import open_box

    with open_box(held=True) as opened:
        yield opened


@pytest.fixture
def account(box: Box, request: pytest.FixtureRequest) -> str:
    """A member account that no other test has touched."""
    return box.new_account("".join(c for c in request.node.name if c.isalnum())[:40])


@pytest.fixture(scope="session")
def second_engine() -> Iterator[Any]:
    """A client of DynamoDB Local, without any table yet.

    A run that must have it fails without it; any other says that it was skipped.
    """
    from tests.dynamodb_local import asked_for, engine_client, missing, open_engine

    if why := missing():
        assert not asked_for(), why
        pytest.skip(why)
    with open_engine() as endpoint:
        yield engine_client(endpoint)
