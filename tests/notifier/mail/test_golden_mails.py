"""What every golden mail has in common: short, decision first, right advice, commands that run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from handler.model.heartbeat import NOT_REPORTING_SECONDS
from responder.__main__ import _parser as responder_parser
from stacksets.__main__ import _parser as stacksets_parser

GOLDEN = Path(__file__).parents[1] / "golden"
ROOT = Path(__file__).parents[3]
MAILS = {path.relative_to(GOLDEN).as_posix(): path.read_text() for path in GOLDEN.rglob("*.txt")}
PRODUCT = {"responder": responder_parser, "stacksets": stacksets_parser}
CONTAINMENTS = [name for name, text in MAILS.items() if text.startswith("Subject: [IAM revoked]")]
# What only fits other kinds of callers.
OTHERS_ADVICE = {
    "user": ("trust policy", "Identity Center", "central root access", "AdminRolePatterns"),
    "role": ("console password", "Identity Center", "central root access", "administrators' group"),
    "identity-center": ("console password", "trust policy", "central root access"),
    "root": ("console password", "Identity Center", "trust policy", "administrators' group"),
}


def body(name: str) -> list[str]:
    """The lines under the subject."""
    return MAILS[name].splitlines()[2:]


def product_commands() -> list[str]:
    """Every command of ours in a golden mail, without the sign that comments it out."""
    found = (
        re.match(r" +(?:# )?(python -m .*)", line)
        for text in MAILS.values()
        for line in text.splitlines()
    )
    return sorted({one[1] for one in found if one})


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_plain_text_in_72_columns_but_for_its_commands(name: str) -> None:
    for line in body(name):
        assert line.isascii()
        assert len(line) <= 72 or re.match(r" +(# )?(aws|python -m) ", line), line


@pytest.mark.parametrize("name", CONTAINMENTS)
def test_a_containment_fits_two_screens_and_its_release_the_first(name: str) -> None:
    lines = body(name)
    # What the call changed is as long as it is.
    changes = next(
        (
            len(part.splitlines()) + 1
            for part in MAILS[name].split("\n\n")
            if part.startswith("What the call changed")
        ),
        0,
    )
    assert len(lines) - changes <= 32
    release = next(n for n, line in enumerate(lines, 1) if "python -m responder release" in line)
    assert release <= 12


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_gives_no_advice_for_another_kind_of_caller(name: str) -> None:
    subject = MAILS[name].splitlines()[0]
    found = re.search(r"\] [0-9]{12} (?:\(\S+\) )?(user|role|root)\b", subject)
    advice = " ".join(" ".join(body(name)).split("For the investigation")[0].split())
    advice = advice.split("What the call changed")[0]
    kind = found[1] if found else ""
    kind = "identity-center" if "role AWSReservedSSO_" in advice else kind
    for words in OTHERS_ADVICE.get(kind, ()):
        assert words not in advice


def test_every_command_of_ours_is_one_that_the_product_takes() -> None:
    commands = product_commands()
    assert len(commands) > 5
    for command in commands:
        package, *arguments = shlex.split(command)[2:]
        filled = ["111122223333" if one == "ACCOUNT" else one for one in arguments]
        PRODUCT[package]().parse_args(filled)


def test_every_command_of_ours_in_a_source_stands_in_a_golden_mail() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "templates" / "mail").iterdir())
    # A command's first words: what follows may be a placeholder.
    named = {" ".join(one.split()[:4]) for one in re.findall(r"python -m [a-z -]+", sources)}
    assert named <= {" ".join(one.split()[:4]) for one in product_commands()}


def test_no_command_that_grants_administration_is_ready_to_paste() -> None:
    granting = [
        line
        for text in MAILS.values()
        for line in text.splitlines()
        if "add-user-to-group" in line or ("--member" in line and line.startswith("  "))
    ]
    assert granting
    assert all(re.match(r" +# ", line) for line in granting)


def test_the_minutes_without_a_heartbeat_are_those_of_the_product() -> None:
    for name in ("not-reporting", "no-heartbeats"):
        assert f" {NOT_REPORTING_SECONDS // 60} minutes" in MAILS[f"many/{name}.txt"]


def test_nothing_is_both_re_attached_and_left_to_do() -> None:
    text = MAILS["handler/changed-own-deny.txt"]
    changed = next(part for part in text.split("\n\n") if part.startswith("What the call changed"))
    assert "Re-attached: the deny policy holds." in changed
    assert "aws iam" not in changed
    assert "Nothing was done" not in text


def test_no_mail_asks_to_delete_a_part_of_the_revoker() -> None:
    text = MAILS["handler/changed-own-part.txt"]
    assert "do not delete it by hand" in " ".join(text.split())
    assert "aws iam delete-role " not in text
