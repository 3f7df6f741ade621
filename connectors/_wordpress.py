"""WordPress's REST API and feeds over httpx: where they are, how they page, and what their refusals mean.

https://developer.wordpress.org/rest-api/ (Key Concepts, Pagination, Global Parameters)
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from connectors._feeds import body, parse, plain, published
from connectors._fields import json_or_none, text
from connectors._http import Answer, Reach, Service, fetch, looks_like_html, rest_until
from monitor.domain.errors import SourceError

Query = Mapping[str, str | int]
#: What WordPress says of a comment that is no longer there or no longer public, or whose post is not.
#: https://developer.wordpress.org/reference/classes/wp_rest_comments_controller/
GONE = frozenset({"rest_comment_invalid_id", "rest_post_invalid_id", "rest_cannot_read", "rest_cannot_read_post"})
#: And of a post; plug-ins that lock the REST API use the last one as well.
GONE_POST = frozenset({"rest_post_invalid_id", "rest_forbidden"})
_NEVER: frozenset[str] = frozenset()
PAST_THE_END = "rest_post_invalid_page_number"
SWITCHED_OFF = frozenset({"rest_no_route", "rest_disabled"})
REFUSALS = (401, 403, 404, 410)
MOST_PAGES = 2000
MOST_REDIRECTS = 3
_FEED_ENDINGS = (b"</feed>", b"</rss>")
_COMMENT = re.compile(r"#comment-(\d+)$")
_POST = re.compile(r"[?&](?:p|page_id)=(\d+)")
_IN_REPLY_TO = re.compile(r'\s*<p>[^<]*<a href="[^"]*#comment-\d+">[^<]*</a>[^<]*</p>')


class SwitchedOff(Exception):
    """The site has no REST API for us; the message is what it said instead."""


class Site:
    """The connection to one site for the length of one poll. Also a context manager.

    `login` is a user's name and application password, None for what the public may see. Every method raises
    SourceError, and where the REST API is asked, SwitchedOff.
    """

    def __init__(
        self,
        base_url: str,
        login: tuple[str, str] | None,
        *,
        service: Service,
        account: str,
        reach: Reach,
        now: datetime,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._host = urlsplit(base_url).netloc
        self._login = login
        self._service = service
        self._account = account
        self._reach = reach
        self._now = now
        self._plain_links = False
        #: Until when (UTC) the answers' headers ask us to rest, None while they do not.
        self.rest_until: datetime | None = None
        self._client = reach.client(
            auth=httpx.BasicAuth(*login) if login else None,
            headers={"User-Agent": "Schoolwatch", "Cache-Control": "no-cache"},
        )

    def __enter__(self) -> "Site":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def pages(
        self, route: str, query: Query, *, size: int, gone: frozenset[str] = _NEVER
    ) -> Iterator[tuple[list[Any], int | None]]:
        """Every page of a listing, newest first, each with the number of all records where the site states it.

        A refusal with one of the codes in `gone` ends the listing and is no error.
        """
        before: list[str] = []
        for number in range(1, MOST_PAGES + 1):
            paging: Query = {"order": "desc", "per_page": size, "page": number}
            answer = self._ask(route, {**query, **paging}, gone)
            records = answer.document
            if answer.status >= 400:
                return
            if not isinstance(records, list):
                raise SourceError(f"{self._service.name} sent no list of {route}; trying again at the next poll")
            total = _whole(answer.headers.get("x-wp-total"))
            if number == 1 and total and not records:
                raise SourceError(
                    f"{self._service.name} answered, but showed none of the {total} {route} that it counts; trying "
                    "again at the next poll. If this lasts, ask your technician what keeps them from us"
                )
            keys = [text(record, "id") for record in records]
            if keys and keys == before:
                raise SourceError(f"{self._service.name} sent us round in a circle (the same page twice)")
            before = keys
            yield records, total
            last = _whole(answer.headers.get("x-wp-totalpages"))
            # Without the header only an empty page is the last: comments that we may not see make a page short.
            if (number >= last) if last is not None else not records:
                return
        raise SourceError(f"{self._service.name} sent {MOST_PAGES} pages of {route} and still no end")

    def single(self, route: str, query: Query, gone: frozenset[str]) -> Any:
        """One record, None where the site refuses it with one of the codes in `gone`."""
        answer = self._ask(route, query, gone)
        return None if answer.status >= 400 else answer.document

    def feed(self, name: str, query: Query) -> Iterator[list[Any]]:
        """The entries of one of the site's feeds, worded as the REST API would; of a cut one, what came of it.

        It is never asked whether it changed: an edit leaves its ETag as it was.
        """
        answer = self._get(f"{self._base}/", {"feed": name, **query})
        if error := self._service.intercepted(answer, self._host):
            raise error
        if looks_like_html(answer.body) and answer.status < 500 and answer.status != 429:
            raise self._damaged(answer)
        if answer.status in REFUSALS:
            raise self._service.refused(f"lets us read neither its REST API nor its feeds ({answer.status})")
        if error := self._service.judge(answer, self._now):
            raise error
        feed = parse(answer)
        yield [_as_record(plain(entry)) for entry in feed.get("entries", ())]
        if not feed.get("version") or not answer.body.rstrip().lower().endswith(_FEED_ENDINGS):
            raise self._damaged(answer)

    def _damaged(self, answer: Answer) -> SourceError:
        return self._service.damaged(answer.body, self._host)

    def _ask(self, route: str, query: Query, gone: frozenset[str]) -> Answer:
        """What the REST API answers; a refusal only for a reason in `gone`, or since there is no such page."""
        answer = self._rest(route, query)
        code = text(answer.document, "code")
        if code == PAST_THE_END or (code in gone and answer.status in REFUSALS):
            return answer
        if error := self._judge(answer, code if code.isidentifier() else ""):
            raise error
        return answer

    def _rest(self, route: str, query: Query) -> Answer:
        """Without "pretty" links a site knows its API by a parameter alone."""
        pretty = None
        if not self._plain_links:
            pretty = self._get(f"{self._base}/wp-json/wp/v2/{route}", query)
            if pretty.status != 404 or pretty.document is not None:
                return pretty
        bare = self._get(f"{self._base}/", {"rest_route": f"/wp/v2/{route}", **query})
        self._plain_links = bare.document is not None
        return bare if self._plain_links or pretty is None else pretty

    def _get(self, url: str, query: Query | None) -> Answer:
        """Follows redirects within the site: another address is a person's to enter, and gets no password."""
        for _ in range(1 + MOST_REDIRECTS):
            answer = fetch(self._client, self._service, url, reach=self._reach, params=query)
            self.rest_until = rest_until(answer.headers, self._now) or self.rest_until
            place = answer.headers.get("location", "") if 300 <= answer.status < 400 else ""
            if place and (error := self._service.intercepted(answer, self._host)):
                raise error
            if not place:
                return replace(answer, document=json_or_none(answer.body))
            url, query = _joined(url, place), None
            if _origin(url) != _origin(self._base):
                raise SourceError(
                    f"{self._service.name} sends us on to {_origin(url) or 'nowhere'}: put that address into "
                    f"`base_url` of account {self._account} in accounts.yaml",
                    permanent=True,
                )
        raise SourceError(f"{self._service.name} sent us round in a circle (redirects)")

    def _judge(self, answer: Answer, code: str) -> SourceError | None:
        """Without a password a refusal means that the API is not for the public; with one, not for us."""
        status = answer.status
        # A visitor may be refused by a plug-in's page; a filter's page comes in place of the feeds as well.
        plugin = self._login is None and status in REFUSALS
        if not plugin and (error := self._service.intercepted(answer, self._host)):
            return error
        if 200 <= status < 300:
            return self._damaged(answer) if answer.document is None else None
        if code in SWITCHED_OFF or status in (404, 410) or (status in REFUSALS and self._login is None):
            raise SwitchedOff(code or str(status))
        if status == 401 and code == "rest_forbidden_context":
            return self._service.refused("did not get our access token, its web server drops the header (401)")
        if status == 401:
            return self._service.refused(
                "no longer accepts our access token: the application password has expired or was withdrawn (401)"
            )
        if looks_like_html(answer.body) and status < 500 and status != 429:
            return self._damaged(answer)
        if status == 403 and self._login:
            return self._service.refused(f"does not let {self._login[0]} moderate comments (403)")
        return self._service.judge(answer, self._now)


def _as_record(entry: Any) -> Any:
    """A feed's entry with what the REST API says of a post or comment added to it.

    Entries are named after the post's number, even where its address is of words.
    """
    key = text(entry, "id")
    comment, post = _COMMENT.search(key) or _COMMENT.search(text(entry, "link")), _POST.search(key)
    parent = _COMMENT.search(text(entry, "thr_in-reply-to", "ref"))
    at, html = published(entry), body(entry)
    number = comment or post
    return {
        "entry": entry,
        "link": text(entry, "link"),
        "id": number[1] if number else "",
        "post": post[1] if post else "",
        "parent": parent[1] if parent else "",
        "author_name": text(entry, "author_detail", "name") or text(entry, "author"),
        "author": "",
        "date_gmt": at.isoformat() if at else "",
        "title": {"rendered": text(entry, "title")},
        # Above a reply the feed says, in the site's language, what it replies to.
        "content": {"rendered": _IN_REPLY_TO.sub("", html, count=1) if parent else html},
    }


def _joined(url: str, place: str) -> str:
    try:
        return urljoin(url, place)
    except ValueError:
        return ""


def _origin(url: str) -> str:
    try:
        address = urlsplit(url)
    except ValueError:
        return ""
    return f"{address.scheme}://{address.netloc}" if address.netloc else ""


def _whole(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and len(value) < 10 else None
