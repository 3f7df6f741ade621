"""What every request passes before a page is made: where it came from, whether it may enter, how it is answered."""

import re
import secrets
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.web.access import Access, Visitor, host_name, is_loopback, same_origin
from monitor.web.pages import Visit

#: Larger than any form of ours.
MOST_BYTES = 256 * 1024
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
#: Open without a code: what a locked visitor needs to unlock, and what watches the desk.
_OPEN = re.compile(r"/(health|unlock|static/.+)")
_COOKIE = re.compile(r"[A-Za-z0-9_-]{20,64}")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "via")

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": with that, browsers send `Origin: null` with our own forms too. Others learn nothing.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}


class CookieNames:
    """The two cookies: one pairs forms with a browser, the other, sent to our own pages only, holds a session."""

    def __init__(self, *, secure: bool) -> None:
        prefix = "__Host-" if secure else ""
        self.secure = secure
        self.visitor = f"{prefix}schoolwatch_visitor"
        self.session = f"{prefix}schoolwatch_session"


class Gate:
    """ASGI: refuses what did not come to this desk, locks out who has no code, and seals every answer."""

    def __init__(self, app: ASGIApp, *, access: Access, cookies: CookieNames) -> None:
        self._app = app
        self._access = access
        self._cookies = cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        visitor, is_new = self._visitor(HTTPConnection(scope))
        scope.setdefault("state", {})["visitor"] = visitor

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if is_new and scope["path"] != "/health" and not scope["path"].startswith("/static/"):
                    headers.append("set-cookie", self._visitor_cookie(visitor))
            await send(message)

        refusal = self._refusal(scope, visitor)
        await (refusal or self._app)(scope, receive, sealed)

    def _visitor(self, connection: HTTPConnection) -> tuple[Visitor, bool]:
        visitor_id = _wellformed(connection.cookies.get(self._cookies.visitor))
        session_id = _wellformed(connection.cookies.get(self._cookies.session))
        by_hand = "x-refresh" not in connection.headers
        fresh = visitor_id or secrets.token_urlsafe(24)
        return self._access.visitor(fresh, session_id, by_hand=by_hand), visitor_id is None

    def _visitor_cookie(self, visitor: Visitor) -> str:
        # Lax: a person who comes by a link in a mail keeps it. It opens nothing.
        secure = "; Secure" if self._cookies.secure else ""
        return f"{self._cookies.visitor}={visitor.id}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def _refusal(self, scope: Scope, visitor: Visitor) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if scope["path"] == "/health":
            return None
        if self._access.open:
            # A page on the web that names itself 127.0.0.1 (DNS rebinding) still says its own name here.
            if not is_loopback(host_name(headers.get("host", ""))):
                return _plain(403, "This desk answers on this machine only. Open it as http://127.0.0.1.")
            if any(name in headers for name in _FORWARDED):
                return _plain(
                    403, "This desk is open on this machine only and must not stand behind a proxy as it is."
                )
        if scope["method"] not in _SAFE_METHODS:
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                return _plain(413, "This form is larger than any form of the desk.")
        if not visitor.desk and not _OPEN.fullmatch(scope["path"]):
            return _locked(scope)
        return None


def _plain(status: int, text: str) -> ASGIApp:
    return PlainTextResponse(text + "\n", status_code=status)


def _locked(scope: Scope) -> ASGIApp:
    """The form to unlock the desk, in place of the page.

    It goes on to /unlock by itself: a person who came by a link in a mail sends the session only from there on,
    and if it is alive is taken to the page at once.
    """
    visit = Visit(Request(scope))
    if scope["method"] not in _SAFE_METHODS:
        return visit.problem(403, "The desk is locked", "Nothing was changed. Enter the access code and try again.")
    wanted = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
    return visit.page("unlock.html", status=403, target=local_path(wanted), problem=None, go_on=True)


def local_path(target: str) -> str:
    """`target` if it is a path on this desk, else the queue."""
    ours = re.fullmatch(r"/(?![/\\])[!-\[\]-~]*", target)
    return target if ours else "/"


def _wellformed(cookie: str | None) -> str | None:
    return cookie if cookie and _COOKIE.fullmatch(cookie) else None


class NotOurForm(Exception):
    """A form that was not sent from a page of this desk, or from one too old."""


def check_form(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    """Raises NotOurForm unless the form comes from a page of this desk that this browser was given."""
    access: Access = request.app.state.desk.access
    if not same_origin(request.headers) or not access.csrf_holds(request.state.visitor, csrf):
        raise NotOurForm


def form_router() -> APIRouter:
    """A router for what changes something: each of its routes checks its form."""
    return APIRouter(dependencies=[Depends(check_form)])


def keep_session(response: Response, cookies: CookieNames, session_id: str) -> None:
    response.set_cookie(
        cookies.session, session_id, path="/", httponly=True, samesite="strict", secure=cookies.secure
    )


def drop_session(response: Response, cookies: CookieNames) -> None:
    response.delete_cookie(cookies.session, path="/", httponly=True, samesite="strict", secure=cookies.secure)
