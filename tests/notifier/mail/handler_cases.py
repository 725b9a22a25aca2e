"""Plays of the real handler over accounts in memory, whose reports become golden mails."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from handler.notifier.messages.notice import Notice
from handler.revoker.respond.respond import answer
from tests.doubles.account import World, a_session, a_user, call, event
from tests.doubles.iam import ACCOUNT
from tests.doubles.rounds import Rounds
from tests.handler.memberships import creates
from tests.handler.offences import makes_key, makes_user, mallory, resets_password
from tests.notifier.central import given_envelope, read_notice

Case = Callable[[], World]


def reported_of(world: World) -> Notice:
    """The notice that the central account makes of the account's last report."""
    return read_notice(json.dumps(given_envelope(json.loads(world.bus.entries[-1]["Detail"]))))


def does(world: World, name: str, answered: Any = None, /, **request: Any) -> World:
    """mallory's call of that name is answered; `answered` is IAM's answer in the record."""
    made = call(
        mallory(world),
        name,
        eventID=f"event-{name}",
        requestParameters=request or None,
        responseElements=answered,
    )
    answer(made, world.tools())
    return world


def new_user() -> World:
    world = World().installed()
    answer(makes_user(world, mallory(world), "accomplice"), world.tools())
    return world


def new_role() -> World:
    world = World().installed()
    id, trust = world.iam.add_role("backdoor"), json.dumps(_trust_of("999988887777"))
    made = {"roleName": "backdoor", "roleId": id, "arn": f"arn:aws:iam::{ACCOUNT}:role/backdoor"}
    return does(
        world, "CreateRole", {"role": made}, roleName="backdoor", assumeRolePolicyDocument=trust
    )


def new_key() -> World:
    world = World().installed()
    answer(makes_key(world, mallory(world), "standing"), world.tools())
    return world


def refused_key() -> World:
    world = World().installed()
    world.iam.fail["update_access_key"] = ["AccessDenied"]
    answer(makes_key(world, mallory(world), "standing"), world.tools())
    return world


def new_password() -> World:
    world = World().installed()
    answer(resets_password(mallory(world), "standing"), world.tools())
    return world


def accomplices_password() -> World:
    world = new_user()
    world.iam.users["accomplice"].password = True
    login = {"loginProfile": {"userName": "accomplice"}}
    return does(world, "CreateLoginProfile", login, userName="accomplice")


def new_administrator() -> World:
    world = World().installed()
    world.iam.add_user("anna", groups=("Administrators",))
    return does(world, "AddUserToGroup", groupName="Administrators", userName="anna")


def old_administrator() -> World:
    world = World().installed()
    return does(world, "AddUserToGroup", groupName="Administrators", userName="standing")


def rescue_trust() -> World:
    world = World().installed()
    world.iam.add_role("stacksets-exec-0123456789abcdef")
    trust = json.dumps(_trust_of("999988887777"))
    return does(
        world,
        "UpdateAssumeRolePolicy",
        roleName="stacksets-exec-0123456789abcdef",
        policyDocument=trust,
    )


def new_version() -> World:
    policy = f"arn:aws:iam::{ACCOUNT}:policy/team"
    made = {"policyVersion": {"versionId": "v2", "isDefaultVersion": True}}
    return does(
        World().installed(), "CreatePolicyVersion", made, policyArn=policy, setAsDefault=True
    )


def attached_policy() -> World:
    policy = "arn:aws:iam::aws:policy/AdministratorAccess"
    return does(World().installed(), "AttachUserPolicy", policyArn=policy, userName="mallory")


def padded_call() -> World:
    return does(World().installed(), "PutUserPolicy")


def stolen_key(*, policies: int = 0) -> World:
    """The new key of an administrator with so many policies, made by mallory, is used."""
    world = new_key()
    fillers = {f"arn:aws:iam::aws:policy/Example{number}" for number in range(policies)}
    world.iam.users["standing"].attached |= fillers
    standing = a_user("standing", world.iam.users["standing"].id, key="AKIANEWKEY")
    answer(creates(standing, second=30, event="stolen"), world.tools())
    return world


def broken_circuit() -> World:
    world = World().installed()
    for number in range(2):
        who = a_user(f"user-{number}", world.iam.add_user(f"user-{number}"))
        answer(creates(who, second=number, event=f"e-{number}"), world.tools(BREAKER_LIMIT="1"))
    return world


def no_group() -> World:
    world = World()
    world.iam.groups["Administrators"].members.clear()
    undecided = {"MISSING_GROUP": "undecided"}
    world.installed(**undecided)
    mallory = a_user("mallory", world.iam.add_user("mallory"))
    answer(creates(mallory, second=0), world.tools(**undecided))
    return world


def observed_user() -> World:
    world = World().installed(MODE="observe")
    answer(creates(mallory(world), second=0), world.tools(MODE="observe"))
    return world


def spared_role() -> World:
    world = World().installed()
    deployer = a_session("deployer", world.iam.add_role("deployer"))
    answer(creates(deployer, second=0), world.tools(ROLE_CALLERS="report"))
    return world


def stripped_deny() -> World:
    world = Rounds()
    world.installed()
    answer(creates(mallory(world), second=0), world.tools())
    world.iam.users["mallory"].attached.clear()
    world.bus.entries.clear()
    world.later(900).reconcile()
    world.bus.entries.pop()
    return world


def dead_tampering() -> World:
    """What the tamper rule could not deliver lay among the dead letters."""
    world = Rounds()
    world.installed()
    rule = {"name": "iam-org-revoker-calls"}
    touched = event(
        mallory(world),
        "DisableRule",
        eventSource="events.amazonaws.com",
        requestParameters=rule,
        responseElements=None,
    )
    world.queue.put(touched, rule="iam-org-revoker-tamper")
    world.reconcile()
    world.bus.entries.pop()
    return world


def own_deny() -> World:
    """mallory takes the deny off itself; its call puts it on again."""
    world = new_user()
    world.iam.users["mallory"].attached.clear()
    deny = f"arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker/iam-org-revoker-deny"
    return does(world, "DetachUserPolicy", userName="mallory", policyArn=deny)


def others_deny() -> World:
    """mallory takes the deny off another, which reconciliation puts on again."""
    world = new_user()
    deny = f"arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker/iam-org-revoker-deny"
    return does(world, "DetachUserPolicy", userName="accomplice", policyArn=deny)


def own_part() -> World:
    """mallory creates a role under the name of one of ours."""
    world = World().installed()
    id, trust = world.iam.add_role("iam-org-revoker-forward"), json.dumps(_trust_of("999988887777"))
    made = {"roleName": "iam-org-revoker-forward", "roleId": id}
    asked = {"roleName": "iam-org-revoker-forward", "assumeRolePolicyDocument": trust}
    return does(world, "CreateRole", {"role": made}, **asked)


def role_caller() -> World:
    world = World().installed()
    deployer = a_session("deployer", world.iam.add_role("deployer"))
    answer(creates(deployer, second=0), world.tools())
    return world


def identity_center() -> World:
    world = World().installed()
    name = "AWSReservedSSO_Developer_0123456789abcdef"
    path = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
    caller = a_session(name, world.iam.add_role(name), path=path)
    answer(creates(caller, second=0), world.tools())
    return world


def no_method() -> World:
    world = World().installed()
    world.iam.fail = {
        "attach_user_policy": ["LimitExceeded"],
        "add_user_to_group": ["LimitExceeded"],
    }
    return does(world, "CreateGroup", {"group": {"groupName": "g"}}, groupName="g")


def _trust_of(account: str) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    return {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}


CASES: dict[str, Case] = {
    "changed-user": new_user,
    "changed-role": new_role,
    "changed-key": new_key,
    "changed-key-refused": refused_key,
    "changed-password": new_password,
    "changed-created-password": accomplices_password,
    "changed-administrator": new_administrator,
    "changed-old-administrator": old_administrator,
    "changed-rescue-trust": rescue_trust,
    "changed-policy-version": new_version,
    "changed-policy": attached_policy,
    "changed-unknown": padded_call,
    "contained-sessions": stolen_key,
    "contained-sessions-group": partial(stolen_key, policies=10),
    "changed-own-deny": own_deny,
    "changed-others-deny": others_deny,
    "changed-own-part": own_part,
    "contained-role": role_caller,
    "identity-center": identity_center,
    "blocked-breaker": broken_circuit,
    "blocked-group": no_group,
    "deny-removed": stripped_deny,
    "no-method-held": no_method,
    "tampered-late": dead_tampering,
}
