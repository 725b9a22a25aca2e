"""Fill a template in as CloudFormation would: parameters, conditions, functions. No deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ACCOUNT = "111122223333"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": "iam-org-revoker",
    "AWS::StackId": (
        f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/iam-org-revoker/"
        "00000000-0000-0000-0000-000000000000"
    ),
}
BUS = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/iam-org-revoker"
ABSENT = object()


class Filling:
    """One template with values for its parameters; everything not given takes its default."""

    def __init__(self, tree: dict[str, Any], **given: str) -> None:
        self.tree = tree
        defaults = {
            name: str(body["Default"])
            for name, body in tree["Parameters"].items()
            if "Default" in body
        }
        self.values: dict[str, str] = {**PSEUDO, **defaults, **given}

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources that would be made, with every function worked out."""
        return {
            name: self.fill({key: value for key, value in body.items() if key != "Condition"})
            for name, body in self.tree["Resources"].items()
            if self.holds(body.get("Condition", ""))
        }

    def holds(self, condition: str) -> bool:
        return not condition or bool(self.fill(self.tree["Conditions"][condition]))

    def asserts(self, rule: str) -> bool:
        assertions = self.tree["Rules"][rule]["Assertions"]
        return all(self.fill(one["Assert"]) for one in assertions)

    def fill(self, value: Any) -> Any:
        match value:
            case {"Ref": "AWS::NoValue"}:
                return ABSENT
            case {"Ref": name}:
                return self._value(name)
            case {"Fn::GetAtt": [resource, attribute]}:
                return self._value(f"{resource}.{attribute}")
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{([^}]+)\}", lambda match: self._value(match[1]), text)
            case {"Fn::If": [condition, then, otherwise]}:
                return self.fill(then if self.holds(condition) else otherwise)
            case {"Fn::Join": [between, parts]}:
                return between.join(self.fill(parts))
            case {"Fn::Select": [index, {"Fn::Split": [at, text]}]}:
                return self.fill(text).split(at)[int(index)]
            case {"Fn::Split": [at, text]}:
                return str(self.fill(text)).split(at)
            case {"Fn::FindInMap": [name, top, second]}:
                return self.tree["Mappings"][name][self.fill(top)][self.fill(second)]
            case {"Fn::Equals": [one, other]}:
                return self.fill(one) == self.fill(other)
            case {"Fn::Not": [one]}:
                return not self.fill(one)
            case {"Fn::And": parts}:
                return all(self.fill(part) for part in parts)
            case {"Fn::Or": parts}:
                return any(self.fill(part) for part in parts)
            case {"Condition": str(name)} if len(value) == 1:
                return self.holds(name)
            case dict():
                return _present({key: self.fill(inner) for key, inner in value.items()})
            case list():
                return [one for one in map(self.fill, value) if one is not ABSENT]
            case _:
                return value

    def _value(self, name: str) -> str:
        if name in self.values:
            return self.values[name]
        resource, _, attribute = name.partition(".")
        assert resource in self.tree["Resources"], name
        return _made_up(self.tree["Resources"][resource], resource, attribute)


def _present(filled: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in filled.items() if value is not ABSENT}


def _made_up(body: dict[str, Any], resource: str, attribute: str) -> str:
    """What AWS would answer for a resource: an ARN where one is asked for, else its name."""
    if attribute not in ("Arn", "") or (not attribute and body["Type"] not in _REF_IS_ARN):
        return resource
    service = body["Type"].split("::")[1].lower()
    region = "" if service == "iam" else "us-east-1"
    kind = {
        "AWS::KMS::Key": "key/",
        "AWS::IAM::Role": "role/",
        "AWS::IAM::ManagedPolicy": "policy/",
    }
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{kind.get(body['Type'], '')}{resource}"


_REF_IS_ARN = ("AWS::IAM::ManagedPolicy", "AWS::SNS::Topic")


def member(tree: dict[str, Any], **given: str) -> Filling:
    return Filling(tree, **{"CentralBusArn": BUS, **given})


def central(tree: dict[str, Any], **given: str) -> Filling:
    return Filling(
        tree, **{"OrganizationId": "o-exampleorgid", "Email": "security@example.com", **given}
    )
