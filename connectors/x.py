"""X through its API v2, read with tweepy.

An official account is read from its own posts, its mentions, a search of the conversations it takes part in and,
where the rule book allows it, its private messages; a mention account is a search. X's search reaches back 7 days.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from pydantic import Field

from connectors import _queries
from connectors._http import Answer, ApiSession, Service
from connectors._options import ConnectorOptions, hosts_of, need_secret
from connectors._x import Reader, is_post
from connectors._x_api import OR, QUERY_LIMIT, Api, Prices, Spending, any_of, judge
from connectors._x_reading import Poll, Sweep
from connectors._x_sign_in import SignIn
from monitor.domain.account import Access, Account, Budget, Capabilities, Profile
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import Channel, ItemRef, Page
from monitor.domain.ports import Connector, Secrets

#: A handle, and no number, that X could give.
_HANDLE = re.compile(r"@?(?=.*[a-z_])\w{1,15}", re.ASCII | re.IGNORECASE)
_NEEDS = ("tweet.read", "users.read", "offline.access")
_MESSAGES = "dm.read"
#: What to do when X refuses us, by the secret that it refused.
_REMEDIES = {
    "token": "Ask your technician to make a new token in the X developer portal and to put it where the account's "
    "`secrets: token` points",
    "refresh_token": "Ask your technician to sign in again as the school's account (docs/connectors.md, X) and to "
    "put the new refresh token where the account's `secrets: refresh_token` points",
}


class Options(ConnectorOptions):
    """`handle` for an official account, `query` (X's search syntax) for mentions in place of the school's names.

    Prices are in US$ (docs.x.com/x-api/getting-started/pricing, read 2026-11-21); `owned_price` holds for the own
    posts and mentions of whoever signs in and owns the app (`owns_app`).
    """

    handle: str = Field(default="", pattern=r"^@?\w{0,15}$")
    query: str = Field(default="", max_length=QUERY_LIMIT)
    base_url: str = "https://api.x.com"
    page_url: str = "https://x.com"
    #: Mentions turn up late in the timelines: every poll reads this much again.
    overlap_hours: float = Field(default=6, ge=0, le=160)
    page_size: int = Field(default=100, ge=10, le=100)
    monthly_cap: float = Field(default=80, gt=0)
    post_price: float = Field(default=0.005, ge=0)
    user_price: float = Field(default=0.010, ge=0)
    media_price: float = Field(default=0.005, ge=0)
    message_price: float = Field(default=0.010, ge=0)
    owned_price: float = Field(default=0.001, ge=0)
    owns_app: bool = False


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one X account or search. Raises ConfigError."""
    official = account.channel is Channel.OFFICIAL
    if official and not options.handle:
        raise ConfigError(f"account {account.id}: option 'handle' is missing: the school's own name on X")
    if "refresh_token" not in secrets:
        return X(account, options, need_secret(account, secrets, "token"), None)
    if not official:
        raise ConfigError(f"account {account.id}: only the school's own account signs in; a search takes `token`")
    for name in ("refresh_token", "client_id"):
        need_secret(account, secrets, name)
    if not isinstance(secrets, Secrets):
        raise ConfigError(f"account {account.id}: the secret 'refresh_token' changes, and cannot be kept here")
    service = Service(name="X", account=account.id, remedy=_REMEDIES["refresh_token"])
    sign_in = SignIn(secrets=secrets, service=service, base_url=options.base_url, reach=options.reach)
    return X(account, options, secrets.get("token", "").strip(), sign_in)


class X(Connector):
    """Reads one account or one search."""

    def __init__(self, account: Account, options: Options, token: str, sign_in: SignIn | None) -> None:
        self._account = account
        self._options = options
        self._token = token
        self._sign_in = sign_in
        self._official = account.channel is Channel.OFFICIAL
        own = {name.lower().lstrip("@") for name in (*account.handles, options.handle) if name}
        self._reader = Reader(account, own, options.page_url)
        self._queries: list[str] = []
        if not self._official:
            self._queries = [options.query] if options.query else _searches(account)
        self._user_id = ""
        self._spending = Spending(
            Prices(
                post=options.post_price,
                user=options.user_price,
                media=options.media_price,
                message=options.message_price,
            )
        )

    def capabilities(self) -> Capabilities:
        messages = ("private messages",) if self._reads_messages else ()
        notes = ["search reaches back 7 days", "X does not tell which replies the school has hidden"]
        if self._account.private_messages and not messages:
            notes.append("private messages need the account's own sign-in (docs/connectors.md, X)")
        return Capabilities(
            reads=("own posts", "mentions", "conversations", *messages) if self._official else ("search",),
            edits=True,
            deletions=True,
            notes=tuple(notes),
            needs=self._needs,
            hosts=hosts_of(self._options.base_url),
            pages=hosts_of(self._options.page_url),
            budget=Budget(unit="US$", cap=self._options.monthly_cap, period="month"),
            finds_profiles=self._sign_in is not None,
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """New posts, mentions, replies and messages; then raises SourceError if X kept some to itself."""
        return self._billed(self._poll(cursor, now), cursor)

    def _poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        overlap = timedelta(hours=self._options.overlap_hours)
        with self._api(now) as api:
            poll = Poll(api, self._reader, now, cursor=cursor, overlap=overlap)
            if self._official:
                user = self._user(api)
                yield from poll.listing("posts", partial(api.posts, user))
                yield from poll.listing("mentions", partial(api.mentions, user))
                if (
                    self._sign_in
                    and self._reads_messages
                    and api.signed_in
                    and not self._sign_in.lacks([_MESSAGES])
                ):
                    yield from poll.messages()
                yield from poll.conversations()
            else:
                for query in self._queries:
                    yield from poll.search(query)
            yield poll.last()
            if poll.problem:
                raise poll.problem

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The conversation `ref` as far as search reaches, then every known post looked up again.

        Where the school is only spoken of, the rest of the conversation is other people's own: it is not read.
        """
        return self._billed(self._sweep(ref, known, now))

    def _sweep(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        if is_post(ref):
            with self._api(now) as api:
                yield from Sweep(api, self._reader, now).conversation(ref, known, whole=self._official)

    def _billed(self, pages: Iterator[Page], cursor: str | None = None) -> Iterator[Page]:
        """`pages` with what they cost: due until they are stored, which is when the next one is asked for.

        What was asked for before a failure stands on a page of its own, which leaves the cursor as it is.
        """
        try:
            for page in pages:
                cursor, due = page.cursor, self._spending.due
                yield replace(page, spent=due)
                self._spending.settle(due)
        except SourceError:
            if due := self._spending.due:
                yield Page(cursor=cursor, spent=due)
                self._spending.settle(due)
            raise

    def access(self, now: datetime) -> Access:
        """The permissions of whoever signed in, or how much of its monthly share the app has read."""
        with self._api(now) as api:
            if self._sign_in and api.signed_in:
                return Access(lacks=self._sign_in.lacks(self._needs))
            read, cap = api.usage()
            return Access(notes=(f"X has counted {read} of {cap} posts of this month",) if read and cap else ())

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        """Accounts that X's search finds for each name, once each; X asks for a person's sign-in."""
        if self._sign_in is None:
            return
        seen: set[str] = set()
        with self._api(now) as api:
            for user in chain.from_iterable(map(api.people, names)):
                profile = self._reader.profile(user)
                if profile.id and profile.id not in seen:
                    seen.add(profile.id)
                    yield profile

    @property
    def _reads_messages(self) -> bool:
        return self._official and self._account.private_messages and self._sign_in is not None

    @property
    def _needs(self) -> tuple[str, ...]:
        if self._sign_in is None:
            return ()
        return (*_NEEDS, _MESSAGES) if self._account.private_messages else _NEEDS

    def _user(self, api: Api) -> str:
        handle = self._options.handle.lstrip("@")
        self._user_id = self._user_id or api.user_id(handle)
        if not self._user_id:
            raise SourceError(
                f"X knows no account @{handle}; check `handle` of account {self._account.id} in accounts.yaml",
                permanent=True,
            )
        self._reader.add_own(self._user_id)
        return self._user_id

    @contextmanager
    def _api(self, now: datetime) -> Iterator[Api]:
        """The way to X; in the end raises what kept us from signing in, where an app token stood in for that."""
        token, problem = self._token, None
        if self._sign_in:
            try:
                token = self._sign_in.token(now)
            except SourceError as error:
                if not token:
                    raise
                problem = error
        signed_in = self._sign_in is not None and problem is None
        remedy = _REMEDIES["refresh_token" if signed_in else "token"]
        service = Service(name="X", account=self._account.id, remedy=remedy)

        def judged(answer: Answer, now: datetime) -> SourceError | None:
            if answer.status == 401 and self._sign_in:
                self._sign_in.forget()
            return judge(service, answer, now)

        with ApiSession(
            service=service,
            base_url=self._options.base_url,
            token=token,
            reach=self._options.reach,
            now=now,
            judge=judged,
        ) as session:
            owned = self._options.owned_price if signed_in and self._options.owns_app else self._options.post_price
            size = self._options.page_size
            yield Api(session, self._spending, page_size=size, owned=owned, signed_in=signed_in, now=now)
        if problem:
            raise problem


def _searches(account: Account) -> list[str]:
    """Searches for the school's names, but not for what it says itself, nor what is said to its own account.

    The latter is read as its mentions, with the clock that goes with them. Retweets have no words of their own.
    Raises ConfigError where there is nothing to look for.
    """
    own = [handle.lstrip("@") for handle in account.handles if _HANDLE.fullmatch(handle)]
    narrowed = "".join(f" -from:{handle} -to:{handle} -@{handle}" for handle in own) + " -is:retweet"
    ours = {handle.lower() for handle in own}
    said_to = (handle.lstrip("@") for handle in account.names.handles if _HANDLE.fullmatch(handle))
    others = [f"@{handle}" for handle in said_to if handle.lower() not in ours]
    room = QUERY_LIMIT - len(any_of([])) - len(narrowed)
    queries = _queries.joined(account, "query", by=OR, longest=room, handles=others)
    return [any_of([query]) + narrowed for query in queries]
