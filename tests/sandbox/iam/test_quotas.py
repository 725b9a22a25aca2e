"""IAM refuses in the sandbox what it refuses on AWS: quotas, protected roles, missing policies."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.parts import allow, document

SOME = document(allow("s3:*"))
PROTECTED = (
    "Cannot perform the operation on the protected role 'one' - this role is only modifiable by AWS"
)


def administrator(box: Box, account: str) -> Any:
    return box.client("iam", key=box.new_user(account, "admin", "iam:*"))


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def policies(box: Box, account: str, count: int) -> list[str]:
    iam = box.client("iam", account)
    return [
        iam.create_policy(PolicyName=f"p{number}", PolicyDocument=SOME)["Policy"]["Arn"]
        for number in range(count)
    ]


def make(box: Box, account: str, kind: str, *, path: str = "/") -> dict[str, str]:
    """Make a user, group or role named `one`; answer the parameter that names it."""
    iam = box.client("iam", account)
    named = {f"{kind.title()}Name": "one"}
    trust = {"AssumeRolePolicyDocument": SOME} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**named, **trust, Path=path)
    return named


@pytest.mark.parametrize(("kind", "most"), [("user", 10), ("role", 20), ("group", 10)])
def test_one_policy_too_many_is_refused(box: Box, account: str, kind: str, most: int) -> None:
    named = make(box, account, kind)
    attach = getattr(administrator(box, account), f"attach_{kind}_policy")
    *fitting, extra = policies(box, account, most + 1)
    for arn in fitting:
        attach(**named, PolicyArn=arn)
    attach(**named, PolicyArn=fitting[0])
    assert refusal(attach, **named, PolicyArn=extra) == (
        "LimitExceeded",
        f"Cannot exceed quota for PoliciesPer{kind.title()}: {most}",
    )


def test_an_eleventh_group_is_refused(box: Box, account: str) -> None:
    named, iam = make(box, account, "user"), administrator(box, account)
    for number in range(11):
        box.client("iam", account).create_group(GroupName=f"g{number}")
    for number in range(10):
        iam.add_user_to_group(**named, GroupName=f"g{number}")
    iam.add_user_to_group(**named, GroupName="g0")
    assert refusal(iam.add_user_to_group, **named, GroupName="g10") == (
        "LimitExceeded",
        "Cannot exceed quota for GroupsPerUser: 10",
    )


@pytest.mark.parametrize(("kind", "most"), [("user", 2048), ("role", 10240), ("group", 5120)])
def test_inline_policies_fit_together_without_their_spaces(
    box: Box, account: str, kind: str, most: int
) -> None:
    named = make(box, account, kind)
    put = getattr(administrator(box, account), f"put_{kind}_policy")
    empty = document(allow("s3:GetObject", "arn:aws:s3:::")).replace(" ", "")
    fitting = empty.replace(":::", ":::" + "b" * (most - len(empty)))
    spaced = fitting.replace(",", " ,\n ")
    put(**named, PolicyName="first", PolicyDocument=spaced)
    code, message = refusal(put, **named, PolicyName="second", PolicyDocument=SOME)
    assert code == "LimitExceeded"
    assert message == f"Maximum policy size of {most} bytes exceeded for {kind} one"
    put(**named, PolicyName="first", PolicyDocument=SOME)
    put(**named, PolicyName="second", PolicyDocument=SOME)


@pytest.mark.parametrize("path", ["/aws-service-role/ecs.amazonaws.com/", "/aws-reserved/sso/"])
@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("attach_role_policy", {"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
        ("put_role_policy", {"PolicyName": "p", "PolicyDocument": SOME}),
        ("put_role_permissions_boundary", {"PermissionsBoundary": "arn:aws:iam::aws:policy/X"}),
        ("update_assume_role_policy", {"PolicyDocument": SOME}),
        ("delete_role", {}),
    ],
)
def test_a_role_of_aws_is_modifiable_by_aws_only(
    box: Box, account: str, path: str, call: str, params: dict[str, str]
) -> None:
    named = make(box, account, "role", path=path)
    assert refusal(getattr(administrator(box, account), call), **named, **params) == (
        "UnmodifiableEntity",
        PROTECTED,
    )
    box.client("iam", account).put_role_policy(**named, PolicyName="p", PolicyDocument=SOME)


def test_a_role_beside_the_reserved_paths_is_not_protected(box: Box, account: str) -> None:
    named = make(box, account, "role", path="/aws-reserved-not/")
    administrator(box, account).put_role_policy(**named, PolicyName="p", PolicyDocument=SOME)


@pytest.mark.parametrize("kind", ["user", "role", "group"])
def test_a_policy_that_does_not_exist_cannot_be_attached(box: Box, account: str, kind: str) -> None:
    named = make(box, account, kind)
    missing = f"arn:aws:iam::{account}:policy/missing"
    attach = getattr(administrator(box, account), f"attach_{kind}_policy")
    assert refusal(attach, **named, PolicyArn=missing) == (
        "NoSuchEntity",
        f"Policy {missing} does not exist or is not attachable.",
    )


@pytest.mark.parametrize("use", ["attached", "boundary"])
def test_a_policy_in_use_cannot_be_deleted(box: Box, account: str, use: str) -> None:
    named, iam = make(box, account, "user"), administrator(box, account)
    (arn,) = policies(box, account, 1)
    if use == "attached":
        iam.attach_user_policy(**named, PolicyArn=arn)
    else:
        iam.put_user_permissions_boundary(**named, PermissionsBoundary=arn)
    assert refusal(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"


def test_a_group_in_use_cannot_be_deleted(box: Box, account: str) -> None:
    named, iam = make(box, account, "group"), administrator(box, account)
    iam.add_user_to_group(**named, UserName="admin")
    assert refusal(iam.delete_group, **named) == (
        "DeleteConflict",
        "Cannot delete entity, must remove users from group first.",
    )
    iam.remove_user_from_group(**named, UserName="admin")
    iam.delete_group(**named)


def test_the_third_key_of_a_user_is_refused_until_one_is_gone(box: Box, account: str) -> None:
    iam = administrator(box, account)
    iam.create_user(UserName="one")
    first = iam.create_access_key(UserName="one")["AccessKey"]["AccessKeyId"]
    iam.create_access_key(UserName="one")
    assert refusal(iam.create_access_key, UserName="one") == (
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
    )
    iam.delete_access_key(UserName="one", AccessKeyId=first)
    iam.create_access_key(UserName="one")


def test_a_policy_s_name_is_there_once_whatever_its_path_and_its_case(
    box: Box, account: str
) -> None:
    create = administrator(box, account).create_policy
    create(PolicyName="one", Path="/team/", PolicyDocument=SOME)
    create(PolicyName="one-too", PolicyDocument=SOME)
    assert refusal(create, PolicyName="One", PolicyDocument=SOME) == (
        "EntityAlreadyExists",
        "A policy called One already exists.",
    )
