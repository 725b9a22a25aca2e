"""The proof of who is by the response team, as both ends speak it: a signed question to STS. Pure.

A Lambda invocation does not say who made it, and anybody with lambda:InvokeFunction in a member
account may make one. So each request carries the headers of a GetCallerIdentity call that the
responder's role signed, over a digest of this request: the revoker sends them to STS itself, and
STS says whose they are. AWS takes such a signature for some minutes only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

DIGEST_HEADER = "x-iam-org-revoker-request"
QUESTION = "Action=GetCallerIdentity&Version=2011-06-15"
QUESTION_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
# What the responder hands over; everything else of the question is the same on both ends.
PROOF_HEADERS = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")
PROOF_LIMIT = 8_192


def request_digest(request: Mapping[str, Any], *, account: str) -> str:
    """What the signature covers: this request, to this account's revoker."""
    bare = {key: value for key, value in request.items() if key != "proof"}
    text = json.dumps([account, bare], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def sts_url(events_url: str) -> str:
    """STS's regional endpoint beside that of EventBridge; one endpoint for all stays as it is.

    botocore's own answer for STS depends on its version (the global endpoint, or the region's).
    """
    return events_url.replace("://events.", "://sts.", 1).rstrip("/") + "/"


def question_headers(proof: object, *, digest: str) -> dict[str, str] | None:
    """The headers of the question with that proof; None where it cannot prove this request."""
    if not isinstance(proof, Mapping):
        return None
    given = {name: proof.get(name, "") for name in PROOF_HEADERS}
    for value in given.values():
        # Nothing but header text: a line break would make headers of its own.
        if not isinstance(value, str) or not re.fullmatch(r"[\x20-\x7e]*", value):
            return None
        if len(value) > PROOF_LIMIT:
            return None
    signed = re.search(r"SignedHeaders=([a-z0-9;-]+)", given["Authorization"])
    # Unless the digest is signed, the proof would be one of anything.
    if signed is None or DIGEST_HEADER not in signed[1].split(";"):
        return None
    headers = {"Content-Type": QUESTION_TYPE, DIGEST_HEADER: digest}
    return headers | {name: value for name, value in given.items() if value}


def arn_in(answer: str) -> str:
    """The caller's ARN in STS's answer; empty where there is none."""
    found = re.search(r"<Arn>([^<]{1,2048})</Arn>", answer)
    return found[1] if found else ""
