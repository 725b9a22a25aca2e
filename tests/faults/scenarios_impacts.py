"""What an offending call changed is undone: principals, credentials, memberships, sessions."""

from __future__ import annotations

from collections.abc import Iterator

from tests.doubles.account import NOON, a_session, a_user
from tests.faults.member import Account
from tests.faults.member_cases import Scenario
from tests.faults.principals import (
    ADMINISTRATORS,
    FILLERS,
    ROOT,
    calls,
    free,
    held,
    installed,
    mallory_ends_held,
    reported_not_done,
    reported_not_revoked,
    role,
    user,
    written,
)

KEY = "AKIAEXAMPLEGIVEN"


def makes(account: Account, who: str = "mallory", *, id: str = "made") -> None:
    made = {"userName": "accomplice", "userId": user(account, "accomplice")}
    asked = {"userName": "accomplice"}
    calls(account, who, "CreateUser", id, requestParameters=asked, responseElements={"user": made})


def gives_key(account: Account, owner: str) -> None:
    account.iam.users[owner].keys[KEY] = "Active"
    made = {"accessKeyId": KEY, "userName": owner}
    calls(
        account,
        "mallory",
        "CreateAccessKey",
        "key",
        requestParameters={"userName": owner},
        responseElements={"accessKey": made},
    )


def makes_a_accomplice_with_all(account: Account) -> None:
    """A user, its key, its password, and a place among the administrators."""
    makes(account)
    gives_key(account, "accomplice")
    accomplice = {"userName": "accomplice"}
    account.iam.users["accomplice"].password = True
    calls(account, "mallory", "CreateLoginProfile", "login", requestParameters=accomplice)
    account.iam.groups[ADMINISTRATORS].members.add("accomplice")
    added = {"groupName": ADMINISTRATORS, "userName": "accomplice"}
    calls(account, "mallory", "AddUserToGroup", "membership", requestParameters=added)


def the_accomplice_has_nothing(account: Account) -> Iterator[str]:
    yield from mallory_ends_held(account)
    yield from held(account, "accomplice")
    yield from written(account, "accomplice", "tainted", "contained")
    if reported_not_done(account):
        return
    accomplice = account.iam.users["accomplice"]
    if accomplice.keys[KEY] == "Active":
        yield "the accomplice's key ends active"
    if accomplice.password:
        yield "the accomplice ends with a password"
    if "accomplice" in account.iam.groups[ADMINISTRATORS].members:
        yield "the accomplice ends as an administrator"


def gives_credentials_to_anna(account: Account) -> None:
    """One of each sort besides access keys."""
    user(account, "anna")
    account.iam.users["anna"].keys |= dict.fromkeys(
        ("ACCAEXAMPLE", "APKAEXAMPLE", "cert"), "Active"
    )
    service = {"serviceSpecificCredentialId": "ACCAEXAMPLE", "userName": "anna"}
    for call, made in (
        ("CreateServiceSpecificCredential", {"serviceSpecificCredential": service}),
        ("UploadSSHPublicKey", {"sSHPublicKey": {"sSHPublicKeyId": "APKAEXAMPLE"}}),
        ("UploadSigningCertificate", {"certificate": {"certificateId": "cert"}}),
    ):
        asked = {"userName": "anna"}
        calls(account, "mallory", call, call, requestParameters=asked, responseElements=made)


def annas_credentials_are_silent(account: Account) -> Iterator[str]:
    yield from mallory_ends_held(account)
    yield from free(account, "anna")
    for credential, status in account.iam.users["anna"].keys.items():
        if status == "Active" and not reported_not_done(account):
            yield f"{credential} ends active"


def uses_a_key_of_standing(account: Account) -> None:
    """mallory makes it, and calls with it as the administrator."""
    gives_key(account, "standing")
    account.run(account.now + 200)
    who = a_user("standing", account.iam.users["standing"].id, key=KEY)
    later = {"eventTime": "2026-11-22T10:01:00Z"}
    account.post(who, "DeleteGroup", "use", requestParameters={"groupName": "old"}, **later)


def only_sessions_of_standing_are_held(account: Account) -> Iterator[str]:
    yield from mallory_ends_held(account)
    yield from free(account, "standing")
    standing = account.iam.users["standing"]
    if standing.keys[KEY] == "Active":
        yield "the stolen key ends active"
    yield from sessions_held_or_reported(account)


def sessions_held_or_reported(account: Account) -> Iterator[str]:
    if reported_not_revoked(account):
        return
    yield from written(account, "standing", "sessions")
    if not account.iam.sessions_denied("standing"):
        yield "the sessions of standing end free"


def installed_with_a_full_administrator(account: Account) -> None:
    installed(account)
    account.iam.users["standing"].attached |= set(sorted(FILLERS)[:10])


def sets_a_password(account: Account) -> None:
    """Of an administrator's, and signs in with it."""
    asked = {"userName": "standing", "passwordResetRequired": False}
    calls(account, "mallory", "UpdateLoginProfile", "password", requestParameters=asked)
    account.run(account.now + 200)
    who = a_user("standing", account.iam.users["standing"].id, key="ASIAEXAMPLECONSOLE")
    began = {"attributes": {"creationDate": "2026-11-22T10:00:30Z"}}
    later = {"eventTime": "2026-11-22T10:01:00Z"}
    parameters = {"groupName": "old"}
    console = who | {"sessionContext": began}
    account.post(console, "DeleteGroup", "console", requestParameters=parameters, **later)


def sessions_of_standing_are_held(account: Account) -> Iterator[str]:
    yield from mallory_ends_held(account)
    yield from free(account, "standing")
    yield from sessions_held_or_reported(account)


def padded(account: Account) -> None:
    """A creation whose parameters CloudTrail left out."""
    account.iam.now = NOON
    user(account, "accomplice")
    calls(
        account,
        "mallory",
        "CreateUser",
        requestParameters={"omitted": True, "originalSize": 102_401},
    )


def created_is_held(account: Account) -> Iterator[str]:
    yield from mallory_ends_held(account)
    yield from held(account, "accomplice")


def root_and_a_reserved_role(account: Account) -> None:
    """Who cannot be denied: told of as critical, and what they make is contained."""
    account.installed_and_heard_of()
    role(account, "AWSReservedSSO_Admin_0123456789abcdef")


def both_make_a_user(account: Account) -> None:
    sso = "AWSReservedSSO_Admin_0123456789abcdef"
    path = "/aws-reserved/sso.amazonaws.com/"
    for name, who in (
        ("by-root", ROOT),
        ("by-sso", a_session(sso, account.iam.roles[sso].id, path=path)),
    ):
        made = {"userName": name, "userId": user(account, name)}
        asked = {"userName": name}
        account.post(
            who, "CreateUser", name, requestParameters=asked, responseElements={"user": made}
        )


def both_created_are_held(account: Account) -> Iterator[str]:
    yield from held(account, "by-root", "by-sso")


IMPACTS = (
    Scenario(
        "a accomplice with key, password and membership",
        installed,
        makes_a_accomplice_with_all,
        the_accomplice_has_nothing,
    ),
    Scenario(
        "credentials of three more sorts",
        installed,
        gives_credentials_to_anna,
        annas_credentials_are_silent,
    ),
    Scenario(
        "an administrator's key made and used",
        installed,
        uses_a_key_of_standing,
        only_sessions_of_standing_are_held,
    ),
    Scenario(
        "an administrator's password set and used",
        installed,
        sets_a_password,
        sessions_of_standing_are_held,
    ),
    Scenario(
        "a password of an administrator with as many policies as IAM allows",
        installed_with_a_full_administrator,
        sets_a_password,
        sessions_of_standing_are_held,
    ),
    Scenario("a creation that CloudTrail cut short", installed, padded, created_is_held),
    Scenario(
        "root and a reserved role",
        root_and_a_reserved_role,
        both_make_a_user,
        both_created_are_held,
    ),
)
