"""The rollout's command line: init, plan, apply, status, drift, prove, remove. Decides nothing.

Exit codes: 0 all is as the file says, 1 something is refused, failed or left to do, 2 the command
or the file makes no sense, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from stacksets.cli.apply import add_rollout_commands
from stacksets.cli.common import Stopped
from stacksets.cli.drift import add_drift_command
from stacksets.cli.gc_tuning import collect_seldom
from stacksets.cli.init import add_init_command
from stacksets.cli.remove import add_remove_command
from stacksets.cli.status import add_status
from stacksets.prove.command import add_prove_command


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        options = _parser().parse_args(arguments)
        return int(options.command(options))
    except Stopped as stopped:
        print(stopped.said, file=sys.stderr)
        return stopped.code
    except KeyboardInterrupt:
        print("Interrupted. Nothing was changed.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not flush into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stacksets",
        description="Bring an Organization under cover, from one file, and see who is covered.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_init_command(commands)
    add_rollout_commands(commands)
    add_status(commands)
    add_drift_command(commands)
    add_prove_command(commands)
    add_remove_command(commands)
    return parser


if __name__ == "__main__":
    collect_seldom()
    sys.exit(main())
