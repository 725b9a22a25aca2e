"""Every limit of AWS in bytes, characters or counts that what we deploy or print could exceed.

One row for each: AWS's figure, its page, and our worst case, with every parameter at its longest.
Lengths of single properties, like descriptions, are cfn-lint's: it knows CloudFormation's schemas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from generator.guardrail import guardrail_json
from generator.render import Rendered
from sandbox.events.pattern_complexity import complexity
from stacksets.config.load import LONGEST_RING
from stacksets.permissions.operator import Place, document
from stacksets.steps.ring_calls import DESCRIPTION
from tests.generator.filling import ACCOUNT, Filling

Templates = dict[str, Rendered]
Json = Any

# Longer than any partition, region and stack name that there is. A StackSet's name has up to 128
# characters, and its stacks are called StackSet-NAME-UUID.
PARTITION, REGION = "aws-us-gov", "us-isof-south-1"
UUID = "00000000-0000-0000-0000-000000000000"
STACK = "StackSet-" + "s" * 128 + f"-{UUID}"
PLACE = {
    "AWS::Partition": PARTITION,
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::StackId": f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/{UUID}",
}
REF_IS_ARN = ("AWS::IAM::ManagedPolicy", "AWS::SNS::Topic")


def shaped(begin: str, end: str = "", *, fill: str = "a") -> Callable[[int], str]:
    """A value of any length, of that shape."""
    return lambda longest: begin + fill * (longest - len(begin) - len(end)) + end


def of_entries(entry: str) -> Callable[[int], str]:
    """As many entries as go in, by commas; the last is as long as is left."""
    return lambda longest: (
        ",".join([entry] * (longest // (len(entry) + 1))) + entry[-1] * longest
    )[:longest]


# The shape of the parameters that do not take just any letters, at the length of most effect.
SHAPES = {
    "CentralBusArn": shaped("arn:aws-", f":events:{REGION}:{ACCOUNT}:event-bus/iam-org-revoker"),
    "AdminRolePatterns": shaped("role/"),
    # The pattern alone bounds these.
    "AdminGroupName": lambda _: "a" * 128,
    "BreakerHours": lambda _: "999",
    "BreakerLimit": lambda _: "9999",
    "OrganizationId": shaped("o-"),
    "Email": shaped("a@a.", fill="a"),
    "ExtraEmail": shaped("a@a.", fill="a"),
    "SNSTopicArn": shaped("arn:aws:sns:", f":{ACCOUNT}:{'a' * 256}"),
    "SNSTopicKmsKeyArn": shaped(f"arn:aws-us-gov:kms:{REGION}:{ACCOUNT}:key/"),
    "ExtraAccounts": lambda longest: ",".join([ACCOUNT] * 150)[:longest],
    # The shortest entries: each brings two quotes more than its text has.
    "ResponderPrincipals": of_entries("arn:*:iam::*:a"),
}


def longest(name: str, body: Json) -> str:
    """The longest value that a parameter takes."""
    if "AllowedValues" in body:
        return max(map(str, body["AllowedValues"]), key=len)
    if body["Type"] == "Number":
        return str(body["MaxValue"])
    return SHAPES.get(name, shaped(""))(body.get("MaxLength", 0))


class Longest(Filling):
    """A template with every parameter at its longest, but for those given."""

    def __init__(self, tree: Json, **given: str) -> None:
        longests = {name: longest(name, body) for name, body in tree["Parameters"].items()}
        super().__init__(tree, **{**PLACE, **longests, **given})

    def _value(self, name: str) -> str:
        if name in self.values:
            return self.values[name]
        resource, _, attribute = name.partition(".")
        body = self.tree["Resources"][resource]
        named = [v for k, v in body["Properties"].items() if k.endswith("Name") and v == str(v)]
        called = named[0] if named else resource
        if attribute != "Arn" and body["Type"] not in REF_IS_ARN:
            return called
        service = body["Type"].split("::")[1].lower()
        return f"arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:function/iam-org-revoker/{called}"


def fillings(templates: Templates) -> list[Filling]:
    """What brings out every statement: enforcing, all deny methods; own topics, and one given."""
    member, central = templates["member"].tree, templates["central"].tree
    return [
        Longest(member, Mode="enforce", InlineDeny="allow"),
        Longest(member, Mode="enforce", InlineDeny="allow", DenyScope="iam"),
        Longest(central),
        Longest(central, SNSTopicArn="", SNSTopicKmsKeyArn=""),
    ]


def made(templates: Templates, kind: str) -> Iterator[Json]:
    """The properties of every resource of a kind, in all fillings."""
    for filling in fillings(templates):
        for body in filling.resources().values():
            if body["Type"] == kind:
                yield body["Properties"]


def size(value: Json) -> int:
    """Bytes of the JSON without white space, which IAM does not count."""
    return len(json.dumps(value, separators=(",", ":")).encode())


def policies(kind: str, key: str) -> Callable[[Templates], int]:
    return lambda templates: max(size(one[key]) for one in made(templates, kind) if key in one)


def environments(templates: Templates) -> int:
    functions = made(templates, "AWS::Lambda::Function")
    return max(size(one["Environment"]["Variables"]) for one in functions)


def inline_policies(templates: Templates) -> int:
    roles = made(templates, "AWS::IAM::Role")
    return max(
        sum(size(policy["PolicyDocument"]) for policy in one.get("Policies", ())) for one in roles
    )


def bus_policy(templates: Templates) -> int:
    """All statements of the one bus, wherever they are declared."""
    return sum(
        size(body["Properties"])
        for body in fillings(templates)[2].resources().values()
        if body["Type"].startswith("AWS::Events::EventBus")
    )


def function_policy(templates: Templates) -> int:
    """Lambda writes a statement for each permission, of ids, ARNs and a condition: twice as long as
    what it is made of, at most."""
    return sum(
        2 * size(body["Properties"])
        for body in fillings(templates)[0].resources().values()
        if body["Type"] == "AWS::Lambda::Permission"
    )


def table_policy(templates: Templates) -> int:
    return max(
        size(one["ResourcePolicy"]["PolicyDocument"])
        for one in made(templates, "AWS::DynamoDB::Table")
        if "ResourcePolicy" in one
    )


def of_queues(measure: Callable[[list[Json]], int]) -> Callable[[Templates], int]:
    return lambda templates: max(
        measure(one["PolicyDocument"]["Statement"])
        for one in made(templates, "AWS::SQS::QueuePolicy")
    )


def listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def patterns(templates: Templates) -> list[Json]:
    rules = made(templates, "AWS::Events::Rule")
    return [one["EventPattern"] for one in rules if "EventPattern" in one]


def wildcard_rules(templates: Templates) -> int:
    rules = [
        body["Properties"]["EventPattern"]
        for body in fillings(templates)[0].resources().values()
        if body["Type"] == "AWS::Events::Rule"
    ]
    return sum("wildcard" in json.dumps(one) for one in rules)


def filter_values(templates: Templates) -> int:
    return max(
        len(one["FilterPolicy"]["account"])
        for one in made(templates, SUBSCRIPTION)
        if one.get("FilterPolicy")
    )


SUBSCRIPTION = "AWS::SNS::Subscription"


def printed(_templates: Templates) -> int:
    return max(size(document(place, partition=PARTITION)) for place in Place)


def longest_of(what: Callable[[Json], Iterator[int]]) -> Callable[[Templates], int]:
    return lambda templates: max(size for one in templates.values() for size in what(one.tree))


def entries(section: str) -> Callable[[Templates], int]:
    return lambda templates: max(len(one.tree.get(section, {})) for one in templates.values())


def names(tree: Json) -> Iterator[int]:
    for section in ("Parameters", "Resources", "Outputs", "Mappings"):
        yield from map(len, tree.get(section, {}))


IAM = "IAM User Guide, IAM and AWS STS quotas"
CLOUDFORMATION = "CloudFormation User Guide, Understand CloudFormation quotas"
SQS = "SQS Developer Guide, Amazon SQS policy quotas"
EVENTBRIDGE = "EventBridge User Guide, Amazon EventBridge quotas"
LAMBDA = "Lambda Developer Guide, Lambda quotas"
ROWS: list[tuple[str, str, int, Callable[[Templates], int]]] = [
    ("all environment variables of a function", LAMBDA, 4_096, environments),
    ("a function's own policy", LAMBDA, 20_480, function_policy),
    ("all inline policies of a role", IAM, 10_240, inline_policies),
    ("a managed policy", IAM, 6_144, policies("AWS::IAM::ManagedPolicy", "PolicyDocument")),
    ("a role's trust policy", IAM, 2_048, policies("AWS::IAM::Role", "AssumeRolePolicyDocument")),
    ("a policy that is printed for the operator", IAM, 6_144, printed),
    ("an event pattern", EVENTBRIDGE, 2_048, lambda every: max(map(size, patterns(every)))),
    ("rules with wildcards on a bus", EVENTBRIDGE, 30, wildcard_rules),
    ("the policy of a bus", EVENTBRIDGE, 10_240, bus_policy),
    ("the policy of a queue", SQS, 8_192, policies("AWS::SQS::QueuePolicy", "PolicyDocument")),
    ("its statements", SQS, 20, of_queues(len)),
    (
        "its actions in one statement",
        SQS,
        7,
        of_queues(lambda rows: max(len(listed(one["Action"])) for one in rows)),
    ),
    (
        "its conditions",
        SQS,
        10,
        of_queues(
            lambda rows: sum(len(k) for one in rows for k in one.get("Condition", {}).values())
        ),
    ),
    (
        "the policy of a key",
        "KMS API Reference, PutKeyPolicy",
        131_072,
        policies("AWS::KMS::Key", "KeyPolicy"),
    ),
    (
        "the policy of a table",
        "DynamoDB Developer Guide, DynamoDB resource-based policy considerations",
        20_480,
        table_policy,
    ),
    (
        "values of a filter policy",
        "SNS Developer Guide, Filter policy constraints",
        150,
        filter_values,
    ),
    (
        "the guardrail, as tools take it that know only the older limit",
        "AWS Organizations User Guide, Quotas and service limits",
        5_120,
        lambda _: len(guardrail_json()),
    ),
    (
        "a template in a bucket",
        CLOUDFORMATION,
        1_000_000,
        lambda every: max(len(one.yaml) for one in every.values()),
    ),
    (
        "a template's description",
        CLOUDFORMATION,
        1_024,
        longest_of(lambda t: iter([len(t["Description"])])),
    ),
    ("parameters of a template", CLOUDFORMATION, 200, entries("Parameters")),
    ("resources of a template", CLOUDFORMATION, 500, entries("Resources")),
    ("outputs of a template", CLOUDFORMATION, 200, entries("Outputs")),
    ("the name of any of them", CLOUDFORMATION, 255, longest_of(names)),
    (
        "a parameter's value",
        CLOUDFORMATION,
        4_096,
        longest_of(lambda t: (len(longest(k, v)) for k, v in t["Parameters"].items())),
    ),
    (
        "a parameter's description",
        "CloudFormation User Guide, CloudFormation template Parameters syntax",
        4_000,
        longest_of(lambda t: (len(one["Description"]) for one in t["Parameters"].values())),
    ),
    (
        "a StackSet's description",
        "CloudFormation API Reference, CreateStackSet",
        1_024,
        lambda _: len(DESCRIPTION),
    ),
    (
        "the name of a stack of a StackSet",
        CLOUDFORMATION,
        128,
        lambda _: len("StackSet-iam-org-revoker-") + LONGEST_RING + len(f"-{UUID}"),
    ),
]


@pytest.mark.parametrize(("what", "page", "most", "worst"), ROWS, ids=[row[0] for row in ROWS])
def test_at_its_worst_it_stays_below_what_aws_takes(
    rendered: Templates, what: str, page: str, most: int, worst: Callable[[Templates], int]
) -> None:
    found = worst(rendered)
    assert 0 < found <= most, f"{what}: {found:,} of {most:,} ({page})"


def test_the_longest_values_are_such_as_the_templates_take(rendered: Templates) -> None:
    for one in rendered.values():
        for name, body in one.tree["Parameters"].items():
            value = longest(name, body)
            if "AllowedPattern" in body:
                assert re.fullmatch(body["AllowedPattern"], value), name
                one_more = value + value[-1]
                assert len(value) == body.get("MaxLength") or not re.fullmatch(
                    body["AllowedPattern"], one_more
                )


@pytest.mark.parametrize("digit", "0123456789")
def test_wildcards_stay_as_simple_as_they_are_whatever_the_account_and_the_stack(
    rendered: Templates, digit: str
) -> None:
    """EventBridge takes 10 (sandbox/events/pattern_complexity.py)."""
    stack = f"arn:aws:cloudformation:us-east-1:{digit * 12}:stack/{digit * 9}/{digit * 36}"
    given = {"AWS::AccountId": digit * 12, "AWS::StackId": stack, "AWS::StackName": digit * 9}
    made = Longest(rendered["member"].tree, **given).resources()
    scores = {
        name: complexity(body["Properties"]["EventPattern"])
        for name, body in made.items()
        if body["Type"] == "AWS::Events::Rule"
    }
    assert scores == {"CallsRule": 0, "CanaryRule": 0, "TamperRule": 4, "TamperStoresRule": 3}


def test_the_central_account_matches_without_wildcards(rendered: Templates) -> None:
    made = Longest(rendered["central"].tree).resources()
    rules = [body for body in made.values() if body["Type"] == "AWS::Events::Rule"]
    assert "wildcard" not in json.dumps(rules)
