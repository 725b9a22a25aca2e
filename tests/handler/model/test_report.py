"""The report as JSON: what the writer leaves out, and what the reader bears."""

from __future__ import annotations

import json

import pytest

from handler.model.report import Disposition, Report, from_detail, to_detail

DETAIL = {
    "version": 1,
    "event_id": "00000000-0000-4000-8000-000000000002",
    "account": "111122223333",
    "disposition": "contained",
    "reason": "not-an-administrator",
}


def test_a_report_comes_back_as_it_went() -> None:
    report = Report(
        event_id="00000000-0000-4000-8000-000000000002",
        account="111122223333",
        disposition=Disposition.CONTAINED,
        reason="not-an-administrator",
        principal_name="mallory",
        undo=(("aws", "iam", "detach-user-policy"),),
        notes=("One note.",),
    )
    assert from_detail(json.loads(json.dumps(to_detail(report)))) == report


def test_empty_fields_do_not_travel() -> None:
    report = Report(
        event_id="e", account="111122223333", disposition=Disposition.NOTICE, reason="root"
    )
    assert to_detail(report) == {
        "version": 1,
        "event_id": "e",
        "account": "111122223333",
        "disposition": "notice",
        "reason": "root",
        "partition": "aws",
    }


def test_a_field_of_a_newer_member_is_ignored() -> None:
    assert from_detail(DETAIL | {"tomorrow": 1}) == from_detail(DETAIL)


@pytest.mark.parametrize("value", [5, "x", True, {"a": 1}, [1, "x", None]])
@pytest.mark.parametrize("name", ["undo", "notes"])
def test_a_list_that_is_none_does_not_break_the_reader(name: str, value: object) -> None:
    report = from_detail(DETAIL | {name: value})
    assert report.undo == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": 2}, "report version 2 is not 1"),
        ({"event_id": None}, "report lacks event_id"),
        ({"disposition": None}, "report lacks disposition"),
    ],
)
def test_what_is_no_report_is_refused_in_a_sentence(
    change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the sentence is compared whole
        from_detail(DETAIL | change)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("word", ["forgiven", ["contained"], 7])
def test_a_disposition_of_a_newer_member_is_told_of_in_its_own_word(word: object) -> None:
    report = from_detail(DETAIL | {"disposition": word})
    assert report.disposition is Disposition.NOTICE
    assert report.notes[0] == (
        f"The member's version reports {str(word)!r}, which the central account does not know."
    )
    assert report.notes[1:] == from_detail(DETAIL).notes
