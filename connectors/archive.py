"""Files of comments: history exported from elsewhere, and what staff hand in. JSON lines or CSV.

Fields (all but `text` may be missing): id, text, platform, channel, kind, author, published_at or received, parent
(the id of the line it answers), url, lang. What has no time is undated: history, without a clock.

An item keeps the platform its line names, but its id is `archive:<file>:<id>`, so that it can never be taken for,
or overwrite, one that was read from the platform itself; the same file read again gives the same items, and a
changed text is a new revision. A line without an id is known by a digest of itself.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from connectors._fields import Unreadable, clean, json_or_none, page, read, text, web_url
from connectors._options import ConnectorOptions
from monitor.domain.account import Account, Capabilities
from monitor.domain.clock import utc
from monitor.domain.errors import SourceError
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Page, Raw, Reject
from monitor.domain.ports import Connector

SUFFIXES = (".jsonl", ".ndjson", ".csv")
PAGE_LINES = 500
_PLATFORM = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


class Options(ConnectorOptions):
    """`path` is a file or a folder; a time without a zone is read in `timezone`."""

    path: Path
    timezone: str = "Europe/London"
    source: str = Field(default="", description="stands in ids in the file name's place")

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("there is no such time zone; one is named like Europe/London") from None
        return name


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one file or folder."""
    return Archive(account, options)


class Archive(Connector):
    """Reads files as they are added or change."""

    def __init__(self, account: Account, options: Options) -> None:
        self._account = account
        self._options = options

    def capabilities(self) -> Capabilities:
        return Capabilities(
            reads=("files",), edits=True, deletions=False, notes=(f"files end in {', '.join(SUFFIXES)}",)
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """The files that are new or changed since `cursor`, each to its end; one bad file stops no other."""
        files = {path.name: path for path in self._files()}
        marks = {name: mark for name, mark in _marks(cursor).items() if name in files}
        problem: SourceError | None = None
        for name, path in files.items():
            try:
                mark = _mark(path)
                if marks.get(name) == mark:
                    continue
                for found in self._read(path):
                    yield replace(found, cursor=json.dumps(marks))
                marks[name] = mark
            except SourceError as error:
                problem = error
        yield Page(cursor=json.dumps(marks))
        if problem is not None:
            raise problem

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """Nothing: a file has no threads to sweep."""
        return iter(())

    def _read(self, path: Path) -> Iterator[Page]:
        return read_file(
            path,
            channel=self._account.channel,
            handles=self._account.handles,
            timezone=self._options.timezone,
            source=self._options.source,
        )

    def _files(self) -> list[Path]:
        path = self._options.path
        try:
            if path.is_dir():
                return sorted(entry for entry in path.iterdir() if entry.suffix.lower() in SUFFIXES)
            path.stat()
        except OSError as error:
            raise _unreadable(path, error) from None
        return [path]


def read_file(
    path: Path,
    *,
    channel: Channel = Channel.OFFICIAL,
    handles: Collection[str] = (),
    timezone: str = "Europe/London",
    source: str = "",
) -> Iterator[Page]:
    """The items of one file in pages without a cursor; a bad line is a Reject that names its number.

    `channel` is for lines that name none; `handles` are the school's own. Raises SourceError for a file that cannot
    be read at all.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SourceError(f"{path.name} is not a file we can read: use {' or '.join(SUFFIXES)}", permanent=True)
    try:
        body = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    lines = _csv_lines(body) if path.suffix.lower() == ".csv" else _json_lines(body)
    reader = _LineReader(
        source=source or path.stem,
        channel=channel,
        handles=frozenset(handle.casefold().lstrip("@") for handle in handles),
        zone=ZoneInfo(timezone),
    )
    results = (reader.read(number, line) for number, line in lines)
    while found := list(islice(results, PAGE_LINES)):
        yield page(found)


class _LineReader:
    def __init__(self, *, source: str, channel: Channel, handles: frozenset[str], zone: ZoneInfo) -> None:
        self._source = source
        self._channel = channel
        self._handles = handles
        self._zone = zone

    def read(self, number: int, line: object) -> Item | Reject:
        result = line if isinstance(line, Reject) else read(line, self._item)
        if isinstance(result, Reject):
            return Reject(raw=result.raw, reason=f"line {number}: {result.reason}")
        return result

    def _item(self, record: Raw) -> Item:
        if not isinstance(record.get("text"), str):
            raise Unreadable("it has no `text`")
        platform = text(record, "platform").strip().lower() or "archive"
        if not _PLATFORM.fullmatch(platform):
            raise Unreadable("`platform` is not a short name such as facebook")
        parent = text(record, "parent").strip()
        author = text(record, "author").strip()
        key = text(record, "id").strip() or _digest(record)
        return Item(
            ref=self._ref(platform, key),
            channel=self._channel_of(record),
            kind=_kind_of(record, bool(parent)),
            author=Author(
                display_name=author,
                kind=AuthorKind.SCHOOL if self._ours(author) else AuthorKind.UNKNOWN,
            ),
            text=text(record, "text"),
            url=web_url(text(record, "url")),
            published_at=self._published(record),
            parent=self._ref(platform, parent) if parent else None,
            lang=text(record, "lang") or None,
            raw=record,
        )

    def _ref(self, platform: str, key: str) -> ItemRef:
        return ItemRef(platform, f"archive:{self._source}:{key}")

    def _ours(self, author: str) -> bool:
        return bool(author) and author.casefold().lstrip("@") in self._handles

    def _channel_of(self, record: Raw) -> Channel:
        named = text(record, "channel").strip().lower()
        if not named:
            return self._channel
        try:
            return Channel(named)
        except ValueError:
            raise Unreadable("`channel` is neither official nor mention") from None

    def _published(self, record: Raw) -> datetime | None:
        stated = (text(record, "published_at") or text(record, "received")).strip()
        if not stated:
            return None
        try:
            moment = datetime.fromisoformat(stated)
            return utc(moment if moment.tzinfo else moment.replace(tzinfo=self._zone))
        except (ValueError, OverflowError):
            raise Unreadable("its time cannot be read: write 2026-11-20 14:05") from None


def _json_lines(body: bytes) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        record = json_or_none(line)
        if record is None:
            raw = clean(line.decode("utf-8", "replace"))
            yield number, Reject(raw=raw, reason="it is not JSON")
        else:
            yield number, record


def _csv_lines(body: bytes) -> Iterator[tuple[int, object]]:
    """Rows as mappings by the header's names; what Excel saves without saying so is Windows-1252."""
    try:
        decoded = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        decoded = body.decode("cp1252", "replace")
    reader = csv.DictReader(io.StringIO(decoded, newline=""))
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield reader.line_num, Reject(raw="", reason=f"it is not CSV ({error})")
            continue
        if row is None:
            return
        record = {(name or "").strip().lower(): value for name, value in row.items() if value is not None}
        yield reader.line_num, clean(record)


def _kind_of(record: Raw, answers: bool) -> ItemKind:
    named = text(record, "kind").strip().lower()
    if named in set(ItemKind):
        return ItemKind(named)
    return ItemKind.REPLY if answers else ItemKind.COMMENT


def _digest(record: Raw) -> str:
    canonical = json.dumps(record, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()[:16]


def _mark(path: Path) -> str:
    try:
        state = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    return f"{state.st_size}:{state.st_mtime_ns}"


def _marks(cursor: str | None) -> dict[str, str]:
    try:
        state = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}


def _unreadable(path: Path, error: OSError) -> SourceError:
    return SourceError(f"{path} cannot be read ({error.strerror}); check `path` in accounts.yaml", permanent=True)
