"""The desk as an ASGI application."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from monitor.domain.errors import MonitorError, NotFound, TransitionError, VaultError
from monitor.web import words
from monitor.web.desk import Desk
from monitor.web.gate import HEADERS, CookieNames, Gate, NotOurForm
from monitor.web.pages import STATIC, Visit
from monitor.web.views import case, digest, evidence, items, lookalikes, mail, queue, status, unlock
from monitor.web.window import Restricted


def create_app(desk: Desk) -> FastAPI:
    """All pages of the desk. Nothing is read until one is asked for."""
    app = FastAPI(title="Schoolwatch", docs_url=None, redoc_url=None, openapi_url=None)
    cookies = CookieNames(secure=desk.config.school.public_url.startswith("https://"))
    app.state.desk = desk
    app.state.cookies = cookies
    for view in (queue, case, evidence, items, digest, mail, status, lookalikes, unlock):
        app.include_router(view.pages)
    for form_view in (queue, case, lookalikes, unlock):
        app.include_router(form_view.forms)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Gate, access=desk.access, cookies=cookies)
    _handle_errors(app)
    return app


def _handle_errors(app: FastAPI) -> None:
    """Every error is a page in words."""

    @app.exception_handler(NotFound)
    def not_found(request: Request, error: NotFound) -> Response:
        return Visit(request).problem(404, "Not found", f"{_sentence(error)} It may be an old link.")

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return Visit(request).problem(404, "Not found", "There is no such page on the desk.")
        return Visit(request).problem(error.status_code, "This cannot be done", str(error.detail))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, _error: RequestValidationError) -> Response:
        if request.method == "GET":
            return Visit(request).problem(404, "Not found", "There is no such page on the desk.")
        return Visit(request).problem(400, "Nothing was changed", "The form was incomplete. Go back and try again.")

    @app.exception_handler(NotOurForm)
    def not_our_form(request: Request, _error: NotOurForm) -> Response:
        text = (
            "The page was open for too long or was not sent by the desk itself. Open the page afresh and try again."
        )
        return Visit(request).problem(403, "Nothing was changed", text)

    @app.exception_handler(Restricted)
    def restricted(request: Request, error: Restricted) -> Response:
        text = f"This is with {words.roles(error.kept_for)}. Do not reply, hide or delete."
        return Visit(request).problem(403, "Confidential", text)

    @app.exception_handler(TransitionError)
    def transition(request: Request, error: TransitionError) -> Response:
        text = f"{_sentence(error)} Somebody may have been faster: open the case again and look."
        return Visit(request).problem(409, "Nothing was changed", text)

    @app.exception_handler(VaultError)
    def vault(request: Request, error: VaultError) -> Response:
        return Visit(request).problem(500, "This file is not shown", _sentence(error))

    @app.exception_handler(Exception)
    def unexpected(request: Request, _error: Exception) -> Response:
        text = "The desk could not make this page. Try again; if it stays so, tell your technician."
        answer = Visit(request).problem(500, "Something went wrong", text)
        answer.headers.update(HEADERS)  # this answer is made outside the gate
        return answer


def _sentence(error: MonitorError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:].rstrip(".") + "."
