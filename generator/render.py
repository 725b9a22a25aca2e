"""Render both templates from the handler's source and the words; reads files, writes none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.central.template import central_template
from generator.member.template import member_template
from generator.policy.yaml_writer import as_json, as_yaml
from generator.source.join_modules import join_modules, read_sources
from generator.source.lambda_code import Code, Form
from generator.source.mail_texts import MODULE, House, render_words, words_module
from generator.source.reading_order import read_chapters
from handler.model.names import NOTIFIER, REVOKER, VERSION

ROOT = Path(__file__).parent.parent
TEMPLATE_BODY_LIMIT = 51_200


@dataclass(frozen=True)
class Rendered:
    """One template: its name, its tree of JSON types, and the code that it runs."""

    name: str
    tree: dict[str, Any]
    code: Code

    @property
    def yaml(self) -> str:
        return as_yaml(self.tree)

    @property
    def json(self) -> str:
        return as_json(self.tree)

    @property
    def travels_as(self) -> str:
        """How a rollout sends it; TemplateBody takes 51,200 bytes, TemplateURL a megabyte.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
        """
        return "TemplateBody" if len(self.json.encode()) <= TEMPLATE_BODY_LIMIT else "TemplateURL"


def render(*, house: House, form: Form = Form.INLINE, root: Path = ROOT) -> tuple[Rendered, ...]:
    """Return the member's and the central template; ValueError when code or words do not fit."""
    folder = root / "handler"
    sources = read_sources(folder)
    words = words_module(render_words(root / "templates" / "mail", house))
    sources[MODULE] = words
    return (
        _render(
            "member",
            member_template,
            product=REVOKER,
            chapters=read_chapters(folder, "revoker"),
            sources=sources,
            form=form,
        ),
        _render(
            "central",
            central_template,
            product=NOTIFIER,
            chapters=read_chapters(folder, "notifier"),
            sources=sources,
            form=form,
        ),
    )


def _render(
    name: str,
    build: Callable[[Code], dict[str, Any]],
    *,
    product: str,
    chapters: dict[str, str],
    sources: dict[str, str],
    form: Form,
) -> Rendered:
    title = (
        f"{product} {VERSION}: modules of handler/ in one file, joined by python -m generator.\n\n"
        "Edit the modules, not this.\n"
    )
    # The room of the entry is the second chapter, behind what all speak.
    entry = f"handler.{list(chapters)[1]}.main"
    index = join_modules(entry=entry, sources=sources, title=title, chapters=chapters)
    code = Code(index=index, product=product, form=form)
    return Rendered(name=name, tree=build(code), code=code)
