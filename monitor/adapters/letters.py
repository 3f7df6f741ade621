"""E-mails from templates: NAME.txt, whose first line is the subject, and NAME.html, which is escaped."""

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, select_autoescape

from monitor.domain import wording
from monitor.domain.calendar import Calendar
from monitor.domain.clock import parse_instant
from monitor.domain.errors import ConfigError
from monitor.domain.ports import Letter


class TemplateLetters:
    """Writes letters from a folder of templates, in school time."""

    def __init__(self, folder: Path, calendar: Calendar) -> None:
        self._calendar = calendar
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"when": self._when, "unread": wording.unread}

    def write(self, kind: str, **facts: object) -> Letter:
        """Raises ConfigError naming the template that is missing or cannot be filled."""
        try:
            text = self._templates.get_template(f"{kind}.txt").render(facts)
            html = self._templates.get_template(f"{kind}.html").render(facts)
        except TemplateError as error:
            raise ConfigError(f"the template {kind} cannot be used: {error}") from error
        subject, _, body = text.partition("\n")
        return Letter(subject=" ".join(subject.split()), text=body.lstrip("\n"), html=html)

    def _when(self, moment: datetime | str | None) -> str:
        """Tue 24 Nov, 15:40"""
        if moment is None:
            return "never"
        local = self._calendar.local(parse_instant(moment) if isinstance(moment, str) else moment)
        return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"
