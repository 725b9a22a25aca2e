"""A plan as commands of the AWS CLI, for whoever does a step by hand. Pure text."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore import xform_name

from handler.notifier.messages.notice import visible
from stacksets.steps.model import Call, Content, Saved, Step, Until, Wait

# The CLI has its own name for the plain API of S3.
CLI_SERVICE = {"s3": "s3api"}
# And for an argument that is called like an option of its own.
CLI_OPTION = {("Subscribe", "Endpoint"): "NotificationEndpoint"}


@dataclass(frozen=True)
class Cli:
    """How the AWS CLI is called: the profile by account ("": the shell's own credentials; one that
    is missing is named after the account), and the region. On each line, for its first version
    reads the region from another variable than the second."""

    profiles: Mapping[str, str]
    region: str

    def begin(self, service: str, account: str) -> list[str]:
        profile = self.profiles.get(account, account)
        chosen = ["--profile", shlex.quote(profile)] if profile else []
        where = ["--region", shlex.quote(self.region)]
        return ["aws", *chosen, *where, CLI_SERVICE.get(service, service)]


def as_commands(
    steps: Iterable[Step],
    *,
    profiles: Mapping[str, str],
    own: str,
    region: str,
    profile: str | None = None,
    templates: Path | None = None,
) -> Iterator[str]:
    """The lines of a shell script. What one call answers is kept in a variable of the shell. Calls
    in the account `own` take `profile` or the shell's credentials, others a profile of the file's,
    or one that is named after the account. `templates` is their folder, where it is not the
    release's."""
    steps = list(steps)
    cli = Cli({**profiles, own: profile or ""}, region)
    yield "set -eu"
    # Its second version would show each answer in a pager, on a terminal.
    yield "export AWS_PAGER="
    used = [one.account for step in steps for one in (*step.calls, step.wait) if one]
    for account in dict.fromkeys([own, *used]):
        yield from _stands_in(account, cli)
    for step in steps:
        yield ""
        # A unit's name may hold a line break, which would end the comment.
        yield f"# {visible(step.says)}: {visible(step.target_text)}"
        for call in step.calls:
            yield from _content(call, templates)
            yield _command(call, cli, keeps=_awaits(step) and call is step.calls[-1])
        if step.wait:
            gone = bool(step.calls) and step.calls[-1].operation == "DeleteStack"
            yield from _waiting(step.wait, cli, gone=gone)


def _stands_in(account: str, cli: Cli) -> Iterator[str]:
    """Lines that end the script where these credentials are another account's."""
    begin = " ".join(cli.begin("sts", account))
    profile = cli.profiles.get(account, account)
    whose = f"the profile {profile}" if profile else "the shell's credentials"
    said = f"Nothing was done: {visible(whose)} must lead to account {account}."
    yield f"FOUND=$({begin} get-caller-identity --query Account --output text) || FOUND=nobody"
    yield f'[ "$FOUND" = {account} ] || {{ echo {shlex.quote(said)} >&2; exit 1; }}'


def refused(refusals: Iterable[str]) -> Iterator[str]:
    """The script of a plan that was refused: it says why and fails, and calls nothing. A shell that
    is piped into sees no exit code of ours."""
    for sentence in refusals:
        yield f"echo {shlex.quote(f'refused: {visible(sentence)}')} >&2"
    yield "exit 1"


def unfinished() -> Iterator[str]:
    """Lines that end a script which only waited, so that nobody takes it for the whole rollout."""
    said = (
        "Not done yet: what was under way has ended, and what comes next could not be planned "
        "before. Print the plan again, and run what it prints then."
    )
    yield ""
    yield f"echo {shlex.quote(said)} >&2"
    yield "exit 1"


def _awaits(step: Step) -> bool:
    return step.wait is not None and step.wait.until is Until.OPERATION


def _content(call: Call, templates: Path | None) -> Iterator[str]:
    """Lines that write the templates which a call sends."""
    for value in call.arguments.values():
        if isinstance(value, Content):
            # The script may run in another folder.
            folder = f" --templates {shlex.quote(str(templates.resolve()))}" if templates else ""
            yield f"python -m stacksets template {value.template}{folder} > {value.key}"


def _command(call: Call, cli: Cli, *, keeps: bool) -> str:
    words = [*cli.begin(call.service, call.account), _dashed(call.operation)]
    for name, value in call.arguments.items():
        words += _option(CLI_OPTION.get((call.operation, name), name), value)
    if call.operation == "Invoke":
        # As an argument, the second version of the CLI would take the payload for base64.
        payload = shlex.quote(str(call.arguments["Payload"]))
        words = [f"printf %s {payload} |", *words, "/dev/stdout"]
    line = " ".join(words)
    if call.saves:
        return f"{call.saves[0]}=$({line} --query {call.saves[1]} --output text)"
    return f"OPERATION=$({line} --query OperationId --output text)" if keeps else line


def _option(name: str, value: Any) -> list[str]:
    option = f"--{_dashed(name)}"
    if name == "Payload":
        return [option, "fileb:///dev/stdin"]
    match value:
        case bool():
            return [option if value else f"--no-{_dashed(name)}"]
        case Saved(name=saved):
            return [option, f'"${saved}"']
        case Content(key=key):
            return [option, shlex.quote(key)]
        case str() | int():
            return [option, shlex.quote(str(value))]
        case list() if all(isinstance(one, str) for one in value):
            return [option, *(shlex.quote(one) for one in value)]
    return [option, shlex.quote(json.dumps(value))]


def _waiting(wait: Wait, cli: Cli, *, gone: bool) -> Iterator[str]:
    """Lines that wait, and end the script (`set -e`) where it did not succeed; `gone`: a stack is
    to be there no more."""
    service = {
        Until.CONFIRMED: "sns",
        Until.ENABLED: "organizations",
        Until.SETTLED: "iam",
        Until.CONTAINED: "iam",
    }.get(wait.until, "cloudformation")
    begin = " ".join(cli.begin(service, wait.account))
    match wait.until:
        case Until.STACK:
            look = (
                f"{begin} describe-stacks --stack-name {wait.name} --output text "
                "--query 'Stacks[0].StackStatus'"
            )
            yield f"while {look} | grep _IN_PROGRESS; do sleep 10; done"
            yield (
                f"if {look}; then exit 1; fi"
                if gone
                else f"{look} | grep -xE '(CREATE|UPDATE|IMPORT)_COMPLETE'"
            )
        case Until.OPERATION:
            operation = shlex.quote(wait.operation) if wait.operation else '"$OPERATION"'
            look = (
                f"{begin} describe-stack-set-operation --stack-set-name {wait.name} "
                f"--operation-id {operation} --call-as {wait.call_as} --output text "
                "--query StackSetOperation.Status"
            )
            yield f"while {look} | grep -E 'QUEUED|RUNNING|STOPPING'; do sleep 10; done"
            yield f"{look} | grep SUCCEEDED"
        case Until.CONFIRMED:
            # One a line, so that an address which is the end of another is not taken for it.
            asked = "Subscriptions[?SubscriptionArn=='PendingConfirmation'].[Endpoint]"
            named = " ".join(f"-e {shlex.quote(address)}" for address in wait.addresses)
            for topic in wait.name.split(","):
                yield (
                    f"while {begin} list-subscriptions-by-topic --topic-arn {topic} --output text "
                    f"--query {shlex.quote(asked)} | grep {f'-ixF {named}' if named else '.'}; "
                    "do sleep 10; done"
                )
        case Until.ENABLED:
            kinds = "Roots[].PolicyTypes[?Type=='SERVICE_CONTROL_POLICY'][].Status"
            look = f"{begin} list-roots --output text --query {shlex.quote(kinds)}"
            yield f"until {look} | grep -x ENABLED; do sleep 10; done"
        case Until.SETTLED:
            yield "sleep 15"
        case Until.CONTAINED:
            arn, *ids = wait.name.split(",")
            for one in ids:
                yield (
                    f"{begin} list-entities-for-policy --policy-arn {arn} --output text "
                    f"| grep {one}"
                )


def _dashed(name: str) -> str:
    return str(xform_name(re.sub("URL$", "Url", name), "-"))
