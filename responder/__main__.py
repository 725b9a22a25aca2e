"""The command line of the security team's responder; prints, and decides nothing itself.

Exit codes: 0 all went well, 1 something could not be read, 2 the command makes no sense.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from handler.notifier.messages.notice import visible
from responder.account_commands import add_responder_commands
from responder.central_commands import add_central_commands
from responder.read import ENDINGS, Unreadable, find_files, read_file
from responder.replay import Judged, Rules, Tally, as_json, judge, read_rules
from responder.show import print_replay


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return int(options.command(options, parser))
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not flush into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m responder", description="The responder.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    replay = commands.add_parser(
        "replay",
        help="what the revoker would have done with recorded CloudTrail",
        description=(
            "Read recorded CloudTrail and print what the revoker would have done in enforce mode, "
            "each call judged by itself: additions to the group, what calls gave, releases and the "
            "circuit breaker are left out. "
            f"Folders are searched for {', '.join(ENDINGS)}. Nothing is sent anywhere."
        ),
    )
    replay.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_DIR")
    replay.add_argument(
        "--admin",
        action="append",
        default=[],
        metavar="NAME",
        help="a user, by name (in every account) or ARN, who counts as a member of the "
        "administrators' group; may be given again",
    )
    replay.add_argument(
        "--admin-role",
        action="append",
        default=[],
        metavar="PATTERN",
        help="one more administrator role pattern beside the defaults, as in AdminRolePatterns; "
        "may be given again",
    )
    replay.add_argument(
        "--json", action="store_true", help="one line of JSON per judged event, then a summary"
    )
    replay.set_defaults(command=_replay)
    add_responder_commands(commands)
    add_central_commands(commands)
    return parser


def _replay(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    for path in options.paths:
        # Not Path.exists: it raises where a folder above may not be entered.
        if not os.path.exists(path):
            parser.error(f"there is no {visible(str(path))}")
    try:
        rules = read_rules(admins=options.admin, admin_roles=options.admin_role)
    except ValueError as error:
        parser.error(str(error))
    tally, unreadable, files = Tally(), 0, 0
    with _progress(options.paths, lines=options.json) as moved:
        for found in find_files(options.paths):
            if isinstance(found, Path):
                files += 1
                unreadable += _replay_file(found, rules, tally, moved, options.json)
            else:
                unreadable += 1
                _report(found)
    if not files and not unreadable:
        parser.error(f"no file in there ends in {', '.join(ENDINGS)}")
    summary = {"files": files, "unreadable": unreadable, **tally.summary()}
    if options.json:
        print(json.dumps({"summary": summary}))
    else:
        print_replay(tally.lines(), summary, admins_reported=bool(options.admin))
    return 1 if unreadable else 0


def _replay_file(
    path: Path, rules: Rules, tally: Tally, moved: Callable[[int], None], as_lines: bool
) -> int:
    """Judge one file into the tally; 1 where not all of it could be read, else 0."""
    unreadable = 0
    for record in read_file(path, moved=moved):
        if isinstance(record, Unreadable):
            unreadable = 1
            _report(record)
            continue
        seen = judge(record, rules)
        tally.add(seen)
        if as_lines and isinstance(seen, Judged):
            print(json.dumps(as_json(seen)))
    return unreadable


def _report(unreadable: Unreadable) -> None:
    print(f"{visible(str(unreadable.path))}: {visible(unreadable.why)}", file=sys.stderr)


@contextmanager
def _progress(paths: Sequence[Path], *, lines: bool) -> Iterator[Callable[[int], None]]:
    """A bar on stderr where that is a terminal that shows no lines of ours meanwhile.

    Gives what hears how many more bytes are read.
    """
    if not sys.stderr.isatty() or (lines and sys.stdout.isatty()):
        yield lambda _: None
        return
    total = sum(found.stat().st_size for found in find_files(paths) if isinstance(found, Path))
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    # Not redirected: rich would carry stdout to the bar's terminal, away from the user's file.
    with Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False
    ) as progress:
        bar = progress.add_task("reading", total=total)
        yield lambda more: progress.advance(bar, more)


if __name__ == "__main__":
    sys.exit(main())
