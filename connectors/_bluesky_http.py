"""How Bluesky is asked: XRPC through atproto, with a session that is kept, refreshed and, when over, replaced.

https://atproto.com/specs/xrpc and https://docs.bsky.app/docs/advanced-guides/api-directory
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from atproto import Client, Session, SessionEvent, models
from atproto.exceptions import AtProtocolError
from atproto_client.request import RequestBase, Response

from connectors._fields import dig, instant, text
from connectors._http import Answer, ApiSession, Reach, Service
from monitor.domain.clock import format_instant
from monitor.domain.errors import SourceError

#: How many entries in a row must be older than wanted before a listing is left.
OVERLAP = 100
#: How many posts one look-up takes.
LOOKUP_BATCH = 25
#: A search stops after 10,000 posts (medialab/minet, pull request 1018, 2025-09-12); then an earlier one goes on.
REACH = 9_900
#: The service for direct messages, which the account's server forwards to (docs.bsky.app, chat.bsky.convo).
CHAT = "did:web:api.bsky.chat#bsky_chat"


class _Missing(SourceError):
    """There is no such post."""


class _Stale(SourceError):
    """The session is over: a new one is needed."""


class _Wire(RequestBase):  # type: ignore[misc]
    """atproto's requests over our own session: the one that it brings limits neither total time nor size."""

    session: ApiSession

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> Response:
        # No option is asked for by default, and requests would write it "False".
        asked = {name: value for name, value in (params or {}).items() if value is not False}
        return self._send("GET", url, headers, params=asked)

    def post(self, url: str, content: Any = None, headers: Any = None, **_: Any) -> Response:
        return self._send("POST", url, headers, data=content)

    def _send(self, method: str, url: str, headers: Any, **what: Any) -> Response:
        answer = self.session.request(method, url, headers=self.get_headers(headers), **what)
        return Response(True, answer.status_code, answer.json(), dict(answer.headers))


class _Client(Client):  # type: ignore[misc]
    """atproto's client, which refreshes its session by the poll's clock and stays with the server it was given.

    bsky.social forwards to the account's own ("PDS Entryway"): a school allows one host, and no answer names one.
    """

    now: datetime

    def get_current_time(self) -> datetime:
        return self.now

    def update_base_url(self, base_url: str | None = None) -> None:
        """Nothing."""


class Xrpc:
    """Asks as one account. `did` is the account's own id, `scope` what its app password permits ("" if untold)."""

    def __init__(
        self, service: Service, handle: str, password: str, base_url: str, reach: Reach, page_size: int
    ) -> None:
        self._service = service
        self._handle = handle.lstrip("@")
        self._password = password
        self._base_url = base_url.rstrip("/").removesuffix("/xrpc")
        self._reach = reach
        self._page_size = page_size
        self._wire = _Wire()
        self._client = _Client(base_url="https://bsky.social/xrpc", request=self._wire)
        self._client.on_session_change(self._remember)
        self.did = ""
        self.scope = ""

    @property
    def now(self) -> datetime:
        return self._client.now

    @property
    def rest_until(self) -> datetime | None:
        """Until when (UTC) the answers' headers ask us to rest, None while they do not."""
        return self._wire.session.rest_until

    @contextmanager
    def signed_in(self, now: datetime) -> Iterator[None]:
        """Connected, with a session. Raises SourceError."""
        with ApiSession(
            service=self._service,
            base_url=self._base_url,
            token="",
            reach=self._reach,
            now=now,
            judge=self._judge,
        ) as session:
            # The client sets the header itself; without any auth, requests would take one from ~/.netrc.
            session.auth = lambda request: request
            self._wire.session, self._client.now = session, now
            if not self.did:
                self._sign_in()
            yield

    def ask(self, method: str, *, through: str = "", **params: Any) -> Any:
        """One answer as received: the library's models would refuse a whole page for one record.

        `through` names another service that the account's server is to ask (the header atproto-proxy).
        """
        named = getattr(models, "".join(part[0].upper() + part[1:] for part in method.split(".")))
        model = named.Params(**params) if params else None
        how: dict[str, Any] = {"headers": {"atproto-proxy": through}} if through else {}
        for last in (False, True):
            try:
                answer = self._client.invoke_query(method, params=model, output_encoding="application/json", **how)
            except _Stale:
                if last:
                    raise
            except AtProtocolError as error:
                self.did = ""
                raise self._service.silent(error) from None
            else:
                return answer.content
            self._sign_in()
        raise AssertionError

    def listing(
        self,
        method: str,
        name: str,
        back_to: datetime | None = None,
        crowd: list[datetime] | None = None,
        **about: Any,
    ) -> Iterator[list[Any]]:
        """Pages of a listing to its end, or OVERLAP entries past `back_to`. Raises SourceError if it stands still.

        Notifications go on by time alone: instants that more of them share than a page holds are put into `crowd`.
        """
        cursor: str | None = None
        used: set[str] = set()
        older = 0
        while True:
            answer = self.ask(method, cursor=cursor, limit=self._page_size, **about)
            entries = dig(answer, name)
            if not isinstance(entries, list):
                raise SourceError(f"Bluesky sent no list of {name}; trying again at the next poll")
            yield entries
            for entry in entries:
                older = older + 1 if back_to is not None and (_sorted_at(entry) or back_to) < back_to else 0
            following = text(answer, "cursor")
            if not following or older >= OVERLAP:
                return
            cursor = following
            if crowd is not None and (moment := instant(following)) is not None:
                cursor = _with_its_equals(moment)
                if cursor in used and following not in used:
                    crowd += [moment] * (len(entries) >= self._page_size)
                    cursor = following
            if cursor in used:
                raise SourceError("Bluesky sent us round in a circle (the same page twice); trying again later")
            used.add(cursor)

    def search(self, query: str, since: datetime) -> Iterator[list[Any]]:
        """Pages of finds, the latest first; where one search stops, one for what is earlier goes on."""
        before: datetime | None = None
        while True:
            found, dates = 0, set[datetime]()
            until: dict[str, Any] = {"until": _with_its_equals(before)} if before else {}
            for views in self.listing("app.bsky.feed.searchPosts", "posts", since, q=query, sort="latest", **until):
                found += len(views)
                dates |= {at for view in views if (at := _sorted_at(view))}
                yield views
            oldest = min(dates, default=since)
            if found < REACH or oldest <= since or (before is not None and oldest >= before):
                return
            before = oldest

    def mentions(self, moment: datetime) -> Iterator[list[Any]]:
        """Pages of what a search finds of posts of one millisecond that mention the account."""
        within = {"since": format_instant(moment), "until": _with_its_equals(moment)}
        about: dict[str, Any] = {"q": self._handle, "mentions": self.did, **within}
        return self.listing("app.bsky.feed.searchPosts", "posts", **about)

    def thread(self, uri: str, depth: int) -> Any:
        """The answer about a thread, None where Bluesky says that its first post does not exist."""
        try:
            return self.ask("app.bsky.feed.getPostThread", uri=uri, depth=depth, parent_height=0)
        except _Missing:
            return None

    def is_gone(self, uri: str) -> bool:
        """Whether a post was deleted: only a thread tells that from one behind a block."""
        answer = self.thread(uri, 0)
        return answer is None or text(answer, "thread", "$type").endswith("#notFoundPost")

    def look_up(self, *uris: str) -> list[Any]:
        """Those of up to LOOKUP_BATCH posts that exist and are not behind a block."""
        views = dig(self.ask("app.bsky.feed.getPosts", uris=list(uris)), "posts")
        return views if isinstance(views, list) else []

    def exists(self, uri: str) -> bool:
        return bool(self.look_up(uri))

    def conversations(self) -> Iterator[Any]:
        """All conversations in direct messages, those with people whom nobody has accepted yet as well."""
        for status in ("accepted", "request"):
            for found in self.listing("chat.bsky.convo.listConvos", "convos", through=CHAT, status=status):
                yield from found

    def conversation(self, key: str) -> Any:
        return dig(self.ask("chat.bsky.convo.getConvo", through=CHAT, convo_id=key), "convo")

    def messages(self, conversation: str, since: datetime | None = None) -> Iterator[list[Any]]:
        """Pages of a conversation, the newest message first."""
        method = "chat.bsky.convo.getMessages"
        return self.listing(method, "messages", since, through=CHAT, convo_id=conversation)

    def _sign_in(self) -> None:
        """A new session. 30 are allowed in 5 minutes, 300 a day (docs.bsky.app, "Rate Limits"): it is kept."""
        try:
            self._client.login(self._handle, self._password, fetch_bsky_profile=False)
        except (AtProtocolError, AttributeError, TypeError, ValueError) as error:
            raise self._service.silent(error) from None

    def _remember(self, event: SessionEvent, session: Session) -> None:
        self.did = session.did
        self.scope = getattr(session.access_jwt_payload, "scope", None) or ""

    def _judge(self, answer: Answer, now: datetime) -> SourceError | None:
        """XRPC's own errors first, the HTTP status where they say no more."""
        error = text(answer.document, "error")
        if answer.status in (400, 401) and error in ("ExpiredToken", "InvalidToken"):
            expired = error == "ExpiredToken"
            told = "says that our access token has expired" if expired else "no longer accepts our access token"
            return _Stale(str(self._service.refused(f"{told} ({error})")), permanent=True)
        if answer.status == 400 and error == "NotFound":
            return _Missing("Bluesky knows no such post")
        if answer.status in (400, 401, 403) and error.startswith("Account"):
            return self._service.refused(f"has closed or suspended the account it was asked about ({error})")
        return self._service.judge(answer, now)


def _sorted_at(entry: Any) -> datetime | None:
    """The date by which Bluesky sorts an entry: a repost's own, else the post's as its author gave it."""
    places = (["reason", "indexedAt"], ["post", "indexedAt"], ["indexedAt"], ["sentAt"])
    return next(filter(None, (instant(text(entry, *place)) for place in places)), None)


def _with_its_equals(moment: datetime) -> str:
    """A cursor that is a time leaves out what else is of that time: the same, a millisecond on."""
    return format_instant(moment + timedelta(milliseconds=1))
