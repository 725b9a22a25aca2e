"""The commands that look after the alerting itself: subscribe, redrive. Prints; decides nothing.

Exit codes: 0 all is well, 1 something is not or could not be done, 2 the command makes no sense.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from handler.notifier.messages.notice import visible
from responder.redrive import redrive_account
from responder.subscribe import confirm, own_topics, read_link, subscriptions_of

MISSING = ("NotFound", "NotFoundException")


def add_central_commands(commands: Any) -> None:
    """Add them to the parser's commands."""
    subscribe = _command(
        commands,
        "subscribe",
        _subscribe,
        "confirm a subscription so that its unsubscribe link is dead, and show all of them",
    )
    subscribe.add_argument(
        "link",
        nargs="?",
        default="",
        help="the link of the confirmation mail, copied and not opened; without it, only show",
    )
    subscribe.add_argument(
        "--topic", action="append", default=[], help="ARN of a topic of yours instead of ours"
    )
    redrive = _command(
        commands,
        "redrive",
        _redrive,
        "hand over again what the dead-letter queues of this account hold",
    )
    redrive.add_argument("--dry-run", action="store_true", help="only say what there is")


def _command(commands: Any, name: str, run: Any, says: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=says, description=says)
    parser.add_argument("--profile", help="AWS profile; by default the usual credentials")
    parser.add_argument("--region", help="region, by default the profile's")
    parser.add_argument("--endpoint-url", help="another endpoint for every call, as the sandbox's")
    parser.set_defaults(command=lambda options, parser: _run(options, parser, run))
    return parser


def _run(options: argparse.Namespace, parser: argparse.ArgumentParser, run: Any) -> int:
    session = boto3.Session(profile_name=options.profile, region_name=options.region)

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=options.endpoint_url)

    try:
        return int(run(options, client))
    except ValueError as error:
        parser.error(str(error))
    except (BotoCoreError, ClientError) as error:
        print(visible(str(error)), file=sys.stderr)
        return 1


def _subscribe(options: argparse.Namespace, client: Callable[[str], Any]) -> int:
    sns = client("sns")
    if options.link:
        topic, token = read_link(options.link)
        print(f"confirmed: {confirm(sns, topic=topic, token=token)}")
    topics = options.topic or _topics(client)
    wrong = 0
    for topic in topics:
        found = 0
        for one in subscriptions_of(sns, topic):
            found += 1
            wrong += not one.is_well
            state = "waits for confirmation"
            if one.confirmed:
                state = "confirmed" if one.is_well else "confirmed, but anybody's link can end it"
            print(f"{topic.rpartition(':')[2]}: {one.protocol} {visible(one.endpoint)}: {state}")
        if not found:
            wrong += 1
            print(f"{topic.rpartition(':')[2]}: nobody is subscribed")
    return 1 if wrong else 0


def _topics(client: Callable[[str], Any]) -> list[str]:
    """Our topics that are there: the first is not where a topic was given."""
    sns, caller = client("sns"), client("sts").get_caller_identity()
    partition, account = caller["Arn"].split(":")[1], caller["Account"]
    topics = own_topics(partition=partition, region=sns.meta.region_name, account=account)
    return [topic for topic in topics if _is_there(sns, topic)]


def _is_there(sns: Any, topic: str) -> bool:
    try:
        sns.get_topic_attributes(TopicArn=topic)
    except ClientError as error:
        if error.response["Error"]["Code"] in MISSING:
            return False
        raise
    return True


def _redrive(options: argparse.Namespace, client: Callable[[str], Any]) -> int:
    redriven = redrive_account(client, dry=options.dry_run)
    if not redriven:
        raise ValueError("this account has no dead-letter queue of ours in this region")
    for one in redriven:
        verb = "to hand over" if options.dry_run else "handed over"
        print(f"{one.queue}: {one.handed_over} {verb}, {len(one.left)} left")
        for why in one.left:
            print(f"  {visible(why)}", file=sys.stderr)
    return 1 if any(one.left for one in redriven) else 0
