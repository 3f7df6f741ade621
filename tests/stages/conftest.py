"""A school with its rule book, a connector that is a list and a reader that is a table: the stages are tested."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.adapters.letters import TemplateLetters
from monitor.bootstrap import rule_book
from monitor.config import Config
from monitor.domain.account import Account, Budget, Capabilities
from monitor.domain.cadence import Cadence
from monitor.domain.errors import MailError, SourceError
from monitor.domain.evidence import Capture, CapturedFile, Grade, Subject
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Page, Reject
from monitor.domain.ports import Connector
from monitor.domain.rulebook import RuleBook
from monitor.domain.sender import Sender
from monitor.domain.verdict import Comment, Label, NameHit, Reading
from monitor.evidence.vault import FolderVault
from monitor.pipeline import capture, classify, escalate, failures, ingest, notify, triage
from monitor.store.queue import QueueEntry
from monitor.store.sources import SourceState
from monitor.store.store import Store

PAGE = Account(id="page", connector="facebook", channel=Channel.OFFICIAL, name="The school's page")


@dataclass
class ListedPages(Connector):
    """A Connector over prepared pages; an error among them is raised when it is reached."""

    pages: Sequence[Page | SourceError] = ()
    threads: dict[ItemRef, Sequence[Page | SourceError]] = field(default_factory=dict)
    polls: int = 0
    swept: list[ItemRef] = field(default_factory=list)
    hosts: tuple[str, ...] = ("graph.facebook.com",)
    budget: Budget | None = None
    deletions: bool = True

    def capabilities(self) -> Capabilities:
        return Capabilities(
            reads=("comments",), edits=True, deletions=self.deletions, hosts=self.hosts, budget=self.budget
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        self.polls += 1
        yield from _raising(self.pages)

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        self.swept.append(ref)
        yield from _raising(self.threads.get(ref, ()))


def _raising(pages: Sequence[Page | SourceError]) -> Iterator[Page]:
    for page in pages:
        if isinstance(page, SourceError):
            raise page
        yield page


class TableReader:
    """A Reader that finds labels as hashtags and people as @ids: "#threat @joan-price"."""

    name, version, problem = "table", "1", None

    def read(self, comments: Sequence[Comment]) -> list[Reading]:
        return [self._read(comment.text) for comment in comments]

    def _read(self, text: str) -> Reading:
        words = text.split()
        labels = tuple(label for label in Label if f"#{label}" in words)
        doubt = tuple(label for label in Label if f"?{label}" in words)
        names = tuple(
            NameHit(person=word[1:], start=text.index(word), end=text.index(word) + len(word), score=1.0)
            for word in words
            if word.startswith("@")
        )
        return Reading(
            scores={label: float(label in labels) for label in Label}, labels=labels, doubt=doubt, names=names
        )


@dataclass
class Postbox:
    """A Mailer that keeps what it accepts, and refuses while it is told to."""

    accepted: list[dict[str, str]] = field(default_factory=list)
    refuses: MailError | None = None

    def send(self, **message: str) -> None:
        if self.refuses:
            raise self.refuses
        self.accepted.append(message)

    def to(self, recipient: str) -> list[dict[str, str]]:
        return [message for message in self.accepted if message["recipient"] == recipient]


class RecordCapturer:
    """A Capturer that keeps the record alone."""

    def capture(self, subject: Subject, now: datetime) -> Capture:
        files = tuple(
            CapturedFile(name=name, media_type="application/json", body=f"{subject.item.text}{name}".encode())
            for name in ("record.json", "manifest.json")
        )
        return Capture(files=files, grade=Grade.RECORD_ONLY, reason="no browser", captured_at=now)


@dataclass
class School:
    """The example school's stages over a store; `say` is a comment arriving, `work` one round of every stage."""

    store: Store
    book: RuleBook
    letters: TemplateLetters
    vault: FolderVault
    now: datetime
    reader: TableReader = field(default_factory=TableReader)
    postbox: Postbox = field(default_factory=Postbox)
    sender: Sender = field(
        default_factory=lambda: Sender(school="Larkfield", desk="http://desk.example", domain="larkfield.example")
    )
    count: int = 0

    def say(self, text: str, **changes: object) -> Item:
        """Store a comment on the official page, published just now unless `changes` says otherwise."""
        self.count += 1
        item = Item(
            ref=ItemRef("facebook", str(changes.pop("id", f"1_{self.count}"))),
            channel=Channel.OFFICIAL,
            kind=ItemKind.COMMENT,
            author=Author(id="7", display_name="A parent"),
            text=text,
            url="https://facebook.example/1",
            published_at=self.now,
            raw={"message": text},
        )
        item = replace(item, **changes)  # type: ignore[arg-type]
        self.keep(item)
        return item

    def answer(self, comment: Item, **changes: object) -> Item:
        """The school replies under `comment`."""
        school = Author(id="100", display_name="Larkfield", kind=AuthorKind.SCHOOL)
        return self.say("Thank you, we are looking into it.", author=school, parent=comment.ref, **changes)

    def keep(self, item: Item) -> None:
        with self.store.transaction() as tx:
            tx.items.save([item], PAGE, self.now, self.now.replace(year=2026, month=11, day=1))

    def work(self) -> None:
        while sum(
            (
                classify.run(self.store, self.reader, self.now),
                triage.run(self.store, self.book, self.now),
                escalate.run(self.store, self.book, self.now),
                capture.run(
                    self.store, RecordCapturer(), self.vault, self.now, school="Larkfield", timezone="Europe/London"
                ),
            )
        ):
            pass
        failures.run(self.store, self.letters, self.book, self.sender, self.now)
        notify.run(self.store, self.postbox, self.letters, self.book, self.sender, self.now)

    def poll(self, connector: Connector, account: Account = PAGE) -> int:
        """The account is read if it is due, as the service does at every tick."""
        cadence = Cadence(
            poll_every=timedelta(minutes=5),
            poll_quiet=timedelta(minutes=30),
            go_live=self.now.replace(year=2026, month=11, day=1),
        )
        with self.store.transaction() as tx:
            tx.sources.register([account])
        return ingest.run(self.store, account, connector, cadence, self.now)

    def state(self, account: Account = PAGE) -> SourceState:
        """What is known of an account, counts included."""
        with self.store.reading() as tx:
            return next(state for state in tx.sources.states() if state.account == account.id)

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def queue(self) -> list[QueueEntry]:
        with self.store.reading() as tx:
            return tx.queue.to_handle(self.now)

    def told(self) -> dict[str, int]:
        """How many messages each person has accepted for them."""
        people = [message["recipient"].partition("@")[0] for message in self.postbox.accepted]
        return {person: people.count(person) for person in people}


@pytest.fixture
def school(store: Store, example: Config, tmp_path: Path, now: datetime) -> School:
    return School(
        store=store,
        book=rule_book(example),
        letters=TemplateLetters(example.templates, example.calendar),
        vault=FolderVault(tmp_path / "vault"),
        now=now,
    )


@pytest.fixture
def pages() -> Callable[..., ListedPages]:
    return lambda *found: ListedPages(pages=found)


__all__ = ["PAGE", "ListedPages", "Postbox", "Reject", "School", "TableReader"]
