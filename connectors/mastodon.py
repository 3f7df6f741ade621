"""Mastodon, read with Mastodon.py.

An official account is read from its own posts with the replies below them, what stands below its answers elsewhere,
and the notifications of those who mention or quote it; a mention account from hashtags and searches. Mastodon never
says that something was edited or deleted: a poll reads again what is recent, and a sweep asks for each known post
that its thread does not show, for a thread hides whom the school muted and the replies to a deleted post.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from connectors._completeness import replies_below
from connectors._fields import dig, mappings, page, text
from connectors._http import Service
from connectors._mastodon import (
    PLATFORM,
    Records,
    id_of,
    is_ours,
    profile,
    standing,
)
from connectors._mastodon_http import (
    Client,
    Progress,
    Session,
    ask,
    connected,
)
from connectors._mastodon_reading import Reading
from connectors._options import ConnectorOptions, host_of, need_secret
from monitor.domain.account import Access, Account, Capabilities, Profile
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel, ItemRef, Page
from monitor.domain.ports import Connector

#: https://docs.joinmastodon.org/api/oauth-scopes/
SCOPES = ("read:accounts", "read:statuses", "read:notifications", "read:search")


class Options(ConnectorOptions):
    """`base_url` is the server; an official account has its `handle`, a mention account `hashtags`, a `query`.

    With neither of these, hashtags and searches are made of the school's names.
    """

    base_url: str = Field(pattern=r"^https?://[^\s?#]+$")
    handle: str = Field(default="", pattern=r"^(@?\w+(@[\w.-]+)?)?$")
    hashtags: tuple[Annotated[str, Field(pattern=r"^#?\w+$")], ...] = ()
    query: str = Field(default="", max_length=500)
    #: The first poll goes back so far, and every poll reads the school's posts of this time with their replies.
    window_days: float = Field(default=30, gt=0, le=365)
    #: Mentions of this time before the last poll are read again: edited, late, or let through a filter since.
    overlap_days: float = Field(default=7, gt=0, le=90)
    page_size: int = Field(default=40, ge=1, le=40)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one account, or of what is said under hashtags or found by searches. Raises ConfigError."""
    if account.channel is Channel.OFFICIAL and not options.handle:
        raise ConfigError(f"account {account.id}: option 'handle' is missing: the school's own name on its server")
    if account.channel is Channel.MENTION and not any(_wanted(account, options)):
        raise ConfigError(
            f"account {account.id}: options 'hashtags' and 'query' are missing, and school.yaml names no school: "
            "what to look for"
        )
    return Mastodon(account, options, need_secret(account, secrets, "token"))


class Mastodon(Connector):
    """Reads one account, or one set of hashtags and searches."""

    def __init__(self, account: Account, options: Options, token: str) -> None:
        self._options = options
        self._token = token
        self._official = account.channel is Channel.OFFICIAL
        self._messages = self._official and account.private_messages
        self._tags, self._queries = _wanted(account, options)
        self._records = Records(account)
        self._tops: dict[str, str] = {}
        self._service = Service(
            name="Mastodon",
            account=account.id,
            remedy="Ask your technician to sign in to the school's Mastodon account, to make a new token under "
            f"Preferences, Development with the scopes {', '.join(SCOPES)}, and to put it where the account's "
            "`secrets: token` points",
        )

    def capabilities(self) -> Capabilities:
        own = ("own posts", "replies", "mentions", "quotes", "what is below the school's answers elsewhere")
        found = tuple(name for name, given in (("hashtags", self._tags), ("search", self._queries)) if given)
        left_out = (
            "followers-only posts that do not name the school"
            if self._messages
            else "followers-only posts and direct messages"
        )
        return Capabilities(
            reads=(own if self._official else found) + ("private messages",) * self._messages,
            edits=True,
            deletions=True,
            notes=(
                f"{left_out} are left out",
                "a server knows of other servers' posts only what reached it",
                *(() if self._official else ("search finds authors who allow it, on servers that have one",)),
            ),
            needs=SCOPES if self._official else ("read:statuses", "read:search"),
            hosts=(host_of(self._options.base_url),),
            pages=(host_of(self._options.base_url),),
            finds_profiles=True,
        )

    def access(self, now: datetime) -> Access:
        """What the application that the token was made for may do; its owner's tokens do not end by themselves.

        https://docs.joinmastodon.org/methods/apps/#verify_credentials (`scopes` since Mastodon 4.3)
        """
        with self._asking(now) as (client, _):
            scopes = dig(client.app_verify_credentials(), "scopes")
        if not isinstance(scopes, list):
            return Access(notes=("the server does not say what the access token may do",))
        needs = self.capabilities().needs
        return Access(
            lacks=tuple(need for need in needs if not {need, need.partition(":")[0]} & set(map(str, scopes)))
        )

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        """The accounts known to the server that it finds first for each name."""
        seen: set[str] = set()
        with self._asking(now) as (client, _):
            for name in names:
                answer = client.search_v2(name, resolve=False, result_type="accounts", limit=40)
                for found in map(profile, mappings(dig(answer, "accounts"))):
                    if found is not None and found.id not in seen:
                        seen.add(found.id)
                        yield found

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """What is new, and everything recent again. The cursor moves on with each page of a listing.

        What an earlier poll began is read to its end first, and then what has come since.
        """
        progress = Progress.of(cursor)
        seen: set[str] = set()
        with self._asking(now) as (client, session):
            if self._official:
                self._identify(client)
            for began in [progress.began, now] if progress.began else [now]:
                progress.began = began
                reading = self._reading(client, progress, now, seen)
                stages = (
                    reading.own_and_addressed() if self._official else reading.elsewhere(self._tags, self._queries)
                )
                yield from reading.go_on(progress, stages)
                doubt = progress.memory.doubt
                progress.end(progress.read_to if doubt else began)
                if doubt:
                    yield Page(cursor=progress.cursor(), rest_until=session.rest_until)
                    raise doubt
            yield Page(cursor=progress.cursor(), rest_until=session.rest_until)

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """What stands below `ref`; what is `known` but not shown there is asked for one by one.

        Of a conversation that others began only what concerns the school is read.
        """
        if not is_ours(ref):
            return
        ids = dict.fromkeys(item.id for item in known if is_ours(item))
        seen: set[str] = set()
        posts: dict[str, tuple[str, int]] = {}
        progress = Progress.of(None)
        unshown = False
        with self._asking(now) as (client, session):
            reading = self._reading(client, progress, now, seen)
            if self._official:
                self._identify(client)
                top = ask(client.status, ref.id)
                shown = [] if top is None else [top, *reading.below(top)]
                if self._records.is_us(top):
                    posts |= standing(shown)
                else:
                    shown = [post for post in shown if id_of(post) in ids or self._concerns_us(post)]
                yield page(reading.item(post, ref.id) for post in self._records.fresh(shown, seen))
            for key in [key for key in ids if key not in seen]:
                post = ask(client.status, key)
                if post is None:
                    yield Page(gone=(ItemRef(PLATFORM, key),))
                    continue
                posts |= standing([post]) if posts else {}
                # Nobody can have muted themselves.
                unshown = unshown or (key != ref.id and self._records.is_us(post))
                yield page(reading.item(one, ref.id) for one in self._records.fresh([post], seen))
            totals = {ref: replies_below(ref.id, posts)} if ref.id in posts else {}
            yield Page(totals=totals, rest_until=session.rest_until)
        if progress.memory.doubt and unshown:
            raise progress.memory.doubt

    @contextmanager
    def _asking(self, now: datetime) -> Iterator[tuple[Client, Session]]:
        options = self._options
        with connected(self._service, options.base_url, self._token, options.reach, now) as found:
            yield found

    def _identify(self, client: Client) -> None:
        """Whose token it is: another account's notifications are none of ours. Raises SourceError."""
        if self._records.me:
            return
        me: Any = client.account_verify_credentials()
        name = self._options.handle.lstrip("@").partition("@")[0]
        if not id_of(me) or text(me, "username").casefold() != name.casefold():
            raise self._service.refused(f"says that the access token is not @{name}'s own")
        self._records.me = id_of(me)

    def _reading(self, client: Client, progress: Progress, now: datetime, seen: set[str]) -> Reading:
        return Reading(
            client,
            self._records,
            now=now,
            read_to=progress.read_to,
            window=timedelta(days=self._options.window_days),
            overlap=timedelta(days=self._options.overlap_days),
            page_size=self._options.page_size,
            memory=progress.memory,
            seen=seen,
            tops=self._tops,
        )

    def _concerns_us(self, post: Any) -> bool:
        return self._records.is_us(post) or self._records.names_us(post)


def _wanted(account: Account, options: Options) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Hashtags and searches: the account's own, else those that the school's names make.

    A search knows no OR, so each name is one of its own, as an exact phrase
    (https://docs.joinmastodon.org/user/network/#search).
    """
    if options.hashtags or options.query:
        return tuple(tag.lstrip("#") for tag in options.hashtags), (options.query,) if options.query else ()
    names = account.names
    tags = (re.sub(r"\W", "", name.title()) for name in names.phrases)
    phrases = (*names.phrases, *(handle.lstrip("@") for handle in names.handles))
    queries = ('"{}"'.format(phrase.replace('"', " ").strip()) for phrase in phrases)
    return tuple(dict.fromkeys(filter(None, tags))), tuple(dict.fromkeys(queries))
