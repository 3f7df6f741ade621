"""One case: everything about it on one page, and what a person may do with it."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import Form
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRouter

from monitor import casework
from monitor.config import Config
from monitor.domain import why
from monitor.domain.case import TRANSITIONS, CaseEvent, CaseStatus, Decision
from monitor.domain.errors import TransitionError
from monitor.domain.evidence import EvidenceFile, Grade
from monitor.domain.item import ItemRef
from monitor.domain.verdict import Action, Expects
from monitor.web import marks, words
from monitor.web.gate import form_router
from monitor.web.pages import Visit, Visiting
from monitor.web.views.arguments import Id
from monitor.web.window import SeenItem, Stub, WholeCase, parent_of

pages = APIRouter()
forms = form_router()

#: What a page says after each act.
DONE = {
    "acknowledged": "Noted that you have seen it. The clock runs on until the school has answered.",
    "closed": "Closed.",
    "reopened": "Open again. Its deadline stays what it was.",
}


@pages.get("/cases/{case_id}")
def show(visit: Visiting, case_id: Id, done: str = "") -> HTMLResponse:
    with visit.window() as window:
        whole = window.case(case_id)
    if isinstance(whole, Stub):
        return visit.page("kept.html", stub=whole)
    config, item = visit.desk.config, whole.item
    known_rules = config.policy.rules(whole.case.rules)
    return visit.page(
        "case.html",
        whole=whole,
        case=whole.case,
        item=item.item,
        text_parts=_parts(whole),
        scores=why.scores(item.item.text, whole.reading) if whole.reading else [],
        named=why.named(item.item.text, whole.reading, config.people) if whole.reading else [],
        accused=[why.who(config.people, person_id) for person_id in whole.case.accused],
        known_rules=known_rules,
        lost_rules=sorted(set(whole.case.rules) - {rule.id for rule in known_rules}),
        depths=_depths(whole.thread),
        history=[(event, list(_details(event))) for event in whole.history],
        recipient=lambda email: _recipient(config, email),
        is_picture=is_picture,
        may=TRANSITIONS[whole.case.status],
        only_glance=whole.case.expects is Expects.GLANCE and whole.case.action is Action.IGNORE,
        decisions=words.DECISIONS,
        done=DONE.get(done),
        CaseStatus=CaseStatus,
        Expects=Expects,
    )


@forms.post("/cases/{case_id}/acknowledge")
def acknowledge(visit: Visiting, case_id: Id) -> RedirectResponse:
    _check(visit, case_id)
    casework.acknowledge(visit.desk.store, case_id, actor=visit.actor, now=visit.now)
    return _back(case_id, "acknowledged")


@forms.post("/cases/{case_id}/close")
def close(visit: Visiting, case_id: Id, decision: Annotated[Decision, Form()]) -> RedirectResponse:
    _check(visit, case_id)
    if decision not in words.DECISIONS:
        raise TransitionError(f"the desk does not close a case as {decision}")
    casework.close(visit.desk.store, case_id, decision, actor=visit.actor, now=visit.now)
    return _back(case_id, "closed")


@forms.post("/cases/{case_id}/reopen")
def reopen(visit: Visiting, case_id: Id) -> RedirectResponse:
    _check(visit, case_id)
    casework.reopen(visit.desk.store, case_id, actor=visit.actor, now=visit.now)
    return _back(case_id, "reopened")


def is_picture(file: EvidenceFile) -> bool:
    return file.media_type == "image/png"


def _check(visit: Visit, case_id: int) -> None:
    with visit.window() as window:
        window.check(case_id)


def _back(case_id: int, done: str) -> RedirectResponse:
    return RedirectResponse(f"/cases/{case_id}?done={done}", status_code=303)


def _parts(whole: WholeCase) -> list[marks.Part]:
    reading = whole.reading
    return marks.parts(whole.item.item.text, reading.spans if reading else (), reading.names if reading else ())


def _recipient(config: Config, email: str) -> str:
    found = next((person for person in config.people if person.email == email), None)
    return why.introduced(found) if found else email


def _depths(thread: Sequence[SeenItem | Stub]) -> dict[int, int]:
    """Item id -> how deep it stands in its conversation, 0 to 3."""
    depths: dict[ItemRef, int] = {}
    by_id: dict[int, int] = {}
    for one in thread:
        if isinstance(one, Stub):
            continue
        parent = parent_of(one)
        depth = min(depths.get(parent, 0) + 1, 3) if parent is not None and parent in depths else 0
        depths[one.stored.item.ref] = by_id[one.stored.id] = depth
    return by_id


def _details(event: CaseEvent) -> Iterator[str]:
    """What an event's detail says to people; hashes and ids stay in the record."""
    detail: Any = event.detail
    if "decision" in detail:
        yield words.DECISIONS.get(detail["decision"], str(detail["decision"]).replace("_", " "))
    if "severity" in detail:
        yield f"severity {detail['severity']}"
    if detail.get("rules"):
        yield "rules: " + ", ".join(str(rule).replace("-", " ") for rule in detail["rules"])
    if "because" in detail:
        yield str(detail["because"])
    if "labels" in detail:
        found = words.listed(words.labels(detail["labels"]))
        yield f"found: {found}" if found else "nothing found"
    if "roles" in detail:
        yield words.roles(detail["roles"])
    if "level" in detail:
        yield words.notice_level(detail["level"])
    if "grade" in detail:
        yield words.GRADES[Grade(detail["grade"])].lower()
