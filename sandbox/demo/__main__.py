"""`python -m sandbox.demo`: roll the product out into a box, play the scenes, print the mails."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.text import Text

from sandbox.box import open_box
from sandbox.demo.product_setup import Stage, install, to_the_team
from sandbox.demo.scenarios import SCENES
from sandbox.demo.scene import Scene
from sandbox.mail.mailbox import Mail


def main() -> int:
    """Play everything; 0 when every expectation was met, else 1."""
    console = Console(highlight=False)
    began = time.monotonic()
    with console.status("Starting an Organization on this machine"), open_box(held=True) as box:
        console.print(
            f"An Organization at {box.endpoint}: management {box.management}, security "
            f"{box.security}, members {', '.join(box.members)}."
        )
        # Everything happens within one minute here; a day of a real Organization has 1,440.
        stage = install(box, mode="observe", central={"MailsPerMinute": "240"})
        console.print(
            "Rolled out from templates/: the central stack in the security account, the member "
            f"stack in every member by a StackSet ({time.monotonic() - began:.1f} s).\n"
        )
        failures = sum(_play(console, stage, scene) for scene in SCENES)
    took = time.monotonic() - began
    if failures:
        console.print(f"[bold red]{failures} expectations failed[/] ({took:.0f} s).")
        return 1
    console.print(f"[bold green]All expectations met[/] in {took:.0f} s; nothing is left running.")
    return 0


def _play(console: Console, stage: Stage, scene: Scene) -> int:
    console.rule(Text(scene.title), align="left")
    before = len(stage.box.outbox)
    failed = 0
    for seen in scene.play(stage):
        failed += not seen.ok
        mark = "[green]ok  [/]" if seen.ok else "[bold red]FAIL[/]"
        console.print(mark, Text(seen.text))
    for mail in list(stage.box.outbox)[before:]:
        if to_the_team(mail):
            _show(console, mail)
    console.print()
    return failed


def _show(console: Console, mail: Mail) -> None:
    """As a mail program shows it: text, never markup, and no line broken that one may copy."""
    console.print(Text(f"\n    To:      {mail.address}"), soft_wrap=True)
    console.print(Text(f"    Subject: {mail.subject}\n", style="bold"), soft_wrap=True)
    for line in mail.body.rstrip().splitlines():
        console.print(Text(f"    {line}", style="dim"), soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
