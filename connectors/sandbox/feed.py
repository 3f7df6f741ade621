"""A local news and forum site: its feed as Atom and RSS, and its pages."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from connectors.sandbox import pages
from connectors.sandbox.listings import xml_listing
from connectors.sandbox.server import HTML, Answer, Fault, Platform, Request, not_found
from connectors.sandbox.world import Live, World, number
from monitor.domain.clock import format_instant

KIND = "feed"
BRAND = pages.Brand(name="Larkfield Local (sandbox)", colour="#2f6f4e")
#: How many entries the feed holds: the newest.
LENGTH = 30
HOME = "https://larkfield-local.example"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def platform(world: World) -> Platform:
    """The site, telling `world` to everybody."""
    sandbox = _Site(world)
    return Platform(
        site="blog",
        api=sandbox.api,
        page=sandbox.page,
        refuse=_refuse,
        listings=xml_listing("entry", "item"),
        nonsense="<entry><price>7</price></entry>",
    )


class _Site:
    def __init__(self, world: World) -> None:
        self._world = world

    def api(self, request: Request) -> Answer:
        entries = _entries(self._public(request.now), f"{request.site}/blog")
        if request.path == "/news.atom":
            body, content_type = _atom(entries), "application/atom+xml; charset=utf-8"
        elif request.path == "/news.rss":
            body, content_type = _rss(entries), "application/rss+xml; charset=utf-8"
        else:
            return not_found()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == etag:
            return Answer(status=304, headers={"ETag": etag})
        return Answer(body=body, content_type=content_type, headers={"ETag": etag})

    def _public(self, now: datetime) -> list[Live]:
        """What everybody sees: nothing hidden, not approved yet, or written to the school alone."""
        shown = []
        for live in self._world.live(KIND, now):
            entry = live.entry
            approved = entry.approved is None or self._world.present + entry.approved <= now
            if approved and not entry.hidden and not entry.message:
                shown.append(live)
        return shown

    def page(self, request: Request) -> Answer:
        everything = self._public(request.now)
        found = re.fullmatch(r"/(\d+)", request.path)
        root = next((live for live in everything if found and str(number(live.key)) == found[1]), None)
        if root is None:
            return pages.gone(BRAND)
        items = [
            pages.Shown(live=live, depth=depth, anchor=f"comment-{number(live.key)}")
            for live, depth in pages.thread(root, everything)
        ]
        return pages.page(BRAND, root.entry.title, items, root.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What Atom and RSS both say, escaped for XML. `id` is the same on every port, `link` leads to this server."""

    id: str
    link: str
    answers: str
    title: str
    author: str
    html: str
    published: datetime
    updated: datetime
    #: How many comments the site says that the post has, None for a comment.
    comments: int | None


def _entries(everything: Sequence[Live], site: str) -> list[_Entry]:
    """The newest entries, newest first."""
    by_key = {live.key: live for live in everything}
    return [_entry(live, everything, by_key, site) for live in reversed(everything[-LENGTH:])]


def _entry(live: Live, everything: Sequence[Live], by_key: Mapping[str, Live], site: str) -> _Entry:
    parent = by_key.get(live.entry.under or "")
    name = live.author.name if live.author else ""
    comment = f"Comment on {parent.entry.title or 'a comment'} by {name or 'Anonymous'}" if parent else ""
    return _Entry(
        id=HOME + _place(live, by_key),
        link=site + _place(live, by_key),
        answers=HOME + _place(parent, by_key) if parent else "",
        title=escape(comment or live.entry.title),
        author=escape(name),
        html=escape(f"<p>{escape(live.text)}</p>"),
        published=live.at,
        updated=live.versions[-1].at,
        comments=None if parent else len(pages.thread(live, everything)) - 1 + live.entry.miscount,
    )


def _place(live: Live, by_key: Mapping[str, Live]) -> str:
    """Where an entry stands on the site; a comment has the path of its post and a fragment."""
    top = live
    while top.entry.under and top.entry.under in by_key:
        top = by_key[top.entry.under]
    path = f"/{number(top.key)}"
    return path if top is live else f"{path}#comment-{number(live.key)}"


def _atom(entries: Sequence[_Entry]) -> bytes:
    updated = max((entry.updated for entry in entries), default=_EVER)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:thr="http://purl.org/syndication/thread/1.0">'
        f"<id>{HOME}/</id><title>Larkfield Local</title><updated>{format_instant(updated)}</updated>"
        f"{''.join(map(_atom_entry, entries))}</feed>\n"
    ).encode("utf-8", "replace")


def _atom_entry(entry: _Entry) -> str:
    author = f"<author><name>{entry.author}</name></author>" if entry.author else ""
    answers = f'<thr:in-reply-to ref="{entry.answers}"/>' if entry.answers else ""
    total = "" if entry.comments is None else f"<thr:total>{entry.comments}</thr:total>"
    return (
        f'<entry><id>{entry.id}</id><title>{entry.title}</title><link rel="alternate" href="{entry.link}"/>{author}'
        f"<published>{format_instant(entry.published)}</published><updated>{format_instant(entry.updated)}</updated>"
        f'{answers}{total}<content type="html">{entry.html}</content></entry>'
    )


def _rss(entries: Sequence[_Entry]) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:slash="http://purl.org/rss/1.0/modules/slash/">'
        f"<channel><title>Larkfield Local</title><link>{HOME}/</link><description/>"
        f"{''.join(map(_rss_item, entries))}</channel></rss>\n"
    ).encode("utf-8", "replace")


def _rss_item(entry: _Entry) -> str:
    author = f"<dc:creator>{entry.author}</dc:creator>" if entry.author else ""
    total = "" if entry.comments is None else f"<slash:comments>{entry.comments}</slash:comments>"
    return (
        f'<item><title>{entry.title}</title><link>{entry.link}</link><guid isPermaLink="false">{entry.id}</guid>'
        f"{author}<pubDate>{format_datetime(entry.published)}</pubDate>{total}<description>{entry.html}</description></item>"
    )


def _refuse(fault: Fault, request: Request) -> Answer:
    status = {
        Fault.UNAUTHORISED: 401,
        Fault.EXPIRED: 401,
        Fault.FORBIDDEN: 403,
        Fault.RATE_LIMITED: 429,
        Fault.RATE_LIMITED_BARE: 429,
    }.get(fault, 500)
    headers = {"Retry-After": "600"} if fault is Fault.RATE_LIMITED else {}
    return Answer(status=status, body=b"<!doctype html><title>Sorry</title>", content_type=HTML, headers=headers)
