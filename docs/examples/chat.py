"""Turn a mail's JSON form into a message of a chat webhook ({"text": ...}) and post it.

    python docs/examples/chat.py https://chat.example.com/hook < message.json

On stdin: what an SQS queue or an HTTPS endpoint gets from the topic, wrapped by SNS or raw. Without
a URL the message is printed. An HTTPS endpoint of your own must also check SNS's signature.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from typing import Any

MOST_LINES = 10


def read_form(text: str) -> dict[str, Any]:
    """The form (docs/mails.md), out of SNS's envelope if there is one."""
    body = json.loads(text)
    form: dict[str, Any] = json.loads(body["Message"]) if "Message" in body else body
    if form.get("version") != 1 or form.get("product") != "iam-org-revoker":
        raise ValueError("not a mail of iam-org-revoker in version 1")
    return form


def chat_text(form: dict[str, Any]) -> str:
    """A line that says what it is, then one for each incident or account that does not report."""
    mark = ":rotating_light: " if form["critical"] else ""
    lines = [_incident_line(one) for one in form["incidents"]]
    lines += [
        f"- {_plain(one['account'])}, last heartbeat {one['last_heartbeat']}"
        for one in form["not_reporting"]
    ]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"... and {len(lines) - MOST_LINES} more, in the mail"]
    return "\n".join([f"{mark}*{_plain(form['subject'])}*", *lines])


def _incident_line(incident: dict[str, Any]) -> str:
    principal, call = incident.get("principal", {}), incident.get("call", {})
    who = " ".join(filter(None, (principal.get("kind"), principal.get("name")))) or "somebody"
    account = incident.get("alias") or incident["account"]
    what = f"{call.get('name', 'IAM')}, {incident['calls']} so far"
    return f"- {_plain(account)}: {_plain(who)}: {_plain(what)} ({incident['kind']})"


def _plain(text: str) -> str:
    """Nobody's name may mention a channel, format a text or break a line."""
    safe = "".join(c if c.isprintable() else "?" for c in text)
    for special, shown in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        safe = safe.replace(special, shown)
    return safe.replace("*", "\u2217").replace("@", "\uff20").replace("`", "'")


def main() -> None:
    message = json.dumps({"text": chat_text(read_form(sys.stdin.read()))})
    if len(sys.argv) < 2:
        print(message)
        return
    request = urllib.request.Request(  # the URL is the caller's own
        sys.argv[1], message.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        print(answer.status)


if __name__ == "__main__":
    main()
