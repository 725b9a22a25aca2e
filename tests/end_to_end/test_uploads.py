"""The code that runs is the code that was reviewed, however the template and the code travel."""

from __future__ import annotations

import io
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import cfn_flip
import pytest
import yaml

from handler.model.names import NOTIFIER, REVOKER
from sandbox.box import Box
from sandbox.core.keys import REGION
from sandbox.demo.deploy import deploy_stack
from sandbox.demo.product_setup import Stage, is_denied, short_wait, uploaded
from stacksets.observed.templates import BODY_LIMIT, read_template, template_argument
from tests.end_to_end.coverage import subjects

ROOT = Path(__file__).parents[2]
LOGICAL = {REVOKER: ("member", "Revoker"), NOTIFIER: ("central", "Notifier")}


def reviewed(function: str) -> str:
    """The text under ZipFile in the committed template."""
    template, logical = LOGICAL[function]
    tree = yaml.safe_load(cfn_flip.to_json((ROOT / "templates" / f"{template}.yaml").read_text()))
    return str(tree["Resources"][logical]["Properties"]["Code"]["ZipFile"])


def files_of(box: Box, account: str, function: str) -> dict[str, str]:
    """What is in the package of a deployed function."""
    found: Any = box.client("lambda", account).get_function(FunctionName=function)
    with urllib.request.urlopen(found["Code"]["Location"]) as answer:
        package = zipfile.ZipFile(io.BytesIO(answer.read()))
    return {name: package.read(name).decode() for name in package.namelist()}


@pytest.mark.parametrize("function", [REVOKER, NOTIFIER])
def test_the_deployed_function_is_the_text_in_the_template_and_nothing_else(
    enforcing: Stage, function: str
) -> None:
    box = enforcing.box
    accounts = [box.security] if function == NOTIFIER else list(box.members)
    text = reviewed(function)
    assert text.startswith(f'"""{function} ')
    for account in accounts:
        assert files_of(box, account, function) == {"index.py": text}


def test_both_templates_travel_by_url_from_the_deploying_accounts_own_bucket(
    enforcing: Stage,
) -> None:
    box = enforcing.box
    for account, name in ((box.security, "central"), (box.management, "member")):
        argument = uploaded(box, account, name)
        begin = f"{box.endpoint}/iam-org-revoker-templates-{account}/{name}-"
        assert list(argument) == ["TemplateURL"]
        assert argument["TemplateURL"].startswith(begin)


def test_with_the_code_in_a_bucket_a_template_travels_in_the_request_and_works_alike(
    enforcing: Stage, bare_account: str, tmp_path: Path
) -> None:
    box = enforcing.box
    made = subprocess.run(
        [sys.executable, "-m", "generator", "--code", "s3", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")
    template = read_template(tmp_path / "member.yaml")
    assert template.size <= BODY_LIMIT
    (package,) = tmp_path.glob("iam-org-revoker-[0-9a-f]*.zip")
    s3 = box.client("s3", bare_account)
    s3.create_bucket(Bucket="amzn-s3-demo-bucket-of-signed-code")
    s3.upload_file(str(package), "amzn-s3-demo-bucket-of-signed-code", package.name)
    argument = template_argument(template, s3=s3, bucket="never-asked")
    assert list(argument) == ["TemplateBody"]
    deploy_stack(
        box.client("cloudformation", bare_account),
        name="iam-org-revoker",
        template=argument,
        parameters={
            "CentralBusArn": enforcing.bus_arn,
            "Mode": "enforce",
            "MissingGroup": "treat-as-empty",
            "LambdaS3BucketName": "amzn-s3-demo-bucket-of-signed-code",
        },
        sleep=short_wait,
    )
    assert files_of(box, bare_account, REVOKER) == {"index.py": reviewed(REVOKER)}
    key = box.new_user(bare_account, "mallory", "iam:*")
    mallory = box.client("iam", bare_account, key=key)
    mallory.create_user(UserName="accomplice")
    expected = [f"[IAM revoked] {bare_account} user mallory: CreateUser"]
    assert subjects(enforcing, bare_account) == expected
    assert is_denied(mallory.list_users)


def test_the_function_runs_where_iams_events_appear(enforcing: Stage) -> None:
    box = enforcing.box
    found = box.client("lambda", box.members[0]).get_function_configuration(FunctionName=REVOKER)
    assert found["FunctionArn"].split(":")[3] == REGION
    assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["arm64"])
