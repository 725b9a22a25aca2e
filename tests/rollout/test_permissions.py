"""A rollout under exactly the documented permissions; test_each_permission.py takes them away."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.core.keys import Key
from stacksets.cli.apply import failure
from stacksets.cli.common import Stopped, read_inputs
from stacksets.cli.init import _look as init_look
from stacksets.execute.executor import StepFailed
from stacksets.init.scaffold import Found
from stacksets.observe.clients import Clients
from stacksets.permissions.operator import Place, document
from stacksets.planners.rollout import plan
from tests.rollout.operator import Operator

pytestmark = pytest.mark.deep

PLACES = {
    "management": (Place.DEPLOYING, Place.GUARDRAIL, Place.MANAGEMENT),
    "security": (Place.CENTRAL,),
}


def clients(box: Box, *, without: str = "", off: str = "") -> Clients:
    """Sessions of roles that hold the documents and nothing else: `without` an action, or what
    they allow on a resource `off`."""
    keys: Mapping[str, Key] = {
        account: box.new_session(
            account,
            f"operator{abs(hash((without, off)))}",
            *(lessened(document(place, without=without), off) for place in PLACES[name]),
        )
        for name, account in (("management", box.management), ("security", box.security))
    }

    def make(service: str, account: str) -> Any:
        return box.client(service, account, key=keys[account])

    caller = f"arn:aws:sts::{box.management}:assumed-role/operator/somebody"
    return Clients(caller=caller, make=make, elsewhere=make)


def lessened(policy: dict[str, Any], off: str) -> dict[str, Any]:
    kept = [one for one in policy["Statement"] if one["Resource"] != off]
    return {**policy, "Statement": kept}


def rolled(operator: Operator, under: Clients) -> str:
    """What is said: "" when all went well."""
    try:
        given = read_inputs(
            operator.read_inputs().wanted, operator.release, under, today=operator.today
        )
        operator.walker(under).walk(plan(given).own)
    except Stopped as stopped:
        return stopped.said
    except StepFailed as failed:
        return failure(failed)
    return ""


def test_a_rollout_works_under_exactly_the_documented_permissions(operator: Operator) -> None:
    assert rolled(operator, clients(operator.box)) == ""
    assert operator.plan().empty


@pytest.mark.parametrize(
    ("off", "named"),
    [
        (
            "arn:aws:cloudformation:*:*:type/resource/*",
            "arn:aws:cloudformation:us-east-1::type/resource/AWS-CloudTrail-Trail",
        ),
        (
            "arn:aws:cloudformation:*:*:stackset-target/iam-org-revoker*",
            "arn:aws:cloudformation::{management}:stackset-target/iam-org-revoker-canary:",
        ),
    ],
)
def test_a_set_is_refused_without_its_targets_or_the_types_of_its_template(
    operator: Operator, off: str, named: str
) -> None:
    said = rolled(operator, clients(operator.box, off=off))
    assert "not authorized to perform: cloudformation:CreateStackInstances on resource: " in said
    assert named.format(management=operator.box.management) in said
    assert "Give the operator the permission that AWS names" in said


def test_they_reach_a_set_of_the_bare_name_that_a_ring_takes_over(operator: Operator) -> None:
    ring = 'name = "everyone"\n'
    assert ring in operator.file
    operator.file = operator.file.replace(ring, f'{ring}takes_over = "iam-org-revoker"\n')
    assert rolled(operator, clients(operator.box)) == ""
    assert operator.plan().empty
    assert "iam-org-revoker" in operator.read_inputs().observed.stack_sets


def test_a_first_file_needs_the_documented_permissions_alone(box: Box) -> None:
    options = Namespace(central=None, email="", identity_center_region=None)

    def found(*documents: dict[str, Any]) -> Found:
        key = box.new_session(box.management, f"first{len(json.dumps(documents))}", *documents)

        def make(service: str, account: str) -> Any:
            return box.client(service, account, key=key)

        caller = f"arn:aws:sts::{box.management}:assumed-role/first/somebody"
        return init_look(options, Clients(caller=caller, make=make, elsewhere=make))

    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert found(document(Place.BEGINNING)) == found(
        {**document(Place.BEGINNING), "Statement": everything}
    )
    for action in ("organizations:ListRoots", "cloudtrail:DescribeTrails"):
        with pytest.raises(ClientError, match=action):
            found(document(Place.BEGINNING, without=action))
    less = found(document(Place.BEGINNING, without="iam:ListEntitiesForPolicy"))
    assert "iam:ListEntitiesForPolicy" in " ".join(less.unread)


def test_a_stranger_s_bucket_of_our_name_is_told_of_and_another_name_gets_round_it(
    operator: Operator,
) -> None:
    box = operator.box
    name = f"iam-org-revoker-templates-{box.security}"
    box.client("s3", box.members[0]).create_bucket(Bucket=name)
    with pytest.raises(Stopped, match=f"The bucket {name} of account {box.security} may not be"):
        operator.plan()
    operator.file = f'bucket = "iam-org-revoker-templates-x7k2"\n{operator.file}'
    assert rolled(operator, clients(box)) == ""
    assert operator.plan().empty
    (mine,) = box.client("s3", box.security).list_buckets()["Buckets"]
    assert mine["Name"] == f"iam-org-revoker-templates-x7k2-{box.security}"


@pytest.mark.parametrize("place", list(Place))
def test_no_document_grants_everything(place: Place) -> None:
    for statement in document(place)["Statement"]:
        assert "*" not in statement["Action"]
        if statement["Resource"] == "*" and place is not Place.SERVICE_ROLE:
            # IAM lists policies and roles for the whole account or not at all.
            others = set(statement["Action"]) - {"iam:ListPolicies", "iam:ListRoles"}
            assert not any(action.startswith(("iam:", "s3:")) for action in others)


@pytest.mark.parametrize("place", [Place.DEPLOYING, Place.SEEING, Place.REMOVAL])
def test_whoever_may_touch_a_set_may_touch_one_of_each_name(place: Place) -> None:
    patterns = [
        statement["Resource"]
        for statement in document(place)["Statement"]
        if ":stackset" in statement["Resource"]
    ]
    assert patterns
    for pattern in patterns:
        before = pattern.partition("/")[0].replace("*", "111122223333")
        for name in ("iam-org-revoker", "iam-org-revoker-ring-0"):
            assert fnmatchcase(f"{before}/{name}:0a1b2c3d", pattern), (name, pattern)
        assert not fnmatchcase(f"{before}/another:0a1b2c3d", pattern), pattern
