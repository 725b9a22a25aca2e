"""The demo's scenes, each a test of its own: whatever a scene shows must be as it says.

First of all by its name: the scenes begin in observe mode, which the product is installed in.
"""

from __future__ import annotations

import pytest

from sandbox.demo.product_setup import Stage, change_mode
from sandbox.demo.scenarios import SCENES
from sandbox.demo.scene import Seen


@pytest.fixture(scope="module")
def played(stage: Stage) -> dict[str, list[Seen]]:
    change_mode(stage, "observe")
    stage.new_mails()
    return {scene.title: list(scene.play(stage)) for scene in SCENES}


@pytest.mark.parametrize("title", [scene.title for scene in SCENES])
def test_a_scene_shows_what_it_says(played: dict[str, list[Seen]], title: str) -> None:
    assert played[title] != []
    assert [seen.text for seen in played[title] if not seen.ok] == []
