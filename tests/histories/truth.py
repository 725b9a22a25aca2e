"""What everybody really is, whatever the revoker believes: the rules by which a history is judged.

An administrator is whom the baseline found or a rightful administrator added, until a rightful one
removes her. Everything is kept by id, as of the moment of each call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.doubles.iam import MemoryIam

ADMINISTRATORS = "Administrators"
EXEMPT_PATH = "/iam-administrators/"
ROOT = "root"


@dataclass(frozen=True)
class Credential:
    """What a player signs calls with. `owner` is an id (or ROOT); `key` AKIA or ASIA.

    `began`: epoch seconds of a console session's or role session's beginning, None for a key.
    `console`: it began with a password. `tainted`: an offender made it, or began it with what an
    offender made or set.
    """

    owner: str
    key: str
    began: float | None = None
    tainted: bool = False
    console: bool = False

    @property
    def is_session(self) -> bool:
        return self.began is not None

    @property
    def is_role(self) -> bool:
        return self.owner.startswith("AROA")


@dataclass
class Truth:
    """Sets of ids and key ids.

    `offenders`: who called IAM without being an administrator. `accomplices`: what offending calls
    made. `abused`: administrators of whom a tainted credential called. `either`: offenders whom an
    administrator made one of hers later; whether they end contained is nobody's business.
    `thrown_out`: the offending calls that took somebody out of the group. `gave`: by id or key,
    which offenders made it or let her in; "password ID": who set hers. `moved`: every change of
    the group: when, and whether somebody who was none of it took herself in.
    """

    administrators: set[str] = field(default_factory=set)
    exempt: set[str] = field(default_factory=set)
    offenders: dict[str, float] = field(default_factory=dict)
    accomplices: set[str] = field(default_factory=set)
    either: set[str] = field(default_factory=set)
    tainted_keys: set[str] = field(default_factory=set)
    stolen_passwords: set[str] = field(default_factory=set)
    abused: dict[str, set[bool]] = field(default_factory=dict)
    added: dict[str, list[tuple[float, str, str]]] = field(default_factory=dict)
    removed: dict[str, tuple[str, str]] = field(default_factory=dict)
    deleted: dict[str, float] = field(default_factory=dict)
    renamed: dict[str, list[float]] = field(default_factory=dict)
    stolen: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    self_added: set[str] = field(default_factory=set)
    thrown_out: dict[str, list[str]] = field(default_factory=dict)
    made_by: dict[str, str] = field(default_factory=dict)
    helped: dict[str, list[tuple[float, str, str]]] = field(default_factory=dict)
    gave: dict[str, set[str]] = field(default_factory=dict)
    moved: list[tuple[float, bool]] = field(default_factory=list)

    def is_rightful(self, who: Credential) -> bool:
        """Whether a call with this credential is an administrator's."""
        if who.owner == ROOT:
            return True
        if who.owner in self.accomplices or who.tainted:
            return False
        return who.owner in self.administrators or who.owner in self.exempt

    def is_offender(self, principal_id: str) -> bool:
        return principal_id in self.offenders or principal_id in self.accomplices

    def judge(
        self,
        who: Credential,
        operation: str,
        named: str,
        arguments: dict[str, Any],
        answer: Any,
        *,
        now: float,
        event: str,
    ) -> None:
        """Take in one call that succeeded; `named` is the id behind the user or role it names."""
        if operation in ("delete_user", "delete_role"):
            self.deleted[named] = now
        if operation == "update_user":
            self.renamed.setdefault(named, []).append(now)
        if arguments.get("GroupName") == ADMINISTRATORS:
            itself = named == who.owner and named not in self.administrators
            self.moved.append((now, itself and operation == "add_user_to_group"))
        if operation in ("create_user", "create_role"):
            self.made_by[next(iter(answer.values()))[f"{operation[7:].title()}Id"]] = who.owner
        if self.is_rightful(who):
            self._rightful(operation, named, arguments, by=who.owner, now=now, event=event)
        elif operation != "change_password" or who.tainted or self.is_offender(who.owner):
            self.offend(who, now=now)
            impacts_found = self._offending(operation, named, arguments, answer)
            self.gave.setdefault(impacts_found, set()).add(who.owner)
            if operation in ("create_access_key", "update_access_key"):
                self.stolen.setdefault(named, []).append((now, _key_in(arguments, answer)))
            if operation == "remove_user_from_group":
                self.thrown_out.setdefault(named, []).append(event)

    def offend(self, who: Credential, *, now: float) -> None:
        """Whoever called, denied or not, was no administrator."""
        administrator = who.owner in self.administrators and who.owner not in self.accomplices
        if who.tainted and administrator and who.owner not in self.offenders:
            self.abused.setdefault(who.owner, set()).add(who.is_session)
        else:
            self.offenders.setdefault(who.owner, now)

    def _rightful(
        self,
        operation: str,
        named: str,
        arguments: dict[str, Any],
        *,
        by: str,
        now: float,
        event: str,
    ) -> None:
        group = arguments.get("GroupName")
        match operation:
            case "add_user_to_group" if group == ADMINISTRATORS:
                if named not in self.administrators:
                    self.added.setdefault(named, []).append((now, event, by))
                if named == by:
                    self.self_added.add(named)
                self.administrators.add(named)
                if named in self.offenders:
                    self.either.add(named)
            case "remove_user_from_group" if group == ADMINISTRATORS:
                self.administrators.discard(named)
                self.removed[named] = (by, event)
            case "update_login_profile" | "create_login_profile" | "change_password":
                self.stolen_passwords.discard(named)
                self.helped.setdefault(named, []).append((now, event, by))

    def _offending(self, operation: str, named: str, arguments: dict[str, Any], answer: Any) -> str:
        """Take in what the call gave; the id or key that it gave it to."""
        match operation:
            case "create_user":
                named = answer["User"]["UserId"]
                self.accomplices.add(named)
            case "create_role":
                named = answer["Role"]["RoleId"]
                self.accomplices.add(named)
            case "create_access_key":
                named = answer["AccessKey"]["AccessKeyId"]
                self.tainted_keys.add(named)
            case "update_access_key" if arguments["Status"] == "Active":
                named = arguments["AccessKeyId"]
                self.tainted_keys.add(named)
            case "update_login_profile" | "create_login_profile" | "change_password":
                self.stolen_passwords.add(named)
                return f"password {named}"
            case "add_user_to_group" if arguments.get("GroupName") == ADMINISTRATORS:
                pass
            case _:
                return ""
        return named


def _key_in(arguments: dict[str, Any], answer: Any) -> str:
    key: str = arguments.get("AccessKeyId") or answer["AccessKey"]["AccessKeyId"]
    return key


def id_of(iam: MemoryIam, arguments: dict[str, Any]) -> str:
    """The id behind the user or role that a call names; empty where there is none."""
    try:
        if "RoleName" in arguments:
            return iam.role(arguments["RoleName"], "").id
        return iam.user(arguments.get("UserName", ""), "").id
    except ClientError:
        return ""
