"""Rows 50 and 54-56: aimed at the revoker itself, by calls of IAM."""

from __future__ import annotations

import json
from typing import Any

from handler.model.names import DENY_GROUP, INLINE_DENY, REVOKER, STATE_TABLE
from handler.model.report import Disposition
from sandbox.demo.product_setup import TEAM_ADDRESS
from tests.attacks.play import ADMINISTRATORS, Play, document, trust
from tests.attacks.rows import Row, command, critical, missing, no_member, noted, then

MEMBERSHIP = f"membership of the group '{ADMINISTRATORS}' for user '{{mallory}}'"


def fillers(play: Play, count: int) -> list[str]:
    return [play.policy(f"filler-{n}") for n in range(count)]


def groups(play: Play) -> None:
    for number in range(10):
        play.quiet.create_group(GroupName=play.name(f"group-{number}"))


def fill_user(play: Play) -> None:
    mallory = play.iam("mallory")
    for number in range(10):
        mallory.attach_user_policy(UserName=play["mallory"], PolicyArn=play[f"filler-{number}"])
        mallory.add_user_to_group(UserName=play["mallory"], GroupName=play[f"group-{number}"])


def fill_role(play: Play) -> None:
    deployer = play.iam("deployer")
    for number in range(20):
        deployer.attach_role_policy(RoleName=play["deployer"], PolicyArn=play[f"filler-{number}"])


def quotas(play: Play) -> None:
    fillers(play, 10)
    groups(play)


def role_and_fillers(play: Play) -> None:
    play.role("deployer", "iam:*")
    fillers(play, 20)


def _held_when_there_is_room(play: Play) -> None:
    assert not play.is_held("mallory")
    play.quiet.detach_user_policy(UserName=play["mallory"], PolicyArn=play["filler-0"])
    play.reconcile(after=61)
    (report,) = play.hear()
    assert report.disposition is Disposition.CONTAINED
    assert play.is_held("mallory")
    assert play.refused("mallory")


def name_inline(play: Play) -> None:
    play.iam("mallory").put_user_policy(
        UserName=play["mallory"], PolicyName=INLINE_DENY, PolicyDocument=document("iam:*")
    )


def has_inline(play: Play) -> bool:
    return INLINE_DENY in play.quiet.list_user_policies(UserName=play["mallory"])["PolicyNames"]


def join(play: Play) -> None:
    play.iam("mallory").add_user_to_group(GroupName=ADMINISTRATORS, UserName=play["mallory"])


def _items(play: Play) -> Any:
    return play.box.client("dynamodb", play.account).scan(TableName=STATE_TABLE)["Items"]


def nobody_looked(play: Play) -> None:
    assert _items(play) == []


def empty_table(play: Play) -> None:
    """As after a restore: nothing is known but what the account shows now."""
    play.alice.create_group(GroupName=play.name("ordinary"))
    play.box.settle()
    assert "baseline" in {item["pk"]["S"] for item in _items(play)}
    table = play.box.client("dynamodb", play.account)
    for item in _items(play):
        table.delete_item(TableName=STATE_TABLE, Key={"pk": item["pk"]})
    play.box.cool_down(play.account)


def contained_with_a_friend(play: Play) -> None:
    play.user("friend", "iam:*")
    play.iam("mallory").create_group(GroupName=play.name("first"))
    play.box.settle()
    assert play.is_held("mallory")
    play.names["deny"] = play.deny


def strip(play: Play) -> None:
    play.iam("friend").detach_user_policy(UserName=play["mallory"], PolicyArn=play.deny)


def strip_and_call(play: Play) -> None:
    strip(play)
    play.iam("mallory").create_group(GroupName=play.name("second"))


def _reconciliation_repairs_it(play: Play) -> None:
    assert not play.is_held("mallory")
    play.reconcile(after=61)
    (report,) = play.hear()
    assert (report.disposition, report.principal_name) == (
        Disposition.DENY_REMOVED,
        play["mallory"],
    )
    assert report.notes[0].endswith(" It was re-attached.")
    assert play.is_held("mallory")
    assert play.refused("mallory")
    reported = [mail.subject for mail in play.box.outbox if play["mallory"] in mail.subject]
    assert len(reported) == 2, "the call, and the stripping"


def _held_already(play: Play) -> None:
    assert play.is_held("mallory")
    assert play.refused("mallory")


def contained_by_group(play: Play) -> None:
    for arn in fillers(play, 10):
        play.quiet.attach_user_policy(UserName=play["mallory"], PolicyArn=arn)
    contained_with_a_friend(play)


def leave_deny_group(play: Play) -> None:
    play.iam("friend").remove_user_from_group(GroupName=DENY_GROUP, UserName=play["mallory"])


def out_of_deny_group(play: Play) -> bool:
    return play["mallory"] not in play.members(DENY_GROUP)


def rewrite_deny(play: Play) -> None:
    play.names["deny"] = play.deny
    play.iam("mallory").create_policy_version(
        PolicyArn=play.deny, PolicyDocument=document("iam:*"), SetAsDefault=True
    )


def _held_when_the_deny_is_ours_again(play: Play) -> None:
    assert not play.is_held("mallory")
    assert f"[Revoker tampered] {play.account}" in _subjects(play)
    play.alice.set_default_policy_version(PolicyArn=play.deny, VersionId="v1")
    play.alice.delete_policy_version(PolicyArn=play.deny, VersionId="v2")
    play.reconcile(after=61)
    assert play.is_held("mallory")
    assert play.refused("mallory")


def _subjects(play: Play) -> str:
    return "\n".join(mail.subject for mail in play.box.outbox if mail.address == TEAM_ADDRESS)


def revokers_policies(play: Play) -> None:
    for name in play.quiet.list_role_policies(RoleName=REVOKER)["PolicyNames"]:
        found = play.quiet.get_role_policy(RoleName=REVOKER, PolicyName=name)
        play.names[f"kept-{name}"] = json.dumps(found["PolicyDocument"])


def cripple(play: Play) -> None:
    for name in play.quiet.list_role_policies(RoleName=REVOKER)["PolicyNames"]:
        play.iam("mallory").delete_role_policy(RoleName=REVOKER, PolicyName=name)


def _held_by_the_next_call(play: Play) -> None:
    for word, text in play.names.items():
        if word.startswith("kept-"):
            play.quiet.put_role_policy(
                RoleName=REVOKER, PolicyName=word.removeprefix("kept-"), PolicyDocument=text
            )
    play.iam("mallory").create_group(GroupName=play.name("next"))
    play.hear()
    assert play.is_held("mallory")
    assert play.refused("mallory")


def keep_trust(play: Play) -> None:
    found = play.quiet.get_role(RoleName=REVOKER)["Role"]["AssumeRolePolicyDocument"]
    play.names["trust"] = json.dumps(found)


def open_revoker(play: Play) -> None:
    play.iam("mallory").update_assume_role_policy(
        RoleName=REVOKER, PolicyDocument=trust(play.account)
    )


def _repair_trust(play: Play) -> None:
    assert f"[Revoker tampered] {play.account} user {play['mallory']}" in _subjects(play)
    play.quiet.update_assume_role_policy(RoleName=REVOKER, PolicyDocument=play["trust"])


ROWS = (
    Row(
        row=50,
        title="A user who fills all quotas first",
        where="watched",
        calls=("AttachUserPolicy", "AddUserToGroup") * 10,
        prepare=quotas,
        attack=fill_user,
        gave=tuple(
            text.replace("N", str(number))
            for number in range(10)
            for text in (
                "the policy '{filler-N}' for user '{mallory}'",
                "membership of the group '{group-N}' for user '{mallory}'",
            )
        ),
        contained=(),
        mail="[CRITICAL: not contained]",
        ends=(
            noted(
                "Could not attach the deny policy: LimitExceeded, "
                "Cannot exceed quota for PoliciesPerUser: 10."
            ),
            noted(
                "Could not add the user to the deny group: LimitExceeded, "
                "Cannot exceed quota for GroupsPerUser: 10."
            ),
            then(
                "told as critical; contained by reconciliation as soon as there is room",
                _held_when_there_is_room,
            ),
        ),
    ),
    Row(
        row=50,
        title="A role that fills its quota of policies first",
        caller="role",
        calls=("AttachRolePolicy",) * 20,
        prepare=role_and_fillers,
        attack=fill_role,
        gave=tuple(
            f"the policy '{{filler-{number}}}' for role '{{deployer}}'" for number in range(20)
        ),
        contained=("deployer",),
        about="deployer",
        ends=(
            noted(
                "Could not attach the deny policy: LimitExceeded, "
                "Cannot exceed quota for PoliciesPerRole: 20."
            ),
        ),
    ),
    Row(
        row=50,
        title="An inline policy named like our deny",
        calls=("PutUserPolicy",),
        attack=name_inline,
        gave=(f"the inline policy '{INLINE_DENY}' for user '{{mallory}}'",),
        ends=(
            critical(),
            command(
                f"aws iam delete-user-policy --user-name={{mallory}} --policy-name={INLINE_DENY}",
                has_inline,
            ),
        ),
    ),
    Row(
        row=54,
        title="The attack is the first event that the revoker ever sees",
        where="new member",
        calls=("AddUserToGroup",),
        prepare=nobody_looked,
        attack=join,
        gave=(MEMBERSHIP,),
        ends=(no_member("mallory"),),
    ),
    Row(
        row=54,
        title="The attack is the first event after the table was emptied",
        where="new member",
        calls=("AddUserToGroup",),
        prepare=empty_table,
        attack=join,
        gave=(MEMBERSHIP,),
        ends=(no_member("mallory"),),
    ),
    Row(
        row=55,
        title="A friend strips the deny",
        where="watched",
        calls=("DetachUserPolicy",),
        prepare=contained_with_a_friend,
        attack=strip,
        gave=("the policy '{deny}', detached from user '{mallory}'",),
        contained=("friend",),
        about="friend",
        ends=(
            critical(),
            then(
                "reconciliation puts mallory's deny back, and says so", _reconciliation_repairs_it
            ),
        ),
    ),
    Row(
        row=55,
        title="A friend strips the deny, and it is used",
        calls=("DetachUserPolicy", "CreateGroup"),
        prepare=contained_with_a_friend,
        attack=strip_and_call,
        gave=(
            "the policy '{deny}', detached from user '{mallory}'",
            "a new group '{second}', empty and without rights",
        ),
        contained=("friend",),
        about="friend",
        ends=(critical(), then("mallory's own call puts the deny back", _held_already)),
    ),
    Row(
        row=55,
        title="A friend takes her out of the deny group",
        calls=("RemoveUserFromGroup",),
        prepare=contained_by_group,
        attack=leave_deny_group,
        gave=(f"user '{{mallory}}', removed from the group '{DENY_GROUP}'",),
        contained=("friend",),
        about="friend",
        ends=(
            critical(),
            command(
                f"aws iam add-user-to-group --group-name={DENY_GROUP} --user-name={{mallory}}",
                out_of_deny_group,
            ),
        ),
    ),
    Row(
        row=56,
        title="The deny rewritten to allow",
        where="spare",
        calls=("CreatePolicyVersion",),
        attack=rewrite_deny,
        gave=(
            (
                "version 'v2' of the policy '{deny}', in force for every user, group and role that "
                "has it as policy or boundary"
            ),
        ),
        contained=(),
        mail="[CRITICAL: not contained]",
        ends=(
            critical(),
            missing("The record does not say which version was in force before."),
            then(
                "told as tampering; contained by reconciliation once the deny is ours again",
                _held_when_the_deny_is_ours_again,
            ),
        ),
    ),
    Row(
        row=56,
        title="The revoker's rights deleted",
        where="spare",
        calls=("DeleteRolePolicy",) * 2,
        prepare=revokers_policies,
        attack=cripple,
        contained=(),
        mail="[Revoker tampered]",
        ends=(
            then(
                "told as tampering; contained by the next call once the revoker has its rights",
                _held_by_the_next_call,
            ),
        ),
    ),
    Row(
        row=56,
        title="The revoker's role opened",
        where="spare",
        calls=("UpdateAssumeRolePolicy",),
        prepare=keep_trust,
        attack=open_revoker,
        gave=("the trust policy of role 'iam-org-revoker', now trusting {account}",),
        ends=(
            critical(),
            missing(
                "The record does not carry the old trust policy: see CloudTrail or your IaC for it."
            ),
            then("told as tampering", _repair_trust),
        ),
    ),
)
