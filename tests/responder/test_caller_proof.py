"""The proof as it goes over the wire: STS, here a server that checks the signature itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from handler.revoker.requests.authenticate import ask_sts, responder_caller
from responder.client import Responder, _proof
from tests.doubles.iam import ACCOUNT
from tests.doubles.rounds import RESPONDER_ARN, Rounds

CREDENTIALS = Credentials("ASIAEXAMPLE", "secret", "token")
REQUEST = {"responder": "release", "principal": "mallory", "dry": False}


class Sts(BaseHTTPRequestHandler):
    """GetCallerIdentity, answered only where the signature covers what was received."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] == _signed_anew(self.headers, body, self.server):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"<Arn>{RESPONDER_ARN}</Arn>".encode())
        else:
            self.send_response(403)
            self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def _signed_anew(headers: Any, body: bytes, server: Any) -> str:
    """What AWS computes: the signature over the headers that were received."""
    names = headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    kept = {name: headers[name] for name in names if name != "host"}
    request = AWSRequest("POST", f"http://127.0.0.1:{server.server_port}/", data=body, headers=kept)
    request.context["timestamp"] = headers["X-Amz-Date"]
    auth = SigV4Auth(CREDENTIALS, "sts", "us-east-1")
    signature = auth.signature(
        auth.string_to_sign(request, auth.canonical_request(request)), request
    )
    start = headers["Authorization"].rpartition("Signature=")[0]
    return f"{start}Signature={signature}"


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Sts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def proven(url: str, request: dict[str, Any], *, account: str = ACCOUNT, sent: Any = None) -> str:
    """Who the revoker of ACCOUNT takes for the sender of `sent`, proven for `request`."""
    events = SimpleNamespace(meta=SimpleNamespace(endpoint_url=url))
    session: Any = SimpleNamespace(
        get_credentials=lambda: CREDENTIALS, client=lambda *_args, **_more: events
    )
    responder = Responder(
        session=session, partition="aws", region="us-east-1", home="", endpoint_url=url
    )
    world = Rounds()
    world.rules.meta = SimpleNamespace(endpoint_url=url)
    proof = _proof(responder, account, request)
    return responder_caller({**(sent or request), "proof": proof}, world.tools(), ask_sts)


def test_the_responder_is_believed(url: str) -> None:
    assert proven(url, REQUEST) == RESPONDER_ARN


def test_a_proof_of_another_request_is_refused(url: str) -> None:
    assert proven(url, REQUEST, sent=REQUEST | {"principal": "trudy"}) == ""


def test_a_proof_for_another_account_is_refused(url: str) -> None:
    assert proven(url, REQUEST, account="222233334444") == ""
