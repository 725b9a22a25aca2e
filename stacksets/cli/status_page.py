"""A status as one page to look at: a file that needs nothing else and reaches nothing. A shell
over one file; the content is a pure function of the coverage.
"""

from __future__ import annotations

import base64
import hashlib
import time
from pathlib import Path

import jinja2

from stacksets.cli.status_page_data import DAYS, page_data
from stacksets.status.coverage import Coverage, Timing
from stacksets.status.inputs import StatusInputs
from stacksets.status.states import LEFT_OUT, State

PAGES = Path(__file__).parents[2] / "templates" / "page"


def write_page(path: Path, found: Coverage, inputs: StatusInputs) -> None:
    """Write the page beside its place and move it there, so that no half of one is ever seen."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(page_html(found, inputs), encoding="utf-8")
    beside.replace(path)


def page_html(found: Coverage, inputs: StatusInputs) -> str:
    """The whole page. Names of accounts are text of strangers: Jinja2 escapes what stands in the
    page, the data stands in an element that nothing executes, and the script writes text only."""
    style, script = ((PAGES / name).read_text() for name in ("page.css", "page.js"))
    loader = jinja2.FileSystemLoader(PAGES)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    asked = [row for row in found.rows if row.state not in LEFT_OUT]
    data = page_data(found, inputs)
    return environment.get_template("page.html.j2").render(
        style=style,
        style_hash=_source_hash(style),
        script=script,
        script_hash=_source_hash(script),
        organization=inputs.organization.id,
        seen_at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(inputs.now)),
        covered=f"{sum(row.state is State.COVERED for row in asked):,}",
        asked=f"{len(asked):,}",
        amiss=f"{sum(row.amiss for row in found.rows):,}" if found.amiss else "",
        notes=found.notes,
        contained=_timing(found.contained),
        seen=_timing(found.seen),
        days=DAYS,
        incidents=f"{sum(count for count, _ in data['trend']):,}",
        critical=f"{sum(critical for _, critical in data['trend']):,}",
        data=data,
    )


def _source_hash(text: str) -> str:
    """How a Content-Security-Policy names the one inline style or script that it lets in."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _timing(timing: Timing | None) -> dict[str, str] | None:
    if timing is None:
        return None
    return {
        "accounts": f"{timing.accounts:,}",
        "median": f"{timing.median:,.1f} s",
        "p99": f"{timing.p99:,.1f} s",
    }
