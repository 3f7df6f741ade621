"""A WordPress site through its REST API, read with httpx; through its feeds where that is switched off.

Every poll reads all recent comments again, by date, and counts those that are older: a comment approved late keeps
the date at which it was written and shows itself by the count alone. A feed would hold ten comments, never show one
approved late, and answer "not modified" after an edit. https://developer.wordpress.org/rest-api/reference/comments/
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from connectors._fields import dig, page, read, text
from connectors._http import Service
from connectors._options import ConnectorOptions, need_secret
from connectors._wordpress import GONE, GONE_POST, Query, Site, SwitchedOff
from connectors._wordpress_items import BINNED, Reader
from connectors._wordpress_listings import Tally, Walk, written_at
from monitor.domain.account import Access, Account, Capabilities
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel, ItemRef, Page
from monitor.domain.ports import Connector

#: Not the author's e-mail address, IP address and browser, which a moderator would be given as well.
COMMENT_FIELDS = "id,post,parent,author,author_name,author_url,date_gmt,content,link,status,type"
POST_FIELDS = "id,author,date_gmt,modified_gmt,title,content,link,status,type,featured_media,comment_status"
#: What a moderator's password must allow: `get_items_permissions_check` of the controller of comments (see above).
NEEDS = ("edit_posts", "moderate_comments")
#: Posts so young are counted at every poll, one or two requests each; older ones when their threads are swept.
COUNTED = timedelta(days=2)


class Options(ConnectorOptions):
    """`base_url` is the site's address as a browser shows it on the front page; the rest has good defaults."""

    base_url: str = Field(pattern=r"^https?://[^\s?#@]+$")
    #: Whose application password it is.
    user: str = ""
    #: What the site is called in our ids, if not by its address: keep the old name when a site moves.
    site: str = Field(default="", pattern=r"^[^\s#]*$")
    #: Only what holds these words: for other people's sites; without it the school's names are searched for.
    search: str = ""
    #: The site's spam folder is read, too: filters err.
    spam: bool = True
    #: What is younger is read by every poll, what is older counted.
    window_days: float = Field(default=30, gt=0, le=365)
    page_size: int = Field(default=100, ge=1, le=100)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one site, as a moderator where there is an application password. Raises ConfigError."""
    if account.channel is Channel.MENTION and not (options.search or account.names.phrases):
        raise ConfigError(
            f"account {account.id}: option 'search' is missing: what to look for on that site, unless the school's "
            "names stand in school.yaml"
        )
    if not options.user:
        if "token" in secrets:
            raise ConfigError(f"account {account.id}: option 'user' is missing: whose application password it is")
        return WordPress(account, options, None)
    address = urlsplit(options.base_url)
    if address.scheme == "http" and address.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigError(f"account {account.id}: option 'base_url': a password is sent over https only")
    return WordPress(account, options, (options.user, need_secret(account, secrets, "token")))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """How many comments that each search found were older than `boundary` at the last poll."""

    boundary: datetime | None = None
    older: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, cursor: str | None) -> "_Cursor":
        """A cursor that cannot be read starts again from the beginning: the store deduplicates."""
        try:
            state = json.loads(cursor or "{}")
            older = {str(kind): int(count) for kind, count in state["older"].items()}
            return cls(boundary=parse_instant(state["boundary"]), older=older)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
            return cls()

    def dump(self) -> str:
        assert self.boundary is not None
        return json.dumps({"boundary": format_instant(self.boundary), "older": dict(self.older)})


class WordPress(Connector):
    """Reads one site."""

    def __init__(self, account: Account, options: Options, login: tuple[str, str] | None) -> None:
        self._account = account
        self._options = options
        self._left_out = BINNED if options.spam else BINNED | {"spam"}
        self._login = login
        address = urlsplit(options.base_url.rstrip("/"))
        self._hosts = (address.hostname or "",)
        self._site = options.site or (address.hostname or "").removeprefix("www.") + address.path
        self._official = account.channel is Channel.OFFICIAL
        self._reader = Reader(account, self._site)
        #: What to look for; "" for everything.
        self._searches = _searches(account, options)
        #: What the site said at the last poll instead of its REST API, "" where it has one.
        self._off = ""
        self._service = Service(
            name=f"The website {address.netloc}",
            account=account.id,
            remedy="Ask your technician to make a new application password for a user who may moderate comments, "
            "and to put it where the account's `secrets: token` points"
            if login
            else "Ask your technician whether `base_url` in accounts.yaml is still the site's address, and whether "
            "one of its plug-ins keeps us out",
        )

    def capabilities(self) -> Capabilities:
        """What can be read; whether the site's REST API is switched off shows at the first poll."""
        if self._off:
            return Capabilities(
                reads=("the newest posts", "the newest ten comments and replies"),
                edits=True,
                deletions=False,
                hosts=self._hosts,
                pages=self._hosts,
                notes=(
                    f"THE SITE'S REST API IS SWITCHED OFF ({self._off}): its feeds are read instead; they lose a "
                    "comment that is approved late or followed by ten others before the next poll, and do not tell "
                    "what was deleted or which comments are the school's own",
                ),
            )
        days = f"{self._options.window_days:g} days"
        hidden = ("comments on hold", *(["spam"] if self._options.spam else []), "pingbacks") if self._login else ()
        public = () if self._login else ("without an application password only approved comments are seen",)
        return Capabilities(
            reads=("posts", "comments", "replies", *hidden),
            edits=True,
            deletions=True,
            needs=NEEDS if self._login else (),
            hosts=self._hosts,
            pages=self._hosts,
            hidden=bool(self._login),
            notes=(
                f"every poll reads the comments of the last {days}, and all when the number of older ones changes",
                *public,
                "where the site's REST API is switched off its feeds are read: ten comments, and no deletions",
            ),
        )

    def access(self, now: datetime) -> Access:
        """What the application password's user may do. Such passwords do not expire.

        https://developer.wordpress.org/rest-api/reference/users/ (me, context "edit")
        """
        if self._login is None:
            return Access()
        with self._connect(now) as site:
            try:
                me = site.single("users/me", {"context": "edit", "_fields": "capabilities"}, frozenset())
            except SwitchedOff as said:
                return Access(notes=(f"the site's REST API is switched off ({said})",))
        may = dig(me, "capabilities")
        if not (isinstance(may, Mapping) and may):
            # https://core.trac.wordpress.org/ticket/42999
            return Access(notes=("the site does not tell what the user may do",))
        over = ("the user is an administrator: an Editor's password suffices",) if may.get("manage_options") else ()
        return Access(lacks=tuple(need for need in NEEDS if not may.get(need)), notes=over)

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """All posts and comments of the window. Only the last page moves the cursor; feeds never do."""
        with self._connect(now) as site:
            try:
                yield from self._recent(site, cursor, now)
                self._off = ""
            except SwitchedOff as said:
                self._off = str(said)
                yield from self._feeds(site, cursor)

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The post `ref` and all its comments; what is `known` but not listed is asked for one by one.

        On somebody else's site only what is known is read again, and where there are but feeds nothing can be.
        """
        if not self._reader.number_of(ref, "posts"):
            return
        ours = [item for item in known if self._reader.number_of(item, "comments")]
        with self._connect(now) as site:
            try:
                yield from self._conversation(site, ref, ours)
            except SwitchedOff as said:
                self._off = str(said)

    def _connect(self, now: datetime) -> Site:
        return Site(
            self._options.base_url,
            self._login,
            service=self._service,
            account=self._account.id,
            reach=self._options.reach,
            now=now,
        )

    def _recent(self, site: Site, cursor: str | None, now: datetime) -> Iterator[Page]:
        before, size = _Cursor.load(cursor), self._options.page_size
        window = now - timedelta(days=self._options.window_days)
        since = min(before.boundary or window, window)
        young: list[str] = []
        seen: set[str] = set()
        for search in self._searches:
            posts = {"_fields": POST_FIELDS, "orderby": "date", **_words(search and f'"{search}"', self._options)}
            for records in Walk(site.pages("posts", posts, size=size), since, seen):
                self._reader.meet(records)
                young += [text(record, "id") for record in records if _later(record, now - COUNTED)]
                yield page((read(record, self._reader.post) for record in records), cursor=cursor)
        older: dict[str, int] = {}
        seen = set()
        for search in self._searches:
            for query in self._comment_queries():
                kind = f"{query['type']} {search}".strip()
                # A count means something only at the boundary at which it was taken.
                counted = before.older.get(kind) if since == before.boundary else None
                found = site.pages("comments", {**query, **_words(search, self._options)}, size=size)
                walk = Walk(found, since, seen, counted)
                for records in walk:
                    yield self._comments(records, cursor)
                if (count := walk.older(window)) is not None:
                    older[kind] = count
        totals = self._totals(site, young) if self._official else {}
        yield Page(cursor=_Cursor(boundary=window, older=older).dump(), totals=totals, rest_until=site.rest_until)

    def _totals(self, site: Site, posts: Sequence[str]) -> dict[ItemRef, int]:
        """How many comments and pings the site counts below each post, but for those in the bin."""
        totals = {}
        for number in filter(str.isdecimal, posts):
            tally = Tally(self._left_out)
            for query in self._comment_queries():
                short = {**query, "_fields": "id,status", "post": number}
                for _ in tally.over(site.pages("comments", short, size=self._options.page_size, gone=GONE)):
                    pass
            if tally.total is not None:
                totals[self._reader.ref("posts", number)] = tally.total
        return totals

    def _conversation(self, site: Site, ref: ItemRef, known: Sequence[ItemRef]) -> Iterator[Page]:
        number, size = self._reader.number_of(ref, "posts"), self._options.page_size
        fields = {"_fields": POST_FIELDS}
        # Comments stand below pages as well, and those are not among the posts.
        post = site.single(f"posts/{number}", fields, GONE_POST) or site.single(
            f"pages/{number}", fields, GONE_POST
        )
        self._reader.meet([post])
        seen: set[ItemRef] = set()
        tally = Tally(self._left_out)
        for query in self._comment_queries() if self._official else ():
            for records in tally.over(site.pages("comments", {**query, "post": number}, size=size, gone=GONE)):
                found = self._comments(records)
                seen |= {*found.gone, *(item.ref for item in found.items)}
                yield found
        if post is None and not seen:
            # That a post is nowhere to be seen proves nothing unless the site shows us what it has.
            next(site.pages("posts", {"_fields": "id"}, size=1), None)
            yield Page(gone=tuple(dict.fromkeys([ref, *known])))
            return
        if text(post, "status") in BINNED:
            yield Page(gone=(ref,))
        elif post is not None:
            total = {} if tally.total is None or not self._official else {ref: tally.total}
            yield page([read(post, self._reader.post)], totals=total, rest_until=site.rest_until)
        single = {"_fields": COMMENT_FIELDS, **({"context": "edit"} if self._login else {})}
        for missing in [item for item in known if item not in seen]:
            record = site.single(f"comments/{self._reader.number_of(missing, 'comments')}", single, GONE)
            yield Page(gone=(missing,)) if record is None else self._comments([record])

    def _feeds(self, site: Site, cursor: str | None) -> Iterator[Page]:
        for search in self._searches:
            words = {"s": _words(f'"{search}"', self._options)["search"]} if search else {}
            for name, convert in (("atom", self._reader.post), ("comments-atom", self._reader.comment)):
                for entries in site.feed(name, words):
                    yield page((read(entry, convert) for entry in entries), cursor=cursor)

    def _comment_queries(self) -> list[dict[str, str]]:
        """Pingbacks, by which other sites mention a post, are listed for moderators alone."""
        query = {"_fields": COMMENT_FIELDS, "orderby": "date_gmt", "type": "comment"}
        if not self._login:
            return [query]
        return [{**query, "type": kind, "context": "edit", "status": "any"} for kind in ("comment", "pings")]

    def _comments(self, records: Sequence[Any], cursor: str | None = None) -> Page:
        """A page of comments on hold, approved or in the spam folder; one in the bin is gone."""
        kept = (record for record in records if text(record, "status") not in self._left_out)
        binned = [text(record, "id") for record in records if text(record, "status") in BINNED]
        gone = [self._reader.ref("comments", number) for number in binned if number]
        return page((read(record, self._reader.comment) for record in kept), cursor=cursor, gone=gone)


def _searches(account: Account, options: Options) -> Sequence[str]:
    """What the account asks for; else, on other people's sites, each of the school's names and handles."""
    if options.search or account.channel is Channel.OFFICIAL:
        return (options.search,)
    return tuple(dict.fromkeys((*account.names.phrases, *account.names.handles)))


def _words(search: str, options: Options) -> Query:
    """Words of the account's own are searched for as they stand: quoted they would be one phrase."""
    return {"search": options.search or search} if search else {}


def _later(record: Any, moment: datetime) -> bool:
    written = written_at(record)
    return written is not None and written >= moment
