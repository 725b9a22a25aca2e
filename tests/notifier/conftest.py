"""A desk per test on a table in memory; `any_desk` runs a test on moto's table as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from tests.doubles.dynamo import MemoryTable
from tests.notifier.desk import Desk, new_client, new_desk


@pytest.fixture
def desk() -> Desk:
    return new_desk(MemoryTable())


@pytest.fixture(scope="module")
def moto_client() -> Iterator[Any]:
    with mock_aws():
        yield new_client()


@pytest.fixture(params=["memory", "moto"])
def any_desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """What holds on both is no invention of our own double."""
    if request.param == "memory":
        yield new_desk(MemoryTable())
        return
    desk = new_desk(request.getfixturevalue("moto_client"))
    yield desk
    desk.clear()
