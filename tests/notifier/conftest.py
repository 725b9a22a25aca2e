"""A desk per test, on one moto a module: making clients takes longer than the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.notifier.desk import Desk, new_client, new_desk


@pytest.fixture(scope="module")
def table_client() -> Iterator[object]:
    with mock_aws():
        yield new_client()


@pytest.fixture
def desk(table_client: object) -> Iterator[Desk]:
    desk = new_desk(table_client)
    yield desk
    desk.clear()
