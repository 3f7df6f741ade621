"""The tokens of X's sandbox: the app's, and those of the school's own sign-in, whose refresh tokens work once."""

import base64
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal
from urllib.parse import parse_qs

from connectors.sandbox.server import Answer, Request, json_answer

LASTS = timedelta(hours=2)
SCOPES = "tweet.read users.read offline.access dm.read"


class Tokens:
    """What opens the sandbox: `app`, and what a sign-in with `first_refresh(app)` brings."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._refresh = first_refresh(app)
        self._access: dict[str, datetime] = {}
        self._lock = Lock()

    def bearer(self, request: Request) -> Literal["app", "user"] | None:
        """For whom a request comes, None for nobody that we know."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token == self._app:
            return "app"
        return "user" if request.now < self._access.get(token, request.now) else None

    def exchange(self, request: Request) -> Answer:
        """The answer of the token endpoint."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        client = base64.b64encode(f"{form.get('client_id', '')}:{self._app}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {client}":
            return _refusal(401, "unauthorized_client", "Missing valid authorization header")
        with self._lock:
            if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self._refresh:
                return _refusal(400, "invalid_request", "Value passed for the token was invalid.")
            turn = len(self._access) + 1
            self._refresh = f"sandbox-refresh-{turn}"
            self._access[access := f"sandbox-access-{turn}"] = request.now + LASTS
            return json_answer(
                {
                    "token_type": "bearer",
                    "expires_in": int(LASTS.total_seconds()),
                    "access_token": access,
                    "refresh_token": self._refresh,
                    "scope": SCOPES,
                }
            )


def first_refresh(app: str) -> str:
    """The refresh token of whoever signed in just now."""
    return f"{app}-refresh"


def _refusal(status: int, error: str, description: str) -> Answer:
    return json_answer({"error": error, "error_description": description}, status)
