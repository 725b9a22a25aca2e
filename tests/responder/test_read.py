"""Recorded CloudTrail in every packing, whole, broken and large."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from responder import read
from responder.read import Unreadable, find_files, read_file


def record(number: int) -> dict[str, Any]:
    return {"eventID": f"event-{number}", "requestParameters": {"userName": 'a "quoted" ]} name'}}


RECORDS = [record(number) for number in range(5)]
WRAPPED = [{"detail-type": "AWS API Call via CloudTrail", "detail": each} for each in RECORDS]


def readings(path: Path) -> list[dict[str, Any] | Unreadable]:
    return list(read_file(path, moved=lambda _: None))


def packings() -> dict[str, str]:
    lines = "".join(json.dumps(each) + "\n" for each in RECORDS)
    return {
        "trail.json": json.dumps({"Records": RECORDS}),
        "spaced.json": '\n { "Records" :\n [' + ",\n".join(map(json.dumps, RECORDS)) + "]\n}\n",
        "indented.json": json.dumps({"Records": RECORDS}, indent=4),
        "later.json": json.dumps({"comment": "x", "Records": RECORDS}),
        "list.json": json.dumps(RECORDS),
        "list-of-trails.json": json.dumps([{"Records": RECORDS[:2]}, {"Records": RECORDS[2:]}]),
        "two-trails.json": json.dumps({"Records": RECORDS[:2]})
        + json.dumps({"Records": RECORDS[2:]}),
        "lines.json": lines,
        "lines.jsonl": lines,
        "no-last-line-end.jsonl": lines.removesuffix("\n"),
        "blank-lines.jsonl": lines.replace("\n", "\r\n\r\n"),
        "trails.jsonl": json.dumps({"Records": RECORDS[:2]})
        + "\n"
        + json.dumps({"Records": RECORDS[2:]}),
        "any-name": json.dumps({"Records": RECORDS}),
    }


@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", packings())
def test_every_packing_gives_the_records_in_order(
    name: str, packed: bool, piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "PIECE", piece)
    text = packings()[name].encode()
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(text) if packed else text)
    assert readings(path) == RECORDS


def test_compressed_content_is_known_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "trail.json"
    path.write_bytes(gzip.compress(json.dumps({"Records": RECORDS}).encode()))
    assert readings(path) == RECORDS


def test_an_envelope_comes_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_text(json.dumps(WRAPPED[0], indent=2))
    assert readings(path) == [WRAPPED[0]]


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "trail.json"
    path.write_text(json.dumps({"Records": RECORDS}), encoding="utf-8-sig")
    assert readings(path) == RECORDS


@pytest.mark.parametrize("text", ["", "\n", "[]", '{"Records": []}', '{"Records": [ ] }\n'])
def test_a_file_without_records_is_no_fault(text: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text(text)
    assert readings(path) == []


TRAIL = json.dumps({"Records": RECORDS}).encode()
PACKED = gzip.compress(TRAIL, mtime=0)
NO_END = TRAIL[: TRAIL.index(b'{"eventID": "event-2"')]


@pytest.mark.parametrize(
    ("name", "content", "whole", "why"),
    [
        ("a.json", TRAIL[:-30], 4, "is not JSON, or cut off"),
        ("a.json", NO_END, 2, "ends in the middle of its records"),
        ("a.json", TRAIL + b"}", 5, "is not JSON, or cut off"),
        ("a.json", b"not json", 0, "is not JSON, or cut off"),
        ("a.json", b'{"Records": [1, 2]}', 0, "holds something that is no record"),
        ("a.json", b'"text"', 0, "holds something that is no record"),
        ("a.json", b"[" * 1000, 0, "nests lists too deeply for recorded CloudTrail"),
        ("a.json", b'{"a":' * 100_000, 0, "nests too deeply"),
        ("a.json", b"\xff\xfe", 0, "is not UTF-8 text"),
        ("a.json.gz", PACKED[:-20], 0, "is broken gzip: Compressed file ended"),
        ("a.json.gz", PACKED[:2] + b"\x00" + PACKED[3:], 0, "is broken gzip: Unknown compression"),
        ("a.json.gz", PACKED[:10] + b"\x07", 0, "is broken gzip: Error -3"),
    ],
)
def test_a_broken_file_gives_what_can_be_read_and_then_says_why(
    name: str, content: bytes, whole: int, why: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    *records, last = readings(path)
    assert records == RECORDS[:whole]
    assert isinstance(last, Unreadable)
    assert last.path == path
    assert last.why.startswith(why)
    assert last.why.endswith(f"(after {whole} readable records)")


def test_a_broken_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = [json.dumps(each) for each in RECORDS]
    path.write_text("\n".join([good[0], "{broken", good[1], "[]", "null", *good[2:]]))
    assert readings(path) == [
        *RECORDS,
        Unreadable(
            path, "has lines that are no records, from line 2 to 5 (after 5 readable records)"
        ),
    ]


def test_a_line_without_an_end_is_not_taken_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "LARGEST", 100)
    path = tmp_path / "a.jsonl"
    path.write_text("x" * 1000)
    assert readings(path) == [
        Unreadable(path, "has a line 1 that is longer than any record (after 0 readable records)")
    ]


def test_a_value_without_an_end_is_not_taken_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "LARGEST", 1 << 16)
    path = tmp_path / "a.json"
    path.write_text('{"Records": [{"eventID": "' + "x" * 3_000_000)
    tracemalloc.start()
    try:
        assert len(readings(path)) == 1
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    (missing,) = readings(tmp_path / "gone.json")
    assert missing == Unreadable(
        tmp_path / "gone.json",
        "cannot be opened or read: No such file or directory (after 0 readable records)",
    )


@pytest.mark.parametrize("name", ["large.json", "large.json.gz", "large.jsonl"])
def test_a_large_file_takes_no_more_memory_than_a_small_one(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    one = json.dumps(record(0) | {"padding": "x" * 2_000})
    number = 6_000
    between, ends = ("\n", ("", "")) if name.endswith("jsonl") else (",", ('{"Records":[', "]}"))
    text = (ends[0] + between.join([one] * number) + ends[1]).encode()
    assert len(text) > 12_000_000
    path.write_bytes(gzip.compress(text, 1) if name.endswith("gz") else text)
    del text
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_file(path, moved=lambda _: None)) == number
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_500_000


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "a.jsonl"])
def test_the_listener_hears_of_every_byte_once(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    text = b"\n".join(json.dumps(record(number)).encode() for number in range(5_000))
    path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    heard: list[int] = []
    assert len(list(read_file(path, moved=heard.append))) == 5_000
    assert sum(heard) == path.stat().st_size


def test_a_folder_gives_its_files_at_any_depth_in_order(tmp_path: Path) -> None:
    for name in ("b/2.json.gz", "b/1.jsonl", "a/x/3.json", "4.jsonl.gz", "README.md", "b/5.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    os.mkfifo(tmp_path / "pipe.json")
    found = [str(Path(path).relative_to(tmp_path)) for path in find_files([tmp_path])]
    assert found == ["4.jsonl.gz", "a/x/3.json", "b/1.jsonl", "b/2.json.gz"]


def test_a_named_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    assert list(find_files([tmp_path / "log"])) == [tmp_path / "log"]


def test_a_folder_that_cannot_be_listed_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    assert list(find_files([tmp_path])) == [Unreadable(tmp_path, "Permission denied")]
