"""Templates, and the one visit that a handler serves."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from monitor.domain.clock import format_instant
from monitor.store.queue import QueueEntry
from monitor.web import links, words
from monitor.web.access import Visitor
from monitor.web.desk import Desk
from monitor.web.window import Kept, Sight, Stub, Window

HERE = Path(__file__).parent
STATIC = HERE / "static"


def _shown(value: Any) -> Any:
    """Every text that a template prints passes here: nothing in it may disturb the page around it."""
    return words.harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
        "lower_first": lambda text: text[:1].lower() + text[1:],
        "host_of": links.host_of,
        "label": words.label,
        "labels": words.labels,
        "listed": words.listed,
        "platform": words.platform,
        "role": words.role,
        "roles": words.roles,
        "short": words.short,
        "stage": words.stage,
        "web_address": links.web_address,
    }
    environment.tests |= {
        "entry": lambda one: isinstance(one, QueueEntry),
        "kept": lambda one: isinstance(one, Kept),
        "stub": lambda one: isinstance(one, Stub),
    }
    environment.globals |= {"words": words, "static": _static}
    return environment


@cache
def _static(name: str) -> str:
    """The address of a file of ours, which changes when the file does."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


class Visit:
    """One request: the desk, the visitor, and one `now` for everything that the answer says."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.desk: Desk = request.app.state.desk
        self.visitor: Visitor = request.state.visitor

    @cached_property
    def now(self) -> datetime:
        return self.desk.clock.now()

    @property
    def actor(self) -> str:
        """How a case's history calls this visitor, until people sign in by name."""
        return "leaders" if self.visitor.leaders else "desk"

    @contextmanager
    def window(self) -> Iterator[Window]:
        with self.desk.store.reading() as tx:
            yield Window(tx, Sight(leaders=self.visitor.leaders, book=self.desk.config.policy.book))

    def when(self, moment: datetime) -> Markup:
        """A time in school time, with the exact instant for machines."""
        text = words.when(moment, self.desk.config.calendar.zone, self.now)
        return Markup('<time datetime="{}">{}</time>').format(format_instant(moment), text)

    def account(self, account_id: str) -> str:
        """An account's name."""
        return next((one.name for one in self.desk.config.accounts if one.id == account_id), account_id)

    def unread(self, language: str) -> str | None:
        """What is said of a text in a language that the classifier does not read; None where it reads it."""
        return None if self.desk.config.policy.reads(language) else words.unread(language)

    def page(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        body = (
            _environment()
            .get_template(template)
            .render(
                visit=self,
                now=self.now,
                school=self.desk.config.school.name,
                notices=list(self.desk.notices()),
                here=self.request.url.path,
                when=self.when,
                account=self.account,
                rules=lambda case: self.desk.config.policy.rules(case.rules),
                ago=lambda moment: words.ago(moment, self.now),
                unread=self.unread,
                **context,
            )
        )
        # A lone surrogate cannot be sent; nothing that is shown should have one, and a page must not break on it.
        return HTMLResponse(body.encode("utf-8", "replace"), status_code=status)

    def problem(self, status: int, title: str, text: str) -> HTMLResponse:
        """A page that says what went wrong and what to do."""
        return self.page("problem.html", status=status, title=title, text=text)


Visiting = Annotated[Visit, Depends(Visit)]
