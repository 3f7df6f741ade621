"""Entering a code, and giving up what it opened."""

from typing import Annotated

from fastapi import Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRouter

from monitor.web import words
from monitor.web.access import TooManyTries
from monitor.web.gate import CookieNames, drop_session, form_router, keep_session, local_path
from monitor.web.pages import Visit, Visiting

pages = APIRouter()
forms = form_router()


@pages.get("/unlock")
def ask(visit: Visiting, to: str = "/", leaders: bool = False) -> Response:
    """The form for a code, unless what it opens is open: the desk or, with `leaders`, what is restricted."""
    target = local_path(to)
    if visit.visitor.leaders if leaders else visit.visitor.desk:
        return RedirectResponse(target, status_code=303)
    return _form(visit, target)


@forms.post("/unlock")
def unlock(
    visit: Visiting, code: Annotated[str, Form(max_length=200)], to: Annotated[str, Form()] = "/"
) -> Response:
    target = local_path(to)
    client = visit.request.client
    try:
        session_id = visit.desk.access.unlock(code, client.host if client else "")
    except TooManyTries as error:
        wait = words.count(error.seconds // 60 + 1, "minute")
        refused = _form(visit, target, f"Too many wrong codes. Try again in {wait}.", status=429)
        refused.headers["retry-after"] = str(error.seconds)
        return refused
    if session_id is None:
        return _form(visit, target, "That is not the code.", status=403)
    _end_session(visit)
    answer = RedirectResponse(target, status_code=303)
    keep_session(answer, _cookies(visit), session_id)
    return answer


@forms.post("/lock")
def lock(visit: Visiting) -> Response:
    """Close what a code opened."""
    _end_session(visit)
    answer = RedirectResponse("/", status_code=303)
    drop_session(answer, _cookies(visit))
    return answer


def _form(visit: Visit, target: str, problem: str | None = None, status: int = 200) -> HTMLResponse:
    return visit.page("unlock.html", status=status, target=target, problem=problem, go_on=False)


def _cookies(visit: Visit) -> CookieNames:
    cookies: CookieNames = visit.request.app.state.cookies
    return cookies


def _end_session(visit: Visit) -> None:
    if session_id := visit.request.cookies.get(_cookies(visit).session):
        visit.desk.access.lock(session_id)
