"""Whether everything is watched: sources, stages, mail and evidence, each with a light, a word and what to do."""

from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRouter

from monitor.web import lights, words
from monitor.web.pages import Visit, Visiting

pages = APIRouter()


@pages.get("/status")
def show(visit: Visiting) -> HTMLResponse:
    config = visit.desk.config
    with visit.window() as window:
        workings = window.workings()
        sources = lights.sources(config, window.sources(visit.now), visit.now)
        undecided = window.undecided_lookalikes()
    at_sources = [[problem for _, problem in source.faults] for source in sources]
    return visit.page(
        "status.html",
        sources=sources,
        watch=lights.watch(sources),
        stages=[(_stage(visit, beat.stage), beat, lights.stage(beat, visit.now)) for beat in workings.heartbeats],
        workings=workings,
        other_problems=[one for one in workings.problems if not any(one in faults for faults in at_sources)],
        undecided=undecided,
        warnings=config.warnings,
    )


@pages.get("/health")
@pages.head("/health")
def health(visit: Visiting) -> JSONResponse:
    """200 while the database answers and every stage turns, for what watches the service; 503 otherwise."""
    if not visit.desk.store.answers():
        return JSONResponse({"ok": False, "problem": "the database does not answer"}, status_code=503)
    with visit.window() as window:
        beats = window.workings().heartbeats
    silent = sorted(beat.stage for beat in beats if lights.stage(beat, visit.now).colour == "red")
    if silent:
        return JSONResponse({"ok": False, "problem": "stages stand still", "stages": silent}, status_code=503)
    return JSONResponse({"ok": True, "stages": len(beats)})


def _stage(visit: Visit, name: str) -> str:
    """A stage in words; each account is polled by a stage of its own."""
    account = name.removeprefix("poll ")
    return words.stage(name) if account == name else f"Reading {visit.account(account)}"
