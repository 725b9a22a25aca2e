"""A template goes in the request while it fits, else through the deploying account's bucket."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from stacksets.observed.templates import (
    BODY_LIMIT,
    Template,
    digest_of,
    parse_template,
    read_template,
    template_argument,
)


class Bucket:
    """Takes what is put into it; its endpoint is a region's own."""

    meta = SimpleNamespace(endpoint_url="https://s3.us-east-1.amazonaws.com")

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> dict[str, Any]:
        self.objects[Bucket, Key] = Body
        return {}


def test_a_template_of_exactly_the_limit_travels_in_the_request() -> None:
    bucket = Bucket()
    template = Template(name="member", body="x" * BODY_LIMIT)
    assert template_argument(template, s3=bucket, bucket="example") == {
        "TemplateBody": "x" * 51_200
    }
    assert bucket.objects == {}


def test_one_byte_more_travels_by_url_under_the_contents_hash() -> None:
    bucket = Bucket()
    body = "x" * (BODY_LIMIT + 1)
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    argument = template_argument(Template(name="member", body=body), s3=bucket, bucket="example")
    assert argument == {
        "TemplateURL": f"https://s3.us-east-1.amazonaws.com/example/member-{digest}.json"
    }
    assert bucket.objects == {("example", f"member-{digest}.json"): body.encode()}


def test_a_template_is_measured_in_bytes_and_not_in_characters() -> None:
    assert not Template(name="member", body="\u00e9" * (BODY_LIMIT - 1)).fits_in_request


def test_yaml_with_short_intrinsics_becomes_minified_json(tmp_path: Path) -> None:
    path = tmp_path / "central.yaml"
    path.write_text("Resources:\n  A:\n    Type: X\n    Properties:\n      Arn: !GetAtt B.Arn\n")
    template = read_template(path)
    assert template.name == "central"
    assert template.body == (
        '{"Resources":{"A":{"Type":"X","Properties":{"Arn":{"Fn::GetAtt":["B","Arn"]}}}}}'
    )
    assert json.loads(template.body)


def test_a_templates_digest_does_not_hang_on_the_order_of_its_keys_or_its_form() -> None:
    one, other = {"A": 1, "B": {"C": 2, "D": 3}}, {"B": {"D": 3, "C": 2}, "A": 1}
    assert digest_of(one) == digest_of(other)
    assert digest_of(one) != digest_of({**one, "A": 2})
    assert parse_template("A: 1\nB:\n  C: 2\n  D: 3\n") == one
    assert parse_template('{"A": 1, "B": {"C": 2, "D": 3}}') == one
    assert parse_template(other) == one
