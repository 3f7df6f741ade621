"""Bluesky (the AT Protocol), read with atproto.

An official account is read from its own posts, the threads below them, its notifications and, where the rule book
allows it, its direct messages; a mention account is one or more searches. Threads are read because not every reply
is notified (one right after its parent, one that the school hid). Listings stand in the order of a date that each
author chooses, so that no date says that the rest is known: a poll reads on past it, and every hour one reads
everything.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from connectors._bluesky import Records, fresh, is_conversation, is_post
from connectors._bluesky_http import Xrpc
from connectors._bluesky_reading import Reading
from connectors._completeness import Memory
from connectors._fields import dig, instant, mappings, page, text
from connectors._http import Service
from connectors._options import ConnectorOptions, need_secret
from monitor.domain.account import Access, Account, Capabilities, Profile
from monitor.domain.clock import format_instant
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel, ItemRef, Page
from monitor.domain.ports import Connector

RECENT = timedelta(days=1)
#: The permission for direct messages, as the page of app passwords calls it.
MESSAGES = "access to your direct messages"
#: The scope of an app password that does not open them.
NO_MESSAGES = "com.atproto.appPass"


class Options(ConnectorOptions):
    """`handle` signs in; `queries` (mention accounts) are searched for one by one: Bluesky's search knows no OR.

    Without `queries`, the school's names are searched for.
    """

    handle: str = Field(pattern=r"^@?([\w-]+\.)+[\w-]+$|^did:[a-z]+:[\w.:%-]+$")
    queries: tuple[Annotated[str, Field(min_length=1, max_length=300)], ...] = Field(default=(), max_length=20)
    #: The server that holds the account; bsky.social stands for all of Bluesky's own.
    base_url: str = "https://bsky.social"
    page_url: str = "https://bsky.app"
    #: How far back every hour's reading goes: posts with their threads, finds of a search.
    window_days: float = Field(default=30, ge=1, le=365)
    page_size: int = Field(default=100, ge=1, le=100)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one Bluesky account or of searches. Raises ConfigError."""
    if account.channel is Channel.MENTION and not _queries(account, options):
        raise ConfigError(
            f"account {account.id}: option 'queries' is missing, and school.yaml names no school: what to search "
            "Bluesky for"
        )
    return Bluesky(account, options, need_secret(account, secrets, "token"))


class Bluesky(Connector):
    """Reads one account, or searches with its session, which lasts as long as this object."""

    def __init__(self, account: Account, options: Options, password: str) -> None:
        self._official = account.channel is Channel.OFFICIAL
        self._wants_messages = self._official and account.private_messages
        self._queries = _queries(account, options)
        self._options = options
        self._records = Records(account, (*account.handles, options.handle), options.page_url)
        self._service = Service(
            name="Bluesky",
            account=account.id,
            remedy="Ask your technician to make a new app password in Bluesky (Settings, Privacy and security, App "
            "passwords; not the account's own password) and to put it where the account's `secrets: token` points",
        )
        self._xrpc = Xrpc(
            self._service, options.handle, password, options.base_url, options.reach, options.page_size
        )

    def capabilities(self) -> Capabilities:
        days = f"{self._options.window_days:g} days"
        own = ("own posts", "replies at any depth", "mentions", "quotes")
        return Capabilities(
            reads=(own if self._official else ("search",)) + ("private messages",) * self._wants_messages,
            edits=True,
            deletions=True,
            notes=(
                f"every poll reads the last day, and every hour one the last {days}",
                "what people write whom the school blocked, or who blocked it, is not shown to the school",
            ),
            needs=(MESSAGES,) * self._wants_messages,
            hosts=(urlsplit(self._options.base_url).hostname or "",),
            pages=(urlsplit(self._options.page_url).hostname or "",),
            finds_profiles=True,
        )

    def access(self, now: datetime) -> Access:
        """Whether the account is active and the app password opens direct messages; it ends when it is revoked.

        What it permits stands in the session token alone ("com.atproto.appPass", "…appPassPrivileged"; atproto,
        packages/pds/src/auth-scope.ts, read 2026-11-21).
        """
        with self._signed_in(now):
            session = self._xrpc.ask("com.atproto.server.getSession")
        if dig(session, "active") is False:
            raise self._service.refused(f"says that the account is not active ({text(session, 'status')})")
        own = self._xrpc.scope == "com.atproto.access"
        return Access(
            lacks=(MESSAGES,) if self._wants_messages and not self._may_read_messages else (),
            notes=("this is the account's own password; an app password would do, and can be revoked alone",) * own,
        )

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        """The first hundred accounts that Bluesky finds for each name."""
        seen: set[str] = set()
        with self._signed_in(now):
            for name in names:
                answer = self._xrpc.ask("app.bsky.actor.searchActors", q=name, limit=100)
                for profile in map(self._records.profile, mappings(dig(answer, "actors"))):
                    if profile is not None and profile.id not in seen:
                        seen.add(profile.id)
                        yield profile

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """New posts, replies and mentions. Only the last page moves the cursor: Bluesky lists the newest first."""
        read_to, whole, memory = _marks(cursor)
        everything = whole is None or whole <= now - timedelta(hours=1)
        reach = timedelta(days=self._options.window_days) if everything else RECENT
        since = min(now - reach, read_to or now)
        seen: set[str] = set()
        with self._signed_in(now):
            reading = Reading(self._xrpc, self._records, memory)
            found = (
                reading.own_and_addressed(since, everything, self._may_read_messages)
                if self._official
                else reading.searches(self._queries, since)
            )
            for results, totals in found:
                yield page(fresh(results, seen), cursor=cursor, totals=totals)
            rest_until = self._xrpc.rest_until
        if doubt := memory.doubt:
            yield Page(cursor=_cursor(read_to, whole, memory), rest_until=rest_until)
            raise doubt
        yield Page(cursor=_cursor(now, now if everything else whole, memory), rest_until=rest_until)

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The thread `ref` as far as it is the school's, then every known post looked up that was not there.

        Answers to a deleted post still exist, and so does a post that is only behind a block.
        """
        if not (is_post(ref) or is_conversation(ref)):
            return
        with self._signed_in(now):
            reading = Reading(self._xrpc, self._records, Memory(None))
            if is_post(ref):
                yield from reading.post_again(ref, known, self._official)
            elif self._may_read_messages:
                yield from reading.conversation_again(ref, known)

    @property
    def _may_read_messages(self) -> bool:
        """Whether the rule book and, as far as it says, the app password allow it."""
        return self._wants_messages and self._xrpc.scope != NO_MESSAGES

    @contextmanager
    def _signed_in(self, now: datetime) -> Iterator[None]:
        with self._xrpc.signed_in(now):
            self._records.did = self._xrpc.did
            yield


def _queries(account: Account, options: Options) -> tuple[str, ...]:
    """What to search for: each of the account's own queries, else each name and handle as an exact phrase."""
    names = dict.fromkeys((*account.names.phrases, *(handle.lstrip("@") for handle in account.names.handles)))
    return options.queries or tuple('"{}"'.format(name.replace('"', " ").strip()) for name in names)


def _marks(cursor: str | None) -> tuple[datetime | None, datetime | None, Memory]:
    """When a poll was last made, one that read everything, and what listings showed; another form begins again."""
    try:
        state = json.loads(cursor or "{}")
    except ValueError:
        state = None
    read_to, whole = instant(text(state, "read_to")), instant(text(state, "whole"))
    return read_to, whole if read_to else None, Memory(dig(state, "listings"))


def _cursor(read_to: datetime | None, whole: datetime | None, memory: Memory) -> str:
    marks = {"read_to": read_to, "whole": whole}
    told = {name: format_instant(at) for name, at in marks.items() if at}
    return json.dumps({**told, "listings": memory.state()})
