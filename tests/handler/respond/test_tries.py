"""A deny whose record is not written yet: whose try it was, and who may take it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handler.model.reasons import Action, Reason
from handler.revoker.requests.release import release
from handler.revoker.respond import contain_caller
from handler.revoker.respond.respond import answer
from handler.revoker.state import marks
from tests.doubles.account import World, a_user
from tests.doubles.iam import SESSION_DENY_ARN, Group
from tests.handler.memberships import ADMINISTRATORS, adds, creates, ignored, removes
from tests.handler.memberships import standing_admin as standing
from tests.handler.offences import calls_from_console, mallory, resets_password


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def before_the_record(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Let another worker come between the deny and its record, once."""

    def interrupt(job: Callable[[], None]) -> None:
        real = marks.mark_contained

        def late(*arguments: Any, **named: Any) -> Any:
            monkeypatch.setattr(contain_caller, "mark_contained", real)
            job()
            return real(*arguments, **named)

        monkeypatch.setattr(contain_caller, "mark_contained", late)

    return interrupt


def test_a_call_from_when_she_was_an_administrator_leaves_the_deny_of_a_later_one(
    world: World, before_the_record: Callable[[Callable[[], None]], None]
) -> None:
    carol = a_user("carol", world.iam.add_user("carol", groups=(ADMINISTRATORS,)))
    world.installed()
    answer(removes(world, standing(world), "carol", second=0, event="rm"), world.tools())
    earlier = creates(carol, second=-1, event="earlier")
    before_the_record(lambda: answer(earlier, world.tools()) and None)
    assert answer(creates(carol, second=3), world.tools()).action is Action.CONTAIN
    assert world.iam.holds("carol")


def test_a_call_with_her_own_key_leaves_the_deny_of_a_stolen_session(
    world: World, before_the_record: Callable[[Callable[[], None]], None]
) -> None:
    world.installed()
    answer(resets_password(mallory(world), "standing", second=10), world.tools())
    stolen = calls_from_console(standing(world), began=21, second=22)
    own = creates(standing(world), second=22, event="own")
    before_the_record(lambda: answer(own, world.tools()) and None)
    assert answer(stolen, world.tools()).reason is Reason.TAINTED_CREDENTIAL
    assert world.iam.users["standing"].attached == {SESSION_DENY_ARN}


def test_observing_takes_nothing_back_since_it_may_not(world: World) -> None:
    world.installed()
    world.iam.fail["detach_user_policy"] = ["AccessDenied"]
    again = adds(world, standing(world), "standing", second=1, event="again")
    assert ignored(answer(again, world.tools(MODE="observe")))


def test_a_deny_that_is_due_is_not_taken_back_by_the_mark_of_a_try_that_did_not_hold(
    world: World,
) -> None:
    world.installed()
    eve = a_user("eve", world.iam.add_user("eve"))
    full = {f"arn:aws:iam::aws:policy/Example{n}" for n in range(10)}
    world.iam.users["eve"].attached |= full
    world.iam.groups |= {f"Example{n}": Group(members={"eve"}) for n in range(10)}
    answer(creates(eve, second=0, event="one"), world.tools())
    assert not world.iam.holds("eve")
    # Room is made, and somebody makes her an administrator: she stays an offender's doing.
    world.iam.users["eve"].attached -= full
    for number in range(10):
        del world.iam.groups[f"Example{number}"]
    answer(adds(world, standing(world), "eve", second=5, event="add"), world.tools())
    for event in ("one", "two"):
        assert answer(creates(eve, second=8, event=event), world.tools()).action is Action.CONTAIN
        assert world.iam.holds("eve")


def test_a_release_takes_a_mark_that_was_left_behind(world: World) -> None:
    world.installed()
    answer(creates(mallory(world), second=0), world.tools())
    key = f"principal#{world.iam.users['mallory'].id}"
    # Another worker marked its try after the record was written.
    world.table.update(key, {"trying": "another"})
    by = {"reason": "over", "by": "responder", "enable_keys": False, "dry": False}
    release(world.item(key), **by, tools=world.tools())
    assert "trying" not in world.item(key)


def test_a_try_under_an_old_name_leaves_the_name_that_is_written_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.installed()
    who = mallory(world)
    mark = marks.mark_trying

    def late(*arguments: Any, **named: Any) -> None:
        """Another worker contains the caller, who has a new name, between look and mark."""
        monkeypatch.setattr(contain_caller, "mark_trying", mark)
        world.iam.update_user(UserName="mallory", NewUserName="nobody")
        renamed = a_user("nobody", who["principalId"], key="AKIAMALLORY")
        answer(creates(renamed, second=2, event="second"), world.tools())
        mark(*arguments, **named)

    monkeypatch.setattr(contain_caller, "mark_trying", late)
    answer(creates(who, second=1), world.tools())
    key = f"principal#{who['principalId']}"
    assert world.tools().table.read([key])[key]["name"] == "nobody"
