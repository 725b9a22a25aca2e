"""The proof of who is by the response team: what it covers, and what cannot pass for one."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.caller_proof import arn_in, question_headers, request_digest, sts_url
from handler.revoker.requests.authenticate import responder_caller
from tests.doubles.iam import ACCOUNT
from tests.doubles.rounds import RESPONDER_ARN, Rounds

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261122/us-east-1/sts/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date;x-iam-org-revoker-request, Signature=00"
)
REQUEST = {"responder": "release", "principal": "mallory", "dry": False}


def proof(**other: Any) -> dict[str, Any]:
    return {"Authorization": SIGNED, "X-Amz-Date": "20261122T100000Z"} | other


def test_the_question_carries_the_proof_and_the_digest_of_the_request_at_hand() -> None:
    assert question_headers(proof(**{"X-Amz-Security-Token": "t"}), digest="d") == {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-iam-org-revoker-request": "d",
        "Authorization": SIGNED,
        "X-Amz-Date": "20261122T100000Z",
        "X-Amz-Security-Token": "t",
    }


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "text",
        [],
        {},
        {"Authorization": SIGNED.replace(";x-iam-org-revoker-request", "")},
        {"Authorization": SIGNED.replace("x-iam-org-revoker-request", "x-iam-org-revoker-r")},
        {"Authorization": SIGNED + "\r\nHost: evil.example"},
        {"Authorization": SIGNED, "X-Amz-Date": 5},
        {"Authorization": SIGNED, "X-Amz-Security-Token": "x" * 9_000},
    ],
)
def test_what_does_not_sign_the_digest_or_is_no_header_text_is_no_proof(bad: object) -> None:
    assert question_headers(bad, digest="d") is None


@pytest.mark.parametrize(
    "other",
    [
        REQUEST | {"principal": "trudy"},
        REQUEST | {"dry": True},
        REQUEST | {"keys": "enable"},
        {"responder": "release"},
    ],
)
def test_the_digest_is_another_for_every_other_request_and_account(other: dict[str, Any]) -> None:
    digest = request_digest(REQUEST, account=ACCOUNT)
    assert digest != request_digest(other, account=ACCOUNT)
    assert digest != request_digest(REQUEST, account="222233334444")
    assert digest == request_digest({**REQUEST, "proof": proof()}, account=ACCOUNT)


@pytest.mark.parametrize(
    ("events", "sts"),
    [
        ("https://events.us-east-1.amazonaws.com", "https://sts.us-east-1.amazonaws.com/"),
        ("https://events.cn-north-1.amazonaws.com.cn", "https://sts.cn-north-1.amazonaws.com.cn/"),
        ("http://127.0.0.1:4566", "http://127.0.0.1:4566/"),
    ],
)
def test_sts_is_asked_at_its_regional_endpoint(events: str, sts: str) -> None:
    assert sts_url(events) == sts


def test_the_arn_is_read_out_of_the_answer() -> None:
    answer = f"<GetCallerIdentityResult><Arn>{RESPONDER_ARN}</Arn></GetCallerIdentityResult>"
    assert arn_in(answer) == RESPONDER_ARN
    assert arn_in("<Error/>") == ""


def test_sts_gets_the_digest_that_the_function_computed_and_not_one_that_was_sent() -> None:
    asked: list[tuple[str, dict[str, str]]] = []

    def ask(url: str, headers: dict[str, str]) -> str:
        asked.append((url, headers))
        return f"<Arn>{RESPONDER_ARN}</Arn>"

    request = {**REQUEST, "proof": proof(**{"x-iam-org-revoker-request": "theirs"})}
    assert responder_caller(request, Rounds().tools(), ask) == RESPONDER_ARN
    [(url, headers)] = asked
    assert url == "https://sts.us-east-1.amazonaws.com/"
    assert headers["x-iam-org-revoker-request"] == request_digest(REQUEST, account=ACCOUNT)


def test_where_sts_refuses_nobody_is_believed() -> None:
    def refused(_url: str, _headers: dict[str, str]) -> str:
        return ""

    assert responder_caller({**REQUEST, "proof": proof()}, Rounds().tools(), refused) == ""
