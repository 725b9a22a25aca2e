"""Add the parameters of the central template; no default opens the bus."""

from __future__ import annotations

from typing import Any

from troposphere import And, Equals, Not, Or, Parameter, Ref, Template

from generator.member.parameters import retention_parameter

# CloudFormation cannot multiply, and the notifier takes seconds.
QUIET = {str(hours): {"Seconds": str(hours * 3600)} for hours in (1, 3, 6, 12, 24, 48, 72, 168)}

GROUPS = [
    {"Label": {"default": "Who may report"}, "Parameters": ["OrganizationId"]},
    {
        "Label": {"default": "Who gets the mails (an address, or your own topic)"},
        "Parameters": ["Email", "SNSTopicArn", "SNSTopicKmsKeyArn"],
    },
    {
        "Label": {"default": "How often"},
        "Parameters": ["QuietHours", "MailsPerMinute"],
    },
    {
        "Label": {"default": "A second recipient, for some accounts only"},
        "Parameters": ["ExtraEmail", "ExtraAccounts"],
    },
    {"Label": {"default": "Who may release"}, "Parameters": ["ResponderPrincipals"]},
    {"Label": {"default": "Logs"}, "Parameters": ["LogRetentionDays"]},
]

# A quote or backslash in a path is written as '?': in the JSON of a policy either takes two.
_PRINCIPALS = r"arn:[a-z*-]+:iam::[0-9*]+:[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+"

# SNS suspends an e-mail subscription above 10 a second; the notifier sends at most 4 in any.
MOST_MAILS_PER_MINUTE = 240

_TEXTS: tuple[dict[str, Any], ...] = (
    {
        "title": "OrganizationId",
        "Description": "The Organization whose accounts may report. Empty: only this account.",
        "AllowedPattern": "(o-[a-z0-9]{10,32})?",
        "MaxLength": 34,
        "ConstraintDescription": "must be empty or the id of an Organization, like o-exampleorgid",
    },
    {
        "title": "Email",
        "Description": "The security team; AWS asks it to confirm. Empty: only your topic.",
        "AllowedPattern": r"([^@\s]+@[^@\s]+[.][^@\s]+)?",
        "MaxLength": 254,
        "ConstraintDescription": "must be empty or one e-mail address",
    },
    {
        "title": "SNSTopicArn",
        "Description": "Your own topic for the mails, in this region. Empty: create one.",
        "AllowedPattern": "(arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256})?",
        "MaxLength": 320,
        "ConstraintDescription": "must be empty or the ARN of a standard SNS topic",
    },
    {
        "title": "SNSTopicKmsKeyArn",
        "Description": "Your KMS key that encrypts the topic in SNSTopicArn, if any.",
        "AllowedPattern": "(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?",
        "MaxLength": 160,
        "ConstraintDescription": "must be empty or the ARN of a KMS key",
    },
    {
        "title": "ExtraEmail",
        "Description": "Address that gets the mails about ExtraAccounts. Empty: none.",
        "AllowedPattern": r"([^@\s]+@[^@\s]+[.][^@\s]+)?",
        "MaxLength": 254,
        "ConstraintDescription": "must be empty or one e-mail address",
    },
    {
        "title": "ExtraAccounts",
        "Description": "The accounts for ExtraEmail (those of an OU, say), separated by commas.",
        "AllowedPattern": "([0-9]{12}(,[0-9]{12}){0,149})?",
        "MaxLength": 1_949,
        "ConstraintDescription": "must be empty or up to 150 account ids, separated by commas",
    },
)


def add_parameters(template: Template) -> None:
    """Add parameters, the hours' mapping, the assertions and the conditions."""
    for text in _TEXTS:
        template.add_parameter(Parameter(**text, Type="String", Default=""))
    template.add_parameter(
        Parameter(
            "QuietHours",
            Type="String",
            Description="Hours without a call after which an incident closes.",
            Default="24",
            AllowedValues=list(QUIET),
        )
    )
    template.add_parameter(
        Parameter(
            "ResponderPrincipals",
            Type="String",
            Description=(
                "ARN patterns of this account's principals that may assume the responder role, "
                "separated by commas; they also need sts:AssumeRole. Default: every principal "
                "that has it."
            ),
            Default="arn:*:iam::*:*",
            AllowedPattern=f"{_PRINCIPALS}(,{_PRINCIPALS})*",
            # They stand in a trust policy, which takes 2,048 characters.
            MaxLength=1_500,
            ConstraintDescription=(
                "must be ARN patterns of users or roles, separated by commas without blanks, in at "
                "most 1,500 characters"
            ),
        )
    )
    template.add_parameter(
        Parameter(
            "MailsPerMinute",
            Type="Number",
            Description="Rate limit: mails a minute. The rest comes as one digest.",
            Default=30,
            MinValue=5,
            MaxValue=MOST_MAILS_PER_MINUTE,
        )
    )
    template.add_parameter(retention_parameter())
    template.add_mapping("Quiet", QUIET)
    _add_conditions(template)


def _add_conditions(template: Template) -> None:
    has_email = Not(Equals(Ref("Email"), ""))
    own_topic = Equals(Ref("SNSTopicArn"), "")
    template.add_rule(
        "SomebodyIsNotified",
        {
            "Assertions": [
                {
                    "Assert": Or(has_email, Not(own_topic)),
                    "AssertDescription": "Give an address in Email or a topic in SNSTopicArn.",
                }
            ]
        },
    )
    extra = [Not(Equals(Ref(name), "")) for name in ("ExtraEmail", "ExtraAccounts")]
    template.add_rule(
        "ExtraIsWhole",
        {
            "Assertions": [
                {
                    "Assert": Or(And(*extra), And(*map(Not, extra))),
                    "AssertDescription": "Give both ExtraEmail and ExtraAccounts, or neither.",
                }
            ]
        },
    )
    template.add_condition("MailExtra", And(*extra, own_topic))
    template.add_condition("InOrganization", Not(Equals(Ref("OrganizationId"), "")))
    template.add_condition("WithEmail", has_email)
    template.add_condition("OwnTopic", own_topic)
    template.add_condition(
        "GivenKey", And(Not(own_topic), Not(Equals(Ref("SNSTopicKmsKeyArn"), "")))
    )
