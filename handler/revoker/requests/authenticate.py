"""Ask STS who signed a request of the responder, and take nobody but the responder role. Shell."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from handler.model.caller_proof import QUESTION, arn_in, question_headers, request_digest, sts_url
from handler.model.names import RESPONDER_ROLE
from handler.revoker.state.context import Tools

SECONDS = 10

# Puts the question with these headers to this URL: STS's answer, empty where it refuses.
AskSts = Callable[[str, dict[str, str]], str]


def responder_caller(request: Mapping[str, Any], tools: Tools, ask: AskSts) -> str:
    """ARN of the responder's session that signed this very request; empty for anybody else."""
    digest = request_digest(request, account=tools.here.account)
    headers = question_headers(request.get("proof"), digest=digest)
    if headers is None:
        return ""
    url = sts_url(tools.clients("events", tools.here.region).meta.endpoint_url)
    arn = arn_in(ask(url, headers))
    central = tools.settings.central_bus_arn.split(":")[4]
    ours = f"arn:{tools.here.partition}:sts::{central}:assumed-role/{RESPONDER_ROLE}/"
    return arn if re.fullmatch(re.escape(ours) + r"[\w+=,.@-]{2,64}", arn) else ""


def ask_sts(url: str, headers: dict[str, str]) -> str:
    """Put the question; raises URLError where STS cannot be reached."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    question = Request(url, data=QUESTION.encode(), headers=headers, method="POST")
    try:
        with urlopen(question, timeout=SECONDS) as answered:
            return str(answered.read(65_536).decode("utf-8", "replace"))
    except HTTPError:
        return ""
