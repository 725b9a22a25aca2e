"""Rows 24, 26-29, 34, 40, 41 and 43: what stands on the account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.attacks.play import Play
from tests.attacks.rows import Row, command, critical, missing, works

METADATA = f"<EntityDescriptor>{'example' * 150}</EntityDescriptor>"
THUMBPRINT = "0123456789abcdef0123456789abcdef01234567"
OLD_VALUES = "The record does not carry the old values."
OLD_METADATA = "The record does not carry the old metadata."


def weaken_passwords(play: Play) -> None:
    mallory = play.iam("mallory")
    mallory.update_account_password_policy(MinimumPasswordLength=6)
    mallory.delete_account_password_policy()


def new_saml(iam: Any, play: Play, name: str = "") -> None:
    made = iam.create_saml_provider(Name=name or play.name("saml"), SAMLMetadataDocument=METADATA)
    play.names["saml"] = made["SAMLProviderArn"]


def swap_saml(play: Play) -> None:
    play.iam("mallory").update_saml_provider(
        SAMLProviderArn=play["saml"], SAMLMetadataDocument=METADATA
    )


def identity_centers_provider(play: Play) -> None:
    new_saml(play.quiet, play, f"AWSSSO_{play.number}_DO_NOT_DELETE")


def has_saml(play: Play) -> bool:
    found = play.quiet.list_saml_providers()["SAMLProviderList"]
    return play["saml"] in [one["Arn"] for one in found]


def new_oidc(iam: Any, play: Play) -> None:
    made = iam.create_open_id_connect_provider(
        Url=f"https://{play.name('tokens')}.example.com",
        ClientIDList=["sts.amazonaws.com"],
        ThumbprintList=[THUMBPRINT],
    )
    play.names["oidc"] = made["OpenIDConnectProviderArn"]


def has_oidc(play: Play) -> bool:
    found = play.quiet.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return play["oidc"] in [one["Arn"] for one in found]


def widen_oidc(play: Play) -> None:
    mallory, arn = play.iam("mallory"), play["oidc"]
    mallory.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="evil")
    mallory.update_open_id_connect_provider_thumbprint(
        OpenIDConnectProviderArn=arn, ThumbprintList=[THUMBPRINT[::-1]]
    )


def admits_evil(play: Play) -> bool:
    found = play.quiet.get_open_id_connect_provider(OpenIDConnectProviderArn=play["oidc"])
    return "evil" in found["ClientIDList"]


def server_certificate(play: Play) -> None:
    play.iam("mallory").upload_server_certificate(
        ServerCertificateName=play.name("server"),
        CertificateBody="-----BEGIN CERTIFICATE-----\nexample",
        PrivateKey="example",
    )


def has_server_certificate(play: Play) -> bool:
    found = play.quiet.list_server_certificates()["ServerCertificateMetadataList"]
    return play["server"] in [one["ServerCertificateName"] for one in found]


def tag(play: Play) -> None:
    play.iam("mallory").tag_user(
        UserName=play["victim"], Tags=[{"Key": "team", "Value": "security"}]
    )


def is_tagged(play: Play) -> bool:
    return bool(play.quiet.list_user_tags(UserName=play["victim"])["Tags"])


def has_alias(play: Play) -> bool:
    return bool(play.quiet.list_account_aliases()["AccountAliases"])


def trusted_access(play: Play) -> None:
    play.box.client("organizations", play.account).enable_aws_service_access(
        ServicePrincipal="iam.amazonaws.com"
    )


def enabled(feature: str) -> Callable[[Play], bool]:
    return lambda play: feature in play.quiet.list_organizations_features()["EnabledFeatures"]


ROWS = (
    Row(
        row=24,
        title="The account's password policy weakened, then deleted",
        calls=("UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"),
        attack=weaken_passwords,
        gave=("the password policy of the account, changed or deleted",) * 2,
        ends=(missing(OLD_VALUES),),
    ),
    Row(
        row=26,
        title="A SAML provider of the attacker's",
        calls=("CreateSAMLProvider",),
        attack=lambda play: new_saml(play.iam("mallory"), play),
        gave=("the new SAML provider '{saml}' for every role that trusts it",),
        ends=(command("aws iam delete-saml-provider --saml-provider-arn={saml}", has_saml),),
    ),
    Row(
        row=27,
        title="A SAML provider's metadata replaced",
        calls=("UpdateSAMLProvider",),
        prepare=lambda play: new_saml(play.quiet, play),
        attack=swap_saml,
        gave=("the metadata of the SAML provider '{saml}', replaced",),
        ends=(missing(OLD_METADATA),),
    ),
    Row(
        row=27,
        title="Identity Center's own provider replaced",
        calls=("UpdateSAMLProvider",),
        prepare=identity_centers_provider,
        attack=swap_saml,
        gave=("the metadata of the SAML provider '{saml}', replaced",),
        ends=(critical(), missing(OLD_METADATA)),
    ),
    Row(
        row=28,
        title="An OIDC provider of the attacker's",
        calls=("CreateOpenIDConnectProvider",),
        attack=lambda play: new_oidc(play.iam("mallory"), play),
        gave=("the new OIDC provider '{oidc}' for every role that trusts it",),
        ends=(
            command(
                "aws iam delete-open-id-connect-provider --open-id-connect-provider-arn={oidc}",
                has_oidc,
            ),
        ),
    ),
    Row(
        row=29,
        title="An OIDC provider widened",
        calls=("AddClientIDToOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint"),
        prepare=lambda play: new_oidc(play.quiet, play),
        attack=widen_oidc,
        gave=(
            "the client id 'evil' for the OIDC provider '{oidc}'",
            "the thumbprints of the OIDC provider '{oidc}', replaced",
        ),
        ends=(
            command(
                "aws iam remove-client-id-from-open-id-connect-provider "
                "--open-id-connect-provider-arn={oidc} --client-id=evil",
                admits_evil,
            ),
            missing(OLD_VALUES),
        ),
    ),
    Row(
        row=34,
        title="A server certificate",
        calls=("UploadServerCertificate",),
        attack=server_certificate,
        gave=("a new server certificate '{server}'",),
        ends=(
            command(
                "aws iam delete-server-certificate --server-certificate-name={server}",
                has_server_certificate,
            ),
        ),
    ),
    Row(
        row=40,
        title="A service-linked role",
        calls=("CreateServiceLinkedRole",),
        attack=lambda play: play.iam("mallory").create_service_linked_role(
            AWSServiceName="elasticbeanstalk.amazonaws.com"
        ),
        contained=(),
        mail="[IAM notice]",
        ends=(works("mallory", "told: it gives mallory nothing, who keeps IAM"),),
    ),
    Row(
        row=41,
        title="A tag on which policies may depend",
        calls=("TagUser",),
        prepare=lambda play: play.user("victim"),
        attack=tag,
        gave=("the tags 'team' on '{victim}', on which policies may depend",),
        ends=(command('aws iam untag-user --user-name={victim} --tag-keys=["team"]', is_tagged),),
    ),
    Row(
        row=41,
        title="The account's alias",
        calls=("CreateAccountAlias",),
        attack=lambda play: play.iam("mallory").create_account_alias(
            AccountAlias=play.name("alias")
        ),
        gave=("the account alias '{alias}'",),
        ends=(command("aws iam delete-account-alias --account-alias={alias}", has_alias),),
    ),
    Row(
        row=43,
        title="Root sessions in all member accounts switched on",
        where="management",
        calls=("EnableOrganizationsRootSessions",),
        prepare=trusted_access,
        attack=lambda play: play.iam("mallory").enable_organizations_root_sessions(),
        gave=("root sessions in all member accounts, on",),
        ends=(
            critical(),
            command("aws iam disable-organizations-root-sessions", enabled("RootSessions")),
        ),
    ),
)
