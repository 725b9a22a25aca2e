"""Under the guardrail the break-glass role proves; any other operator is refused before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox.box import Box
from sandbox.demo.product_setup import guarded
from sandbox.organizations.organization import make_role
from stacksets.cli.common import Stopped
from stacksets.prove.attacks.scene import Scene
from stacksets.prove.clean import clean
from tests.prove.proving import Prover, wrong

BREAK_GLASS = "iam-administrators/break-glass"


@pytest.fixture(scope="module")
def entered_before(prover: Prover) -> Scene:
    """Somebody has begun before the guardrail came."""
    return replace(prover).scene()


@pytest.fixture(scope="module")
def guard(prover: Prover, box: Box, entered_before: Scene) -> Iterator[Prover]:
    """Prove in a guarded account by the break-glass role."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{box.management}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    for account in (prover.account, box.security):
        make_role(account, "break-glass", path="/iam-administrators/", trust=trust)
    with guarded(box, prover.account):
        yield replace(prover, role=BREAK_GLASS)


def test_an_operator_who_could_not_take_the_deny_off_is_refused(
    guard: Prover, prover: Prover
) -> None:
    with pytest.raises(Stopped) as refused:
        replace(prover).scene()
    assert refused.value.said == (
        f"The guardrail binds account {prover.account}: only the break-glass role may take the "
        "deny off again. Run it with --access-role iam-administrators/break-glass."
    )


def test_the_break_glass_role_proves_and_leaves_nothing(guard: Prover) -> None:
    assert wrong(guard.prove()) == {}


def test_what_cannot_be_removed_is_named(
    guard: Prover, prover: Prover, entered_before: Scene
) -> None:
    _, left = prover.play(entered_before)
    assert left
    assert all(one.what.startswith(("user proof-", "role proof-")) for one in left)
    assert {one.said.partition(":")[0] for one in left} == {"AccessDenied"}
    assert clean(guard.scene().iam, entered_before.waiting) == ()
    assert prover.remains() == []
