"""How the Lambda code travels: readable in the template, or as a reproducible zip. Uploads none."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from troposphere import Parameter, Ref, Template, awslambda

HANDLER = "index.lambda_handler"


class Form(Enum):
    INLINE = "inline"
    S3 = "s3"


@dataclass(frozen=True)
class Code:
    """One function's code: the text of its index.py, the name of its zip, and how it travels."""

    index: str
    product: str
    form: Form = Form.INLINE

    @property
    def zip_name(self) -> str:
        """Changes with the content: CloudFormation updates a function only when its key changes."""
        return f"{self.product}-{hashlib.sha256(self.index.encode()).hexdigest()[:12]}.zip"


def zip_bytes(code: Code) -> bytes:
    """A zip of index.py: same source, same bytes, whatever the clock, the user or the file mode."""
    entry = zipfile.ZipInfo("index.py", date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, code.index, compresslevel=9)
    return buffer.getvalue()


def add_code(template: Template, code: Code) -> tuple[awslambda.Code, object]:
    """The function's Code and Handler; in the form s3 the template gets their three parameters."""
    if code.form is Form.INLINE:
        return awslambda.Code(ZipFile=code.index), HANDLER
    for parameter in _parameters(code):
        template.add_parameter(parameter)
    place = awslambda.Code(S3Bucket=Ref("LambdaS3BucketName"), S3Key=Ref("LambdaZipfileName"))
    return place, Ref("LambdaHandler")


class _JsonLogs(awslambda.LoggingConfig):  # type: ignore[misc]  # troposphere has no types
    """LoggingConfig with LogFormat, which troposphere 4.11 lost; CloudFormation has it."""

    props: ClassVar[dict[str, Any]] = {**awslambda.LoggingConfig.props, "LogFormat": (str, True)}


def json_logs(log_group: str) -> awslambda.LoggingConfig:
    """JSON lines into that log group of the template, which so exists before the function."""
    return _JsonLogs(LogFormat="JSON", LogGroup=Ref(log_group))


def _parameters(code: Code) -> list[Parameter]:
    return [
        Parameter(
            "LambdaS3BucketName",
            Type="String",
            Description="Bucket of the zip, in this region; the account that deploys must read it.",
            AllowedPattern="[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            ConstraintDescription="must be the name of an S3 bucket",
        ),
        Parameter(
            "LambdaZipfileName",
            Type="String",
            Description="Key of the zip in that bucket; it changes with the code.",
            Default=code.zip_name,
            AllowedPattern="[A-Za-z0-9/_.=-]{1,1024}",
            ConstraintDescription="must be the key of a zip file",
        ),
        Parameter(
            "LambdaHandler",
            Type="String",
            Description="Entry point in the zip: file and function.",
            Default=HANDLER,
            AllowedPattern="[A-Za-z0-9_]+[.][A-Za-z0-9_]+",
            ConstraintDescription="must be file.function",
        ),
    ]
