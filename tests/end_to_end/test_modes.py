"""Where the member stack refuses to be, and what its role can do in each mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.names import DENY_GROUP, REVOKER, SESSION_DENY_GROUP, iam_arn
from sandbox.core import service_client
from sandbox.core.calls import service_model
from sandbox.core.keys import REGION
from sandbox.demo.deploy import RolloutFailed
from sandbox.demo.product_setup import Stage, is_denied
from tests.end_to_end.coverage import subjects
from tests.end_to_end.rollout import credentials_of, deploy_member

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READS = ("Get", "List", "Generate", "Simulate")
WRITES = [name for name in service_model("iam").operation_names if not name.startswith(READS)]


def deny_arn(account: str) -> str:
    return iam_arn(partition="aws", account=account, kind="policy", name="iam-org-revoker-deny")


@pytest.mark.parametrize("region", ["eu-west-1", "us-west-2"])
def test_a_member_stack_where_no_event_of_iam_appears_fails_and_says_so(
    stage: Stage, bare_account: str, region: str
) -> None:
    with pytest.raises((ClientError, RolloutFailed)) as caught:
        deploy_member(stage.box, bare_account, region=region, CentralBusArn=stage.bus_arn)
    assert (
        "IAM's events appear in one region of a partition only. Deploy in us-east-1 "
        "(GovCloud: us-gov-west-1, China: cn-north-1)."
    ) in str(caught.value)
    found = stage.box.client("lambda", bare_account, region=region).list_functions()["Functions"]
    assert found == []


def test_observing_the_role_holds_no_write_of_iam_whatever_the_request(
    stage: Stage, bare_account: str
) -> None:
    deploy_member(stage.box, bare_account, CentralBusArn=stage.bus_arn)
    assert granted(bare_account) == {}


def test_enforcing_the_role_holds_the_writes_of_the_deny_methods_and_no_other(
    enforcing: Stage, account: str
) -> None:
    role_or_user = {"user": [True, False, False, False], "role": [False, True, False, False]}
    assert granted(account) == {
        "AttachUserPolicy": role_or_user["user"],
        "DetachUserPolicy": role_or_user["user"],
        "AttachRolePolicy": role_or_user["role"],
        "DetachRolePolicy": role_or_user["role"],
        "AddUserToGroup": [False, False, True, True],
        "RemoveUserFromGroup": [False, False, True, True],
        "PutRolePermissionsBoundary": role_or_user["role"],
        "UpdateAccessKey": role_or_user["user"],
        "UpdateSSHPublicKey": role_or_user["user"],
        "UpdateServiceSpecificCredential": role_or_user["user"],
        "UpdateSigningCertificate": role_or_user["user"],
        "DeleteLoginProfile": role_or_user["user"],
    }


def granted(account: str) -> dict[str, list[bool]]:
    """The IAM writes that the role has in the most favourable request: on a user, a role, and
    our deny groups."""
    role = iam_arn(partition="aws", account=account, kind="role", name=REVOKER)
    key = service_client.role_credentials(role, "modes")
    resources = [
        f"arn:aws:iam::{account}:user/mallory",
        f"arn:aws:iam::{account}:role/deploy",
        *(
            iam_arn(partition="aws", account=account, kind="group", name=name)
            for name in (DENY_GROUP, SESSION_DENY_GROUP)
        ),
    ]
    favourable = {
        "iam__PolicyARN": deny_arn(account),
        "iam__PermissionsBoundary": deny_arn(account),
        "lambda__SourceFunctionArn": f"arn:aws:lambda:{REGION}:{account}:function:{REVOKER}",
    }
    answers = {
        name: [
            service_client.may(key, f"iam:{name}", resource, region=REGION, **favourable)
            for resource in resources
        ]
        for name in WRITES
    }
    return {name: may for name, may in answers.items() if any(may)}


Attempt = Callable[[Any, str], Any]

GRANTS: dict[str, Attempt] = {
    "attach another policy": lambda iam, _: iam.attach_user_policy(
        UserName="mallory", PolicyArn=ADMINISTRATOR
    ),
    "attach a policy that looks like the deny": lambda iam, account: iam.attach_user_policy(
        UserName="mallory", PolicyArn=deny_arn(account).replace("iam-org-revoker/", "", 1)
    ),
    "put an inline policy": lambda iam, _: iam.put_user_policy(
        UserName="mallory", PolicyName="p", PolicyDocument="{}"
    ),
    "join the administrators": lambda iam, _: iam.add_user_to_group(
        GroupName="Administrators", UserName="mallory"
    ),
    "make a key": lambda iam, _: iam.create_access_key(UserName="mallory"),
    "change a trust policy": lambda iam, _: iam.update_assume_role_policy(
        RoleName="deploy", PolicyDocument="{}"
    ),
    "rewrite the deny": lambda iam, account: iam.create_policy_version(
        PolicyArn=deny_arn(account), PolicyDocument="{}", SetAsDefault=True
    ),
    "detach another policy": lambda iam, _: iam.detach_user_policy(
        UserName="mallory", PolicyArn=ADMINISTRATOR
    ),
    "set another boundary": lambda iam, _: iam.put_role_permissions_boundary(
        RoleName="deploy", PermissionsBoundary=ADMINISTRATOR
    ),
}


def attach_the_deny(iam: Any, account: str) -> None:
    iam.attach_user_policy(UserName="mallory", PolicyArn=deny_arn(account))


def test_with_the_functions_own_credentials_nothing_can_be_granted(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    box.new_user(account, "mallory", groups=("Administrators",))
    box.new_session(account, "deploy")
    iam = box.client("iam", key=credentials_of(box, account, REVOKER))
    succeeded = [name for name, attempt in GRANTS.items() if not _refused(attempt, iam, account)]
    assert succeeded == []
    attach_the_deny(iam, account)
    assert enforcing.denied(account, user="mallory")


def test_observing_the_function_cannot_even_put_the_deny(stage: Stage, bare_account: str) -> None:
    box = stage.box
    deploy_member(box, bare_account, CentralBusArn=stage.bus_arn, Mode="observe")
    box.new_user(bare_account, "mallory", groups=("Administrators",))
    iam = box.client("iam", key=credentials_of(box, bare_account, REVOKER))
    assert is_denied(lambda: attach_the_deny(iam, bare_account))
    assert not stage.denied(bare_account, user="mallory")


def test_taken_out_of_the_function_the_role_writes_nothing(enforcing: Stage, account: str) -> None:
    role = iam_arn(partition="aws", account=account, kind="role", name=REVOKER)
    key = service_client.role_credentials(role, "iam-org-revoker")
    asked = {"iam__PolicyARN": deny_arn(account), "iam__PermissionsBoundary": deny_arn(account)}
    elsewhere = f"arn:aws:lambda:{REGION}:{account}:function:{REVOKER}-evil"
    for source in ({}, {"lambda__SourceFunctionArn": elsewhere}):
        for name in WRITES:
            user = f"arn:aws:iam::{account}:user/mallory"
            assert not service_client.may(
                key, f"iam:{name}", user, region=REGION, **asked, **source
            ), name


def test_back_in_observe_mode_a_call_is_only_told_of(stage: Stage, bare_account: str) -> None:
    box = stage.box
    for mode in ("enforce", "observe"):
        deploy_member(
            box, bare_account, CentralBusArn=stage.bus_arn, Mode=mode, MissingGroup="treat-as-empty"
        )
    key = box.new_user(bare_account, "mallory", "iam:*")
    mallory = box.client("iam", bare_account, key=key)
    mallory.create_user(UserName="accomplice")
    assert subjects(stage, bare_account) == []
    stage.sweep_next_morning()
    (digest,) = [mail for mail in stage.new_mails() if bare_account in mail.body]
    assert digest.subject.startswith("[IAM would be revoked]")
    assert "  # aws iam add-user-to-group" in digest.body
    assert "--user-name=mallory" in digest.body
    assert not is_denied(mallory.list_users)


def _refused(attempt: Attempt, iam: Any, account: str) -> bool:
    return is_denied(lambda: attempt(iam, account))
