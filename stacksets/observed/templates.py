"""How a template travels: in the request while it is small, else through a bucket. No deploying.

A request holds 51,200 bytes (CloudFormation quotas). Above that CloudFormation reads the template
from a bucket of the deploying account with that account's rights: no member has to trust it, and
the Lambda code stands in the template, so no member ever reads from the bucket either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cfn_flip

BODY_LIMIT = 51_200


@dataclass(frozen=True)
class Template:
    """A template as a rollout sends it: minified JSON; `name` is the file's stem."""

    name: str
    body: str

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return len(self.body.encode())

    @property
    def fits_in_request(self) -> bool:
        return self.size <= BODY_LIMIT

    @property
    def document(self) -> dict[str, Any]:
        """The template as CloudFormation reads it."""
        return dict(json.loads(self.body))

    @property
    def digest(self) -> str:
        return digest_of(self.document)

    @property
    def key(self) -> str:
        """Its name in a bucket, which holds the content's hash: what was reviewed is deployed."""
        return f"{self.name}-{hashlib.sha256(self.body.encode()).hexdigest()[:16]}.json"


def parse_template(body: str | Mapping[str, Any]) -> dict[str, Any]:
    """A template's document, from JSON, YAML or what a client has parsed already."""
    if not isinstance(body, str):
        return dict(json.loads(json.dumps(body)))
    return dict(json.loads(body if body.lstrip().startswith("{") else cfn_flip.to_json(body)))


def digest_of(document: Mapping[str, Any]) -> str:
    """A name for a template's content, whatever its order of keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_template(path: Path) -> Template:
    """The committed YAML file as minified JSON: smaller, because YAML indents every code line."""
    document = json.loads(cfn_flip.to_json(path.read_text()))
    return Template(name=path.stem, body=json.dumps(document, separators=(",", ":")))


def template_argument(template: Template, *, s3: Any, bucket: str) -> dict[str, str]:
    """`TemplateBody` or `TemplateURL` for any CloudFormation call; uploads only where it must.

    The key holds the content's hash: what was reviewed is what is deployed, and a second upload of
    the same template changes nothing. Raises ClientError when the bucket refuses.
    """
    if template.fits_in_request:
        return {"TemplateBody": template.body}
    s3.put_object(Bucket=bucket, Key=template.key, Body=template.body.encode())
    return {"TemplateURL": f"{s3.meta.endpoint_url}/{bucket}/{template.key}"}
