"""An attack as a row: who calls what, what it gives, and how it must end. Plays nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.demo.product_setup import ADMINISTRATORS
from tests.attacks.play import Play

Act = Callable[[Play], object]
# A member account that most share, one for what touches all of an account, one for what waits for
# reconciliation, which looks at every principal contained there, one of which the product has never
# seen an event, and the management account.
Where = Literal["member", "spare", "watched", "new member", "management"]


@dataclass(frozen=True)
class Outcome:
    """One thing that must be so at the end: as the documents say it, and as it is checked."""

    says: str
    check: Act


def _nothing(_play: Play) -> None:
    """Most rows need mallory and nobody else."""


@dataclass(frozen=True)
class Row:
    """One attack; `row` is the number of the documented method.

    Words in braces stand for names of the play. `calls` are the IAM writes of the attack that
    succeed; `gave` is what the reports say that they gave; `contained` and `sessions` are exactly
    those who are contained by it, wholly or in their sessions. Every offender's call is handled
    after all of the attack is done.
    """

    row: int
    title: str
    calls: tuple[str, ...]
    attack: Act
    prepare: Act = _nothing
    caller: str = "user"
    gave: tuple[str, ...] = ()
    contained: tuple[str, ...] = ("mallory",)
    sessions: tuple[str, ...] = ()
    ends: tuple[Outcome, ...] = ()
    # What a mail begins with, and whom it is about; empty: nobody is mailed.
    mail: str = "[IAM revoked]"
    about: str = "mallory"
    where: Where = "member"
    # Three minutes pass, in which a proof may come, and a reconciliation: `where` is watched.
    waits: bool = False


def inactive(credential: str, owner: str, *, kind: str = "access key") -> Outcome:
    """A credential is set inactive."""

    def check(play: Play) -> None:
        iam, user = play.quiet, play[owner]
        match kind:
            case "access key":
                found = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
                states = {one["AccessKeyId"]: one["Status"] for one in found}
            case "service credential":
                found = iam.list_service_specific_credentials(UserName=user)
                states = {
                    one["ServiceSpecificCredentialId"]: one["Status"]
                    for one in found["ServiceSpecificCredentials"]
                }
            case "SSH key":
                found = iam.list_ssh_public_keys(UserName=user)["SSHPublicKeys"]
                states = {one["SSHPublicKeyId"]: one["Status"] for one in found}
            case "certificate":
                found = iam.list_signing_certificates(UserName=user)["Certificates"]
                states = {one["CertificateId"]: one["Status"] for one in found}
        assert states[play[credential]] == "Inactive", states

    return Outcome(f"{kind} of {owner} set inactive", check)


def command(text: str, there: Callable[[Play], bool]) -> Outcome:
    """The reports carry this command; it is there before an administrator runs it, then not."""

    def check(play: Play) -> None:
        wanted = play.fill(text)
        undo = [one for r in play.reports for impact in r.impacts for one in impact.undo]
        found = [one for one in undo if " ".join(one) == wanted]
        assert found, [" ".join(one) for one in undo]
        assert there(play), "what the attack did is not there"
        assert play.run(found[0]) == 0
        assert not there(play), f"it is still there after {wanted}"

    return Outcome(f"told with `{text}`, which undoes it", check)


def missing(text: str) -> Outcome:
    """No command can be written; the reports say why, in these words."""

    def check(play: Play) -> None:
        impacts = [impact for r in play.reports for impact in r.impacts if not impact.undo]
        assert text in [impact.missing for impact in impacts], impacts

    return Outcome(f"told: {text}", check)


def critical() -> Outcome:
    """A gain is marked as critical."""

    def check(play: Play) -> None:
        assert any(impact.critical for r in play.reports for impact in r.impacts)

    return Outcome("told as critical", check)


def done(text: str) -> Outcome:
    """The reports say of a gain that this was done about it."""

    def check(play: Play) -> None:
        said = [impact.done for r in play.reports for impact in r.impacts]
        assert play.fill(text) in said, said

    return Outcome(text, check)


def no_login(user: str) -> Outcome:
    def check(play: Play) -> None:
        assert not has_login(play, user)

    return Outcome(f"console password of {user} deleted", check)


def no_member(user: str) -> Outcome:
    def check(play: Play) -> None:
        assert play[user] not in play.members()

    return Outcome(f"{user} taken out of the administrators' group again", check)


def member(user: str) -> Outcome:
    def check(play: Play) -> None:
        assert play[user] in play.members(ADMINISTRATORS)

    return Outcome(f"{user} stays in the administrators' group", check)


def works(word: str, text: str = "") -> Outcome:
    """IAM still answers this key."""

    def check(play: Play) -> None:
        assert not play.refused(word)

    return Outcome(text or f"{word} keeps IAM", check)


def stops(word: str, text: str = "") -> Outcome:
    """IAM refuses the next call with this key."""

    def check(play: Play) -> None:
        assert play.refused(word)

    return Outcome(text or f"{word}'s next call is refused", check)


def noted(text: str) -> Outcome:
    """A report has this note."""

    def check(play: Play) -> None:
        notes = [note for r in play.reports for note in r.notes]
        assert play.fill(text) in notes, notes

    return Outcome(text, check)


def then(says: str, check: Act) -> Outcome:
    """Whatever else must be so; `check` asserts it."""
    return Outcome(says, check)


def has_login(play: Play, user: str) -> bool:
    iam = play.quiet
    try:
        iam.get_login_profile(UserName=play[user])
    except iam.exceptions.NoSuchEntityException:
        return False
    return True
