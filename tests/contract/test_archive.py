"""What is particular to files."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors import connect
from connectors.archive import read_file
from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.item import AuthorKind, Channel, ItemRef, Visibility
from tests.contract.places import PRESENT, Read, collect

COMMENTS = Path(__file__).parents[2].parent / "shared" / "comments" / "comments.jsonl"


def _connector(path: Path, **options: object) -> Any:
    options = {"path": str(path), **options}
    account = Account(id="box", connector="archive", channel=Channel.MENTION, name="box", options=options)
    return connect(account, {})


def _write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _read(folder: Path, name: str, content: str | bytes) -> Read:
    return collect(read_file(_write(folder, name, content)))


@pytest.mark.skipif(not COMMENTS.is_file(), reason=f"the comments are not here: {COMMENTS} is missing")
def test_the_projects_own_comments_are_read_whole() -> None:
    found = collect(read_file(COMMENTS))
    told = [json.loads(line) for line in COMMENTS.read_text("utf-8").splitlines()]

    assert [item.text for item in found.items] == [line["text"] for line in told]
    assert [item.ref.platform for item in found.items] == [line["platform"] for line in told]
    assert [item.channel for item in found.items] == [line["channel"] for line in told]
    assert len({item.ref for item in found.items}) == len(told) == 500
    assert found.rejects == []


def test_a_bad_line_is_rejected_with_its_number_and_the_others_are_read(tmp_path: Path) -> None:
    lines = ['{"text": "one"}', "{not json", "", '{"id": "3"}', '["a list"]', '{"text": "six"}']
    found = _read(tmp_path, "a.jsonl", "\n".join(lines))

    assert found.texts() == ["one", "six"]
    assert [reject.reason for reject in found.rejects] == [
        "line 2: it is not JSON",
        "line 4: it has no `text`",
        "line 5: the record is not an object",
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"text": "a", "channel": "shouted"}, "channel"),
        ({"text": "a", "platform": "../../etc"}, "platform"),
        ({"text": "a", "published_at": "last Tuesday"}, "time"),
        ({"text": ["a"]}, "text"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path: Path, record: Any, reason: str) -> None:
    (reject,) = _read(tmp_path, "a.jsonl", json.dumps(record)).rejects

    assert reject.reason.startswith("line 1:")
    assert reason in reject.reason
    assert reject.raw == record


def test_no_line_can_pass_for_one_read_from_the_platform(tmp_path: Path) -> None:
    (item,) = _read(tmp_path, "box.jsonl", '{"id": "1_2", "platform": "facebook", "text": "a"}').items

    assert item.ref == ItemRef("facebook", "archive:box:1_2")


def test_two_files_may_use_the_same_ids(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "id,text\n1,from a\n")
    _write(tmp_path, "b.csv", "id,text\n1,from b\n")
    found = collect(_connector(tmp_path).poll(None, PRESENT))

    assert found.texts() == ["from a", "from b"]
    assert len({item.ref for item in found.items}) == 2


def test_a_line_without_an_id_keeps_its_own_wherever_it_stands(tmp_path: Path) -> None:
    (alone,) = _read(tmp_path, "a.jsonl", '{"text": "one", "author": "Ann"}').items
    among = _read(tmp_path, "a.jsonl", '{"text": "zero"}\n{"author": "Ann", "text": "one"}').saying("one")

    assert among.ref == alone.ref


def test_what_has_no_time_is_undated(tmp_path: Path) -> None:
    found = _read(tmp_path, "a.csv", "text,published_at\nno time,\n")

    assert found.items[0].published_at is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-07-01 09:30", "2026-07-01T08:30:00+00:00"),
        ("2026-11-20", "2026-11-20T00:00:00+00:00"),
        ("2026-07-01T09:30:00Z", "2026-07-01T09:30:00+00:00"),
        ("2026-07-01T09:30:00+02:00", "2026-07-01T07:30:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_the_schools(tmp_path: Path, written: str, meant: str) -> None:
    (item,) = _read(tmp_path, "a.csv", f"text,received\na,{written}\n").items

    assert item.published_at == datetime.fromisoformat(meant).astimezone(UTC)


def test_a_parent_is_a_line_of_the_same_file(tmp_path: Path) -> None:
    found = _read(tmp_path, "a.csv", "id,text,parent\n1,question,\n2,answer,1\n")

    assert found.saying("answer").parent == found.saying("question").ref


def test_what_excel_saves_is_read(tmp_path: Path) -> None:
    found = _read(tmp_path, "a.csv", 'ID;x,Text,Author\r\n1,"two\r\nlines, £5",Siân\r\n'.encode("cp1252"))
    (item,) = found.items

    assert item.text == "two\r\nlines, £5"
    assert item.author.display_name == "Siân"


def test_the_schools_own_lines_are_known(tmp_path: Path) -> None:
    path = _write(tmp_path, "a.csv", "text,author\nours,@LarkfieldPrim\ntheirs,Ann\n")
    found = collect(read_file(path, handles=["larkfieldprim"]))

    assert found.saying("ours").author.kind is AuthorKind.SCHOOL
    assert found.saying("theirs").author.kind is AuthorKind.UNKNOWN


def test_no_script_address_becomes_a_link(tmp_path: Path) -> None:
    found = _read(tmp_path, "a.csv", "text,url\na,javascript:alert(1)\nb,https://example.org/b\n")

    assert [item.url for item in found.items] == ["", "https://example.org/b"]


def test_a_file_read_before_is_left_alone_until_it_changes(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "id,text\n1,one\n")
    connector = _connector(tmp_path)
    before = collect(connector.poll(None, PRESENT))
    assert collect(connector.poll(before.cursor, PRESENT)).items == []

    _write(tmp_path, "a.csv", "id,text\n1,one\n2,two\n")
    assert collect(connector.poll(before.cursor, PRESENT)).texts() == ["one", "two"]


def test_a_file_that_cannot_be_read_stops_no_other_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    _write(tmp_path, "b.csv", "text\nfrom b\n")
    kept: list[str] = []
    with pytest.raises(SourceError, match=r"a\.csv"):
        for page in _connector(tmp_path).poll(None, PRESENT):
            kept += [item.text for item in page.items]

    assert kept == ["from b"]


def test_a_path_that_is_not_there_needs_a_person(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"`path` in accounts\.yaml") as caught:
        collect(_connector(tmp_path / "nowhere").poll(None, PRESENT))

    assert caught.value.permanent


def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"letter\.docx.*\.csv"):
        _read(tmp_path, "letter.docx", b"PK")


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b'text\n"unclosed', b"text\n" + b'"' + b"x" * 200_000 + b'"\n']
)
def test_no_content_of_a_csv_file_is_fatal(tmp_path: Path, content: bytes) -> None:
    found = _read(tmp_path, "a.csv", content)

    assert all(reject.reason.startswith("line ") for reject in found.rejects)


def test_a_file_reads_no_network_and_everything_in_it_is_public(tmp_path: Path) -> None:
    path = _write(tmp_path, "box.csv", "text\nOne\n")

    assert _connector(path).capabilities().hosts == ()
    assert [item.visibility for item in collect(read_file(path)).items] == [Visibility.PUBLIC]


def test_a_row_with_more_or_fewer_fields_than_the_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "handed-in.csv"
    path.write_text("id,text,author\n1,One,Ann,more,and more\n2,Two\n3\n")
    found = collect(read_file(path))

    assert found.texts() == ["One", "Two"]
    assert [reject.reason for reject in found.rejects] == ["line 4: it has no `text`"]
