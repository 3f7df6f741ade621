"""Accounts in our name: those that look like the school's and are not in its register, with what people decided."""

import json
from typing import Annotated

from fastapi import Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRouter

from monitor import casework
from monitor.domain.lookalike import LookalikeDecision
from monitor.web import words
from monitor.web.gate import form_router
from monitor.web.pages import Visiting
from monitor.web.views.arguments import Id

pages = APIRouter()
forms = form_router()

SHOWN = 40
_LONGEST_NOTE = 1000


@pages.get("/lookalikes")
def show(visit: Visiting, page: Annotated[int, Query(ge=1, le=10_000)] = 1, done: bool = False) -> HTMLResponse:
    with visit.window() as window:
        found = window.lookalikes()
    # What is left to do first.
    found.sort(
        key=lambda one: (one.decision is not None, one.decision is not None and not one.decision.asks_for_more)
    )
    shown = found[(page - 1) * SHOWN : page * SHOWN]
    return visit.page(
        "lookalikes.html",
        waiting=[one for one in shown if one.decision is None],
        decided=[one for one in shown if one.decision is not None],
        page=page,
        shown=SHOWN,
        more=max(0, len(found) - page * SHOWN),
        record=lambda one: json.dumps(one.profile.raw, ensure_ascii=False, indent=2),
        done=done,
    )


@forms.post("/lookalikes/{lookalike_id}")
def decide(
    visit: Visiting,
    lookalike_id: Id,
    decision: Annotated[LookalikeDecision, Form()],
    note: Annotated[str, Form(max_length=_LONGEST_NOTE)] = "",
) -> RedirectResponse:
    casework.judge_lookalike(
        visit.desk.store,
        lookalike_id,
        decision,
        note=words.harmless(note).strip(),
        actor=visit.actor,
        now=visit.now,
    )
    return RedirectResponse("/lookalikes?done=true", status_code=303)
