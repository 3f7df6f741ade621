"""The queue: what needs somebody, most urgent first, and what only waits for a glance."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Form
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRouter

from monitor import casework
from monitor.web import lights
from monitor.web.gate import form_router
from monitor.web.pages import Visit, Visiting
from monitor.web.views.arguments import Ids

pages = APIRouter()
forms = form_router()

#: How many of each kind one page shows; the next come up as these are dealt with.
SHOWN = 50


@pages.get("/")
def show(visit: Visiting, seen: int | None = None) -> HTMLResponse:
    with visit.window() as window:
        to_handle = window.to_handle(visit.now, SHOWN)
        to_glance = window.to_glance(SHOWN)
        counts = window.counts(visit.now)
        workings = window.workings()
        sources = lights.sources(visit.desk.config, window.sources(visit.now), visit.now)
    return visit.page(
        "queue.html",
        to_handle=to_handle,
        to_glance=to_glance,
        counts=counts,
        watch=lights.watch(sources),
        failing=workings.failing,
        seen=seen,
    )


@forms.post("/glance")
def glance(
    visit: Visiting, everything: Annotated[bool, Form()] = False, case: Ids = (), shown: Ids = ()
) -> RedirectResponse:
    """Mark ordinary comments as seen: those ticked, or all that the page showed."""
    return RedirectResponse(f"/?seen={_glance(visit, shown if everything else case)}", status_code=303)


def _glance(visit: Visit, case_ids: Sequence[int]) -> int:
    with visit.window() as window:
        for case_id in case_ids:
            window.check(case_id)
    return casework.glance(visit.desk.store, case_ids, actor=visit.actor, now=visit.now)
