"""The first file: sound as it is written, whatever the Organization's people call their things."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from handler.model.settings import read_role_patterns
from stacksets.__main__ import main
from stacksets.cli import init
from stacksets.config.load import REGIONS, BadFile, read_wanted
from stacksets.config.model import Access
from stacksets.init.admin_candidates import (
    NoIdentityCenter,
    Proposal,
    permission_sets,
    roles,
    roles_by_name,
)
from stacksets.init.scaffold import Found, first_file, guess_central
from stacksets.observe.clients import CannotEnter, Clients, open_clients
from stacksets.observed.organization import Account
from tests.stacksets.config.test_load import CENTRAL, MEMBER
from tests.stacksets.scene import (
    INNER,
    MANAGEMENT,
    ONE,
    SECURITY,
    SMALL,
    THREE,
    organization,
)

ROOT = Path(__file__).parents[3]
FOUND = Found(
    organization=replace(
        organization(),
        accounts={
            **organization().accounts,
            SECURITY: replace(organization().accounts[SECURITY], name="security"),
        },
    ),
    region="us-east-1",
    organization_trail=True,
    central=replace(organization().accounts[SECURITY], name="security"),
    email="security@example.com",
    deploy_from="management",
    access_role="OrganizationAccountAccessRole",
    proposals=(
        Proposal(
            "role/aws-reserved/sso.amazonaws.com/**AWSReservedSSO_Administrators_*",
            "the permission set Administrators holds AdministratorAccess",
        ),
        Proposal(f"arn:aws:iam::{MANAGEMENT}:role/deployer", "holds IAMFullAccess"),
    ),
    unread=(),
)


def test_the_first_file_is_sound_as_it_is_written() -> None:
    wanted = read_wanted(first_file(FOUND), member=MEMBER, central=CENTRAL)
    assert [(ring.name, ring.units, ring.mode) for ring in wanted.rings] == [
        ("canary", ("Large",), "observe"),
        ("everyone", ("Small",), "observe"),
    ]
    assert wanted.central.account == SECURITY
    assert wanted.guardrail.attach.value == "nowhere"


def test_the_document_shows_the_first_file() -> None:
    shown = (ROOT / "docs" / "rollout.md").read_text()
    assert f"```toml\n{first_file(FOUND)}```" in shown


def test_proposed_administrators_are_commented_out_with_the_reason() -> None:
    lines = first_file(FOUND).splitlines()
    assert f'  # "arn:aws:iam::{MANAGEMENT}:role/deployer",  # holds IAMFullAccess' in lines
    wanted = read_wanted(first_file(FOUND), member=MEMBER, central=CENTRAL)
    assert "deployer" not in wanted.rings[0].parameters["AdminRolePatterns"]


def test_what_nobody_can_find_out_is_asked_for_by_the_reader() -> None:
    empty = first_file(replace(FOUND, central=None, email=""))
    with pytest.raises(BadFile) as caught:
        read_wanted(empty, member=MEMBER, central=CENTRAL)
    assert [sentence.partition(": ")[2] for sentence in caught.value.sentences] == [
        "central.account is ''; it must be the 12 digits of the security account, in quotes.",
        "central.parameters: give Email or SNSTopicArn, or nobody hears of an incident.",
    ]


def with_accounts(*accounts: Account) -> Found:
    """The same Organization with these accounts besides, or in their place."""
    here = FOUND.organization
    known = {**here.accounts, **{one.id: one for one in accounts}}
    return replace(FOUND, organization=replace(here, accounts=known))


def test_accounts_right_below_the_root_are_named_with_what_to_do() -> None:
    root = FOUND.organization.root
    found = with_accounts(
        Account(ONE, "payments", "a@example.com", "ACTIVE", root),
        Account(THREE, "closed", "a@example.com", "SUSPENDED", root),
    )
    file = first_file(found)
    (said,) = [part for part in file.split("\n\n") if part.startswith("# Right below the root")]
    assert said == (
        "# Right below the root, and so in no ring: nothing is rolled out to these accounts, and\n"
        '# status calls each "not reached". Move it into an OU of a ring (aws organizations\n'
        "# move-account --account-id ID --source-parent-id r-ab12\n"
        "# --destination-parent-id UNIT), or exclude it, under [[excluded]] below.\n"
        f"#   {ONE} payments"
    )
    wanted = read_wanted(file, member=MEMBER, central=CENTRAL)
    assert [ring.units for ring in wanted.rings] == [("Large",), ("Small",)]
    assert "Right below the root" not in first_file(FOUND)


def test_where_no_unit_holds_an_account_the_root_is_the_ring() -> None:
    here = FOUND.organization
    flat = [replace(one, unit=here.root) for one in here.accounts.values()]
    file = first_file(with_accounts(*flat))
    (ring,) = read_wanted(file, member=MEMBER, central=CENTRAL).rings
    assert (ring.name, ring.units) == ("everyone", ("/",))
    assert '  "/",  # 4 accounts' in file
    assert "Right below the root" not in file


@pytest.mark.parametrize("name", ['a "b" # c', "line\nbreak", "Zürich ✓", "x/y", "\U0001f600", "'"])
def test_a_hostile_name_breaks_no_file(name: str) -> None:
    here = FOUND.organization
    unit = replace(here.units[SMALL], name=name, path=(name,))
    account = Account(ONE, name, "a@example.com", "ACTIVE", here.root)
    hostile = replace(
        FOUND,
        organization=replace(
            here, units={**here.units, SMALL: unit}, accounts={**here.accounts, ONE: account}
        ),
        central=replace(here.accounts[SECURITY], name=name),
        proposals=(Proposal("role/x", name),),
        unread=(name,),
    )
    wanted = read_wanted(first_file(hostile), member=MEMBER, central=CENTRAL)
    assert {unit for ring in wanted.rings for unit in ring.units} == {
        "Large",
        SMALL if "/" in name else name,
    }


def test_the_security_account_is_guessed_only_where_one_is_called_so() -> None:
    assert guess_central(organization()) is None
    found = guess_central(FOUND.organization)
    assert found is not None
    assert found.id == SECURITY
    twice = dict(FOUND.organization.accounts)
    twice[THREE] = Account(THREE, "Security tooling", "a@example.com", "ACTIVE", INNER)
    assert guess_central(replace(FOUND.organization, accounts=twice)) is None


class Answers:
    """A client that answers each operation with one page."""

    def __init__(self, **answers: object) -> None:
        self._answers = answers

    def get_paginator(self, operation: str) -> Answers:
        return Answers(page=self._answers[operation])

    def paginate(self, **_asked: object) -> list[object]:
        return [self._answers["page"]]

    def describe_permission_set(self, *, PermissionSetArn: str, **_: str) -> object:
        return {"PermissionSet": {"Name": PermissionSetArn.rpartition("/")[2]}}

    def get_role(self, *, RoleName: str) -> object:
        path = "/aws-reserved/sso.amazonaws.com/" if "SSO" in RoleName else "/teams/"
        return {"Role": {"Path": path, "Arn": f"arn:aws:iam::{MANAGEMENT}:role{path}{RoleName}"}}


def test_permission_sets_are_proposed_by_policy_and_by_name() -> None:
    client = Answers(
        list_instances={"Instances": [{"InstanceArn": "arn:aws:sso:::instance/ssoins-1"}]},
        list_permission_sets={"PermissionSets": ["ps/Reader", "ps/IamTeam"]},
        list_managed_policies_in_permission_set={"AttachedManagedPolicies": []},
    )
    assert list(permission_sets(client)) == [
        Proposal(
            "role/aws-reserved/sso.amazonaws.com/**AWSReservedSSO_IamTeam_*",
            "the permission set IamTeam is called so",
        )
    ]


def test_roles_are_proposed_in_their_account_alone_but_not_those_of_identity_center() -> None:
    held = {"PolicyRoles": [{"RoleName": "chief"}, {"RoleName": "AWSReservedSSO_A_1"}]}
    found = list(roles(Answers(list_entities_for_policy=held), "aws"))
    arn = f"arn:aws:iam::{MANAGEMENT}:role/teams/chief"
    assert found == [
        Proposal(arn, "holds AdministratorAccess"),
        Proposal(arn, "holds IAMFullAccess"),
    ]
    # No administrator is whoever makes a role of that name elsewhere.
    (pattern,) = read_role_patterns(found[0].pattern)
    assert pattern.matches(role_arn=arn, on=date.min)
    assert not pattern.matches(role_arn=arn.replace(MANAGEMENT, ONE), on=date.min)


def test_a_role_of_a_permission_set_is_proposed_by_the_pattern_of_all_accounts() -> None:
    held = {"PolicyRoles": [{"RoleName": "AWSReservedSSO_A,B_0123456789abcdef"}]}
    assert next(roles(Answers(list_entities_for_policy=held), "aws")) == Proposal(
        "role/aws-reserved/sso.amazonaws.com/**AWSReservedSSO_A?B_*",
        "the permission set A,B holds AdministratorAccess",
    )


def test_roles_are_proposed_by_name_but_neither_aws_s_nor_ours() -> None:
    sso, arn = "/aws-reserved/sso.amazonaws.com/", f"arn:aws:iam::{MANAGEMENT}:role"
    names = (
        *(("/", "ci-Deploy"), ("/", "reader"), ("/teams/", "break-glass")),
        *(
            ("/aws-service-role/iam.example.com/", "AWSServiceRoleForIam"),
            (sso, "AWSReservedSSO_A"),
        ),
        *(
            (sso, "AWSReservedSSO_IamTeam_0123456789abcdef"),
            ("/iam-org-revoker/", "iam-org-revoker"),
        ),
        (sso, "AWSReservedSSO_Reader_0123456789abcdef"),
    )
    listed = [{"Path": path, "RoleName": name, "Arn": f"{arn}{path}{name}"} for path, name in names]
    assert list(roles_by_name(Answers(list_roles={"Roles": listed}))) == [
        Proposal(f"{arn}/ci-Deploy", "is called so"),
        Proposal(f"{arn}/teams/break-glass", "is called so"),
        Proposal(
            "role/aws-reserved/sso.amazonaws.com/**AWSReservedSSO_IamTeam_*",
            "the permission set IamTeam is called so",
        ),
    ]


def test_no_identity_center_is_told_and_not_taken_for_none_that_looks_like_it() -> None:
    with pytest.raises(NoIdentityCenter, match="--identity-center-region"):
        list(permission_sets(Answers(list_instances={"Instances": []})))


def test_the_management_account_is_no_rings_and_no_central_account() -> None:
    accounts = dict(organization().accounts)
    accounts[MANAGEMENT] = replace(accounts[MANAGEMENT], name="security")
    assert guess_central(replace(organization(), accounts=accounts)) is None


def test_where_no_file_can_be_written_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stacksets.cli.init._clients", lambda *_: None)
    monkeypatch.setattr("stacksets.cli.init._look", lambda *_: FOUND)
    file = tmp_path / "nowhere" / "rollout.toml"
    assert main(["init", "--file", str(file)]) == 2
    assert capsys.readouterr().err == f"{file} cannot be written: No such file or directory.\n"


def keys_of(partition: str, asked: list[str]) -> Callable[..., Clients]:
    """STS as it knows keys of this partition only; `asked` takes the regions."""

    def opens(_access: Access, *, region: str, profile: str | None) -> Clients:
        asked.append(region)
        known = {REGIONS[partition], "us-gov-east-1" if partition == "aws-us-gov" else ""}
        if region not in known:
            answer = {"Error": {"Code": "InvalidClientTokenId", "Message": "invalid"}}
            raise CannotEnter(f"nobody in {region}") from ClientError(answer, "GetCallerIdentity")
        caller = f"arn:{partition}:iam::{MANAGEMENT}:user/operator"
        return Clients(caller, lambda *_: region, lambda *_: region)

    return opens


@pytest.mark.parametrize(
    ("partition", "configured", "regions"),
    [
        ("aws", "", ["us-east-1"]),
        ("aws-us-gov", "", ["us-east-1", "us-gov-west-1"]),
        ("aws-us-gov", "us-gov-east-1", ["us-gov-east-1", "us-gov-west-1"]),
        ("aws-cn", "cn-north-1", ["cn-north-1"]),
        ("aws-cn", "us-east-1", ["us-east-1", "us-gov-west-1", "cn-north-1"]),
    ],
)
def test_the_region_is_that_of_the_partition_whose_keys_these_are(
    partition: str, configured: str, regions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setenv("AWS_DEFAULT_REGION", configured)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(init, "open_clients", keys_of(partition, asked))
    clients = init._clients(None)
    assert asked == regions
    assert clients.of("organizations", MANAGEMENT) == REGIONS[partition]


def test_keys_that_no_partition_knows_are_told_with_what_the_own_region_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-gov-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(init, "open_clients", keys_of("aws-iso", asked))
    with pytest.raises(CannotEnter, match="nobody in us-gov-east-1"):
        init._clients(None)
    assert len(asked) == 5


def test_without_any_keys_nobody_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def opens(_access: Access, *, region: str, profile: str | None) -> Clients:
        asked.append(region)
        raise CannotEnter("You cannot sign in.") from NoCredentialsError()

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(init, "open_clients", opens)
    with pytest.raises(CannotEnter):
        init._clients(None)
    assert asked == ["eu-west-1"]


def test_a_profile_without_a_region_is_asked_in_the_rollout_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n"
    config = tmp_path / "config"
    config.write_text(f"[default]\n{keys}\n[profile security]\n{keys}")
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    asked: list[str] = []

    class Sts:
        def __init__(self, region: str) -> None:
            asked.append(region)

        def get_caller_identity(self) -> dict[str, str]:
            arn = f"arn:aws-us-gov:iam::{MANAGEMENT}:user/operator"
            return {"Arn": arn, "Account": MANAGEMENT if len(asked) == 1 else SECURITY}

    def client(_session: object, service: str, *, region_name: str, config: object) -> object:
        return Sts(region_name) if service == "sts" else region_name

    monkeypatch.setattr("boto3.Session.client", client)
    access = Access("Role", {SECURITY: "security"})
    clients = open_clients(access, region="us-gov-west-1")
    assert clients.of("iam", SECURITY) == "us-gov-west-1"
    assert asked == ["us-gov-west-1", "us-gov-west-1"]
