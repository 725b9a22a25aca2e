"""Keep an Organization in a box running, and say how to reach it: `python -m sandbox`."""

from __future__ import annotations

import argparse
import signal
import threading

from rich.console import Console
from rich.table import Table

from sandbox.box import Box, open_box
from sandbox.keys import Key


def main() -> None:
    """Open a box, print its accounts and keys, and wait for Ctrl-C or a termination signal."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--members", type=int, default=3, help="member accounts (default: 3)")
    arguments = parser.parse_args()
    console = Console()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with open_box(member_count=arguments.members) as box:
        show(console, box)
        done.wait()
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
    console.print("IAM is enforced, calls become CloudTrail events. Ctrl-C ends it all.\n")


def print_command(console: Console, box: Box, key: Key, command: str) -> None:
    """Print one command that can be pasted into a shell, whatever the width of the terminal."""
    for line in (
        f"AWS_ACCESS_KEY_ID={key.access_key} AWS_SECRET_ACCESS_KEY={key.secret} \\",
        f"  aws --endpoint-url {box.endpoint} --region us-east-1 {command}",
    ):
        console.print(line, soft_wrap=True, highlight=False)
    console.print()


if __name__ == "__main__":
    main()
