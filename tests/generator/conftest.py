"""The templates as the code renders them now, once for all tests here."""

from __future__ import annotations

import pytest

from generator.render import Rendered, render
from generator.source.mail_texts import House
from tests.generator.policy.revoker_world import World, world_of


@pytest.fixture(scope="session")
def rendered() -> dict[str, Rendered]:
    return {one.name: one for one in render(house=House())}


@pytest.fixture(scope="session")
def member(rendered: dict[str, Rendered]) -> Rendered:
    return rendered["member"]


@pytest.fixture(scope="session")
def central(rendered: dict[str, Rendered]) -> Rendered:
    return rendered["central"]


@pytest.fixture(scope="session")
def world(member: Rendered) -> World:
    return world_of(member)
