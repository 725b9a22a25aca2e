"""Add the parameters of the member template: the revoker's settings, log and trail."""

from __future__ import annotations

from typing import Any

from troposphere import Parameter, Template

from handler.model.settings import KNOBS, Knob

# What CloudWatch Logs takes.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

GROUPS = [
    {
        "Label": {"default": "What the revoker does"},
        "Parameters": [knob.parameter for knob in KNOBS],
    },
    {"Label": {"default": "Logs"}, "Parameters": ["LogRetentionDays"]},
    {
        "Label": {
            "default": "A trail of this account (leave empty if there is an organization trail)"
        },
        "Parameters": ["TrailDestS3BucketName", "TrailMultiRegion", "TrailReadWrite"],
    },
]


def retention_parameter() -> Parameter:
    """Return the parameter for the days to keep logs; both templates have it."""
    return Parameter(
        "LogRetentionDays",
        Type="Number",
        Description="Days to keep the function's log.",
        Default=90,
        AllowedValues=list(RETENTION_DAYS),
    )


def add_parameters(template: Template) -> None:
    """Add every parameter of the member template."""
    for knob in KNOBS:
        template.add_parameter(Parameter(knob.parameter, Type="String", **_knob(knob)))
    template.add_parameter(retention_parameter())
    template.add_parameter(
        Parameter(
            "TrailDestS3BucketName",
            Type="String",
            Description=(
                "Bucket for a trail of this account; its policy must admit CloudTrail. Empty: no "
                "trail, because most Organizations have one and a second copy costs money."
            ),
            Default="",
            AllowedPattern="([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?",
            MaxLength=63,
            ConstraintDescription="must be empty or the name of an S3 bucket",
        )
    )
    template.add_parameter(
        Parameter(
            "TrailMultiRegion",
            Type="String",
            Description="true: that trail records every region. IAM's calls need only one.",
            Default="false",
            AllowedValues=["true", "false"],
        )
    )
    template.add_parameter(
        Parameter(
            "TrailReadWrite",
            Type="String",
            Description="What that trail records. The revoker needs WriteOnly; All costs more.",
            Default="WriteOnly",
            AllowedValues=["WriteOnly", "All"],
        )
    )


def _knob(knob: Knob) -> dict[str, Any]:
    said: dict[str, Any] = {"Description": knob.says}
    if knob.allowed:
        return said | {"Default": knob.default, "AllowedValues": list(knob.allowed)}
    if knob.default:
        said["Default"] = knob.default
    # CloudFormation holds the pattern against the whole value, as the revoker does, and prints the
    # constraint's description when it does not fit.
    said |= {"AllowedPattern": knob.shape, "ConstraintDescription": knob.says}
    if knob.longest:
        said["MaxLength"] = knob.longest
        said["ConstraintDescription"] = f"{knob.says} At most {knob.longest:,} characters."
    return said
