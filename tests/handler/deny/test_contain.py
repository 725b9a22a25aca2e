"""The deny methods, their order, their undo, and on whom the deny ends when names move."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from handler.model.cloudtrail import CallerKind
from handler.model.names import DENY_GROUP
from handler.model.principal import DenyMethod, Target
from handler.revoker.deny.contain import contain
from handler.revoker.deny.methods import ROLE_METHOD_CALLS, USER_METHOD_CALLS, MethodCalls
from tests.doubles.iam import ACCOUNT, DENY_ARN, MemoryIam


def user(name: str, id: str) -> Target:
    return Target(kind=CallerKind.USER, name=name, id=id, account=ACCOUNT, partition="aws")


def role(name: str, id: str) -> Target:
    return Target(kind=CallerKind.ROLE, name=name, id=id, account=ACCOUNT, partition="aws")


def nobody(_id: str) -> bool:
    return False


def full_of_policies(iam: MemoryIam, name: str) -> None:
    principal = iam.users.get(name) or iam.roles[name]
    principal.attached |= {f"arn:aws:iam::aws:policy/Example{n}" for n in range(20)}


def test_a_user_gets_the_managed_policy_before_anything_else_is_asked() -> None:
    iam = MemoryIam()
    id = iam.add_user("mallory")
    done = contain(iam, user("mallory", id), inline=False, is_contained=nobody)
    assert iam.calls[0] == "attach_user_policy"
    assert done.method is DenyMethod.MANAGED_POLICY
    assert done.undo == (
        (
            "aws",
            "iam",
            "detach-user-policy",
            "--user-name=mallory",
            "--policy-arn=arn:aws:iam::111122223333:policy/iam-org-revoker/iam-org-revoker-deny",
        ),
    )
    assert iam.users["mallory"].attached == {DENY_ARN}


def test_a_role_gets_the_managed_policy_before_anything_else_is_asked() -> None:
    iam = MemoryIam()
    id = iam.add_role("deployer")
    done = contain(iam, role("deployer", id), inline=False, is_contained=nobody)
    assert iam.calls[0] == "attach_role_policy"
    assert done.method is DenyMethod.MANAGED_POLICY
    assert iam.roles["deployer"].attached == {DENY_ARN}


def test_containing_twice_changes_nothing_more() -> None:
    iam = MemoryIam()
    id = iam.add_user("mallory")
    assert contain(iam, user("mallory", id), inline=False, is_contained=nobody) == contain(
        iam, user("mallory", id), inline=False, is_contained=nobody
    )
    assert iam.users["mallory"].attached == {DENY_ARN}


def test_a_user_at_her_policy_quota_goes_into_the_deny_group() -> None:
    iam = MemoryIam()
    id = iam.add_user("mallory")
    full_of_policies(iam, "mallory")
    done = contain(iam, user("mallory", id), inline=False, is_contained=nobody)
    assert done.method is DenyMethod.DENY_GROUP
    assert done.undo == (
        (
            "aws",
            "iam",
            "remove-user-from-group",
            "--user-name=mallory",
            "--group-name=iam-org-revoker-denied",
        ),
    )
    assert done.notes == ("Could not attach the deny policy: LimitExceeded, quota 10.",)
    assert iam.groups[DENY_GROUP].members == {"mallory"}


def test_a_role_at_its_quota_without_a_boundary_gets_ours() -> None:
    iam = MemoryIam()
    id = iam.add_role("deployer")
    full_of_policies(iam, "deployer")
    done = contain(iam, role("deployer", id), inline=False, is_contained=nobody)
    assert done.method is DenyMethod.BOUNDARY
    assert iam.roles["deployer"].boundary == DENY_ARN


def test_a_boundary_of_the_owner_is_never_replaced() -> None:
    iam = MemoryIam()
    theirs = "arn:aws:iam::111122223333:policy/Theirs"
    id = iam.add_role("deployer", boundary=theirs)
    full_of_policies(iam, "deployer")
    done = contain(iam, role("deployer", id), inline=False, is_contained=nobody)
    assert done.method is None
    assert iam.roles["deployer"].boundary == theirs
    assert (
        "Could not set the deny as permissions boundary: "
        f"refused, the role has the boundary {theirs}." in done.notes
    )


@pytest.mark.parametrize("kind", [CallerKind.USER, CallerKind.ROLE])
def test_the_inline_deny_is_taken_only_where_the_parameter_allows_it(kind: CallerKind) -> None:
    iam = MemoryIam()
    if kind is CallerKind.USER:
        target = user("mallory", iam.add_user("mallory"))
        for number in range(10):
            iam.groups[f"Example{number}"] = type(iam.groups[DENY_GROUP])(members={"mallory"})
    else:
        target = role("mallory", iam.add_role("mallory", boundary="arn:aws:iam::aws:policy/Own"))
    full_of_policies(iam, "mallory")
    assert contain(iam, target, inline=False, is_contained=nobody).method is None
    assert not iam.holds("mallory")
    assert contain(iam, target, inline=True, is_contained=nobody).method is DenyMethod.INLINE_POLICY
    assert iam.holds("mallory")


def test_an_inline_policy_of_our_name_with_other_content_does_not_count_as_contained() -> None:
    iam = MemoryIam()
    id = iam.add_user("mallory")
    iam.users["mallory"].inline["iam-org-revoker-deny"] = "{}"
    contain(iam, user("mallory", id), inline=False, is_contained=nobody)
    assert iam.users["mallory"].attached == {DENY_ARN}


def test_a_deny_policy_that_was_rewritten_is_taken_off_again() -> None:
    iam = MemoryIam()
    id = iam.add_user("mallory")
    iam.documents[DENY_ARN] = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    done = contain(iam, user("mallory", id), inline=False, is_contained=nobody)
    assert done.method is None
    assert not iam.holds("mallory")
    assert done.notes[0] == ("Could not attach the deny policy: somebody rewrote its content.")


def test_a_deny_group_that_carries_something_else_is_left_again() -> None:
    iam = MemoryIam()
    id = iam.add_user("mallory")
    full_of_policies(iam, "mallory")
    iam.groups[DENY_GROUP].attached.add("arn:aws:iam::aws:policy/AdministratorAccess")
    done = contain(iam, user("mallory", id), inline=False, is_contained=nobody)
    assert done.method is None
    assert iam.groups[DENY_GROUP].members == set()


def test_a_protected_role_is_told_of_and_not_retried() -> None:
    iam = MemoryIam()
    id = iam.add_role("AWSReservedSSO_Example_0123456789abcdef", protected=True)
    done = contain(
        iam, role("AWSReservedSSO_Example_0123456789abcdef", id), inline=True, is_contained=nobody
    )
    assert done.method is None
    assert not done.gone
    assert [note.split(",")[0] for note in done.notes] == [
        "Could not attach the deny policy: UnmodifiableEntity",
        "Could not set the deny as permissions boundary: UnmodifiableEntity",
        "Could not put an inline deny: UnmodifiableEntity",
    ]


def test_throttling_is_raised_for_lambda_to_retry() -> None:
    iam = MemoryIam()
    id = iam.add_user("mallory")
    iam.fail["attach_user_policy"] = ["Throttling"]
    with pytest.raises(ClientError, match="Throttling"):
        contain(iam, user("mallory", id), inline=False, is_contained=nobody)


def test_a_caller_who_renamed_herself_is_found_by_her_id() -> None:
    iam = MemoryIam()
    id = iam.add_user("mallory-2")
    iam.add_user("alice")
    done = contain(iam, user("mallory", id), inline=False, is_contained=nobody)
    assert (done.name, done.method) == ("mallory-2", DenyMethod.MANAGED_POLICY)
    assert iam.holds("mallory-2")
    assert not iam.holds("alice")


def test_a_colleague_moved_into_the_callers_old_name_is_spared() -> None:
    iam = MemoryIam()
    colleague = iam.add_user("mallory")
    for number in range(5):
        iam.add_user(f"filler-{number}")
    id = iam.add_user("mallory-2")
    done = contain(iam, user("mallory", id), inline=False, is_contained=nobody)
    assert colleague != id
    assert done.name == "mallory-2"
    assert iam.holds("mallory-2")
    assert not iam.holds("mallory")


def test_a_role_re_created_under_the_callers_name_is_spared() -> None:
    iam = MemoryIam()
    iam.add_role("deployer")
    done = contain(iam, role("deployer", "AROAEXAMPLEGONE"), inline=False, is_contained=nobody)
    assert done.gone
    assert not iam.holds("deployer")


def test_a_principal_deleted_since_is_gone() -> None:
    done = contain(
        MemoryIam(), user("mallory", "AIDAEXAMPLEGONE"), inline=False, is_contained=nobody
    )
    assert done.gone
    assert done.method is None


def test_a_record_without_a_name_is_contained_by_id() -> None:
    iam = MemoryIam()
    id = iam.add_user("mallory")
    assert contain(iam, user("", id), inline=False, is_contained=nobody).name == "mallory"
    assert iam.holds("mallory")


def test_a_missing_deny_policy_goes_on_to_the_next_deny_method() -> None:
    iam = MemoryIam()
    id = iam.add_user("mallory")
    iam.documents.clear()
    done = contain(iam, user("mallory", id), inline=True, is_contained=nobody)
    assert done.method is DenyMethod.INLINE_POLICY


@pytest.mark.parametrize(
    "step", [*USER_METHOD_CALLS, *ROLE_METHOD_CALLS], ids=lambda s: s.method.value
)
def test_each_effect_is_undone_exactly(step: MethodCalls) -> None:
    iam = MemoryIam()
    is_user = step in USER_METHOD_CALLS
    target = (
        user("mallory", iam.add_user("mallory"))
        if is_user
        else role("mallory", iam.add_role("mallory"))
    )
    step.do(iam, target)
    assert iam.holds("mallory")
    assert step.there(iam, target)
    if step.undo is None:
        assert step.command(target)[2] == "delete-role-permissions-boundary"
        return
    step.undo(iam, target)
    assert not iam.holds("mallory")
    assert not step.there(iam, target)
