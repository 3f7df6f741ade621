"""How Reddit is asked: through PRAW with an app's id and secret, or for its feeds with nothing."""

import configparser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import praw
import prawcore
import requests
from praw.config import Config
from praw.exceptions import PRAWException
from prawcore.const import ACCESS_TOKEN_PATH

from connectors import _feeds
from connectors._fields import text
from connectors._http import Answer, ApiSession, Reach, Service, retry_at
from connectors._reddit import from_entry
from connectors._reddit_listings import Ask
from monitor.domain.errors import SourceError

# PRAW would also read a praw.ini from the working folder and the home folder: only its own defaults count here.
Config.CONFIG = configparser.ConfigParser(interpolation=None)
Config.CONFIG.read_string(files("praw").joinpath("praw.ini").read_text("utf-8"))

#: Access tokens live for a day; a new one every hour does no harm.
TOKEN_LASTS = timedelta(hours=1)


class Closed(SourceError):
    """What was asked for is not there (404), or not for us (403)."""


class _Requestor(prawcore.Requestor):
    """Lets a SourceError through: prawcore would wrap it and try again."""

    def request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> requests.Response:
        return self._http.request(*args, **kwargs)


class ApiLine(ApiSession):
    """The connection to the Data API.

    It knows both of Reddit's hosts, keeps the sign-in, and stops when the requests run out: prawcore would sleep,
    for minutes.
    """

    documents = (dict, list)
    #: Where access tokens come from.
    reddit_url = ""
    #: Reddit's answer to the last sign-in, and until when it will do.
    signed_in: tuple[requests.Response, datetime] | None = None

    def asker(self, agent: str, secrets: Mapping[str, str]) -> Ask:
        """The way to ask: for nobody (application-only OAuth), or by `refresh_token` for whoever signed in."""
        self.auth = lambda request: request  # PRAW brings its own header.
        reddit = praw.Reddit(
            "DEFAULT",
            requestor_class=_Requestor,
            requestor_kwargs={"session": self},
            client_id=secrets["client_id"],
            client_secret=secrets["client_secret"],
            user_agent=agent,
            refresh_token=secrets.get("refresh_token"),
            # What is given here cannot come from the environment: with a name and password PRAW acts for a person.
            username=None,
            password=None,
            redirect_uri=None,
            ratelimit_seconds=0,
            check_for_async=False,
            check_for_updates=False,
        )

        def ask(method: str, path: str, params: Mapping[str, Any]) -> Any:
            given: Any = {"data" if method == "POST" else "params": dict(params)}
            try:
                return reddit.request(method=method, path=path, **given)
            except prawcore.OAuthException:
                raise self._service.refused("gives us no access token for the app's id and secret") from None
            except (prawcore.PrawcoreException, PRAWException, LookupError, TypeError, ValueError) as error:
                raise self._service.silent(error) from None
            except AttributeError as error:
                raise self._service.silent(error) from None

        return ask

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As ApiSession.request; the last sign-in is kept for an hour. Raises SourceError."""
        token = urlsplit(str(url)).path == ACCESS_TOKEN_PATH
        if token and self.signed_in is not None and self._now < self.signed_in[1]:
            return self.signed_in[0]
        if self.rest_until is not None:
            raise self._service.busy(self.rest_until)
        try:
            response = super().request(method, url, *args, **kwargs)
        except SourceError:
            self.signed_in = None
            raise
        if token and text(response.json(), "access_token"):
            self.signed_in = response, self._now + TOKEN_LASTS
        # prawcore would sleep on it: https://support.reddithelp.com/hc/en-us/articles/16160319875092, "Rate Limits"
        response.headers.pop("x-ratelimit-remaining", None)
        return response

    def _address(self, url: str) -> str:
        path = urlsplit(url).path
        return self.reddit_url.rstrip("/") + path if path == ACCESS_TOKEN_PATH else super()._address(url)


class FeedLine(ApiLine):
    """The connection to the feeds; it gives them in the form of the API's listings."""

    def asker(self, agent: str, secrets: Mapping[str, str]) -> Ask:
        """The way to ask, without a sign-in: what is not a listing has no feed."""
        self.auth = lambda request: request
        self.headers["User-Agent"] = agent

        def ask(method: str, path: str, params: Mapping[str, Any]) -> Any:
            ending = ".rss" if path.endswith("search") else "/.rss"
            return self.request(method, f"/{path}{ending}", params=dict(params)).json()

        return ask

    def _check(self, response: requests.Response, body: bytes) -> Any:
        answer = Answer(status=response.status_code, headers=response.headers, body=body)
        host = urlsplit(self._base_url).netloc
        error = self._service.intercepted(answer, host) or self._judge(answer, self._now)
        feed: Any = {} if error else _feeds.parse(answer)
        if error is None and not (feed.get("version") and body.rstrip().endswith(b"</feed>")):
            error = self._service.damaged(body, host)
        if error is not None:
            raise error
        return {"data": {"children": [{"data": from_entry(_feeds.plain(entry))} for entry in feed.entries]}}


class Api:
    """Reddit for one account: the Data API by its `secrets`, the feeds without any.

    It keeps the last sign-in and, in `rest_until` (UTC), the pause that Reddit's counters asked for.
    """

    def __init__(
        self,
        *,
        service: Service,
        base_url: str,
        reddit_url: str,
        reach: Reach,
        contact: str,
        secrets: Mapping[str, str],
    ) -> None:
        self.rest_until: datetime | None = None
        self._service = service
        self._base_url = base_url
        self._reddit_url = reddit_url
        self._reach = reach
        self._secrets = secrets
        #: Who asks, in the form that Reddit's rules for its API want.
        self._agent = f"linux:schoolwatch:1 (by /u/{contact})" if contact else "linux:schoolwatch:1"
        self._signed_in: tuple[requests.Response, datetime] | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """What the last sign-in is allowed; empty where that is not told, or is everything."""
        answer = self._signed_in[0].json() if self._signed_in else {}
        return frozenset(text(answer, "scope").split()) - {"*"}

    @contextmanager
    def open(self, now: datetime) -> Iterator[Ask]:
        """A connection for the length of one poll. Raises SourceError, also while Reddit asks for a pause."""
        if self.rest_until is not None and now < self.rest_until:
            raise self._service.busy(self.rest_until)
        with (ApiLine if self._secrets else FeedLine)(
            service=self._service,
            base_url=self._base_url,
            token="",
            reach=self._reach,
            now=now,
            judge=self._judge,
        ) as line:
            line.reddit_url, line.signed_in = self._reddit_url, self._signed_in
            try:
                yield line.asker(self._agent, self._secrets)
            finally:
                self._signed_in, self.rest_until = line.signed_in, line.rest_until

    def _judge(self, answer: Answer, now: datetime) -> SourceError | None:
        if answer.status == 429 and not self._secrets:
            return SourceError(
                "Reddit refuses its feeds to readers who are not signed in (429; so since June 2026): account "
                f"{self._service.account} is not being read. Ask your technician to request an app from Reddit "
                "(docs/connectors.md, Reddit); until then, staff can hand in what they see",
                retry_at=retry_at(answer.headers, now),
            )
        if answer.status == 429:
            return self._service.busy(retry_at(answer.headers, now))
        if text(answer.document, "error") == "invalid_grant":
            return self._service.refused("no longer renews our access token: it has expired or was withdrawn")
        if answer.status in (301, 302):
            return self._service.refused(f"knows no subreddit or user of that name ({answer.status})")
        error = self._service.judge(answer, now)
        return Closed(str(error), permanent=True) if answer.status in (403, 404) else error
