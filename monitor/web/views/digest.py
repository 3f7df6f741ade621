"""The daily digests, today's first: what needs somebody, what was handled, and proof that we were watching."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi.responses import HTMLResponse
from fastapi.routing import APIRouter

from monitor.domain.clock import parse_instant
from monitor.domain.errors import NotFound
from monitor.store.health import StoredDigest
from monitor.web.pages import Visiting

pages = APIRouter()

KEPT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An account as the digest found it. `gap` says that it had not been read for too long."""

    name: str
    last_read_ok: datetime | None
    gap: bool
    problem: str | None
    faults: tuple[str, ...]
    items: int


@pages.get("/digest")
def latest(visit: Visiting) -> HTMLResponse:
    return _show(visit, None)


@pages.get("/digest/{day}")
def of_day(visit: Visiting, day: str) -> HTMLResponse:
    return _show(visit, day)


def _show(visit: Visiting, day: str | None) -> HTMLResponse:
    with visit.window() as window:
        kept = window.digests(KEPT)
        digest = _chosen(kept, day)
        figures: dict[str, Any] = digest.figures if digest else {}
        needs_you = window.cases(figures.get("needs_you", []))
        handled = window.cases(figures.get("handled", []))
    sources = [_source(row) for row in figures.get("sources", [])]
    return visit.page(
        "digest.html",
        digest=digest,
        others=kept,
        counts=figures.get("counts", {}),
        read=figures.get("read"),
        failing=figures.get("failing"),
        lookalikes=figures.get("lookalikes", 0),
        since=_instant(figures.get("since")),
        until=_instant(figures.get("until")),
        needs_you=needs_you,
        handled=handled,
        sources=sources,
        gaps=[source for source in sources if source.problem or source.gap],
        day_name=lambda one: day_name(one.day),
    )


def _chosen(kept: list[StoredDigest], day: str | None) -> StoredDigest | None:
    if day is None:
        return kept[0] if kept else None
    found = next((one for one in kept if one.day == day), None)
    if found is None:
        raise NotFound("there is no digest of that day")
    return found


def day_name(day: str) -> str:
    """ "2026-11-24" as "Tue 24 Nov"."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
        return day
    date = datetime.fromisoformat(day).date()
    return f"{date:%a} {date.day} {date:%b}"


def _source(row: dict[str, Any]) -> Source:
    return Source(
        name=row["name"],
        last_read_ok=_instant(row["last_read_ok"]),
        gap=bool(row.get("gap", False)),
        problem=row["problem"],
        faults=tuple(row.get("faults", ())),
        items=row["items"],
    )


def _instant(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None
