"""Atom and RSS feeds: local news, forums, Google Alerts, a WordPress site's comments.

httpx fetches (conditionally, with a size cap and a deadline: feedparser has neither), feedparser reads the bytes. A
feed holds the latest entries only and never says that one was deleted.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qs, urldefrag, urljoin, urlsplit

from pydantic import Field

from connectors._feeds import body, parse, plain, published
from connectors._fields import Unreadable, page, read, text, to_text, web_url
from connectors._http import Answer, Service, fetch, looks_like_html
from connectors._options import ConnectorOptions
from monitor.domain.account import Account, Capabilities
from monitor.domain.errors import SourceError
from monitor.domain.item import Author, AuthorKind, Item, ItemKind, ItemRef, Page, Raw
from monitor.domain.ports import Connector

PLATFORM = "feed"
_ENDINGS = (b"</feed>", b"</rss>", b"</rdf:rdf>")
_COMMENT_LINK = re.compile(r"#(comment|reply|post|msg)[-_]?\w+$", re.IGNORECASE)
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
        self._own = {handle.casefold() for handle in account.handles}
        self._service = Service(
            name=f"The feed at {urlsplit(options.url).netloc}",
            account=account.id,
            remedy="Open the address in a browser: if it has moved, put the new one under `url` in accounts.yaml",
        )

    def capabilities(self) -> Capabilities:
        return Capabilities(
            reads=("entries",),
            edits=True,
            deletions=False,
            notes=("a feed holds its latest entries only and does not report deletions",),
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """The whole feed, or an empty page when it has not changed since `cursor`."""
        answer = self._fetch(_validators(cursor), now)
        if answer is None:
            yield Page(cursor=cursor)
            return
        feed = parse(answer)
        if not feed.get("version"):
            if looks_like_html(answer.body):
                raise SourceError(f"{self._service.name} is a web page, not a feed. {self._service.remedy}")
            raise SourceError(f"{self._service.name} is not a feed that we can read. {self._service.remedy}")
        cut_off = not answer.body.rstrip().lower().endswith(_ENDINGS)
        # A feed that was cut off must be fetched again, not be answered with "not modified".
        after = cursor if cut_off else _remember(answer.headers)
        yield page((read(plain(entry), self._item) for entry in feed.entries), cursor=after)
        if cut_off:
            raise self._service.damaged(answer.body, urlsplit(self._url).netloc)

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """Nothing: a feed has no threads to sweep."""
        return iter(())

    def _fetch(self, validators: dict[str, str], now: datetime) -> Answer | None:
        """The feed, None when it has not changed (RFC 9110, 304). Raises SourceError."""
        headers = {"Accept": _ACCEPT, "User-Agent": "Schoolwatch", **validators}
        with self._reach.client(follow_redirects=True, max_redirects=5) as client:
            answer = fetch(client, self._service, self._url, reach=self._reach, headers=headers)
        if answer.status == 304:
            return None
        refusal = self._service.judge(answer, now)
        if refusal is not None:
            raise refusal
        return answer

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


def _validators(cursor: str | None) -> dict[str, str]:
    try:
        state = json.loads(cursor or "{}")
        pairs = {"If-None-Match": state.get("etag"), "If-Modified-Since": state.get("modified")}
    except (ValueError, AttributeError):
        return {}
    return {name: value for name, value in pairs.items() if isinstance(value, str)}


def _remember(headers: Mapping[str, str]) -> str:
    return json.dumps({"etag": headers.get("etag"), "modified": headers.get("last-modified")})
