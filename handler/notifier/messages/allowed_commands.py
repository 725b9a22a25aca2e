"""Decide which commands of a report a mail may print: those that a revoker writes. Pure.

Administrators copy them, and the account that sent them may be in an attacker's hands. So each is
one known call of `aws iam` with known options, and what undoes a containment takes off nothing but
our own deny, or one kept from an earlier installation.
"""

from __future__ import annotations

import re

from handler.model.names import (
    DENY_GROUP,
    DENY_POLICY,
    INLINE_DENY,
    KEPT_GROUP,
    KEPT_POLICY,
    KEPT_SESSION_GROUP,
    KEPT_SESSION_POLICY,
    RELEASE_COMMAND,
    SESSION_DENY_GROUP,
    SESSION_DENY_POLICY,
    iam_arn,
    kept_arn,
)

Command = tuple[str, ...]

_GROUP = frozenset({"--group-name"})
_ROLE = frozenset({"--role-name"})
_USER = frozenset({"--user-name"})
_POLICY = frozenset({"--policy-arn"})
_INLINE = frozenset({"--policy-name"})
_OIDC = frozenset({"--open-id-connect-provider-arn"})
_SAML = frozenset({"--saml-provider-arn"})
_PROFILE = frozenset({"--instance-profile-name"})
_DEVICE = frozenset({"--serial-number"})
_CERTIFICATE = frozenset({"--server-certificate-name"})
_ALIAS = frozenset({"--account-alias"})
_CLIENT = frozenset({"--client-id"})
_STATUS = frozenset({"--status"})
_TAGS = frozenset({"--tag-keys"})
# The option that names the credential, by the word in the call's name.
_CREDENTIALS = {
    "access-key": frozenset({"--access-key-id"}),
    "service-specific-credential": frozenset({"--service-specific-credential-id"}),
    "signing-certificate": frozenset({"--certificate-id"}),
    "ssh-public-key": frozenset({"--ssh-public-key-id"}),
}
_TAGGED = {
    "instance-profile": _PROFILE,
    "mfa-device": _DEVICE,
    "open-id-connect-provider": _OIDC,
    "policy": _POLICY,
    "role": _ROLE,
    "saml-provider": _SAML,
    "server-certificate": _CERTIFICATE,
    "user": _USER,
}
_SWITCHES = (
    "organizations-root-credentials-management",
    "organizations-root-sessions",
    "outbound-web-identity-federation",
)
# Every command that undoes an impact or a deny method, and the options that it is given.
IAM_OPTIONS: dict[str, frozenset[str]] = {
    "add-client-id-to-open-id-connect-provider": _OIDC | _CLIENT,
    "add-role-to-instance-profile": _PROFILE | _ROLE,
    "add-user-to-group": _GROUP | _USER,
    "attach-group-policy": _GROUP | _POLICY,
    "attach-role-policy": _ROLE | _POLICY,
    "attach-user-policy": _USER | _POLICY,
    "create-account-alias": _ALIAS,
    "create-instance-profile": _PROFILE,
    "deactivate-mfa-device": _USER | _DEVICE,
    "delete-account-alias": _ALIAS,
    "delete-group": _GROUP,
    "delete-group-policy": _GROUP | _INLINE,
    "delete-instance-profile": _PROFILE,
    "delete-login-profile": _USER,
    "delete-open-id-connect-provider": _OIDC,
    "delete-policy": _POLICY,
    "delete-policy-version": _POLICY | {"--version-id"},
    "delete-role": _ROLE,
    "delete-role-permissions-boundary": _ROLE,
    "delete-role-policy": _ROLE | _INLINE,
    "delete-saml-provider": _SAML,
    "delete-server-certificate": _CERTIFICATE,
    "delete-user": _USER,
    "delete-user-policy": _USER | _INLINE,
    "delete-virtual-mfa-device": _DEVICE,
    "detach-group-policy": _GROUP | _POLICY,
    "detach-role-policy": _ROLE | _POLICY,
    "detach-user-policy": _USER | _POLICY,
    "remove-client-id-from-open-id-connect-provider": _OIDC | _CLIENT,
    "remove-role-from-instance-profile": _PROFILE | _ROLE,
    "remove-user-from-group": _GROUP | _USER,
    "update-group": _GROUP | {"--new-group-name"},
    "update-server-certificate": _CERTIFICATE | {"--new-server-certificate-name"},
    "update-user": _USER | {"--new-user-name"},
    **{f"delete-{word}": _USER | option for word, option in _CREDENTIALS.items()},
    **{f"update-{word}": _USER | option | _STATUS for word, option in _CREDENTIALS.items()},
    **{f"untag-{word}": option | _TAGS for word, option in _TAGGED.items()},
    **{f"{turn}-{word}": frozenset() for turn in ("enable", "disable") for word in _SWITCHES},
}
# The AWS CLI puts a file's content, or a page's, in place of such a value.
_FETCHED = re.compile("(file|fileb|https?)://", re.IGNORECASE)
_ID = re.compile("[A-Z0-9]{8,128}")
_PARTITION = re.compile("aws(-[a-z]+)*")
_GROUPS = (DENY_GROUP, SESSION_DENY_GROUP, KEPT_GROUP, KEPT_SESSION_GROUP)


def undoes_impact(command: Command, *, account: str) -> bool:
    """Whether a revoker of that account writes such commands about what a call gave."""
    if command[:-3] == (*RELEASE_COMMAND, account):
        principal, *reason = command[-3:]
        return reason == ["--reason", "WHY"] and _ID.fullmatch(principal) is not None
    return _iam_options(command) is not None


def undoes_containment(command: Command, *, account: str, partition: str) -> bool:
    """Whether the command takes a deny of ours off a user or role of that account, and no more."""
    given = _iam_options(command)
    if given is None or not _PARTITION.fullmatch(partition):
        return False
    here = {"partition": partition, "account": account, "kind": "policy"}
    ours = [
        *(iam_arn(**here, name=name) for name in (DENY_POLICY, SESSION_DENY_POLICY)),
        *(kept_arn(**here, name=name) for name in (KEPT_POLICY, KEPT_SESSION_POLICY)),
    ]
    match command[2]:
        case "detach-user-policy" | "detach-role-policy":
            return given.get("--policy-arn") in ours
        case "delete-user-policy" | "delete-role-policy":
            return given.get("--policy-name") == INLINE_DENY
        case "remove-user-from-group":
            return given.get("--group-name") in _GROUPS
    return command[2] == "delete-role-permissions-boundary"


def _iam_options(command: Command) -> dict[str, str] | None:
    """The options of a call of `aws iam` that is known; None of any other command."""
    if command[:2] != ("aws", "iam") or len(command) < 3:
        return None
    known = IAM_OPTIONS.get(command[2])
    given: dict[str, str] = {}
    for word in command[3:]:
        option, is_set, value = word.partition("=")
        if known is None or option not in known or option in given or not (is_set and value):
            return None
        # A client's id is a URL as often as not.
        if _FETCHED.match(value) and (option != "--client-id" or value[:4].lower() == "file"):
            return None
        given[option] = value
    return given if known is not None else None
