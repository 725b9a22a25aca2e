"""An Organization of its own for each test of a rollout: each begins with nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.box import Box, open_box
from tests.rollout.operator import Operator


@pytest.fixture
def box() -> Iterator[Box]:
    with open_box(member_count=4, held=True) as opened:
        yield opened


@pytest.fixture
def operator(box: Box) -> Operator:
    """With a file of two rings: Sandbox first, then Workloads."""
    return Operator(box, file_for(box))


def file_for(box: Box) -> str:
    return f"""
organization = "{box.organization_id}"
trail = "accounts"
[central]
account = "{box.security}"
[central.parameters]
Email = "security@example.com"
[guardrail]
attach = "rings"
canary = "Sandbox"
[[ring]]
name = "canary"
units = ["Sandbox"]
[[ring]]
name = "everyone"
units = ["Workloads"]
"""
