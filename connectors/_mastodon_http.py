"""How a Mastodon server is asked: Mastodon.py over our own session, and the way to the end of its listings.

https://docs.joinmastodon.org/methods/ (statuses, accounts, grouped_notifications, timelines, search, apps)
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import mastodon
from requests import Response

from connectors._completeness import Memory
from connectors._fields import dig, instant, mappings, text
from connectors._http import Answer, ApiSession, Reach, Service
from connectors._mastodon import id_of, is_id
from monitor.domain.clock import format_instant
from monitor.domain.errors import SourceError

#: What a server's search finds at most, whatever is asked.
MOST = 10_000
_REQUEST = "_Mastodon__api_request"
#: A page of records, and the mark from which the next page goes on; None where there is none.
Listed = tuple[list[Any], int | None]


class Client(mastodon.Mastodon):
    """Mastodon.py as far as it asks; what it makes of an answer is left out, so that records stay as received."""

    def _Mastodon__api_request(self, method: str, endpoint: str, params: Any = None, **_: Any) -> Any:
        request = getattr(super(), _REQUEST)
        # It fails on odd limit headers of good answers, so they are left to the session.
        return request(method, endpoint, params or {}, do_ratelimiting=False, return_response_object=True).json()


class Session(ApiSession):
    """The connection to one server for one poll."""

    documents = (dict, list)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Response:
        # Mastodon.py signs requests itself, and gives an `auth` that does nothing: ours would not be asked.
        kwargs.pop("auth", None)
        return super().request(method, url, *args, **kwargs)


@dataclass(slots=True)
class Progress:
    """How far reading has come, as the cursor keeps it.

    A server allows 300 requests in 5 minutes, and one poll may need more. `stage` is the listing that is being read
    and `mark` the place in it; what is broken off goes on there. `read_to` is when the last whole reading began.
    """

    read_to: datetime | None
    began: datetime | None
    stage: str
    mark: int | None
    memory: Memory

    @classmethod
    def of(cls, cursor: str | None) -> "Progress":
        """A cursor of another form begins again."""
        try:
            state = json.loads(cursor or "{}")
        except ValueError:
            state = None
        began, mark = instant(text(state, "began")), dig(state, "mark")
        return cls(
            read_to=instant(text(state, "read_to")),
            began=began,
            stage=text(state, "stage") if began else "",
            mark=mark if began and type(mark) is int else None,
            memory=Memory(dig(state, "listings")),
        )

    def end(self, read_to: datetime | None) -> None:
        """Everything was read that there was at `read_to`; the next reading begins with the first listing."""
        self.read_to, self.began, self.stage, self.mark = read_to, None, "", None

    def cursor(self) -> str:
        dates = {"read_to": self.read_to, "began": self.began}
        place = {"stage": self.stage, "mark": self.mark} if self.began else {}
        told = {name: format_instant(at) for name, at in dates.items() if at}
        return json.dumps({**told, **place, "listings": self.memory.state()})


@contextmanager
def connected(
    service: Service, base_url: str, token: str, reach: Reach, now: datetime
) -> Iterator[tuple[Client, Session]]:
    """A client that asks the server, and its session. Raises SourceError."""

    def judge(answer: Answer, now: datetime) -> SourceError | None:
        """What is gone is for the caller to judge."""
        if answer.status in (404, 410) and isinstance(answer.document, dict):
            return None
        return service.judge(answer, now)

    with Session(service=service, base_url=base_url, token=token, reach=reach, now=now, judge=judge) as session:
        try:
            client = Client(
                api_base_url="https://mastodon.invalid",  # the session knows the real one
                session=session,
                request_timeout=reach.timeout,
                # Without a version it asks the server for one, and without end when the server is down; it
                # reads the one that is given only to check calls against it.
                mastodon_version=Client.get_supported_version(),
                version_check_mode="created",
                ratelimit_method="throw",
                user_agent="Schoolwatch",
            )
            yield client, session
        except mastodon.MastodonError as error:
            if _is_missing(error):
                raise service.refused("knows nothing at an address that Mastodon 4.3 has (404)") from None
            # Mastodon.py wraps whatever its session raises.
            cause = error.__context__
            raise (cause if isinstance(cause, SourceError) else service.silent(error)) from None


def ask(fetch: Callable[[str], Any], key: str) -> Any:
    """What `fetch` gives for a post, None where the server itself says that there is none."""
    try:
        return fetch(key)
    except mastodon.MastodonError as error:
        if _is_missing(error):
            return None
        raise


def listed(found: Any) -> list[Any]:
    """`found`, which has to be a list. Raises SourceError."""
    if not isinstance(found, list):
        raise SourceError("Mastodon sent something else in place of a list; trying again at the next poll")
    return found


def older(fetch: Callable[[int | None], Any], mark: int | None, *, unsure: bool) -> Iterator[Listed]:
    """Every page of a listing, the newest first, to the first empty one: a page may be short, or lack its `Link`,
    without being the last, for a server filters after counting. Raises SourceError when it does not move on.

    What ends a listing is asked for twice, and with `unsure` so is a first page that is empty.
    """

    def fetched() -> list[Any]:
        return listed(fetch(mark))

    while posts := _not_empty(fetched, unsure or mark is not None):
        following = _onward(map(id_of, posts), mark)
        yield posts, following
        mark = _moved(following)


def mentions(client: Client, since: datetime, mark: int | None, size: int, *, unsure: bool) -> Iterator[Listed]:
    """Who mentions or quotes the account, the newest first, those whom it filters as well.

    Going back by `max_id` to a date misses nothing; `since_id` would give the newest page alone.
    """

    def fetch() -> list[Any]:
        answer = client.grouped_notifications(
            types=["mention", "quote"], include_filtered=True, max_id=mark, limit=size
        )
        posts, groups = listed(dig(answer, "statuses")), mappings(listed(dig(answer, "notification_groups")))
        return [(posts, groups)] if posts or groups else []

    while found := _not_empty(fetch, unsure or mark is not None):
        ((posts, groups),) = found
        dates = [instant(text(group, "latest_page_notification_at")) for group in groups]
        following = _onward([text(group, "page_min_id") for group in groups], mark)
        yield posts, following
        if all(date is not None and date < since for date in dates):
            return
        mark = _moved(following)


def search(
    client: Client, query: str, since: datetime, start: int | None, size: int, *, unsure: bool
) -> Iterator[Listed]:
    """What the server's search finds. The mark is a number of finds: its `max_id` means a second, and what else was
    written in that second would be lost."""
    about: dict[str, Any] = {"resolve": False, "result_type": "statuses", "min_id": since, "limit": size}
    start = start or 0
    before: list[Any] = []

    def fetch() -> list[Any]:
        return listed(dig(client.search_v2(query, offset=start, **about), "statuses"))

    while start < MOST and (posts := _not_empty(fetch, unsure or start > 0)):
        if posts == before:
            _moved(None)
        before = posts
        # By what came, which may be less than asked for: reading some twice misses none.
        start += len(posts)
        yield posts, start


def _not_empty(fetch: Callable[[], list[Any]], twice: bool) -> list[Any]:
    return fetch() or (fetch() if twice else [])


def _is_missing(error: mastodon.MastodonError) -> bool:
    return error.args[1:2] in ((404,), (410,))


def _onward(ids: Iterable[str], mark: int | None) -> int | None:
    """The oldest of `ids`, from which the next page goes on; None where that would be no step on from `mark`."""
    following = min((int(key) for key in ids if is_id(key)), default=None)
    return None if following is None or (mark is not None and following >= mark) else following


def _moved(following: int | None) -> int:
    """Raises SourceError where a listing does not move on."""
    if following is None:
        raise SourceError("Mastodon sent us round in a circle (the same page twice); trying again later")
    return following
