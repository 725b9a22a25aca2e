"""Steps for the two ordinary stacks: the central one, and the management account's own. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from handler.model.names import HEALTH_TOPIC, INCIDENT_TOPIC
from stacksets.config.model import ADDRESSES, CENTRAL_STACK, MANAGEMENT_STACK
from stacksets.observed.model import Stack
from stacksets.observed.templates import Template
from stacksets.steps.inputs import Given
from stacksets.steps.model import Call, Step, StepKind, Until, Wait
from stacksets.steps.recipients import ending_steps, recipient_steps, unconfirmed
from stacksets.steps.template_diff import parameter_changes, template_changes

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
# A stack whose creation failed can only be deleted.
DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS")

# The central template's parameters that say who gets mail, and whether by a topic of ours.
SUBSCRIBING = (*ADDRESSES, "SNSTopicArn")


def central_steps(given: Given) -> Iterator[Step]:
    """The central stack and who hears from it, then the confirmation of its mails."""
    wanted = given.wanted.central
    steps = tuple(
        _stack_steps(
            StepKind.CENTRAL,
            given.observed.central,
            account=wanted.account,
            name=CENTRAL_STACK,
            template=given.central,
            url=given.template_url(given.central, wanted.account),
            parameters=wanted.parameters,
            service_role=wanted.service_role,
            target_text=f"security account {wanted.account}",
        )
    )
    yield from ending_steps(given)
    yield from steps
    yield from recipient_steps(given)
    if not wanted.parameters.get("Email"):
        return
    asked = _asked(given, made=any(c.operation == "CreateStack" for s in steps for c in s.calls))
    if asked:
        reported = ", ".join(sorted(asked))
        yield Step(
            kind=StepKind.CONFIRM,
            says="Wait until the mails of AWS that ask to confirm a subscription are answered",
            target_text=reported,
            wait=Wait(
                Until.CONFIRMED,
                wanted.account,
                ",".join(_topics(given)),
                addresses=tuple(sorted(asked)),
            ),
        )


def _asked(given: Given, *, made: bool) -> set[str]:
    """The addresses of the file of which AWS waits for an answer, now or once the central stack is
    `made` or updated: whoever is subscribed anew is asked anew, also to an address that was known.
    """
    wanted, seen = given.wanted.central.parameters, given.observed.central
    team = {wanted.get(name, "").casefold() for name in ADDRESSES}
    waiting = {
        one.address
        for one in given.observed.subscriptions
        if not one.confirmed and one.address.casefold() in team
    }
    before = seen.parameters if seen and not made else {}
    other = [name for name in SUBSCRIBING if wanted.get(name, "") != before.get(name, "")]
    if "SNSTopicArn" in other:
        other = [*ADDRESSES]
    return (waiting | unconfirmed(given) | {wanted.get(name, "") for name in other}) - {""}


def management_steps(given: Given) -> Iterator[Step]:
    """The management account's own stack: StackSets never deploy there."""
    wanted = given.wanted.management
    if not wanted.install or not given.observed.management_seen:
        return
    account = given.observed.organization.management
    yield from _stack_steps(
        StepKind.MANAGEMENT,
        given.observed.management_stack,
        account=account,
        name=MANAGEMENT_STACK,
        template=given.member,
        url=given.template_url(given.member, account),
        parameters=given.parameters(wanted),
        service_role=wanted.service_role,
        target_text=f"management account {account}, {wanted.mode} mode",
    )


def _stack_steps(
    kind: StepKind,
    seen: Stack | None,
    *,
    account: str,
    name: str,
    template: Template,
    url: str,
    parameters: Mapping[str, str],
    service_role: str,
    target_text: str,
) -> Iterator[Step]:
    wait = Wait(Until.STACK, account, name)
    arguments: dict[str, Any] = {
        "StackName": name,
        "TemplateURL": url,
        "Parameters": parameter_list(parameters),
        "Capabilities": CAPABILITIES,
    }
    if service_role:
        arguments["RoleARN"] = service_role
    if seen is not None and seen.status in DEAD:
        yield Step(
            kind=kind,
            says=f"Delete what a failed creation left of the stack {name} ({seen.status})",
            target_text=target_text,
            calls=(Call(account, "cloudformation", "DeleteStack", {"StackName": name}),),
            wait=wait,
            accounts=(account,),
        )
        seen = None
    shows: tuple[str, ...] = ()
    if seen is None:
        operation, says = "CreateStack", f"Create the stack {name}"
    elif seen.digest == template.digest and dict(seen.parameters) == dict(parameters):
        return
    else:
        operation, says = "UpdateStack", f"Update the stack {name}"
        shows = changes(seen.template, template, seen.parameters, parameters)
    yield Step(
        kind=kind,
        says=says,
        target_text=target_text,
        calls=(Call(account, "cloudformation", operation, arguments),),
        wait=wait,
        accounts=(account,),
        shows=shows,
    )


def changes(
    before: Mapping[str, Any],
    after: Template,
    parameters: Mapping[str, str],
    wanted: Mapping[str, str],
) -> tuple[str, ...]:
    """The lines that an upgrade shows: parameters, then resources."""
    return (*parameter_changes(parameters, wanted), *template_changes(before, after.document))


def parameter_list(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Parameters as CloudFormation takes them."""
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(values.items())]


def _topics(given: Given) -> Iterator[str]:
    """The topics that the central stack makes, by ARN."""
    wanted = given.wanted
    where = f"{wanted.region}:{wanted.central.account}"
    names = (
        (HEALTH_TOPIC,)
        if wanted.central.parameters.get("SNSTopicArn")
        else (
            INCIDENT_TOPIC,
            HEALTH_TOPIC,
        )
    )
    return (f"arn:{given.observed.partition}:sns:{where}:{name}" for name in names)
