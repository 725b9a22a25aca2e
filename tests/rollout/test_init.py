"""The command init over HTTP: whom it proposes as administrators, and that its file is sound."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from handler.model.settings import read_role_patterns
from sandbox.__main__ import profile
from sandbox.box import Box
from sandbox.core.keys import Key, allow
from sandbox.organizations.identity_center import INSTANCE, SERVICE
from stacksets.__main__ import main
from stacksets.permissions.operator import Place, document
from tests.rollout.operator import Operator

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READER = "arn:aws:iam::aws:policy/ReadOnlyAccess"
SETS = "role/aws-reserved/sso.amazonaws.com/**AWSReservedSSO_"


@pytest.fixture
def center(box: Box) -> Any:
    """sso-admin in the management account, where Identity Center lives."""
    box.state.identity_center = "us-east-1"
    return box.client("sso-admin", box.management)


def make_set(center: Any, name: str, *policies: str) -> str:
    made = center.create_permission_set(InstanceArn=INSTANCE, Name=name)["PermissionSet"]
    for policy in policies:
        center.attach_managed_policy_to_permission_set(
            InstanceArn=INSTANCE,
            PermissionSetArn=made["PermissionSetArn"],
            ManagedPolicyArn=policy,
        )
    return str(made["PermissionSetArn"])


def assign(center: Any, permission_set: str, account: str) -> None:
    center.create_account_assignment(
        InstanceArn=INSTANCE,
        TargetId=account,
        TargetType="AWS_ACCOUNT",
        PermissionSetArn=permission_set,
        PrincipalType="GROUP",
        PrincipalId="01234567-0123-0123-0123-0123456789ab",
    )


def make_role(
    box: Box, account: str, name: str, *, path: str = "/", policy: str = ADMINISTRATOR
) -> None:
    iam = box.client("iam", account)
    trust = json.loads(allow("sts:AssumeRole"))
    del trust["Statement"][0]["Resource"]
    trust["Statement"][0]["Principal"] = {"AWS": account}
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)


class Init:
    """Runs the command in a folder of its own."""

    def __init__(self, box: Box, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.box, self.folder, self.monkeypatch = box, folder, monkeypatch
        self.file = folder / "rollout.toml"

    def run(self, *words: str, account: str = "", key: Key | None = None) -> str:
        """The file's text."""
        text = profile(self.box, account or self.box.management, "operator")
        if key is not None:
            lines = [line for line in text.splitlines() if not line.startswith("aws_")]
            lines.insert(1, f"aws_access_key_id = {key.access_key}")
            lines.insert(2, f"aws_secret_access_key = {key.secret}")
            lines.insert(3, f"aws_session_token = {key.token}")
            text = "\n".join(lines)
        config = self.folder / "config"
        config.write_text(text)
        self.monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        self.file.unlink(missing_ok=True)
        email = ("--email", "security@example.com")
        given = ("--file", str(self.file), "--profile", "operator", *email, *words)
        assert main(["init", *given]) == 0
        return self.file.read_text()


@pytest.fixture
def init(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    return Init(box, tmp_path, monkeypatch)


def proposed(text: str) -> dict[str, str]:
    """The patterns that are commented out, and the reason of each."""
    lines = [one.strip() for one in text.splitlines()]
    lines = [one for one in lines if one.startswith(('# "role/', '# "arn:'))]
    pairs = (line.removeprefix("# ").split(",  # ") for line in lines)
    return {json.loads(pattern): reason for pattern, reason in pairs}


def uncommented(text: str) -> str:
    return text.replace('  # "role/', '  "role/').replace('  # "arn:', '  "arn:')


def unread(text: str) -> list[str]:
    return [one.strip("# ") for one in text.splitlines() if one.startswith("  # Not read")]


def test_permission_sets_and_roles_are_proposed_each_with_its_reason(
    box: Box, center: Any, init: Init
) -> None:
    administrators = make_set(center, "Administrators", READER, ADMINISTRATOR)
    assign(center, administrators, box.management)
    make_set(center, "IamTeam")
    make_set(center, "Readers", READER)
    make_role(box, box.management, "break-glass", path="/rescue/")
    make_role(box, box.management, "chief")
    make_role(box, box.management, "terraform-prod", policy=READER)
    make_role(box, box.management, "reports", policy=READER)
    make_role(box, box.management, "iam-org-revoker-x", path="/iam-org-revoker/", policy=READER)
    text = init.run()
    assert proposed(text) == {
        f"{SETS}Administrators_*": "the permission set Administrators holds AdministratorAccess",
        f"{SETS}IamTeam_*": "the permission set IamTeam is called so",
        f"arn:aws:iam::{box.management}:role/rescue/break-glass": "holds AdministratorAccess",
        f"arn:aws:iam::{box.management}:role/chief": "holds AdministratorAccess",
        f"arn:aws:iam::{box.management}:role/terraform-prod": "is called so",
    }
    assert unread(text) == []
    held = tomllib.loads(text)["parameters"]["AdminRolePatterns"]
    assert not [one for one in held if one in proposed(text)]


def test_more_permission_sets_than_a_page_holds_are_all_proposed(center: Any, init: Init) -> None:
    names = {f"Admin{number}" for number in range(41)}
    for name in names:
        make_set(center, name)
    assert set(proposed(init.run())) == {f"{SETS}{name}_*" for name in names}


def test_with_every_proposal_taken_plan_accepts_the_file_and_the_roles_are_administrators(
    box: Box, center: Any, init: Init
) -> None:
    # What AWS lets names and paths hold: commas part patterns, stars mean something in them.
    hostile = {"admin=,+.@-_": "/x,role/**/", "b,c": '/"]\\#/', "evil'''": "/*/"}
    sets = ["IAM,role", "Admin,=+@.-_"]
    for name in sets:
        assign(center, make_set(center, name, ADMINISTRATOR), box.management)
    for name, path in hostile.items():
        make_role(box, box.management, name.replace("'", "="), path=path)
    text = uncommented(init.run()).replace('"undecided"', '"treat-as-empty"')
    operator = Operator(box, text)
    assert operator.plan().refusals == ()
    patterns = read_role_patterns(operator.wanted().rings[0].parameters["AdminRolePatterns"])
    assert len(patterns) == 4 + len(hostile) + len(sets)
    day = operator.today
    roles = box.client("iam", box.management).list_roles()["Roles"]
    ours = [one["Arn"] for one in roles if "AWSReserved" in one["Arn"] or one["Path"] != "/"]
    assert len(ours) == len(hostile) + len(sets)
    for arn in ours:
        assert sum(one.matches(role_arn=arn, on=day) for one in patterns) == 1, arn
    for stranger in ("x", "role/deep/x", "y/admin=,+.@-_", "aws-reserved/sso.amazonaws.com/role"):
        arn = f"arn:aws:iam::{box.management}:role/{stranger}"
        assert not any(one.matches(role_arn=arn, on=day) for one in patterns), stranger


def test_a_delegate_of_identity_center_sees_the_permission_sets_too(
    box: Box, center: Any, init: Init
) -> None:
    make_set(center, "Administrators", ADMINISTRATOR)
    organizations = box.client("organizations", box.management)
    # Whoever deploys from there reads the Organization as a delegate of StackSets.
    for service in (SERVICE, "member.org.stacksets.cloudformation.amazonaws.com"):
        organizations.enable_aws_service_access(ServicePrincipal=service)
        organizations.register_delegated_administrator(
            AccountId=box.security, ServicePrincipal=service
        )
    text = init.run(account=box.security)
    assert tomllib.loads(text)["deploy_from"] == box.security
    assert list(proposed(text)) == [f"{SETS}Administrators_*"]


def test_where_identity_center_is_out_of_sight_its_roles_in_the_account_are_proposed(
    box: Box, center: Any, init: Init
) -> None:
    assign(center, make_set(center, "Administrators", ADMINISTRATOR), box.security)
    organizations = box.client("organizations", box.management)
    service = "member.org.stacksets.cloudformation.amazonaws.com"
    organizations.enable_aws_service_access(ServicePrincipal=service)
    organizations.register_delegated_administrator(AccountId=box.security, ServicePrincipal=service)
    text = init.run(account=box.security)
    # Not OrganizationAccountAccessRole, which is in the file anyway.
    assert proposed(text) == {
        f"{SETS}Administrators_*": "the permission set Administrators holds AdministratorAccess"
    }
    (said,) = unread(text)
    assert "--identity-center-region" in said
    tomllib.loads(text)


def test_identity_center_of_another_region_is_found_where_it_is_named(box: Box, init: Init) -> None:
    box.state.identity_center = "eu-west-1"
    elsewhere = box.client("sso-admin", box.management, region="eu-west-1")
    assign(elsewhere, make_set(elsewhere, "Administrators", ADMINISTRATOR), box.management)
    (said,) = unread(init.run())
    assert said.startswith("Not read, Identity Center: none that this account may see lives in")
    text = init.run("--identity-center-region", "eu-west-1")
    assert unread(text) == []
    ((pattern, _),) = proposed(text).items()
    (role,) = [
        one["Arn"]
        for one in box.client("iam", box.management).list_roles()["Roles"]
        if "AWSReservedSSO" in one["RoleName"]
    ]
    assert "/eu-west-1/" in role
    (read,) = read_role_patterns(pattern)
    assert read.matches(role_arn=role, on=Operator(box, text).today)


def test_init_works_under_exactly_its_documented_permissions_and_says_what_it_may_not_read(
    box: Box, center: Any, init: Init
) -> None:
    make_set(center, "Administrators", ADMINISTRATOR)
    make_role(box, box.management, "break-glass")
    whole = box.new_session(box.management, "beginner", document(Place.BEGINNING))
    text = init.run(key=whole)
    assert unread(text) == []
    role = f"arn:aws:iam::{box.management}:role/break-glass"
    assert set(proposed(text)) == {f"{SETS}Administrators_*", role}
    for action, what in (
        ("sso:ListInstances", "Identity Center"),
        ("sso:ListPermissionSets", "Identity Center"),
        ("sso:DescribePermissionSet", "Identity Center"),
        ("sso:ListManagedPoliciesInPermissionSet", "Identity Center"),
        ("iam:ListEntitiesForPolicy", "roles of"),
        ("iam:GetRole", "roles of"),
        ("iam:ListRoles", "names of roles of"),
    ):
        less = document(Place.BEGINNING, without=action)
        text = init.run(key=box.new_session(box.management, action.replace(":", "-"), less))
        (said,) = unread(text)
        assert said.startswith(f"Not read, {what}"), said
        assert action in said
        tomllib.loads(text)
