"""Make the picture of the README: the coverage page beside a mail, both from a sandbox.

`python -m sandbox.demo.picture docs/images/page-and-mail.png` rolls the product out into an
Organization with a few faults, lets one unauthorized caller call IAM, writes the page as
`stacksets status --page` does, and lets a headless Chromium draw page and mail side by side.
"""

from __future__ import annotations

import argparse
import html
import subprocess
import sys
import tempfile
from pathlib import Path

from handler.model.names import CALLS_RULE
from sandbox.box import Box, open_box
from sandbox.demo.organization_trail import TRAIL_NAME, start_trail
from sandbox.demo.product_setup import ADMINISTRATORS, TEAM_ADDRESS, short_wait, to_the_team
from sandbox.demo.rolling_out import clients_of_management, roll_out, rollout_file
from sandbox.mail.mailbox import Mail
from stacksets.cli.status import read_status
from stacksets.cli.status_page import write_page
from stacksets.status.coverage import coverage

WORKLOADS = ("payments-prod", "payments-dev", "orders-prod", "orders-dev", "data-lake", "web-prod")
SANDBOXES = ("sandbox-anna", "sandbox-ben", "sandbox-carla")
SWEEP_SECONDS, SWEEPS = 226, 4
FRAMES = """<!doctype html><meta charset="utf-8"><title>IAM Org Revoker</title><style>
body { margin: 0; display: flex; background: #d8dde3 }
iframe { border: 0; width: 960px; height: 848px; zoom: 0.56 }
pre { margin: 0 0 0 6px; padding: 16px; width: 430px; height: 443px; overflow: hidden;
  background: #fff; font: 9.5px/1.3 monospace; white-space: pre-wrap; overflow-wrap: anywhere }
</style><iframe src="page.html" scrolling="no"></iframe><pre>%s</pre>"""
WINDOW = "1006,475"


def main() -> int:
    """Draw the picture into the named file; 1 where Chromium draws nothing."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo.picture", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE.png", help="the picture to write")
    parser.add_argument("--chromium", default="chromium", help="the browser's command")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, open_box(member_count=1, held=True) as box:
        folder = Path(name)
        mail = _play(box, folder / "page.html")
        text = html.escape(f"To: {mail.address}\nSubject: {mail.subject}\n\n{mail.body}")
        (folder / "frames.html").write_text(FRAMES % text)
        drawn = subprocess.run(
            [
                *(options.chromium, "--headless", "--no-sandbox", "--disable-gpu"),
                *(
                    "--hide-scrollbars",
                    "--disable-lcd-text",
                    f"--window-size={WINDOW}",
                    f"--user-data-dir={name}",
                ),
                *(f"--screenshot={options.file.absolute()}", str(folder / "frames.html")),
            ],
            check=False,
            capture_output=True,
            text=True,
        )
    if drawn.returncode:
        print(drawn.stderr, file=sys.stderr)
    return drawn.returncode


def _play(box: Box, page: Path) -> Mail:
    """Roll out, let two self-tests pass, break two accounts, attack one; the page and the mail."""
    accounts = {name: box.new_account(name) for name in WORKLOADS}
    accounts |= {name: box.new_account(name, parent=box.layout.sandbox) for name in SANDBOXES}
    for account in (*accounts.values(), *box.members):
        box.new_user(account, "anna", "iam:*", groups=(ADMINISTRATORS,))
        start_trail(box, account)
    file = rollout_file(
        box,
        mode="enforce",
        email=TEAM_ADDRESS,
        parameters={"MissingGroup": "treat-as-empty"},
        central={},
    )
    given = roll_out(box, file, sleep=short_wait)
    _quarter(box)
    box.client("events", accounts["orders-dev"]).disable_rule(Name=CALLS_RULE)
    box.client("cloudtrail", accounts["sandbox-ben"]).stop_logging(Name=TRAIL_NAME)
    _quarter(box)
    _quarter(box)
    attacked = accounts["payments-dev"]
    caller = box.new_user(attacked, "mallory", "iam:*")
    box.client("iam", attacked, key=caller).create_user(UserName="helper")
    box.settle()
    clients = clients_of_management(box)
    inputs = read_status(given.wanted, clients, member=given.member, now=box.time())
    write_page(page, coverage(inputs), inputs)
    return next(m for m in box.outbox if to_the_team(m) and "mallory" in m.subject)


def _quarter(box: Box) -> None:
    """Let 15 minutes pass, with the schedules of every account in them."""
    for seconds in (*(SWEEP_SECONDS,) * SWEEPS, 61):
        box.advance(seconds)
        box.tick()
        box.settle(ignore_hidden=True)


if __name__ == "__main__":
    sys.exit(main())
