"""Uninstalling while somebody is contained fails at the deny, and works after her release.

That function and table stay until then is CloudFormation's order of deletion, which the emulator
does not keep after a failure; a test of the template holds what depends on what.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.names import DENY_GROUP, STATE_TABLE
from sandbox.demo.product_setup import Stage, is_denied
from tests.end_to_end.rollout import MEMBER, deploy_member
from tests.waiting import wait_until


def test_a_stack_whose_deny_is_in_use_stays_goes_after_the_release_and_can_come_again(
    enforcing: Stage, bare_account: str
) -> None:
    box = enforcing.box
    wanted = {
        "CentralBusArn": enforcing.bus_arn,
        "Mode": "enforce",
        "MissingGroup": "treat-as-empty",
    }
    deploy_member(box, bare_account, **wanted)
    key = box.new_user(bare_account, "mallory", "iam:*")
    mallory = box.client("iam", bare_account, key=key)
    mallory.create_user(UserName="accomplice")
    box.settle()
    assert is_denied(mallory.list_users)

    assert deleted(box.client("cloudformation", bare_account)) == "DELETE_FAILED"
    assert is_denied(mallory.list_users)

    administrator = box.client("iam", bare_account)
    for user in ("mallory", "accomplice"):
        for policy in administrator.list_attached_user_policies(UserName=user)["AttachedPolicies"]:
            if "/iam-org-revoker/" in policy["PolicyArn"]:
                administrator.detach_user_policy(UserName=user, PolicyArn=policy["PolicyArn"])
    assert deleted(box.client("cloudformation", bare_account)) == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        box.client("dynamodb", bare_account).describe_table(TableName=STATE_TABLE)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        administrator.get_group(GroupName=DENY_GROUP)

    # Nothing with a fixed name was kept: it can be installed again.
    deploy_member(box, bare_account, **wanted)
    deleted(box.client("cloudformation", bare_account))


def deleted(cloudformation: Any) -> str:
    """Delete the member stack; the status in which it comes to rest."""
    stack = cloudformation.describe_stacks(StackName=MEMBER)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=MEMBER)

    def at_rest() -> str | None:
        status = str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        return status if status in ("DELETE_COMPLETE", "DELETE_FAILED") else None

    return wait_until(at_rest, "the stack does not come to rest")
