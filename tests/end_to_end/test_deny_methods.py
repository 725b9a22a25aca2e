"""Callers that the first deny method cannot hold: the next one does, or the team is told why."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.core.keys import Key, allow
from sandbox.demo.product_setup import Stage, is_denied
from tests.end_to_end.coverage import mails, recorded, words
from tests.end_to_end.rollout import deploy_member

SSO_PATH = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
SSO_ROLE = "AWSReservedSSO_Developer_0123456789abcdef"


def filler(box: Box, account: str, number: int) -> str:
    made = box.client("iam", account).create_policy(
        PolicyName=f"filler-{number}", PolicyDocument=allow("s3:ListAllMyBuckets")
    )
    return str(made["Policy"]["Arn"])


def user_at_every_quota(box: Box, account: str) -> Key:
    """mallory, with ten policies and ten groups: IAM takes no more of either."""
    iam = box.client("iam", account)
    teams = tuple(f"team-{number}" for number in range(10))
    key = box.new_user(account, "mallory", "iam:*", groups=teams)
    for number in range(10):
        iam.attach_user_policy(UserName="mallory", PolicyArn=filler(box, account, number))
    return key


def role_at_its_quota(box: Box, account: str) -> Key:
    """A session of deploy, a role with twenty policies."""
    key = box.new_session(account, "deploy", "iam:*", path="/teams/")
    for number in range(20):
        box.client("iam", account).attach_role_policy(
            RoleName="deploy", PolicyArn=filler(box, account, number)
        )
    return key


def test_a_user_whom_no_quota_lets_hold_is_told_of_with_every_deny_methods_reason(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    mallory = box.client("iam", account, key=user_at_every_quota(box, account))
    mallory.create_user(UserName="accomplice")
    box.settle()
    (mail,) = mails(enforcing, account)
    assert mail.subject == f"[CRITICAL: not contained] {account} user mallory: CreateUser"
    said = words(mail)
    assert "It still has IAM access." in said
    quota = "LimitExceeded, Cannot exceed quota for"
    assert f"Could not attach the deny policy: {quota} PoliciesPerUser" in said
    assert f"Could not add the user to the deny group: {quota} GroupsPerUser" in said
    assert "inline" not in said
    assert not is_denied(mallory.list_users)


def test_where_a_parameter_allows_it_an_inline_deny_holds_her(
    enforcing: Stage, bare_account: str
) -> None:
    box = enforcing.box
    deploy_member(
        box,
        bare_account,
        CentralBusArn=enforcing.bus_arn,
        Mode="enforce",
        MissingGroup="treat-as-empty",
        InlineDeny="allow",
    )
    mallory = box.client("iam", bare_account, key=user_at_every_quota(box, bare_account))
    mallory.create_user(UserName="accomplice")
    box.settle()
    (mail,) = mails(enforcing, bare_account)
    assert mail.subject == f"[IAM revoked] {bare_account} user mallory: CreateUser"
    assert "Done Added an inline deny." in words(mail)
    undo = "aws iam delete-user-policy --user-name=mallory --policy-name=iam-org-revoker-deny"
    assert f"    {undo}" in mail.body.splitlines()
    assert is_denied(mallory.list_users)
    inline = box.client("iam", bare_account).list_user_policies(UserName="mallory")["PolicyNames"]
    assert inline == ["allowed-0", "iam-org-revoker-deny"]


def test_a_role_at_its_quota_gets_the_deny_as_its_boundary(enforcing: Stage, account: str) -> None:
    box = enforcing.box
    session = box.client("iam", account, key=role_at_its_quota(box, account))
    session.create_user(UserName="accomplice")
    box.settle()
    (mail,) = mails(enforcing, account)
    assert mail.subject == f"[IAM revoked] {account} role deploy: CreateUser"
    assert "Set the deny as the role's permissions boundary" in words(mail)
    assert "Could not attach the deny policy: LimitExceeded" in words(mail)
    deny = f"arn:aws:iam::{account}:policy/iam-org-revoker/iam-org-revoker-deny"
    role = box.client("iam", account).get_role(RoleName="deploy")["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == deny
    assert is_denied(session.list_users)


def test_a_role_at_its_quota_with_its_owners_boundary_keeps_it_and_is_told_of(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    key = role_at_its_quota(box, account)
    iam = box.client("iam", account)
    owners = iam.create_policy(PolicyName="bounds", PolicyDocument=allow("iam:*"))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="deploy", PermissionsBoundary=owners)
    box.client("iam", account, key=key).create_user(UserName="accomplice")
    box.settle()
    (mail,) = mails(enforcing, account)
    assert mail.subject == f"[CRITICAL: not contained] {account} role deploy: CreateUser"
    assert "Could not set the deny as permissions boundary: refused, the role has" in words(mail)
    boundary = iam.get_role(RoleName="deploy")["Role"]["PermissionsBoundary"]
    assert boundary["PermissionsBoundaryArn"] == owners


def test_a_session_of_identity_center_is_critical_and_its_role_is_left_alone(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    key = box.new_session(account, SSO_ROLE, "iam:*", path=SSO_PATH, session="dana@example.com")
    box.client("iam", account, key=key).create_user(UserName="accomplice")
    box.settle()
    (mail,) = mails(enforcing, account)
    assert mail.subject == f"[CRITICAL: not contained] {account} role {SSO_ROLE}: CreateUser"
    assert "no policy in this account can deny it" in words(mail)
    assert "(session dana@example.com)" in words(mail)
    assert "remove the person's assignment to this account" in words(mail)
    assert not enforcing.denied(account, role=SSO_ROLE)


def test_whoever_bears_an_offenders_name_by_now_is_not_held_in_her_place(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    iam = box.client("iam", account)
    key = box.new_user(account, "mallory", "iam:*")
    # Until the event arrives, the user is deleted and another is made under her name.
    box.state.trail_enabled = False
    box.client("iam", account, key=key).create_user(UserName="accomplice")
    box.state.trail_enabled = True
    for made in iam.list_access_keys(UserName="mallory")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="mallory", AccessKeyId=made["AccessKeyId"])
    iam.delete_user_policy(UserName="mallory", PolicyName="allowed-0")
    iam.delete_user(UserName="mallory")
    other = iam.create_user(UserName="mallory")["User"]["UserId"]
    box.emit(recorded(box, account, "CreateUser"))
    box.settle()
    (mail,) = mails(enforcing, account)
    assert mail.subject == f"[IAM caller deleted] {account} user mallory: CreateUser"
    assert f"The name 'mallory' now belongs to another principal ({other})" in words(mail)
    assert not enforcing.denied(account, user="mallory")


def test_a_user_who_was_renamed_meanwhile_is_found_by_her_id(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    key = box.new_user(account, "mallory", "iam:*")
    box.state.trail_enabled = False
    box.client("iam", account, key=key).create_user(UserName="accomplice")
    box.state.trail_enabled = True
    box.client("iam", account).update_user(UserName="mallory", NewUserName="innocent")
    box.new_user(account, "mallory")
    box.emit(recorded(box, account, "CreateUser"))
    box.settle()
    (mail,) = mails(enforcing, account)
    assert mail.subject == f"[IAM revoked] {account} user innocent: CreateUser"
    assert "Found by id under the name 'innocent'." in words(mail)
    assert enforcing.denied(account, user="innocent")
    assert not enforcing.denied(account, user="mallory")
