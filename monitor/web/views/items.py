"""Everything that was read, history too, with a search."""

from fastapi.responses import HTMLResponse
from fastapi.routing import APIRouter

from monitor.web import words
from monitor.web.pages import Visiting
from monitor.web.views.arguments import Before

pages = APIRouter()

SHOWN = 40
_LONGEST_SEARCH = 200


@pages.get("/items")
def show(visit: Visiting, q: str = "", before: Before = None) -> HTMLResponse:
    searched = words.harmless(q).strip()[:_LONGEST_SEARCH]
    with visit.window() as window:
        found, older = window.items(searched, before=before, limit=SHOWN)
        total = window.counts(visit.now).items
    return visit.page("items.html", found=found, older=older, searched=searched, before=before, total=total)
