"""How the page looks, by light and by dark: what is drawn, and whether it can be read."""

from __future__ import annotations

import re
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacksets.cli.status_page import PAGES, write_page
from stacksets.status.coverage import coverage
from stacksets.status.inputs import StatusInputs
from stacksets.status.states import State
from tests.stacksets.cli.test_status_page import CHROMIUM, FLAGS
from tests.stacksets.status.inputs import mixed_status_inputs

Colour = tuple[int, int, int]
SCHEMES = ("light", "dark")
# Blink's own numbers: mojom PreferredColorScheme.
PREFERS = {"dark": 0, "light": 1}
# Text and what it stands on. WCAG 2.2, 1.4.3: 4.5 to 1 for text, 3 to 1 for what is large or bold.
TEXTS = [
    *((ink, ground, 4.5) for ink in ("ink", "soft", "accent") for ground in ("paper", "card")),
    ("good", "paper", 3.0),
    ("bad", "card", 3.0),
]


def rules(scheme: str) -> dict[str, dict[str, Colour]]:
    """The colours of a scheme: by variable, for the page ("") and for each state."""
    style = (PAGES / "page.css").read_text()
    light, _, dark = style.partition("@media (prefers-color-scheme: dark) {")
    dark = dark.partition("\n}")[0]
    found: dict[str, dict[str, Colour]] = {}
    for part in (light, dark) if scheme == "dark" else (light,):
        for state, body in re.findall(r'(?::root|\[data-state="([a-z-]+)"\]) \{([^}]*)\}', part):
            colours = re.findall(r"--([a-z0-9-]+): #([0-9a-f]{6})\b", body)
            found.setdefault(state, {}).update({name: rgb(text) for name, text in colours})
    return found


def rgb(text: str) -> Colour:
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.2, "contrast ratio": 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Colour) -> float:
    parts = [value / 255 for value in colour]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_can_be_read_on_what_it_stands_on(scheme: str) -> None:
    page = rules(scheme)[""]
    for ink, ground, least in TEXTS:
        assert contrast(page[ink], page[ground]) >= least, (ink, ground)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_sign_can_be_read_on_its_state_s_colour(scheme: str) -> None:
    found = rules(scheme)
    for state in State:
        colours = found[state.value.replace(" ", "-")]
        # Signs are bold.
        assert contrast(colours["fg"], colours["bg"]) >= 3.0, state


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_is_drawn_in_the_scheme_that_the_reader_prefers(
    scheme: str, tmp_path: Path
) -> None:
    inputs = mixed_status_inputs(12)
    picture = drawn(inputs, scheme, tmp_path)
    found = rules(scheme)
    assert next(picture) == found[""]["paper"]
    seen = {found[""]["paper"], *picture}
    for row in coverage(inputs).rows:
        assert found[row.state.value.replace(" ", "-")]["bg"] in seen, row.state
    other = rules(SCHEMES[scheme == "light"])[""]
    assert other["paper"] not in seen


def drawn(inputs: StatusInputs, scheme: str, folder: Path) -> Iterator[Colour]:
    """The pixels of the page as Chromium draws it, from the top left."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: what the page looks like was not tried")
    page, picture = folder / "page.html", folder / "page.png"
    write_page(page, coverage(inputs), inputs)
    subprocess.run(
        [
            *(CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}"),
            f"--blink-settings=preferredColorScheme={PREFERS[scheme]}",
            *("--window-size=1000,700", f"--screenshot={picture}", page.as_uri()),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    return pixels(picture.read_bytes())


def pixels(png: bytes) -> Iterator[Colour]:
    """Of a PNG of 8 bits a channel without interlacing, as Chromium writes them (RFC 2083)."""
    width, depth, kind = int.from_bytes(png[16:20], "big"), png[24], png[25]
    size = {2: 3, 6: 4}[kind]
    assert (depth, png[28]) == (8, 0)
    data, at = b"", 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    raw, line = zlib.decompress(data), width * size
    before = bytearray(line)
    for start in range(0, len(raw), line + 1):
        row = unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + line]), before, size)
        for place in range(0, line, size):
            yield row[place], row[place + 1], row[place + 2]
        before = row


def unfiltered(how: int, row: bytearray, above: bytearray, size: int) -> bytearray:
    """One line, from its difference to the pixels left of it and above it."""
    for place in range(len(row)):
        left = row[place - size] if place >= size else 0
        corner = above[place - size] if place >= size else 0
        up = above[place]
        guess = left + up - corner
        near = min((left, up, corner), key=lambda one: abs(guess - one))
        row[place] = (row[place] + (0, left, up, (left + up) // 2, near)[how]) & 255
    return row
