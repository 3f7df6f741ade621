"""A place for each kind of connector to be tested in: a world, the platform that shows it, and an account there."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors import connect
from connectors.sandbox import APP, TOKEN, Edit, Entry, Person, Sandbox, World
from monitor.domain.account import Account
from monitor.domain.item import Channel, Item, ItemRef, Page, Reject
from monitor.domain.ports import Connector

#: A Wednesday morning.
PRESENT = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
PAGE_SIZE = 4
SCHOOL = Person(
    key="school", name="Larkfield School", handle="larkfieldprim", school=True, ids={"facebook": "100200300400500"}
)
PARENT = Person(key="parent", name="Ann & Bob <O'Neill>", handle="annbob")

#: Kind -> what its account needs apart from where the sandbox is.
OPTIONS: Mapping[str, Mapping[str, object]] = {
    "archive": {},
    "bluesky": {"handle": "larkfieldprim.bsky.social"},
    "facebook": {"page": "100200300400500"},
    "feed": {},
    "instagram": {"user": SCHOOL.id_on("instagram")},
    "mastodon": {"handle": "larkfieldprim"},
    "reddit": {"subreddit": "larkfield", "user": "larkfieldprim"},
    "wordpress": {"user": "desk"},
    "x": {"handle": "larkfieldprim"},
    "youtube": {"channel": "@larkfieldprim"},
}
#: Kinds that ask a server, and so can be refused, cut off or kept waiting.
NETWORKED = tuple(kind for kind in OPTIONS if kind != "archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Everything that one poll or sweep brought."""

    items: list[Item] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    gone: list[ItemRef] = field(default_factory=list)
    totals: dict[ItemRef, int] = field(default_factory=dict)
    spent: float = 0
    pages: int = 0
    cursor: str | None = None

    def texts(self) -> list[str]:
        return sorted(item.text for item in self.items)

    def saying(self, text: str) -> Item:
        """The one item with that text."""
        (item,) = [item for item in self.items if item.text == text]
        return item


class Place:
    """One platform, its world, and a clock that stands still unless moved."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.now = PRESENT
        self.world = World(PRESENT, [SCHOOL, PARENT], story(kind))
        self.sandbox = Sandbox(self.world, lambda: self.now, page_size=PAGE_SIZE)
        self._folder = folder

    def account(self, **options: object) -> Account:
        where = {"path": str(self._folder)} if self.kind == "archive" else self.sandbox.options(self.kind)
        return Account(
            id=f"{self.kind}-account",
            connector=self.kind,
            channel=Channel.OFFICIAL,
            name=self.kind,
            handles=("larkfieldprim", "Larkfield School", "100200300400500"),
            options={**OPTIONS[self.kind], **where, **options},
        )

    def connector(self, token: str = TOKEN, **options: object) -> Connector:
        return connect(self.account(**options), secrets(token))

    def poll(self, cursor: str | None = None, **options: object) -> Read:
        return collect(self.pages(cursor, **options))

    def pages(self, cursor: str | None = None, **options: object) -> Iterable[Page]:
        if self.kind == "archive":
            self.world.hand_in(self._folder, self.now)
        return self.connector(**options).poll(cursor, self.now)

    def sweep(self, ref: ItemRef, known: Iterable[ItemRef]) -> Read:
        return collect(self.connector().thread(ref, list(known), self.now))

    def later(self, **length: float) -> timedelta:
        """Move the clock; returns where it stands, counted from the world's present."""
        self.now += timedelta(**length)
        return self.now - PRESENT

    def expected(self) -> list[str]:
        """The texts that can be seen now, whoever wrote them."""
        return sorted(live.text for live in self.world.live(self.kind, self.now))


def secrets(token: str = TOKEN) -> dict[str, str]:
    """Whatever an account may want to know."""
    return {"client_secret": token, "token": token, **APP}


def collect(pages: Iterable[Page]) -> Read:
    found = list(pages)
    return Read(
        items=[item for page in found for item in page.items],
        rejects=[reject for page in found for reject in page.rejects],
        gone=[ref for page in found for ref in page.gone],
        totals={ref: total for page in found for ref, total in page.totals.items()},
        spent=sum(page.spent for page in found),
        pages=len(found),
        cursor=found[-1].cursor if found else None,
    )


def can_be_stored(found: Read) -> None:
    """Raises where a database or a file could not take what was read."""
    for item in found.items:
        f"{item.text}{item.url}{item.author}{item.ref.id}{item.revision}{item.attachments}".encode()
        json.dumps(item.raw, allow_nan=False).encode()
    for reject in found.rejects:
        json.dumps(reject.raw, allow_nan=False).encode()


def story(kind: str) -> list[Entry]:
    """A post, more comments than two pages hold, one without an author, one without words, and a conversation."""
    title = "review" if kind == "archive" else ""

    def entry(key: str, hours: float, **about: object) -> Entry:
        return Entry(key=key, platform=kind, at=-timedelta(hours=hours), title=title, **about)  # type: ignore[arg-type]

    return [
        entry("post", 20, by="school", text="Sports day is on Friday"),
        *(
            entry(f"comment-{n}", 19 - n / 10, by="parent", under="post", text=f"Comment {n} <b>& more</b>")
            for n in range(9)
        ),
        entry("nobody", 17, by=None, under="post", text="Who am I?"),
        entry("photo", 16, by="parent", under="post", text="", photo=True),
        entry("question", 15, by="parent", under="post", text="What time does it start?"),
        entry("answer", 14, by="school", under="question", text="At ten."),
        entry("thanks", 13, by="parent", under="answer", text="Thanks!"),
        entry("other-post", 12, by="school", text="Lost: one scarf"),
        entry(
            "edited-before",
            11,
            by="parent",
            under="other-post",
            text="mine",
            edits=(Edit(at=-timedelta(hours=10), text="It is mine"),),
        ),
    ]
