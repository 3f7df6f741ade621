"""Atom and RSS feeds: local news, forums, Google Alerts, a WordPress site's comments.

httpx fetches (conditionally, with a size cap and a deadline: feedparser has neither), feedparser reads the bytes. A
feed holds the latest entries only and never says that one was deleted. How many comments an entry has it tells in
`slash:comments` (http://web.resource.org/rss/1.0/modules/slash/) or `thr:total` (RFC 4685, 5).
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urldefrag, urljoin, urlsplit

from pydantic import Field

from connectors._feeds import body, parse, plain, published
from connectors._fields import (
    Unreadable,
    dig,
    embedded,
    instant,
    json_or_none,
    mappings,
    page,
    read,
    text,
    to_text,
    web_url,
)
from connectors._http import Answer, Service, fetch, looks_like_html, rest_until
from connectors._options import ConnectorOptions, host_of
from monitor.domain.account import Account, Capabilities
from monitor.domain.clock import format_instant
from monitor.domain.errors import SourceError
from monitor.domain.item import Author, AuthorKind, Item, ItemKind, ItemRef, Page, Raw, Reject
from monitor.domain.ports import Connector

PLATFORM = "feed"
_ENDINGS = (b"</feed>", b"</rss>", b"</rdf:rdf>")
_COMMENT_LINK = re.compile(r"#(comment|reply|post|msg)[-_]?\w+$", re.IGNORECASE)
#: A feed that suddenly holds nothing is believed after this time.
EMPTY_FOR = timedelta(days=1)
MOST_REDIRECTS = 5
_MOVED = (301, 308)
_KINDS = ("image", "video", "audio")
_ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"


class Options(ConnectorOptions):
    """`url` is the feed's address."""

    url: str = Field(pattern=r"^https?://[^\s]+$")


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one feed."""
    return Feed(account, options)


class Feed(Connector):
    """Reads one feed."""

    def __init__(self, account: Account, options: Options) -> None:
        self._account = account
        self._url = options.url
        self._reach = options.reach
        #: Where the feed said at the last poll that it has moved for good, "" where it did not.
        self._moved = ""
        self._own = {handle.casefold() for handle in account.handles}
        self._service = Service(
            name=f"The feed at {urlsplit(options.url).netloc}",
            account=account.id,
            remedy="Open the address in a browser: if it has moved, put the new one under `url` in accounts.yaml",
        )

    def capabilities(self) -> Capabilities:
        moved = (f"THE FEED HAS MOVED to {self._moved}: put that under `url`",) if self._moved else ()
        return Capabilities(
            reads=("entries",),
            edits=True,
            deletions=False,
            notes=("a feed holds its latest entries only and does not report deletions", *moved),
            hosts=(host_of(self._url),),
            pages=(host_of(self._url),),
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """The whole feed, or an empty page when it has not changed since `cursor`."""
        before = _Cursor.load(cursor)
        answer = self._fetch(before.validators(), now)
        rest = rest_until(answer.headers, now)
        if answer.status == 304:
            yield Page(cursor=cursor, rest_until=rest)
            return
        feed = parse(answer)
        if not feed.get("version"):
            if looks_like_html(answer.body):
                raise SourceError(f"{self._service.name} is a web page, not a feed. {self._service.remedy}")
            raise SourceError(f"{self._service.name} is not a feed that we can read. {self._service.remedy}")
        entries = [plain(entry) for entry in feed.entries]
        cut_off = not answer.body.rstrip().lower().endswith(_ENDINGS)
        if before.entries and not entries and not cut_off:
            yield from self._emptied(before, now)
            return
        # A feed that was cut off must be fetched again, not be answered with "not modified".
        after = cursor if cut_off else _Cursor.after(answer.headers, len(entries)).dump()
        found = _each_once(read(entry, self._item) for entry in entries)
        totals = {item.ref: _total(item.raw) for item in found if isinstance(item, Item)}
        told = {ref: total for ref, total in totals.items() if total is not None}
        yield page(found, cursor=after, totals=told, rest_until=rest)
        if cut_off:
            raise self._service.damaged(answer.body, urlsplit(self._url).netloc)

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """Nothing: a feed has no threads to sweep."""
        return iter(())

    def _fetch(self, validators: Mapping[str, str], now: datetime) -> Answer:
        """The feed, or that it has not changed (RFC 9110, 15.4.5). Raises SourceError."""
        headers = {"Accept": _ACCEPT, "User-Agent": "Schoolwatch", **validators}
        url, moved = self._url, True
        with self._reach.client() as client:
            for _ in range(1 + MOST_REDIRECTS):
                answer = fetch(client, self._service, url, reach=self._reach, headers=headers)
                if error := self._service.intercepted(answer, urlsplit(url).netloc):
                    raise error
                place = answer.headers.get("location", "") if 300 <= answer.status < 400 else ""
                if not place:
                    break
                url = web_url(_absolute(url, place))
                # For good only as long as every step was.
                moved = moved and answer.status in _MOVED
                if not url:
                    raise SourceError(f"{self._service.name} sends us on to nowhere. {self._service.remedy}")
            else:
                raise SourceError(f"{self._service.name} sent us round in a circle (redirects)")
        self._moved = url if moved and url != self._url else ""
        if answer.status == 410:
            raise self._service.refused("has gone for good (410)")
        if answer.status != 304 and (refusal := self._service.judge(answer, now)):
            raise refusal
        return answer

    def _emptied(self, before: "_Cursor", now: datetime) -> Iterator[Page]:
        """A feed that held entries and now holds none: not believed at once, for it may be its server's mistake."""
        since = before.empty_since or now
        if now - since >= EMPTY_FOR:
            yield Page(cursor=_Cursor().dump())
            return
        yield Page(cursor=_Cursor(entries=before.entries, empty_since=since).dump())
        raise SourceError(
            f"{self._service.name} answered, but holds none of the {before.entries} entries that it held before; "
            "trying again at the next poll. If it stays so for a day, it is taken as empty"
        )

    def _item(self, entry: Raw) -> Item:
        link = _unwrapped(web_url(_absolute(self._url, text(entry, "link"))))
        title, words = to_text(text(entry, "title")), to_text(body(entry))
        key = text(entry, "id") or link
        if not (key or title or words):
            raise Unreadable("the entry has neither an id, a link, nor a text")
        address = next(filter(_COMMENT_LINK.search, (key, link)), "")
        comment, top = bool(address), urldefrag(address).url
        parent = text(entry, "thr_in-reply-to", "ref") or top
        author = text(entry, "author_detail", "name") or text(entry, "author")
        written = published(entry)
        return Item(
            ref=self._ref(key or _digest(title, author, str(written), words)),
            channel=self._account.channel,
            kind=_kind(comment, parent, top),
            author=Author(
                display_name=author,
                kind=AuthorKind.SCHOOL if author.casefold() in self._own else AuthorKind.UNKNOWN,
            ),
            # "Comment on … by …" is what the software calls a comment, not what its author wrote.
            text=words if comment else _joined(title, words),
            url=link,
            published_at=written,
            parent=self._ref(parent) if parent else None,
            thread=self._ref(top) if top else None,
            attachments=embedded(body(entry)) or _enclosed(entry),
            raw=entry,
        )

    def _ref(self, key: str) -> ItemRef:
        """Ids are addresses or tags and unique in the world, but for bare numbers: those get the feed's address."""
        return ItemRef(PLATFORM, key if ":" in key else f"{self._url}#{key}")


def _kind(comment: bool, parent: str, top: str) -> ItemKind:
    if not comment:
        return ItemKind.POST
    return ItemKind.REPLY if parent != top else ItemKind.COMMENT


def _joined(title: str, body: str) -> str:
    if not title or body.startswith(title.rstrip("….")):
        return body
    return f"{title}\n{body}".strip()


def _absolute(base: str, link: str) -> str:
    try:
        return urljoin(base, link) if link else ""
    except ValueError:
        return ""


def _unwrapped(link: str) -> str:
    """The page itself, where Google Alerts links to it by way of google.com/url."""
    address = urlsplit(link)
    if address.hostname in ("google.com", "www.google.com") and address.path == "/url":
        return web_url(parse_qs(address.query).get("url", [""])[0]) or link
    return link


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _each_once(results: Iterable[Item | Reject]) -> list[Item | Reject]:
    """Of entries with the same id only the one updated last (RFC 4287, 4.1.1)."""
    found: dict[object, Item | Reject] = {}
    for result in results:
        key = result.ref if isinstance(result, Item) else id(result)
        if key not in found or _updated(result.raw) > _updated(found[key].raw):
            found[key] = result
    return list(found.values())


def _updated(entry: Raw) -> list[int]:
    stated = dig(entry, "updated_parsed")
    return [part for part in stated if isinstance(part, int)] if isinstance(stated, list) else []


def _total(entry: Raw) -> int | None:
    """How many comments the entry says that it has."""
    stated = text(entry, "slash_comments") or text(entry, "thr_total")
    return int(stated) if stated.isdecimal() and len(stated) < 10 else None


def _enclosed(entry: Raw) -> tuple[str, ...]:
    """What comes with the entry: each address once, by the kind that its type or medium names."""
    links = [link for link in mappings(dig(entry, "links")) if text(link, "rel") == "enclosure"]
    media = {
        text(one, "href") or text(one, "url"): text(one, "medium") or text(one, "type").partition("/")[0]
        for one in (*mappings(dig(entry, "media_content")), *links)
    }
    return tuple("photo" if kind == "image" else kind for kind in media.values() if kind in _KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """What the feed said of its version, how many entries it held, and since when it holds none instead."""

    etag: str = ""
    modified: str = ""
    entries: int = 0
    empty_since: datetime | None = None

    @classmethod
    def load(cls, cursor: str | None) -> "_Cursor":
        """A cursor that cannot be read asks for the whole feed: the store deduplicates."""
        state = json_or_none(cursor or "{}")
        entries = dig(state, "entries")
        return cls(
            etag=text(state, "etag"),
            modified=text(state, "modified"),
            entries=entries if isinstance(entries, int) else 0,
            empty_since=instant(text(state, "empty_since")),
        )

    @classmethod
    def after(cls, headers: Mapping[str, str], entries: int) -> "_Cursor":
        """An empty feed is always fetched anew: a mistake must not be kept by "not modified"."""
        if not entries:
            return cls()
        return cls(etag=headers.get("etag", ""), modified=headers.get("last-modified", ""), entries=entries)

    def validators(self) -> dict[str, str]:
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in pairs.items() if value}

    def dump(self) -> str:
        since = format_instant(self.empty_since) if self.empty_since else None
        told = {"etag": self.etag, "modified": self.modified, "entries": self.entries, "empty_since": since}
        return json.dumps({name: value for name, value in told.items() if value})
