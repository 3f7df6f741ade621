"""What happens on the sandbox's platforms, and when: posts, comments, replies, edits and deletions.

A world is told by its entries; what can be seen of it depends on nothing but the instant asked about, so a
simulated clock can run through it at any speed and a restart finds the same world.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import yaml

from monitor.domain.clock import format_instant, utc

#: The example school's world: what `schoolwatch demo` shows.
EXAMPLE = Path(__file__).with_name("world.yaml")
_OFFSET = re.compile(r"([+-])(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody on the platforms. `school` is the school itself; `ids` are those that are not left to chance."""

    key: str
    name: str
    handle: str
    school: bool = False
    ids: Mapping[str, str] = field(default_factory=dict)

    def id_on(self, platform: str) -> str:
        """The number by which a platform knows this person."""
        return self.ids.get(platform) or str(number(f"{platform}:{self.key}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    at: timedelta
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that somebody writes; `at` and the others count from the world's present.

    `platform` is a kind of connector. `under` is the key of what this answers (None: a post of its own). `by` None:
    the platform does not say who. `dated`: the date that its author gives it, where a platform believes that.
    `hidden`: by the school. `tags_school`: a post elsewhere that tags the school's page. `approved`: from when
    others than moderators see it, on platforms that hold comments back. `miscount`: by how much the platform's
    count of what is below errs. `message`: a private message to the school. `alt`: the words that describe its
    photo. `category` says what the entry is in the world for.
    """

    key: str
    platform: str
    at: timedelta
    text: str
    by: str | None = None
    under: str | None = None
    title: str = ""
    edits: tuple[Edit, ...] = ()
    deleted: timedelta | None = None
    dated: timedelta | None = None
    hidden: bool = False
    photo: bool = False
    tags_school: bool = False
    approved: timedelta | None = None
    miscount: int = 0
    message: bool = False
    alt: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """An entry as it can be seen at one instant: its versions so far, oldest first."""

    entry: Entry
    author: Person | None
    versions: tuple[Version, ...]

    @property
    def key(self) -> str:
        return self.entry.key

    @property
    def at(self) -> datetime:
        return self.versions[0].at

    @property
    def text(self) -> str:
        return self.versions[-1].text


class World:
    """All entries of a story around `present`. Threads may add to it while servers read it."""

    def __init__(self, present: datetime, people: Iterable[Person] = (), entries: Iterable[Entry] = ()) -> None:
        self.present = utc(present)
        self.people = {person.key: person for person in people}
        self._entries = {entry.key: entry for entry in entries}
        self._lock = Lock()

    @classmethod
    def load(cls, present: datetime, path: Path = EXAMPLE) -> "World":
        """The world told in a YAML file (see world.yaml), around `present`."""
        told = yaml.safe_load(path.read_text("utf-8"))
        people = [Person(key=key, **about) for key, about in told["people"].items()]
        return cls(present, people, [_entry(entry) for entry in told["entries"]])

    @property
    def school(self) -> Person:
        """Raises LookupError where nobody is the school."""
        return next(person for person in self.people.values() if person.school)

    def entries(self) -> Sequence[Entry]:
        """Everything that ever happens, in the order told."""
        with self._lock:
            return tuple(self._entries.values())

    def entry(self, key: str) -> Entry:
        """Raises KeyError."""
        with self._lock:
            return self._entries[key]

    def of(self, category: str) -> Sequence[Entry]:
        """The entries that are in the world for `category`."""
        return tuple(entry for entry in self.entries() if entry.category == category)

    def add(self, *entries: Entry) -> None:
        """More of the story."""
        with self._lock:
            self._entries |= {entry.key: entry for entry in entries}

    def edit(self, key: str, text: str, at: timedelta) -> None:
        """From `at` on, the entry says `text`."""
        with self._lock:
            entry = self._entries[key]
            self._entries[key] = replace(entry, edits=(*entry.edits, Edit(at=at, text=text)))

    def delete(self, key: str, at: timedelta) -> None:
        """From `at` on, the entry is gone."""
        with self._lock:
            self._entries[key] = replace(self._entries[key], deleted=at)

    def live(self, platform: str, now: datetime) -> list[Live]:
        """What exists on one platform at `now`, oldest first."""
        found = [self._live(entry, now) for entry in self.entries() if entry.platform == platform]
        return sorted((live for live in found if live is not None), key=lambda live: (live.at, live.key))

    def moments(self) -> list[datetime]:
        """Every instant at which something happens, in order: the steps of a simulated clock."""
        offsets = {entry.at for entry in self.entries()}
        offsets |= {edit.at for entry in self.entries() for edit in entry.edits}
        offsets |= {entry.deleted for entry in self.entries() if entry.deleted is not None}
        offsets |= {entry.approved for entry in self.entries() if entry.approved is not None}
        return [self.present + offset for offset in sorted(offsets)]

    def hand_in(self, folder: Path, now: datetime) -> Path:
        """Write what staff hand in by `now` as a CSV file, and return its path. It appears whole or not at all."""
        table = io.StringIO(newline="")
        rows = csv.writer(table)
        rows.writerow(["id", "platform", "channel", "author", "published_at", "url", "text"])
        for live in self.live("archive", now):
            author = live.author.name if live.author else ""
            written = format_instant(live.at)
            rows.writerow([live.key, live.entry.title, "mention", author, written, "", live.text])
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "handed-in.csv"
        content = table.getvalue().encode()
        if not path.exists() or path.read_bytes() != content:
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(content)
            unfinished.replace(path)
        return path

    def _live(self, entry: Entry, now: datetime) -> Live | None:
        born = self.present + entry.at
        if born > now or (entry.deleted is not None and self.present + entry.deleted <= now):
            return None
        edits = [Version(at=self.present + edit.at, text=edit.text) for edit in entry.edits]
        shown = sorted((version for version in edits if version.at <= now), key=lambda version: version.at)
        return Live(
            entry=entry,
            author=self.people[entry.by] if entry.by else None,
            versions=(Version(at=born, text=entry.text), *shown),
        )


def number(key: str, digits: int = 15) -> int:
    """The number that stands for `key` on platforms that number things: always the same, `digits` long."""
    smallest: int = 10 ** (digits - 1)
    return smallest + int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % (9 * smallest)


def offset(text: str) -> timedelta:
    """`-2d4h30m` or `+45s` as a timedelta. Raises ValueError."""
    found = _OFFSET.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        raise ValueError(f"{text!r} is not an offset such as -2d4h30m or +45s")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found[1] == "-" else length


def _entry(told: Mapping[str, Any]) -> Entry:
    fields = {
        **told,
        "at": offset(told["at"]),
        **{name: offset(told[name]) for name in ("deleted", "dated", "approved") if name in told},
        "edits": tuple(Edit(at=offset(edit["at"]), text=edit["text"]) for edit in told.get("edits", ())),
    }
    return Entry(**fields)
