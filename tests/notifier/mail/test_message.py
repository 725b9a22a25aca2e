"""The JSON form: as documented, whole where it fits, and turned into a chat message by example."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from handler.notifier.mail.message import MESSAGE_LIMIT, incident_entry, make_mail, sns_message
from handler.notifier.messages.notice import NoticeKind
from tests.notifier.central import NotifierWorld, report_body
from tests.notifier.mail.handler_cases import new_user
from tests.notifier.mail.test_digest_mail import golden_mails
from tests.notifier.mail.test_incident_mail import golden_incidents, reported

ROOT = Path(__file__).parents[3]
DOC = (ROOT / "docs" / "mails.md").read_text()
CHAT = ROOT / "docs" / "examples" / "chat.py"


def documented(table: str) -> set[str]:
    """The fields of one table of docs/mails.md."""
    body = DOC.split(f"<!-- fields: {table} -->")[1].split("<!-- end -->")[0]
    return set(re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE))


def sent(notifier: NotifierWorld, **changes: Any) -> dict[str, Any]:
    notifier.deliver(report_body(**changes))
    return notifier.topic.mails[-1].form


def test_a_single_mail_says_everything_under_the_documented_names(notifier: NotifierWorld) -> None:
    impacts = new_user().bus.reports()[0].impacts
    form = sent(
        notifier, impacts=impacts, notes=("A note.",), session="s", invoked_by="x", error_code="y"
    )
    (incident,) = form["incidents"]
    assert set(form) == documented("mail")
    assert set(incident) == documented("incident") | documented("whole")
    assert form["kind"] == incident["kind"] == "contained"
    assert incident["principal"] == {
        "kind": "user",
        "name": "mallory",
        "arn": "arn:aws:iam::111122223333:user/mallory",
        "id": "AIDAEXAMPLEMALLORY",
        "session": "s",
        "access_key": "AKIAEXAMPLEMALLORY",
    }
    assert incident["call"]["source_ip"] == "192.0.2.1"
    assert incident["undo"][0][:3] == ["aws", "iam", "detach-user-policy"]
    assert incident["impacts"][0]["what"].startswith("a new user 'accomplice'")
    assert incident["facts"] == {
        "mode": "enforce",
        "partition": "aws",
        "product_version": "0.1.0",
        "reason": "not-an-administrator",
        "method": "managed-policy",
    }


def test_every_digest_has_the_documented_names_and_every_kind_is_documented() -> None:
    kinds = {kind.value for kind in NoticeKind}
    for mail in golden_mails().values():
        kinds.add(mail.kind)
        assert set(mail.form) == documented("mail")
        for entry in mail.form["incidents"]:
            assert set(entry) == documented("incident")
    for kind in kinds:
        assert f"`{kind}`" in DOC, kind


def test_a_form_that_is_too_large_is_shortened_and_says_so_and_the_text_is_whole() -> None:
    long = '"' * 2_000
    facts = {f"fact-{number}": long for number in range(40)}
    incident = reported()
    huge = replace(incident, first=replace(incident.first, facts={**incident.first.facts, **facts}))
    mail = make_mail(subject="s", body="b" * 9_000, kind="contained", incidents=[huge], whole=True)
    message = sns_message(mail)
    assert len(message) <= MESSAGE_LIMIT
    forms = json.loads(message)
    assert forms["email"] == "b" * 9_000
    (entry,) = json.loads(forms["default"])["incidents"]
    assert entry["truncated"] is True
    assert entry["incident"] == incident.incident_id


def test_people_get_the_text_and_everybody_else_the_form() -> None:
    forms = json.loads(sns_message(golden_mails()["digest"]))
    assert set(forms) == {"default", "email", "sms"}
    assert json.loads(forms["default"])["kind"] == "digest"
    assert forms["email"].startswith("4 incidents arrived faster")


def test_texts_stay_as_recorded_in_the_form() -> None:
    name = "eve\u202e<!channel> *x*"
    assert incident_entry(reported(principal_name=name))["principal"]["name"] == name


# ---- the example


def chat_module() -> Any:
    spec = importlib.util.spec_from_file_location("chat", CHAT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_says_in_a_line_what_each_kind_of_mail_is_about() -> None:
    chat = chat_module()
    mails = golden_mails()
    assert chat.chat_text(dict(mails["digest"].form)).splitlines()[:3] == [
        ":rotating_light: *[Digest] 2 accounts: 4 incidents, 1 critical*",
        "- acme-dev: user mallory: CreateAccessKey, 1 so far (contained)",
        "- acme-dev: role deployer: CreatePolicyVersion, 7 so far (contained)",
    ]
    assert chat.chat_text(dict(mails["not-reporting"].form)).splitlines() == [
        "*[Revoker not reporting] 111122223333 (acme-dev)*",
        "- 111122223333, last heartbeat 2026-09-21T14:13:20Z",
    ]


def test_no_name_formats_or_addresses_anybody_in_the_chat() -> None:
    chat = chat_module()
    for incident in golden_incidents().values():
        mail = make_mail(subject="s", body="b", kind="contained", incidents=[incident], whole=True)
        assert "<" not in chat.chat_text(dict(mail.form))
    odd = reported(principal_name="<!channel> @here *bold*\n- forged `x`", alias="")
    mail = make_mail(subject="s", body="b", kind="contained", incidents=[odd], whole=True)
    _, line = chat.chat_text(dict(mail.form)).splitlines()
    assert not set("<@`\n") & set(line)
    assert "*" not in line


class Hook(BaseHTTPRequestHandler):
    got: list[Any]

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_example_posts_what_a_queue_got_to_a_webhook(
    notifier: NotifierWorld, wrapped: bool
) -> None:
    form = sent(notifier)
    given = {"Type": "Notification", "Message": json.dumps(form)} if wrapped else form
    got: list[Any] = []
    server = HTTPServer(("127.0.0.1", 0), type("Kept", (Hook,), {"got": got}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    done = subprocess.run(
        [sys.executable, str(CHAT), f"http://127.0.0.1:{server.server_port}/"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    server.shutdown()
    server.server_close()
    assert done.stdout == "200\n"
    assert got == [
        {
            "text": "*[IAM revoked] 111122223333 (acme-dev) user mallory: CreateAccessKey*\n"
            "- acme-dev: user mallory: CreateAccessKey, 1 so far (contained)"
        }
    ]


def test_the_example_refuses_what_is_no_mail_of_ours() -> None:
    with pytest.raises(ValueError, match="not a mail of iam-org-revoker"):
        chat_module().read_form('{"version": 2}')
