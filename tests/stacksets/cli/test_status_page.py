"""The page of a status: needs nothing else, reaches nothing, and holds no stranger's markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stacksets.cli.status_page import page_html, write_page
from stacksets.cli.status_page_data import SIGNS, page_data
from stacksets.observed.heartbeats import Opened
from stacksets.status.coverage import coverage
from stacksets.status.inputs import StatusInputs
from tests.stacksets.status.inputs import DAY, NOW, account_id, mixed_status_inputs, status_inputs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = '</script><img src=x id=mark onerror="document.title=1">{{ 7 * 7 }}<!--\u202e\n"\'&`'
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=10000",
)


def html(inputs: StatusInputs) -> str:
    return page_html(coverage(inputs), inputs)


def named(inputs: StatusInputs, name: str, unit: str = "") -> StatusInputs:
    """The first account under another name, in an OU of another name too."""
    organization, one = inputs.organization, account_id(1)
    account = replace(organization.accounts[one], name=name)
    above = organization.units[account.unit]
    units = {**organization.units, above.id: replace(above, path=("Workloads", unit or above.name))}
    accounts = {**organization.accounts, one: account}
    return replace(inputs, organization=replace(organization, accounts=accounts, units=units))


@pytest.fixture
def browse(tmp_path: Path) -> Any:
    """Opens a page in Chromium and gives the document as it is after its script ran."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: what the page's script does was not tried")

    def open_page(inputs: StatusInputs, fragment: str = "", *, added: str = "") -> str:
        page = tmp_path / "page.html"
        write_page(page, coverage(inputs), inputs)
        page.write_text(page.read_text() + added)
        done = subprocess.run(
            [
                CHROMIUM,
                *FLAGS,
                f"--user-data-dir={tmp_path / 'profile'}",
                "--dump-dom",
                f"{page.as_uri()}{fragment}",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout

    return open_page


def drawn(document: str) -> list[str]:
    """The ids of the accounts in the grid."""
    return re.findall(r'<button type="button" data-state="[a-z-]+" data-id="([0-9]{12})"', document)


def test_the_page_reaches_nothing_and_lets_only_its_own_style_and_script_in() -> None:
    page = html(mixed_status_inputs(12))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    hashes = [
        "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (
            page.split("<style>")[1].split("</style>")[0],
            page.rsplit("<script>", 1)[1].rsplit("</script>", 1)[0],
        )
    ]
    assert policy[1].replace("&#39;", "'") == (
        f"default-src 'none'; style-src '{hashes[0]}'; script-src '{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"https?://|//[a-z]|@import|url\(|<link|<iframe|srcset", page)
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", page)
    assert "prefers-color-scheme: dark" in page


def test_every_state_has_a_sign_of_its_own_beside_its_colour() -> None:
    page = html(status_inputs())
    assert len(set(SIGNS.values())) == len(SIGNS)
    for state in SIGNS:
        assert page.count(f'[data-state="{state.value.replace(" ", "-")}"] {{ --bg') == 2


def test_a_hostile_name_stays_data_in_the_file() -> None:
    page = html(named(status_inputs(), HOSTILE, unit=HOSTILE))
    assert "<img" not in page
    assert page.count("</script>") == 2
    data = page.split('<script id="data" type="application/json">')[1].split("</script>")[0]
    assert HOSTILE in [row[1] for row in json.loads(data)["accounts"]]


def test_texts_that_accounts_share_stand_once() -> None:
    inputs = mixed_status_inputs(1_000)
    data = page_data(coverage(inputs), inputs)
    assert len(data["words"]) == len(set(data["words"])) < 400
    assert len(html(inputs)) < 300_000


def test_incidents_are_counted_by_account_and_day_for_thirty_days() -> None:
    today = int(NOW) // DAY
    one, other = account_id(1), account_id(2)
    opened = {
        Opened(one, today, "contained"): 3,
        Opened(one, today, "deny-removed"): 1,
        Opened(one, today - 29, "notice"): 2,
        Opened(one, today - 30, "contained"): 50,
        Opened(other, today - 1, "contained"): 9,
        Opened(other, today - 1, "unhealthy"): 70,
    }
    inputs = status_inputs()
    inputs = replace(inputs, kept=replace(inputs.kept, opened=opened))
    data = page_data(coverage(inputs), inputs)
    assert data["days"][0] == "2026-08-23"
    assert data["days"][-1] == "2026-09-21"
    assert data["trend"] == [[2, 0], *[[0, 0]] * 27, [9, 0], [4, 1]]
    # Whoever had a critical one comes first.
    assert data["incidents"] == [
        [one, 6, [[0, 2, 0], [29, 4, 1]]],
        [other, 9, [[28, 9, 0]]],
    ]


def test_a_page_is_never_half_written(tmp_path: Path) -> None:
    inputs = status_inputs()
    page = tmp_path / "page.html"
    page.write_text("the one before")
    write_page(page, coverage(inputs), inputs)
    assert page.read_text().rstrip().endswith("</html>")
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]


def test_ten_thousand_accounts_are_drawn(browse: Any) -> None:
    document = browse(mixed_status_inputs(10_000))
    assert len(set(drawn(document))) == len(drawn(document)) == 10_000
    assert ">10,000 accounts<" in document


def test_the_search_finds_by_name_id_and_unit(browse: Any) -> None:
    inputs = named(mixed_status_inputs(2_000), "The one Vault")
    assert drawn(browse(inputs, "#q=vault%20ONE")) == [account_id(1)]
    assert drawn(browse(inputs, "#q=777700000123")) == [account_id(123)]
    in_unit = drawn(browse(inputs, "#q=payments"))
    assert len(in_unit) == 334
    failed = drawn(browse(inputs, "#q=payments&state=failed"))
    assert failed == ["777700000007", "777700000607", "777700001207", "777700001807"]
    assert set(failed) < set(in_unit)
    assert drawn(browse(inputs, "#q=no-such-account")) == []


def test_an_account_tells_why_and_what_to_do(browse: Any) -> None:
    document = browse(mixed_status_inputs(12), f"#account={account_id(4)}")
    panel = document.split('<aside id="detail"')[1].split("</aside>")[0]
    assert "The rule iam-org-revoker-calls is DISABLED." in panel
    assert "Somebody switched it off: find out who, then enable it, or run drift --repair." in panel
    assert "5 minutes ago" in panel


def test_a_hostile_name_cannot_inject(browse: Any) -> None:
    inputs = named(mixed_status_inputs(12), HOSTILE, unit=HOSTILE)
    document = browse(inputs, f"#account={account_id(1)}&q=%3Cimg")
    body = re.sub(r"<script.*?</script>", "", document, flags=re.DOTALL)
    assert "<img" not in body
    assert "&lt;img src=x id=mark" in body
    assert "{{ 7 * 7 }}" in body
    assert "<title>Coverage of o-exampleorgid - IAM Org Revoker</title>" in document
    hostile = browse(
        status_inputs(), "#q=%3Cimg%20src%3Dx%3E&account=%22%5D%3Cimg%3E&state=%3Cimg%3E"
    )
    assert "<img" not in re.sub(r"<script.*?</script>", "", hostile, flags=re.DOTALL)


def test_a_script_that_is_not_the_pages_own_does_not_run(browse: Any) -> None:
    added = "<script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">"
    document = browse(status_inputs(), added=added)
    assert "<title>Coverage of o-exampleorgid - IAM Org Revoker</title>" in document
    assert len(drawn(document)) == 3
