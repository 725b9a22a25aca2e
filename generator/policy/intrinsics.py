"""Turn ${...} in our strings into CloudFormation's functions; reads nothing else of a template."""

from __future__ import annotations

import re
from typing import Any

from troposphere import GetAtt, If, Join, Ref, Select, Split, Sub

from handler.model.names import IAM_PATH, RESPONDER_ROLE

NAMED = {
    # Our own topic, or the one that was given.
    "IncidentTopicArn": If("OwnTopic", Ref("IncidentTopic"), Ref("SNSTopicArn")),
    # A stack's ARN ends in a unique id: the whole ARN, with a long name, would break the quota.
    "AnyEndingLikeOurStackId": Join("", ["*/", Select(2, Split("/", Ref("AWS::StackId")))]),
    "ResponderPrincipals": Split(",", Ref("ResponderPrincipals")),
    # The responder lives where the reports go.
    "ResponderRoleArn": Join(
        "",
        [
            "arn:",
            Ref("AWS::Partition"),
            ":iam::",
            Select(4, Split(":", Ref("CentralBusArn"))),
            f":role{IAM_PATH}{RESPONDER_ROLE}",
        ],
    ),
}


def filled(value: Any) -> Any:
    """The value with each string that holds ${...} as Ref, GetAtt or Sub; in new containers."""
    match value:
        case str():
            return _function(value)
        case dict():
            return {key: filled(inner) for key, inner in value.items()}
        case list() | tuple():
            return [filled(inner) for inner in value]
        case _:
            return value


def _function(text: str) -> Any:
    whole = re.fullmatch(r"\$\{([A-Za-z0-9:.]+)\}", text)
    if whole is None:
        return Sub(text) if "${" in text else text
    name = whole.group(1)
    if name in NAMED:
        return NAMED[name]
    resource, _, attribute = name.partition(".")
    return GetAtt(resource, attribute) if attribute else Ref(name)
