"""The classic form of the code: a zip that is the same on every run, and its three parameters."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from generator.render import Rendered, render
from generator.source.lambda_code import Code, Form, zip_bytes
from generator.source.mail_texts import House

CODE = Code(index="x = 1\n", product="iam-org-revoker", form=Form.S3)


@pytest.fixture(scope="module")
def classic() -> dict[str, Rendered]:
    return {one.name: one for one in render(house=House(), form=Form.S3)}


def test_the_same_source_gives_the_same_bytes_whatever_the_clock_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    once = zip_bytes(CODE)
    monkeypatch.setattr("time.time", lambda: 4_000_000_000.0)
    monkeypatch.setattr("time.localtime", lambda *_: (2096, 10, 2, 7, 6, 40, 1, 276, 0))
    assert zip_bytes(CODE) == once
    with zipfile.ZipFile(io.BytesIO(once)) as archive:
        (entry,) = archive.infolist()
        assert (entry.filename, entry.date_time) == ("index.py", (1980, 1, 1, 0, 0, 0))
        assert entry.external_attr >> 16 == 0o644
        assert archive.read(entry) == b"x = 1\n"


def test_another_source_gives_another_name_so_that_cloudformation_sees_the_change() -> None:
    other = Code(index="x = 2\n", product="iam-org-revoker", form=Form.S3)
    assert CODE.zip_name == "iam-org-revoker-9e26bf369911.zip"
    assert other.zip_name == "iam-org-revoker-4205c4809ab1.zip"


@pytest.mark.parametrize(("name", "function"), [("member", "Revoker"), ("central", "Notifier")])
def test_the_function_takes_bucket_key_and_handler_from_parameters(
    classic: dict[str, Rendered], rendered: dict[str, Rendered], name: str, function: str
) -> None:
    tree = classic[name].tree
    properties = tree["Resources"][function]["Properties"]
    assert properties["Code"] == {
        "S3Bucket": {"Ref": "LambdaS3BucketName"},
        "S3Key": {"Ref": "LambdaZipfileName"},
    }
    assert properties["Handler"] == {"Ref": "LambdaHandler"}
    parameters = tree["Parameters"]
    added = parameters.keys() - rendered[name].tree["Parameters"].keys()
    assert added == {"LambdaS3BucketName", "LambdaZipfileName", "LambdaHandler"}
    assert "Default" not in parameters["LambdaS3BucketName"]
    assert parameters["LambdaZipfileName"]["Default"] == classic[name].code.zip_name
    assert parameters["LambdaHandler"]["Default"] == "index.lambda_handler"


@pytest.mark.parametrize("name", ["member", "central"])
def test_everything_else_is_as_with_the_code_inside(
    classic: dict[str, Rendered], rendered: dict[str, Rendered], name: str
) -> None:
    def rest(one: Rendered) -> dict[str, object]:
        kept = {**one.tree["Resources"]}
        kept.pop("Revoker", None)
        kept.pop("Notifier", None)
        return kept

    assert rest(classic[name]) == rest(rendered[name])
    assert classic[name].code.index == rendered[name].code.index


@pytest.mark.parametrize("name", ["member", "central"])
def test_without_the_code_a_template_travels_by_itself_and_is_clean(
    classic: dict[str, Rendered], name: str, tmp_path: Path
) -> None:
    assert classic[name].travels_as == "TemplateBody"
    path = tmp_path / f"{name}.yaml"
    path.write_text(classic[name].yaml)
    found = lint_file(path, config=ManualArgs(regions=["us-east-1"]))
    assert [str(match) for match in found] == []
