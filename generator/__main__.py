"""python -m generator: write templates and the docs' tables, or check them. Deploys nothing."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from generator.doc_tables import documents
from generator.guardrail import AWS_LIMIT, BREAK_GLASS, LIMIT, guardrail_json
from generator.render import ROOT, Rendered, render
from generator.source.lambda_code import Form, zip_bytes
from generator.source.mail_texts import House, read_house

Files = dict[Path, bytes]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 1 if something is stale, 2 if it cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        templates, files = _wanted(options)
        if options.check:
            return _check(files)
        for path, content in files.items():
            _write(path, content)
    except (ValueError, OSError) as error:
        print(f"generator: {error}", file=sys.stderr)
        return 2
    _print_sizes(templates, break_glass=options.break_glass)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m generator", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    parser.add_argument("--out", type=Path, help="folder to write to (default: templates/)")
    parser.add_argument("--format", choices=("yaml", "json"), default="yaml")
    parser.add_argument("--code", choices=[form.value for form in Form], default="inline")
    parser.add_argument("--team", default=House.team, help="how mails call your security team")
    parser.add_argument(
        "--break-glass",
        default=BREAK_GLASS,
        help="role that the guardrail spares: role/PATH/NAME, with wildcards",
    )
    parser.add_argument("--runbook", default=House.runbook, help="URL that mails end with")
    return parser


def _wanted(options: argparse.Namespace) -> tuple[tuple[Rendered, ...], Files]:
    """The templates, and the content of every file that this command answers for."""
    form = Form(options.code)
    if options.out is None and (form is Form.S3 or options.format == "json"):
        raise ValueError(
            "templates/ holds the YAML with the code inside: give another form an --out"
        )
    house = read_house(team=options.team, runbook=options.runbook)
    templates = render(house=house, form=form)
    out = options.out or ROOT / "templates"
    guardrail = guardrail_json(options.break_glass)
    files: Files = {out / "guardrail.json": f"{guardrail}\n".encode("ascii")}
    for one in templates:
        text = one.yaml if options.format == "yaml" else one.json + "\n"
        files[out / f"{one.name}.{options.format}"] = text.encode("ascii")
        if form is Form.S3:
            files[out / one.code.zip_name] = zip_bytes(one.code)
    if options.out is None:
        files |= documents(ROOT, templates)
    return templates, files


def _check(files: Files) -> int:
    """Show how each file differs from what would be written; 1 if any does."""
    stale = 0
    for path, content in files.items():
        found = path.read_bytes() if path.exists() else b""
        if found == content:
            continue
        stale = 1
        print(f"{path} is stale: run python -m generator")
        if path.suffix != ".zip":
            _print_difference(path, found.decode("utf-8", "replace"), content.decode())
    return stale


def _print_difference(path: Path, found: str, wanted: str) -> None:
    sys.stdout.writelines(
        difflib.unified_diff(
            found.splitlines(keepends=True),
            wanted.splitlines(keepends=True),
            fromfile=f"{path} (committed)",
            tofile=f"{path} (rendered)",
        )
    )


def _write(path: Path, content: bytes) -> None:
    """Replace the file as a whole: a reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def _print_sizes(templates: tuple[Rendered, ...], *, break_glass: str) -> None:
    table = Table(
        "template", "resources", "lines of code", "YAML", "minified JSON", "a rollout sends it as"
    )
    for one in templates:
        table.add_row(
            one.name,
            str(len(one.tree["Resources"])),
            str(one.code.index.count("\n")),
            f"{len(one.yaml.encode()):,} bytes",
            f"{len(one.json.encode()):,} bytes",
            one.travels_as,
        )
    Console().print(table)
    size = len(guardrail_json(break_glass))
    print(
        f"guardrail.json: {size:,} characters; {LIMIT:,} pass everywhere, AWS takes {AWS_LIMIT:,}"
    )


if __name__ == "__main__":
    sys.exit(main())
