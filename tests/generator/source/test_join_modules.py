"""What is joined into one file, what stays as it stands, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator.source.join_modules import join_modules, read_sources

HANDLER = Path(__file__).parents[3] / "handler"

LEAF = '''"""A leaf. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

LIMIT = 3  # a reason


@dataclass(frozen=True)
class Leaf:
    """A public docstring."""

    text: str = json.dumps({})
'''
ENTRY = '''"""The entry."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handler.leaf import LIMIT, Leaf

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

# Why this is here.


def lambda_handler(iam: IAMClient) -> Leaf:
    import boto3
    from botocore.exceptions import ClientError

    return Leaf(text=json.dumps([LIMIT, field, dataclass, boto3, ClientError]))
'''
JOINED = '''"""Title."""

from __future__ import annotations

import json
from dataclasses import dataclass, field


# ---- handler/leaf.py -----------------------------------------------------------------------------
# A leaf. Pure.

LIMIT = 3  # a reason


@dataclass(frozen=True)
class Leaf:
    """A public docstring."""

    text: str = json.dumps({})


# ---- handler/entry.py ----------------------------------------------------------------------------
# The entry.

# Why this is here.


def lambda_handler(iam: IAMClient) -> Leaf:
    import boto3
    from botocore.exceptions import ClientError

    return Leaf(text=json.dumps([LIMIT, field, dataclass, boto3, ClientError]))
'''


def join(entry: str, **others: str) -> str:
    sources = {"handler.entry": entry} | {f"handler.{name}": text for name, text in others.items()}
    return join_modules(entry="handler.entry", sources=sources, title="Title.")


def test_modules_join_in_the_order_of_their_dependencies_and_keep_what_people_read() -> None:
    assert join(ENTRY, leaf=LEAF) == JOINED


def test_a_module_that_two_others_need_stands_once_and_first() -> None:
    joined = join(
        "from handler.a import A\nfrom handler.b import B\n",
        a="from handler.leaf import LIMIT\nA = LIMIT\n",
        b="from handler.leaf import LIMIT\nB = LIMIT\n",
        leaf="LIMIT = 1\n",
    )
    sections = [line.split()[2] for line in joined.splitlines() if line.startswith("# ----")]
    assert sections == ["handler/leaf.py", "handler/a.py", "handler/b.py", "handler/entry.py"]


def test_a_module_can_be_put_in_the_place_of_another() -> None:
    sources = {
        "handler.entry": "from handler.notifier.mail.templates import MAIL_WORDS\n",
        "handler.notifier.mail.templates": 'MAIL_WORDS = {"contained": "text"}\n',
    }
    joined = join_modules(entry="handler.entry", sources=sources, title="Title.")
    assert 'MAIL_WORDS = {"contained": "text"}' in joined


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("import yaml\n", "handler.entry, line 1: yaml is not in Lambda's runtime"),
        (
            "def f() -> None:\n    import yaml\n",
            "handler.entry, line 2: yaml is not in Lambda's runtime",
        ),
        ("import boto3\n", "handler.entry, line 1: import boto3 inside the function that needs it"),
        ("import json as j\n", "handler.entry, line 1: an alias; import the name itself"),
        (
            "from handler.leaf import LIMIT as L\n",
            "handler.entry, line 1: an alias; import the name itself",
        ),
        (
            "from .leaf import LIMIT\n",
            "handler.entry, line 1: a relative import; write from handler.x import name",
        ),
        ("from json import *\n", "handler.entry, line 1: a star import; import the names"),
        (
            "from handler import leaf\n",
            "handler.entry, line 1: write from handler.x import name, at the top of the module",
        ),
        (
            "import handler.leaf\n",
            "handler.entry, line 1: write from handler.x import name, at the top of the module",
        ),
        (
            "def f() -> None:\n    from handler.leaf import LIMIT\n",
            "handler.entry, line 2: write from handler.x import name, at the top of the module",
        ),
        (
            "try:\n    import tomllib\nexcept ImportError:\n    pass\n",
            "handler.entry, line 2: an import under a condition cannot be joined",
        ),
        (
            "from handler.leaf import LIMIT\nLIMIT = 2\n",
            "LIMIT is defined twice, in handler.leaf and handler.entry",
        ),
        (
            "from handler.leaf import LIMIT\ndef LIMIT() -> None: ...\n",
            "LIMIT is defined twice, in handler.leaf and handler.entry",
        ),
        (
            "def f() -> None: ...\ndef f() -> None: ...\n",
            "f is defined twice, in handler.entry and handler.entry",
        ),
        (
            "from handler.leaf import LIMITS\n",
            "handler.entry imports LIMITS, which handler.leaf does not define",
        ),
        (
            "from handler.leaf import LIMIT\njson = 1\n",
            "json is both defined in handler.entry and imported by import",
        ),
        (
            "import time\nfrom handler.clock import now\n",
            "time means two things: from time and import",
        ),
        (
            "from handler.nowhere import x\n",
            "handler.entry: there is no module handler.nowhere",
        ),
        (
            "from handler.back import x\n",
            "handler.entry imports handler.back imports handler.entry: a circle cannot be joined",
        ),
        ("x = 1\n\ty = 2\n", "handler.entry, line 2: a tab, the template could not show the code"),
        ("x = 1 \n", "handler.entry, line 1: blanks at the end, YAML would quote the code"),
        ('x = "\u00e9"\n', "handler.entry, line 1: not ASCII, CloudFormation would spoil it"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_one_sentence(entry: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        join(
            entry,
            leaf="import json\nLIMIT = len(json.dumps(1))\n",
            clock="from time import time\nnow = time\n",
            back="from handler.entry import f\nx = f\n",
        )


def test_every_handler_module_can_be_joined() -> None:
    sources = read_sources(HANDLER)
    assert {
        "handler.revoker.main",
        "handler.notifier.main",
        "handler.revoker.judge.rules",
    } <= sources.keys()
    for name in sources:
        assert join_modules(entry=name, sources=sources, title="Title.").isascii()
