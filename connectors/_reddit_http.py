"""How Reddit is asked: through PRAW with an app's id and secret, or for its feeds with nothing."""

import configparser
from collections.abc import Mapping
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
from connectors._http import Answer, ApiSession, retry_at
from connectors._reddit import Ask, from_entry
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
    #: When there are requests again, None while there are some left.
    rest_until: datetime | None = None

    def asker(self, agent: str, secrets: Mapping[str, str]) -> Ask:
        """The way to ask, as an app of type "script" that acts for nobody (application-only OAuth)."""
        self.auth = lambda request: request  # PRAW brings its own header.
        reddit = praw.Reddit(
            "DEFAULT",
            requestor_class=_Requestor,
            requestor_kwargs={"session": self},
            client_id=secrets["client_id"],
            client_secret=secrets["client_secret"],
            user_agent=agent,
            # What is given here cannot come from the environment: with a name and password PRAW acts for a person.
            username=None,
            password=None,
            refresh_token=None,
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
        # https://support.reddithelp.com/hc/en-us/articles/16160319875092, "Rate Limits"
        if _number(response.headers.pop("x-ratelimit-remaining", ""), otherwise=1) < 1:
            self.rest_until = reset(response.headers, self._now)
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
        error = self._judge(answer, self._now)
        feed: Any = {} if error else _feeds.parse(answer)
        if error is None and not (feed.get("version") and body.rstrip().endswith(b"</feed>")):
            error = self._service.damaged(body, urlsplit(self._base_url).netloc)
        if error is not None:
            raise error
        return {"data": {"children": [{"data": from_entry(_feeds.plain(entry))} for entry in feed.entries]}}


def reset(headers: Mapping[str, str], now: datetime) -> datetime:
    """When we may ask again (UTC): Reddit's own header counts the seconds, and may write them as 571.0."""
    wait = _number(headers.get("x-ratelimit-reset", ""), otherwise=-1)
    return retry_at({"retry-after": f"{wait:.0f}"} if wait >= 0 else headers, now)


def _number(value: str, otherwise: float) -> float:
    try:
        return float(value)
    except ValueError:
        return otherwise
