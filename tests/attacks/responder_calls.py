"""The security team's responder, as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sandbox.core.keys import Key
from tests.attacks.play import Play

ROOT = Path(__file__).parents[2]


def responder(play: Play, key: Key, *words: str) -> subprocess.CompletedProcess[str]:
    """`python -m responder` with these credentials."""
    return subprocess.run(
        [sys.executable, "-m", "responder", *words, "--endpoint-url", play.box.endpoint],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": key.access_key,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_SESSION_TOKEN": key.token or "",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def release(play: Play, word: str) -> None:
    """carol of the security team releases somebody."""
    carol = play.box.new_user(play.box.security, play.name("carol"), "sts:AssumeRole")
    target_text = ("release", play.account, play[word], "--reason", "it was meant", "--yes")
    done = responder(play, carol, *target_text)
    assert done.returncode == 0, done.stderr
