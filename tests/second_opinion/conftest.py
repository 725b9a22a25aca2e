"""The deployed policies, once for all trials."""

from __future__ import annotations

import pytest

from generator.render import Rendered, render
from generator.source.mail_texts import House
from tests.second_opinion.evaluators import Document
from tests.second_opinion.policies import Policies, identity_policies, resource_policies


@pytest.fixture(scope="session")
def rendered() -> dict[str, Rendered]:
    return {one.name: one for one in render(house=House())}


@pytest.fixture(scope="session")
def policies(rendered: dict[str, Rendered]) -> Policies:
    return resource_policies(rendered)


@pytest.fixture(scope="session")
def identities(rendered: dict[str, Rendered]) -> dict[str, tuple[Document, ...]]:
    return identity_policies(rendered)
