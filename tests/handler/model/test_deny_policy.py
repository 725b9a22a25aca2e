"""The deny judged by content: an honest one of another version passes, a loosened one never."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.deny_policy import deny_document, session_deny_document, still_denies

HONEST = deny_document()
STATEMENT = HONEST["Statement"][0]


def of(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize("everything", [False, True])
def test_our_own_documents_are_denies_in_either_scope(everything: bool) -> None:
    assert still_denies(deny_document(everything=everything))
    sessions = session_deny_document(everything=everything)
    assert still_denies(sessions, sessions_only=True)
    assert not still_denies(sessions)
    assert not still_denies(deny_document(everything=everything), sessions_only=True)


def test_a_deny_of_an_older_or_newer_version_is_not_taken_for_rewritten() -> None:
    assert still_denies(of(STATEMENT | {"Action": ["iam:*"]}))
    assert still_denies(of(STATEMENT | {"Action": "iam:*", "Resource": ["*"], "Sid": "Other"}))
    assert still_denies(of(STATEMENT, STATEMENT | {"Action": "sts:*"}))


@pytest.mark.parametrize(
    "document",
    [
        of(STATEMENT | {"Effect": "Allow"}),
        of(STATEMENT, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
        of(STATEMENT | {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}),
        of(STATEMENT | {"Resource": "arn:aws:iam::111122223333:user/nobody"}),
        of(STATEMENT | {"Action": ["iam:CreateUser"]}),
        of({"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}),
        of(),
        {"Statement": STATEMENT},
        {},
        None,
        "Deny",
    ],
    ids=str,
)
def test_a_loosened_or_unknown_document_is_no_deny(document: object) -> None:
    assert not still_denies(document)
