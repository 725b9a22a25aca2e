"""The commands that ask revokers: list, show, release, self-test, ledger. Prints by tables.py.

Exit codes: 0 done, 1 something could not be asked or done, 2 the command makes no sense.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from handler.notifier.messages.notice import visible
from responder import tables
from responder.client import (
    Responder,
    ResponderFailure,
    accounts_reported_of,
    ask_revoker,
    ask_revokers,
    open_client,
)

POLL_SECONDS = 2.0
Command = Callable[[argparse.Namespace, Responder], int]


def add_responder_commands(commands: Any) -> None:
    """Add them to the parser's commands; the same options name the credentials everywhere."""
    listing = _command(commands, "list", _list, "who is contained, in which account, and why")
    listing.add_argument(
        "accounts",
        nargs="*",
        type=_account,
        metavar="ACCOUNT",
        help="default: every account of which the central account was ever told",
    )
    show = _command(commands, "show", _show, "all that an account's revoker knows of a principal")
    _add_principal(show)
    release = _command(commands, "release", _release, "give a principal IAM back, exactly")
    _add_principal(release)
    release.add_argument("--reason", required=True, help="why, for the record")
    release.add_argument(
        "--enable-keys", action="store_true", help="switch its disabled access keys on again too"
    )
    release.add_argument("--yes", action="store_true", help="do not ask, after showing the plan")
    test_run = _command(
        commands, "self_test", _self_test, "measure how long containing takes in an account"
    )
    test_run.add_argument("account", type=_account, metavar="ACCOUNT")
    test_run.add_argument(
        "--wait", type=float, default=300.0, metavar="SECONDS", help="give up after (300)"
    )
    _add_ledger(commands)


def _add_ledger(commands: Any) -> None:
    ledger = commands.add_parser("ledger", help="who is an administrator by the ledger")
    actions = ledger.add_subparsers(required=True, metavar="show|confirm")
    show = _command(actions, "show", _ledger, "the ledger of an account beside its group")
    show.add_argument("account", type=_account, metavar="ACCOUNT")
    confirm = _command(actions, "confirm", _confirm, "say that a user is an administrator, or not")
    confirm.add_argument("account", type=_account, metavar="ACCOUNT")
    confirm.add_argument("user", metavar="USER", help="name or id (AIDA...)")
    which = confirm.add_mutually_exclusive_group(required=True)
    which.add_argument("--member", action="store_true", dest="member")
    which.add_argument("--not-member", action="store_false", dest="member")
    confirm.add_argument("--reason", required=True, help="why, for the record")


def _command(commands: Any, name: str, run: Command, says: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=says, description=says)
    parser.add_argument("--profile", help="AWS profile; by default the usual credentials")
    parser.add_argument("--region", help="region of the revokers, by default that of IAM's events")
    parser.add_argument("--central-region", help="region of the central stack, default: profile's")
    parser.add_argument("--endpoint-url", help="another endpoint for every call, as the sandbox's")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=lambda options, _parser: _as_responder(options, run))
    return parser


def _add_principal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", type=_account, metavar="ACCOUNT")
    parser.add_argument("principal", metavar="PRINCIPAL", help="name, id (AIDA..., AROA...) or ARN")


def _account(text: str) -> str:
    if not re.fullmatch("[0-9]{12}", text):
        raise argparse.ArgumentTypeError(f"{visible(text)} is no account: give its 12 digits")
    return text


def _as_responder(options: argparse.Namespace, run: Command) -> int:
    try:
        responder = open_client(
            profile=options.profile,
            region=options.region,
            home=options.central_region,
            endpoint_url=options.endpoint_url,
        )
        return run(options, responder)
    except ResponderFailure as failure:
        return _fail(str(failure))


def _list(options: argparse.Namespace, responder: Responder) -> int:
    accounts = options.accounts or accounts_reported_of(responder)
    answers = ask_revokers(responder, accounts, {"responder": "list"})
    good = [(account, a) for account, a in answers if isinstance(a, dict) and "error" not in a]
    for account, answered in answers:
        if isinstance(answered, ResponderFailure):
            _fail(str(answered))
        elif "error" in answered:
            _fail(f"{account}: {answered['says']}")
    if options.json:
        print(json.dumps([answered for _, answered in good]))
    else:
        tables.print_list(good)
    return 0 if len(good) == len(answers) else 1


def _show(options: argparse.Namespace, responder: Responder) -> int:
    request = {"responder": "show", "principal": options.principal}
    answered = _asked(responder, options.account, request)
    _print(options, answered, tables.print_principal)
    return 0


def _release(options: argparse.Namespace, responder: Responder) -> int:
    request = {
        "responder": "release",
        "principal": options.principal,
        "reason": options.reason,
        "keys": "enable" if options.enable_keys else "keep",
    }
    plan = _asked(responder, options.account, {**request, "dry": True})
    if plan["done"]:
        _print(options, plan, tables.print_released)
        return _what_is_left(plan)
    if not options.json:
        tables.print_plan(plan)
    if not options.yes and not _agreed(plan):
        return _fail("Nothing was released.")
    # By id: between plan and release the name may move.
    request["principal"] = plan["principal"]["id"]
    done = _asked(responder, options.account, {**request, "dry": False})
    _print(options, done, tables.print_released)
    return _what_is_left(done)


def _what_is_left(done: Mapping[str, Any]) -> int:
    return 1 if any(row["left"] for row in (*done["steps"], *done["keys"])) else 0


def _agreed(plan: dict[str, Any]) -> bool:
    who = f"{plan['principal']['kind']} {visible(plan['principal']['name'])}"
    print(f"Release {who} in {plan['account']}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _self_test(options: argparse.Namespace, responder: Responder) -> int:
    answered = _asked(responder, options.account, {"responder": "self_test"})
    test_run, began, reported = answered["self_test"], time.time(), 0
    while True:
        lines = tables.self_test_lines(test_run)
        if not options.json:
            for line in lines[reported:]:
                print(line, flush=True)
        reported = len(lines)
        if test_run["error"] or test_run["denied" if test_run["enforcing"] else "arrived"]:
            break
        if time.time() - began > options.wait:
            return _fail(f"Nothing more within {options.wait:.0f} s: see the next heartbeat.")
        time.sleep(POLL_SECONDS)
        request = {"responder": "self_test", "nonce": test_run["nonce"]}
        test_run = _asked(responder, options.account, request)["self_test"]
    if options.json:
        print(json.dumps({**answered, "self_test": test_run}))
    return 1 if test_run["error"] else 0


def _ledger(options: argparse.Namespace, responder: Responder) -> int:
    _print(
        options, _asked(responder, options.account, {"responder": "ledger"}), tables.print_ledger
    )
    return 0


def _confirm(options: argparse.Namespace, responder: Responder) -> int:
    request = {
        "responder": "confirm",
        "user": options.user,
        "member": options.member,
        "reason": options.reason,
    }
    _print(options, _asked(responder, options.account, request), tables.print_confirmed)
    return 0


def _asked(responder: Responder, account: str, request: dict[str, Any]) -> dict[str, Any]:
    answered = ask_revoker(responder, account, request)
    if "error" in answered:
        raise ResponderFailure(f"{account}: {answered['says']}")
    return answered


def _print(
    options: argparse.Namespace,
    answered: dict[str, Any],
    pretty: Callable[[dict[str, Any]], None],
) -> None:
    if options.json:
        print(json.dumps(answered))
    else:
        pretty(answered)


def _fail(says: str) -> int:
    print(visible(says), file=sys.stderr)
    return 1
