"""A school's week for the desk to show: comments as the platforms give them, taken through the real stages."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from monitor.adapters.letters import TemplateLetters
from monitor.config import Config
from monitor.domain.account import Account
from monitor.domain.case import Case
from monitor.domain.errors import MailError
from monitor.domain.evidence import CapturedFile, EvidenceFile, Grade
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef
from monitor.domain.rulebook import RuleBook
from monitor.domain.sender import Sender
from monitor.domain.verdict import Label, NameHit, Reading, Span
from monitor.evidence.vault import FolderVault
from monitor.pipeline import digest, escalate, notify, triage
from monitor.store.store import Store

FACEBOOK = Account(id="facebook-page", connector="facebook", channel=Channel.OFFICIAL, name="Facebook")
SAID_ON_X = Account(id="x-mentions", connector="x", channel=Channel.MENTION, name="X")
SENDER = Sender(school="Larkfield", desk="http://127.0.0.1:8080", domain="larkfield.example")


@dataclass
class Clock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass
class Postbox:
    """Accepts mail, but for the addresses that it refuses."""

    refuses: dict[str, str] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)

    def send(self, *, message_id: str, recipient: str, subject: str, text: str, html: str) -> None:
        if recipient in self.refuses:
            raise MailError(self.refuses[recipient])
        self.accepted.append(recipient)


def picture(width: int = 640, height: int = 400, grey: int = 200) -> bytes:
    """A real PNG of one grey."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\x00" + bytes([grey]) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@dataclass
class World:
    """The example school over a store: `say` takes a comment through triage, `tell` sends the mail."""

    store: Store
    config: Config
    vault: FolderVault
    clock: Clock
    postbox: Postbox = field(default_factory=Postbox)
    count: int = 0

    @property
    def now(self) -> datetime:
        return self.clock.moment

    @property
    def book(self) -> RuleBook:
        return RuleBook(policy=self.config.policy, people=self.config.people, calendar=self.config.calendar)

    def say(
        self,
        text: str,
        *labels: Label,
        ago: timedelta = timedelta(hours=1),
        account: Account = FACEBOOK,
        author: Author | None = None,
        doubt: Sequence[Label] = (),
        words: Sequence[str] = (),
        names: dict[str, str] | None = None,
        language: str = "en",
        provisional: bool = False,
        **changes: object,
    ) -> int:
        """A comment; returns its item's id. `words` stand behind the first label, `names` map words to people.

        `provisional`: read by the word list alone.
        """
        self.count += 1
        platform = "facebook" if account is FACEBOOK else account.connector
        item = Item(
            ref=ItemRef(platform, f"{platform}_{self.count}"),
            channel=account.channel,
            kind=ItemKind.COMMENT,
            author=author or Author(id=str(self.count), display_name=f"Person {self.count}"),
            text=text,
            url=f"https://{platform}.example/{self.count}",
            published_at=self.now - ago,
            raw={"message": text},
        )
        item = replace(item, **changes)  # type: ignore[arg-type]
        reading = reading_of(item.text, labels, doubt, words, names or {})
        self.read(item, account, replace(reading, language=language, provisional=provisional))
        return self.item_id(item.ref)

    def read(self, item: Item, account: Account, reading: Reading) -> None:
        with self.store.transaction() as tx:
            tx.items.save([item], account, self.now, self.config.school.go_live)
            rows = [(one.item.id, one.item.revision, reading) for one in tx.readings.waiting("classify", 100)]
            tx.readings.save(rows, classifier="test", version="1", now=self.now)
        triage.run(self.store, self.book, self.now)
        escalate.run(self.store, self.book, self.now)

    def answer(self, item_id: int, text: str = "Thank you, we are looking into it.") -> int:
        """The school replies under a comment."""
        with self.store.reading() as tx:
            comment = tx.items.get(item_id)
        assert comment is not None
        school = Author(id="1", display_name="Larkfield School", kind=AuthorKind.SCHOOL)
        top = comment.item.thread or comment.item.ref
        return self.say(text, author=school, parent=comment.item.ref, thread=top, ago=timedelta(minutes=5))

    def gone(self, item_id: int) -> None:
        with self.store.transaction() as tx:
            stored = tx.items.get(item_id)
            assert stored is not None
            tx.items.mark_gone([stored.item.ref], stored.item.channel, self.now)

    def tell(self) -> None:
        """Send what is pending."""
        letters = TemplateLetters(self.config.templates, self.config.calendar)
        notify.run(self.store, self.postbox, letters, self.book, SENDER, self.now)

    def keep_evidence(self, *more: CapturedFile) -> None:
        """Make every wanted capture: a picture of the page, a card, and the record."""
        while True:
            with self.store.transaction() as tx:
                wanted = tx.evidence.claim(self.now, timedelta(minutes=5))
                if wanted is None:
                    return
                files = [
                    CapturedFile(name="page.png", media_type="image/png", body=picture()),
                    CapturedFile(name="card.png", media_type="image/png", body=picture(grey=230)),
                    CapturedFile(name="record.json", media_type="application/json", body=b'{"id": 1}'),
                    CapturedFile(name="manifest.json", media_type="application/json", body=b"{}"),
                    *more,
                ]
                kept = [
                    EvidenceFile(
                        name=file.name,
                        media_type=file.media_type,
                        sha256=self.vault.put(file),
                        size=len(file.body),
                    )
                    for file in files
                ]
                tx.evidence.captured(
                    wanted.id,
                    grade=Grade.FULL,
                    reason="",
                    captured_at=self.now,
                    files=kept,
                    manifest_sha256=kept[3].sha256,
                )
                tx.cases.log(wanted.case_id, "automatic", "captured", {"evidence": wanted.id}, self.now)

    def make_digest(self) -> None:
        letters = TemplateLetters(self.config.templates, self.config.calendar)
        edition = digest.Edition(
            at=self.config.school.digest_at, accounts=self.config.accounts, problems=self.config.problems
        )
        digest.run(self.store, letters, self.book, SENDER, edition, self.now)

    def proven_read(self, *accounts: str) -> None:
        with self.store.transaction() as tx:
            tx.sources.register(self.config.accounts)
            for account in accounts or [one.id for one in self.config.accounts]:
                tx.sources.read_ok(account, self.now, newest=self.now, next_poll_at=self.now + timedelta(minutes=5))

    def item_id(self, ref: ItemRef) -> int:
        with self.store.reading() as tx:
            stored = tx.items.find(ref)
        assert stored is not None
        return stored.id

    def case_of(self, item_id: int) -> Case:
        with self.store.reading() as tx:
            case = tx.cases.for_item(item_id)
        assert case is not None
        return case


def reading_of(
    text: str, labels: Sequence[Label], doubt: Sequence[Label], words: Sequence[str], names: dict[str, str]
) -> Reading:
    scores = {str(label): 0.93 if label in labels else 0.41 if label in doubt else 0.02 for label in Label}
    spans = [Span(start=text.index(word), end=text.index(word) + len(word), label=labels[0]) for word in words]
    hits = [
        NameHit(person=person, start=text.index(word), end=text.index(word) + len(word), score=0.95)
        for word, person in names.items()
    ]
    return Reading(
        scores=scores,
        labels=tuple(labels),
        doubt=tuple(doubt),
        names=tuple(hits),
        spans=tuple(spans),
        language="en",
    )


def new_world(store: Store, config: Config, folder: Path, now: datetime) -> World:
    return World(store=store, config=config, vault=FolderVault(folder / "vault"), clock=Clock(now))
