"""The picture of the README can be made again; a stand-in for Chromium keeps what it would draw."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
BROWSER = """#!/bin/sh
for one; do
  case "$one" in --screenshot=*) out="${one#--screenshot=}";; esac
  frames="$one"
done
cat "$(dirname "$frames")/page.html" "$frames" > "$out"
"""


def test_the_picture_has_accounts_in_several_states_and_a_mail_about_the_caller(
    tmp_path: Path,
) -> None:
    browser, picture = tmp_path / "browser", tmp_path / "picture.png"
    browser.write_text(BROWSER)
    browser.chmod(0o755)
    command = [sys.executable, "-m", "sandbox.demo.picture", str(picture)]
    subprocess.run([*command, "--chromium", str(browser)], cwd=ROOT, check=True, timeout=240)
    drawn = picture.read_text()
    assert "<b>8</b> of <b>11</b> accounts are covered" in drawn
    assert "The rule iam-org-revoker-calls is DISABLED." in drawn
    assert "Subject: [IAM revoked] 777788889993 user mallory: CreateUser" in drawn
