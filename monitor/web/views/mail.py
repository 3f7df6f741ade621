"""The mail that went out: to whom, about what, and whether the mail server took it."""

from fastapi.responses import HTMLResponse
from fastapi.routing import APIRouter

from monitor.web.pages import Visiting
from monitor.web.views.arguments import Id
from monitor.web.window import Kept, Restricted

pages = APIRouter()

SHOWN = 200
#: A letter brings its own looks and nothing else: no script, no picture, no form, no way out of its frame.
_LETTER_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


@pages.get("/mail")
def show_all(visit: Visiting) -> HTMLResponse:
    with visit.window() as window:
        messages = window.messages(SHOWN)
    return visit.page("mails.html", messages=messages)


@pages.get("/mail/{message_id}")
def show(visit: Visiting, message_id: Id) -> HTMLResponse:
    with visit.window() as window:
        message, cases = window.message(message_id)
    if isinstance(message, Kept):
        return visit.page("mail_kept.html", message=message)
    return visit.page("mail.html", message=message, cases=cases)


@pages.get("/mail/{message_id}/letter")
def letter(visit: Visiting, message_id: Id) -> HTMLResponse:
    """The HTML as it was sent, for the frame on its page."""
    with visit.window() as window:
        message, _ = window.message(message_id)
    if isinstance(message, Kept):
        raise Restricted(message.kept_for)
    headers = {"content-security-policy": _LETTER_CSP, "x-frame-options": "SAMEORIGIN"}
    return HTMLResponse(message.html.encode("utf-8", "replace"), headers=headers)
