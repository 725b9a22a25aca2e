"""What the file may say of those who hear of a unit."""

from __future__ import annotations

import pytest

from stacksets.config.load import BadFile
from tests.stacksets.recipients_scene import (
    LARGE_TEAM,
    TOPIC,
    recipients,
)
from tests.stacksets.scene import (
    LARGE,
    wanted,
)


def reported(*pairs: tuple[str, str], more: str = "") -> list[str]:
    with pytest.raises(BadFile) as caught:
        wanted(recipients(*pairs) + more)
    return caught.value.sentences


BAD: list[tuple[tuple[tuple[str, str], ...], str, list[str]]] = [
    (
        ((LARGE, "nobody"),),
        "",
        ["22: recipients 1: email is 'nobody'; it must be one e-mail address."],
    ),
    (
        ((LARGE, "a@b c@d"),),
        "",
        ["22: recipients 1: email is 'a@b c@d'; it must be one e-mail address."],
    ),
    (
        ((LARGE, LARGE_TEAM), (LARGE, LARGE_TEAM)),
        "",
        [f"25: Two recipients of '{LARGE}' are '{LARGE_TEAM}'."],
    ),
    (
        ((LARGE, "Security@example.com"),),
        "",
        [
            (
                "22: recipients 1: email is 'Security@example.com', whom the central stack "
                "subscribes by Email or ExtraEmail, and SNS has one subscription for an address: "
                "take it out here, or there."
            )
        ],
    ),
    (
        ((LARGE, LARGE_TEAM),),
        'unit = "x"\n',
        ['23: recipients 1: unit is unknown here; known are "ou", "email".'],
    ),
    (
        (),
        f'[[recipients]]\nemail = "{LARGE_TEAM}"\n',
        [
            (
                "20: recipients 1: ou is missing; it must be an OU's id or path like "
                '"Workloads/Prod"; "/" is the root.'
            )
        ],
    ),
]


@pytest.mark.parametrize(("pairs", "more", "sentences"), BAD)
def test_a_bad_entry_is_told_of_with_its_line(
    pairs: tuple[tuple[str, str], ...], more: str, sentences: list[str]
) -> None:
    assert reported(*pairs, more=more) == [f"line {sentence}" for sentence in sentences]


def test_a_topic_that_was_given_takes_no_recipients() -> None:
    text = recipients((LARGE, LARGE_TEAM)).replace(
        'Email = "security@example.com"', f'SNSTopicArn = "{TOPIC}-given"'
    )
    with pytest.raises(BadFile) as caught:
        wanted(text)
    assert caught.value.sentences == [
        (
            "line 20: recipients need the topic of our own stack, and SNSTopicArn gives another: "
            "subscribe them there by hand, or take SNSTopicArn out."
        )
    ]
