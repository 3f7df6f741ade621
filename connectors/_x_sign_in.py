"""Signing in to X as the school's own account: OAuth 2 with refresh tokens, each of which works once.

Access tokens last two hours (docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code, stored copy read
2026-11-21); each refresh brings a new refresh token and spends the old one (rotation: RFC 9700, 4.14.2).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import requests

from connectors._fields import dig, text
from connectors._http import Answer, ApiSession, Reach, Service
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.ports import Secrets

#: A token is renewed this long before its end: a poll must not outlive it.
MARGIN = timedelta(minutes=10)
#: How long an access token lasts where X does not say.
_LASTS = timedelta(hours=2)


class _Refused(SourceError):
    """X does not take this refresh token."""


class SignIn:
    """Keeps one account signed in; threads may share it.

    A new refresh token is kept before anything is done with what came along with it. Where none can be kept, the
    old one is not spent; should keeping fail only after that, the new one stays in memory and is kept at the next
    attempt. If the service dies between X's answer and the keeping, a person has to sign in again: X has spent the
    old token by then. Reading of what is public goes on meanwhile where the account has an app token as well.
    """

    def __init__(self, *, secrets: Secrets, service: Service, base_url: str, reach: Reach) -> None:
        self._secrets = secrets
        self._service = service
        self._base_url = base_url
        self._reach = reach
        self._lock = Lock()
        self._access = ""
        self._ends: datetime | None = None
        self._unkept = ""
        self._scopes: frozenset[str] = frozenset()

    def token(self, now: datetime) -> str:
        """An access token that lasts beyond `now`. Raises SourceError."""
        with self._lock:
            if self._ends is None or now >= self._ends - MARGIN:
                self._refresh(now)
            return self._access

    def forget(self) -> None:
        """X refuses the access token: the next one is a new one."""
        with self._lock:
            self._ends = None

    def lacks(self, needs: Iterable[str]) -> tuple[str, ...]:
        """Which of `needs` were not given with the last token; all were where X does not say (RFC 6749, 5.1)."""
        return tuple(need for need in needs if self._scopes and need not in self._scopes)

    def _refresh(self, now: datetime) -> None:
        tried: set[str] = set()
        while True:
            current = self._unkept or self._secrets.get("refresh_token", "").strip()
            if not current or current in tried:
                raise self._service.refused(
                    "no longer accepts our sign-in (its refresh token is spent or withdrawn)"
                )
            tried.add(current)
            # A rehearsal: what works once is spent only where its successor can be kept.
            self._keep(current)
            try:
                self._take(self._exchange(current, now), now)
                return
            except _Refused:
                # Another process may have signed in meanwhile, or a person.
                self._unkept = ""

    def _exchange(self, current: str, now: datetime) -> Any:
        """X's answer to `current`. Raises _Refused, and SourceError for everything else that goes wrong."""
        client = self._secrets["client_id"].strip()
        secret = self._secrets.get("client_secret", "").strip()
        form = {"grant_type": "refresh_token", "refresh_token": current, "client_id": client}
        with ApiSession(
            service=self._service,
            base_url=self._base_url,
            token="",
            reach=self._reach,
            now=now,
            judge=self._judge,
        ) as session:
            # A confidential client shows its secret, a public one its id alone.
            session.auth = requests.auth.HTTPBasicAuth(client, secret) if secret else _nothing
            return session.post("https://api.x.com/2/oauth2/token", data=form).json()

    def _judge(self, answer: Answer, now: datetime) -> SourceError | None:
        if answer.status == 401 or text(answer.document, "error") in ("invalid_client", "unauthorized_client"):
            return self._service.refused("does not know our app (its client id or client secret is wrong)")
        if answer.status == 400:
            return _Refused("refused")
        return self._service.judge(answer, now)

    def _take(self, answer: Any, now: datetime) -> None:
        access, successor = text(answer, "access_token"), text(answer, "refresh_token")
        if successor:
            self._unkept = successor
            self._keep(successor)
        if not access:
            raise SourceError("X signed us in without an access token; trying again at the next poll")
        lasts = dig(answer, "expires_in")
        sound = isinstance(lasts, int) and 0 < lasts < 1_000_000
        self._access = access
        self._ends = now + (timedelta(seconds=lasts) if sound else _LASTS)
        self._scopes = frozenset(text(answer, "scope").split())

    def _keep(self, value: str) -> None:
        try:
            self._secrets.keep("refresh_token", value)
        except ConfigError as error:
            held = value == self._unkept
            warning = ". Do not restart Schoolwatch before: somebody would have to sign in again" if held else ""
            raise SourceError(
                f"X's sign-in for account {self._service.account} cannot be kept: {error}{warning}", permanent=True
            ) from None
        if value == self._unkept:
            self._unkept = ""


def _nothing(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
