"""An attack as a row: who calls what, and how it must end. Plays nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from stacksets.prove.attacks.actor import code_of
from stacksets.prove.attacks.cast import Cast
from stacksets.prove.attacks.scene import Scene

Act = Callable[[Cast], object]


@dataclass(frozen=True)
class End:
    """One thing that must be so in the end, beside who is contained: in words, and as checked."""

    says: str
    otherwise: str
    check: Callable[[Cast], bool]


def _nothing(_cast: Cast) -> None:
    """Most rows need mallory and nobody else."""


def _always(_scene: Scene) -> str:
    """Most rows can be played anywhere."""
    return ""


@dataclass(frozen=True)
class Row:
    """One attack of docs/attacks.md, by its number and title there.

    `caller` makes the call. `contained` are exactly the principals that lose IAM by it; a row
    without any expects that all of it is left alone. `unless` answers why a scene cannot play it,
    "" where it can.
    """

    row: int
    title: str
    attack: Act
    prepare: Act = _nothing
    caller: str = "mallory"
    contained: tuple[str, ...] = ("mallory",)
    ends: tuple[End, ...] = ()
    unless: Callable[[Scene], str] = _always

    @property
    def expected(self) -> str:
        """How it must end, in words."""
        others = [f"{as_noun(word)} too" for word in self.contained if word != self.caller]
        said = ["contained" if self.contained else "left alone", *others]
        return ", ".join([*said, *(end.says for end in self.ends)])


def as_noun(word: str) -> str:
    """What a row's word for a principal is in a sentence."""
    return word.replace("-", " ")


def key_off(key: str, owner: str) -> End:
    """An access key is set inactive."""

    def check(cast: Cast) -> bool:
        found = cast.scene.iam.list_access_keys(UserName=cast[owner])["AccessKeyMetadata"]
        return _is_off(found, "AccessKeyId", cast[key])

    return End("key off", "key on", check)


def credential_off(owner: str) -> End:
    """A service-specific credential is set inactive."""

    def check(cast: Cast) -> bool:
        found = cast.scene.iam.list_service_specific_credentials(UserName=cast[owner])
        rows = found["ServiceSpecificCredentials"]
        return _is_off(rows, "ServiceSpecificCredentialId", cast["credential"])

    return End("credential off", "credential on", check)


def ssh_key_off(owner: str) -> End:
    """An SSH public key is set inactive."""

    def check(cast: Cast) -> bool:
        found = cast.scene.iam.list_ssh_public_keys(UserName=cast[owner])["SSHPublicKeys"]
        return _is_off(found, "SSHPublicKeyId", cast["ssh"])

    return End("SSH key off", "SSH key on", check)


def login_deleted(user: str) -> End:
    """A console password is deleted."""

    def check(cast: Cast) -> bool:
        try:
            cast.scene.iam.get_login_profile(UserName=cast[user])
        except ClientError as error:
            if code_of(error) != "NoSuchEntity":
                raise
            return True
        return False

    return End("password gone", "password there", check)


def no_administrator(user: str) -> End:
    """A user is taken out of the administrators' group again."""

    def check(cast: Cast) -> bool:
        found = cast.scene.iam.list_groups_for_user(UserName=cast[user])["Groups"]
        return cast.scene.settings.admin_group not in [one["GroupName"] for one in found]

    return End("not a member", "still a member", check)


def _is_off(rows: list[dict[str, Any]], name: str, id: str) -> bool:
    return bool({row[name]: row["Status"] for row in rows}[id] == "Inactive")
