"""Keep an Organization in a box running, say how to reach it, and print its mail."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.box import Box, open_box
from sandbox.core.keys import REGION, ROOT_SECRET, Key
from sandbox.mail.mailbox import Mail

MAIL_SECONDS = 0.5


def main() -> None:
    """Open a box, print its accounts and keys, then each mail, until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--members", type=int, default=3, help="member accounts (default: 3)")
    arguments = parser.parse_args()
    console = Console()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with open_box(member_count=arguments.members) as box:
        show(console, box)
        printed = 0
        while not done.wait(MAIL_SECONDS):
            for mail in list(box.outbox)[printed:]:
                print_mail(console, mail)
                printed += 1
        console.print("Stopping.")


def show(console: Console, box: Box) -> None:
    """Print the endpoint, a key for each account, and commands to try."""
    console.print(f"\nOrganization [bold]{box.organization_id}[/bold] at {box.endpoint}\n")
    table = Table("Account", "What it is", "Access key of its root", "Secret")
    rows = {box.management: "management", box.security: "security (central)"}
    rows |= {member: f"member {number + 1}" for number, member in enumerate(box.members)}
    for account, what in rows.items():
        table.add_row(account, what, account, "test")
    console.print(table)
    member = box.members[0]
    alice = box.new_user(member, "alice", "iam:*", "s3:*")
    console.print(f"\nalice, an IAM user of {member} who may do iam:* and s3:*:\n")
    print_command(console, box, alice, "sts get-caller-identity")
    print_command(console, box, alice, "iam create-user --user-name eve")
    console.print("The Organization, as its management account sees it:\n")
    root = Key(box.management, "test")
    print_command(console, box, root, "organizations list-accounts")
    print_profiles(console, box, rows)
    console.print("IAM is enforced, calls become CloudTrail events, mails are printed here.")
    console.print("Nothing of the product is installed yet. Ctrl-C ends it all.\n")


def print_profiles(console: Console, box: Box, rows: Mapping[str, str]) -> None:
    """Write the AWS CLI's profiles of the accounts' roots, and print how to use them."""
    names = {account: what.split(" (")[0].replace(" ", "-") for account, what in rows.items()}
    file = box.folder / "aws-config"
    file.write_text("".join(profile(box, account, name) for account, name in names.items()))
    console.print("To rehearse docs/install-by-hand.md, in another shell:\n")
    console.print(f"export AWS_CONFIG_FILE={file}", soft_wrap=True, highlight=False)
    console.print(f"profiles: {', '.join(names.values())}\n")


def profile(box: Box, account: str, name: str) -> str:
    """One profile; bucket names cannot be part of a loopback address, so they go in the path."""
    return (
        f"[profile {name}]\nregion = {REGION}\nendpoint_url = {box.endpoint}\n"
        f"aws_access_key_id = {account}\naws_secret_access_key = {ROOT_SECRET}\n"
        "s3 =\n    addressing_style = path\n"
    )


def print_command(console: Console, box: Box, key: Key, command: str) -> None:
    """Print one command that can be pasted into a shell, whatever the width of the terminal."""
    for line in (
        f"AWS_ACCESS_KEY_ID={key.access_key} AWS_SECRET_ACCESS_KEY={key.secret} \\",
        f"  aws --endpoint-url {box.endpoint} --region us-east-1 {command}",
    ):
        console.print(line, soft_wrap=True, highlight=False)
    console.print()


def print_mail(console: Console, mail: Mail) -> None:
    """Print a mail as text, never as markup, and without breaking lines that one may copy."""
    console.print(Text(f"To:      {mail.address}\nSubject: {mail.subject}\n"), soft_wrap=True)
    console.print(Text(mail.body), soft_wrap=True)


if __name__ == "__main__":
    main()
