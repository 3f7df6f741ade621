"""Atom and RSS feeds: local news, forums, Google Alerts, a WordPress site's comments.

httpx fetches (conditionally, with a size cap and a deadline: feedparser has neither), feedparser reads the bytes. A
feed holds the latest entries only and never says that one was deleted.
"""

import hashlib
import io
import json
import re
import time
from calendar import timegm
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urldefrag, urljoin, urlsplit

import feedparser
import httpx
from pydantic import Field

from connectors._fields import Unreadable, clean, dig, mappings, page, read, text, web_url
from connectors._http import MAX_BYTES, Answer, Service, looks_like_html
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


class Feed:
    """Reads one feed."""

    def __init__(self, account: Account, options: Options) -> None:
        self._account = account
        self._url = options.url
        self._timeout = options.timeout
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
        feed = self._parse(answer)
        if not feed.get("version"):
            if looks_like_html(answer.body):
                raise SourceError(f"{self._service.name} is a web page, not a feed. {self._service.remedy}")
            raise SourceError(f"{self._service.name} is not a feed that we can read. {self._service.remedy}")
        cut_off = not answer.body.rstrip().lower().endswith(_ENDINGS)
        # A feed that was cut off must be fetched again, not be answered with "not modified".
        after = cursor if cut_off else _remember(answer.headers)
        yield page((read(_plain(entry), self._item) for entry in feed.entries), cursor=after)
        if cut_off:
            raise self._service.damaged(answer.body, urlsplit(self._url).netloc)

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """Nothing: a feed has no threads to sweep."""
        return iter(())

    def _fetch(self, validators: dict[str, str], now: datetime) -> Answer | None:
        """The feed, None when it has not changed (RFC 9110, 304). Raises SourceError."""
        headers = {"Accept": _ACCEPT, "User-Agent": "Schoolwatch", **validators}
        ends = time.monotonic() + self._timeout
        body = b""
        try:
            with (
                httpx.Client(timeout=self._timeout, follow_redirects=True, max_redirects=5) as client,
                client.stream("GET", self._url, headers=headers) as response,
            ):
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise SourceError(f"{self._service.name} is larger than {MAX_BYTES // 1_000_000} MB")
                    if time.monotonic() > ends:
                        raise self._service.silent(TimeoutError())
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._service.silent(error) from None
        if response.status_code == 304:
            return None
        answer = Answer(status=response.status_code, headers=response.headers, body=body)
        refusal = self._service.judge(answer, now)
        if refusal is not None:
            raise refusal
        return answer

    def _parse(self, answer: Answer) -> Any:
        """What feedparser makes of the bytes; {} where it stumbles (a fuzzer found how).

        It leaves the HTML inside entries alone: cleaning that, too, would let one comment's text break the feed.
        """
        try:
            return feedparser.parse(
                io.BytesIO(answer.body),
                response_headers=dict(answer.headers),
                sanitize_html=False,
                resolve_relative_uris=False,
            )
        except (LookupError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return {}

    def _item(self, entry: Raw) -> Item:
        link = _unwrapped(web_url(_absolute(self._url, text(entry, "link"))))
        title, body = to_text(text(entry, "title")), to_text(_body(entry))
        key = text(entry, "id") or link
        if not (key or title or body):
            raise Unreadable("the entry has neither an id, a link, nor a text")
        address = next(filter(_COMMENT_LINK.search, (key, link)), "")
        comment, top = bool(address), urldefrag(address).url
        parent = text(entry, "thr_in-reply-to", "ref") or top
        author = text(entry, "author_detail", "name") or text(entry, "author")
        published = _published(entry)
        return Item(
            ref=self._ref(key or _digest(title, author, str(published), body)),
            channel=self._account.channel,
            kind=_kind(comment, parent, top),
            author=Author(
                display_name=author,
                kind=AuthorKind.SCHOOL if author.casefold() in self._own else AuthorKind.UNKNOWN,
            ),
            # "Comment on … by …" is what the software calls a comment, not what its author wrote.
            text=body if comment else _joined(title, body),
            url=link,
            published_at=published,
            parent=self._ref(parent) if parent else None,
            thread=self._ref(top) if top else None,
            raw=entry,
        )

    def _ref(self, key: str) -> ItemRef:
        """Ids are addresses or tags and unique in the world, but for bare numbers: those get the feed's address."""
        return ItemRef(PLATFORM, key if ":" in key else f"{self._url}#{key}")


def to_text(html: str) -> str:
    """HTML as the plain text that a reader sees, a line for each block."""
    if "<" not in html and "&" not in html:
        return html.strip()
    reader = _TextReader()
    # Marked sections are not HTML, and html.parser fails on unknown ones.
    reader.feed(html.replace("<![", "&lt;!["))
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)


class _TextReader(HTMLParser):
    _BLOCKS = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "pre"})
    _SILENT = frozenset({"script", "style", "template"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self._SILENT
        if tag in self._BLOCKS:
            self.parts.append("\n")
        if tag == "img":
            # WordPress writes emoji as images.
            self.parts.append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self._SILENT and self._silent > 0
        if tag in self._BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def _kind(comment: bool, parent: str, top: str) -> ItemKind:
    if not comment:
        return ItemKind.POST
    return ItemKind.REPLY if parent != top else ItemKind.COMMENT


def _body(entry: Raw) -> str:
    """The entry's content, which is whole, rather than its summary, which may be cut short."""
    contents = [text(part, "value") for part in mappings(dig(entry, "content"))]
    return next(filter(None, contents), "") or text(entry, "summary")


def _joined(title: str, body: str) -> str:
    if not title or body.startswith(title.rstrip("….")):
        return body
    return f"{title}\n{body}".strip()


def _published(entry: Raw) -> datetime | None:
    stated = dig(entry, "published_parsed") or dig(entry, "updated_parsed")
    try:
        return datetime.fromtimestamp(timegm(tuple(stated)), UTC) if stated else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


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


def _plain(entry: Any) -> Any:
    """feedparser's entry as plain JSON values, to be kept as the raw record."""
    return json.loads(json.dumps(clean(entry), default=str))


def _validators(cursor: str | None) -> dict[str, str]:
    try:
        state = json.loads(cursor or "{}")
        pairs = {"If-None-Match": state.get("etag"), "If-Modified-Since": state.get("modified")}
    except (ValueError, AttributeError):
        return {}
    return {name: value for name, value in pairs.items() if isinstance(value, str)}


def _remember(headers: Mapping[str, str]) -> str:
    return json.dumps({"etag": headers.get("etag"), "modified": headers.get("last-modified")})
