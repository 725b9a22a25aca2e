"""A desk per test on a table in memory; `any_desk` also on moto's and on DynamoDB Local."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from tests.doubles.dynamo import MemoryTable
from tests.notifier.desk import Desk, make_table, new_client, new_desk


@pytest.fixture
def desk() -> Desk:
    return new_desk(MemoryTable())


@pytest.fixture(scope="module")
def moto_client() -> Iterator[Any]:
    with mock_aws():
        yield new_client()


@pytest.fixture(scope="session")
def local_client(second_engine: Any) -> Any:
    make_table(second_engine)
    return second_engine


@pytest.fixture(params=["memory", "moto", "local"])
def any_desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """What holds on both is no invention of our own double."""
    if request.param == "memory":
        yield new_desk(MemoryTable())
        return
    desk = new_desk(request.getfixturevalue(f"{request.param}_client"))
    # Whatever tests on the same engine left: in this module's order or any other.
    desk.clear()
    yield desk
    desk.clear()
