"""IAM actions that the emulator lacks: they do what IAM's do, and leave CloudTrail's records."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.parts import allow, document

ROOT_ACCESS = "OrganizationsRootCredentialsManagement"


def administrator(box: Box, account: str) -> Any:
    return box.client("iam", key=box.new_user(account, "admin", "iam:*"))


def code(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def record(box: Box, account: str, name: str) -> dict[str, Any]:
    """The account's last record of an action."""
    mine = [one for one in box.records if one["recipientAccountId"] == account]
    return next(one for one in reversed(mine) if one["eventName"] == name)


def reported(box: Box, account: str, name: str) -> Any:
    """What the last record of an action says was asked for, and that it succeeded."""
    last = record(box, account, name)
    assert "errorCode" not in last
    return last["requestParameters"]


def test_a_renamed_user_stays_who_she_is(box: Box, account: str) -> None:
    iam = box.client("iam", account)
    key = box.new_user(account, "alice", "iam:GetUser", groups=("staff",))
    iam.put_group_policy(
        GroupName="staff", PolicyName="p", PolicyDocument=document(allow("iam:ListUsers"))
    )
    before = iam.get_user(UserName="alice")["User"]
    admin = administrator(box, account)
    admin.update_user(UserName="alice", NewUserName="mallory", NewPath="/team/")
    assert reported(box, account, "UpdateUser") == {
        "userName": "alice",
        "newUserName": "mallory",
        "newPath": "/team/",
    }
    hers = box.client("iam", key=key)
    after = hers.get_user()["User"]
    assert (after["UserName"], after["UserId"]) == ("mallory", before["UserId"])
    assert after["Arn"] == f"arn:aws:iam::{account}:user/team/mallory"
    hers.list_users()
    identity = record(box, account, "ListUsers")["userIdentity"]
    assert (identity["userName"], identity["arn"]) == ("mallory", after["Arn"])
    assert code(iam.get_user, UserName="alice") == "NoSuchEntity"


def test_nobody_is_renamed_into_a_name_that_is_taken(box: Box, account: str) -> None:
    box.new_user(account, "alice")
    box.new_user(account, "bob")
    iam = administrator(box, account)
    rename = {"UserName": "bob", "NewUserName": "alice"}
    assert code(iam.update_user, **rename) == "EntityAlreadyExists"
    rename = {"UserName": "carol", "NewUserName": "dave"}
    assert code(iam.update_user, **rename) == "NoSuchEntity"


def test_a_session_of_a_renamed_user_is_hers_still(box: Box, account: str) -> None:
    key = box.new_user(account, "alice", "iam:ListUsers")
    given = box.client("sts", key=key).get_session_token()["Credentials"]
    box.client("iam", account).update_user(UserName="alice", NewUserName="mallory")
    session = type(key)(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    box.client("iam", key=session).list_users()
    assert record(box, account, "ListUsers")["userIdentity"]["userName"] == "mallory"


def test_a_renamed_group_keeps_members_and_policies(box: Box, account: str) -> None:
    key = box.new_user(account, "alice", groups=("staff",))
    iam = administrator(box, account)
    iam.put_group_policy(
        GroupName="staff", PolicyName="p", PolicyDocument=document(allow("iam:ListUsers"))
    )
    before = iam.get_group(GroupName="staff")["Group"]["GroupId"]
    iam.update_group(GroupName="staff", NewGroupName="crew")
    assert reported(box, account, "UpdateGroup") == {"groupName": "staff", "newGroupName": "crew"}
    box.client("iam", key=key).list_users()
    after = iam.get_group(GroupName="crew")
    assert after["Group"]["GroupId"] == before
    assert [user["UserName"] for user in after["Users"]] == ["alice"]
    assert code(iam.get_group, GroupName="staff") == "NoSuchEntity"


def test_another_default_version_changes_what_is_allowed(box: Box, account: str) -> None:
    key = box.new_user(account, "alice")
    iam = administrator(box, account)
    made = iam.create_policy(PolicyName="p", PolicyDocument=document(allow("iam:ListUsers")))
    arn = made["Policy"]["Arn"]
    iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    hers = box.client("iam", key=key)
    hers.list_users()
    iam.create_policy_version(
        PolicyArn=arn, PolicyDocument=document(allow("s3:*")), SetAsDefault=True
    )
    assert code(hers.list_users) == "AccessDenied"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    hers.list_users()
    assert reported(box, account, "SetDefaultPolicyVersion") == {
        "policyArn": arn,
        "versionId": "v1",
    }
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"
    unknown = {"PolicyArn": arn, "VersionId": "v9"}
    assert code(iam.set_default_policy_version, **unknown) == "NoSuchEntity"


def test_a_user_changes_her_own_password_only(box: Box, account: str) -> None:
    hers = box.client("iam", key=box.new_user(account, "alice", "iam:ChangePassword"))
    change = {"OldPassword": "old", "NewPassword": "new"}
    assert code(hers.change_password, **change) == "NoSuchEntity"
    box.client("iam", account).create_login_profile(UserName="alice", Password="old")
    hers.change_password(**change)
    assert reported(box, account, "ChangePassword") is None
    session = box.client("iam", key=box.new_session(account, "role", "iam:*"))
    assert code(session.change_password, **change) == "InvalidUserType"


def test_a_service_credential_lives_and_its_secret_is_never_told(box: Box, account: str) -> None:
    box.new_user(account, "alice")
    iam = administrator(box, account)
    create = iam.create_service_specific_credential
    made = create(UserName="alice", ServiceName="bedrock.amazonaws.com", CredentialAgeDays=30)
    credential = made["ServiceSpecificCredential"]
    assert credential["ServiceCredentialSecret"]
    last = record(box, account, "CreateServiceSpecificCredential")
    assert last["requestParameters"] == {
        "userName": "alice",
        "serviceName": "bedrock.amazonaws.com",
        "credentialAgeDays": 30,
    }
    answered = last["responseElements"]["serviceSpecificCredential"]
    assert answered["serviceSpecificCredentialId"] == credential["ServiceSpecificCredentialId"]
    assert "serviceCredentialSecret" not in answered
    one = {
        "UserName": "alice",
        "ServiceSpecificCredentialId": credential["ServiceSpecificCredentialId"],
    }
    iam.update_service_specific_credential(**one, Status="Inactive")
    assert reported(box, account, "UpdateServiceSpecificCredential")["status"] == "Inactive"
    (listed,) = iam.list_service_specific_credentials(UserName="alice")[
        "ServiceSpecificCredentials"
    ]
    assert (listed["Status"], listed["UserName"]) == ("Inactive", "alice")
    again = iam.reset_service_specific_credential(**one)["ServiceSpecificCredential"]
    assert again["ServiceCredentialSecret"] != credential["ServiceCredentialSecret"]
    create(UserName="alice", ServiceName="bedrock.amazonaws.com")
    third = {"UserName": "alice", "ServiceName": "bedrock.amazonaws.com"}
    assert code(create, **third) == "LimitExceeded"
    iam.delete_service_specific_credential(**one)
    assert code(iam.reset_service_specific_credential, **one) == "NoSuchEntity"


def test_ssh_keys_and_signing_certificates_live_as_credentials_do(box: Box, account: str) -> None:
    box.new_user(account, "alice")
    iam = administrator(box, account)
    key = iam.upload_ssh_public_key(UserName="alice", SSHPublicKeyBody="ssh-rsa AAAA")
    identity = key["SSHPublicKey"]["SSHPublicKeyId"]
    assert reported(box, account, "UploadSSHPublicKey") == {
        "userName": "alice",
        "sSHPublicKeyBody": "ssh-rsa AAAA",
    }
    iam.update_ssh_public_key(UserName="alice", SSHPublicKeyId=identity, Status="Inactive")
    (listed,) = iam.list_ssh_public_keys(UserName="alice")["SSHPublicKeys"]
    assert (listed["SSHPublicKeyId"], listed["Status"]) == (identity, "Inactive")
    certificate = iam.upload_signing_certificate(UserName="alice", CertificateBody="-----BEGIN")
    identity = certificate["Certificate"]["CertificateId"]
    iam.update_signing_certificate(UserName="alice", CertificateId=identity, Status="Inactive")
    assert reported(box, account, "UpdateSigningCertificate") == {
        "userName": "alice",
        "certificateId": identity,
        "status": "Inactive",
    }
    (listed,) = iam.list_signing_certificates(UserName="alice")["Certificates"]
    assert (listed["CertificateId"], listed["Status"]) == (identity, "Inactive")


def test_a_server_certificate_is_recorded_without_its_private_key(box: Box, account: str) -> None:
    iam = administrator(box, account)
    iam.upload_server_certificate(
        ServerCertificateName="web", CertificateBody="-----BEGIN", PrivateKey="secret"
    )
    last = record(box, account, "UploadServerCertificate")
    assert last["requestParameters"] == {
        "serverCertificateName": "web",
        "certificateBody": "-----BEGIN",
    }
    arn = last["responseElements"]["serverCertificateMetadata"]["arn"]
    assert arn == f"arn:aws:iam::{account}:server-certificate/web"
    iam.delete_server_certificate(ServerCertificateName="web")
    assert iam.list_server_certificates()["ServerCertificateMetadataList"] == []


def test_a_provider_is_widened(box: Box, account: str) -> None:
    iam = administrator(box, account)
    made = iam.create_open_id_connect_provider(
        Url="https://id.example.com", ClientIDList=["a"], ThumbprintList=["0" * 40]
    )
    assert reported(box, account, "CreateOpenIDConnectProvider") == {
        "url": "https://id.example.com",
        "clientIDList": ["a"],
        "thumbprintList": ["0" * 40],
    }
    arn = made["OpenIDConnectProviderArn"]
    one = {"OpenIDConnectProviderArn": arn}
    iam.add_client_id_to_open_id_connect_provider(**one, ClientID="b")
    assert reported(box, account, "AddClientIDToOpenIDConnectProvider") == {
        "openIDConnectProviderArn": arn,
        "clientID": "b",
    }
    iam.update_open_id_connect_provider_thumbprint(**one, ThumbprintList=["1" * 40])
    provider = iam.get_open_id_connect_provider(**one)
    assert provider["ClientIDList"] == ["a", "b"]
    assert provider["ThumbprintList"] == ["1" * 40]


def test_centralised_root_access_belongs_to_the_management_account(box: Box, account: str) -> None:
    root = box.client("iam", box.management, quiet=False)
    enable = root.enable_organizations_root_credentials_management
    assert code(enable) == "ServiceAccessNotEnabledException"
    trust = box.client("organizations", box.management)
    trust.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    assert enable()["EnabledFeatures"] == ["RootCredentialsManagement"]
    assert root.enable_organizations_root_sessions()["EnabledFeatures"] == [
        "RootCredentialsManagement",
        "RootSessions",
    ]
    assert reported(box, box.management, "EnableOrganizationsRootSessions") is None
    root.disable_organizations_root_sessions()
    root.disable_organizations_root_credentials_management()
    trust.disable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    member = box.client("iam", account)
    refused = code(member.enable_organizations_root_sessions)
    assert refused == "AccountNotManagementOrDelegatedAdministratorException"


def test_a_user_is_deleted_when_nothing_of_hers_is_left(box: Box, account: str) -> None:
    iam = administrator(box, account)
    iam.create_user(UserName="eve")
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="eve")
    iam.create_login_profile(UserName="eve", Password="p")
    key = iam.upload_ssh_public_key(UserName="eve", SSHPublicKeyBody="ssh-rsa AAAA")
    assert code(iam.delete_user, UserName="eve") == "DeleteConflict"
    iam.delete_login_profile(UserName="eve")
    assert code(iam.delete_user, UserName="eve") == "DeleteConflict"
    iam.remove_user_from_group(GroupName="staff", UserName="eve")
    assert code(iam.delete_user, UserName="eve") == "DeleteConflict"
    iam.delete_ssh_public_key(UserName="eve", SSHPublicKeyId=key["SSHPublicKey"]["SSHPublicKeyId"])
    iam.delete_user(UserName="eve")


def test_a_session_of_a_role_must_name_the_user(box: Box, account: str) -> None:
    session = box.client("iam", key=box.new_session(account, "role", "iam:*"))
    assert code(session.create_access_key) == "ValidationError"
    assert code(session.get_user) == "ValidationError"


def calls_of_the_emulator(account: str) -> list[tuple[str, dict[str, Any], Any]]:
    """Calls that the emulator has: method, parameters, and what the record says of them."""
    device = f"arn:aws:iam::{account}:mfa/phone"
    saml = f"arn:aws:iam::{account}:saml-provider/idp"
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    tags = [{"Key": "team", "Value": "a"}]
    alice, metadata = {"UserName": "alice"}, "<EntityDescriptor/>"
    profile = {"InstanceProfileName": "ip"}
    return [
        ("create_login_profile", {**alice, "Password": "p"}, {"userName": "alice"}),
        (
            "update_login_profile",
            {**alice, "Password": "p", "PasswordResetRequired": True},
            {"userName": "alice", "passwordResetRequired": True},
        ),
        (
            "create_virtual_mfa_device",
            {"VirtualMFADeviceName": "phone"},
            {"virtualMFADeviceName": "phone"},
        ),
        (
            "enable_mfa_device",
            {
                **alice,
                "SerialNumber": device,
                "AuthenticationCode1": "111111",
                "AuthenticationCode2": "222222",
            },
            {"userName": "alice", "serialNumber": device},
        ),
        (
            "deactivate_mfa_device",
            {**alice, "SerialNumber": device},
            {"userName": "alice", "serialNumber": device},
        ),
        (
            "create_saml_provider",
            {"Name": "idp", "SAMLMetadataDocument": metadata * 60},
            {"name": "idp", "sAMLMetadataDocument": metadata * 60},
        ),
        (
            "update_saml_provider",
            {"SAMLProviderArn": saml, "SAMLMetadataDocument": metadata * 60},
            {"sAMLProviderArn": saml, "sAMLMetadataDocument": metadata * 60},
        ),
        (
            "update_account_password_policy",
            {"MinimumPasswordLength": 6, "HardExpiry": False},
            {"minimumPasswordLength": 6, "hardExpiry": False},
        ),
        ("create_instance_profile", profile, {"instanceProfileName": "ip"}),
        (
            "add_role_to_instance_profile",
            {**profile, "RoleName": "r"},
            {"instanceProfileName": "ip", "roleName": "r"},
        ),
        (
            "tag_user",
            {**alice, "Tags": tags},
            {"userName": "alice", "tags": [{"key": "team", "value": "a"}]},
        ),
        (
            "tag_role",
            {"RoleName": "r", "Tags": tags},
            {"roleName": "r", "tags": [{"key": "team", "value": "a"}]},
        ),
        (
            "put_user_permissions_boundary",
            {**alice, "PermissionsBoundary": boundary},
            {"userName": "alice", "permissionsBoundary": boundary},
        ),
        ("delete_user_permissions_boundary", alice, {"userName": "alice"}),
        (
            "put_role_permissions_boundary",
            {"RoleName": "r", "PermissionsBoundary": boundary},
            {"roleName": "r", "permissionsBoundary": boundary},
        ),
        ("delete_role_permissions_boundary", {"RoleName": "r"}, {"roleName": "r"}),
    ]


def test_what_the_emulator_has_already_is_recorded_as_cloudtrail_does(
    box: Box, account: str
) -> None:
    box.new_user(account, "alice")
    box.new_session(account, "r")
    iam = administrator(box, account)
    for method, params, expected in calls_of_the_emulator(account):
        getattr(iam, method)(**params)
        last = [one for one in box.records if one["recipientAccountId"] == account][-1]
        assert (last["eventName"].lower(), last.get("errorCode")) == (
            method.replace("_", ""),
            None,
        )
        assert last["requestParameters"] == expected
        assert not {"password", "secret", "base32StringSeed"} & set(str(last).split("'"))


def test_the_codes_of_a_virtual_mfa_device_can_be_computed_from_its_seed(
    box: Box, account: str
) -> None:
    iam = administrator(box, account)
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    assert len(base64.b32decode(made["Base32StringSeed"])) == 20
