"""The card: an item drawn from the platform's own record, for people who will never read JSON."""

import base64
import hashlib
import re
import unicodedata
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from monitor.domain.clock import utc
from monitor.domain.evidence import Subject
from monitor.evidence.manifest import canonical_json

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "card.css").read_text("utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_NAME_LENGTH = 200
_SIGNS_LISTED = 30

#: Joiners and variation selectors that emoji and some scripts are spelt with, and the tags that follow a flag.
_PART_OF_SPELLING = frozenset("\u200c\u200d\ufe0e\ufe0f")
_FLAG_OF_A_NATION = re.compile("\U0001f3f4[\U000e0061-\U000e007a]+\U000e007f")


def render_card(subject: Subject) -> str:
    """The card of `subject` as one HTML page that needs nothing from outside and runs nothing.

    The same subject gives the same page, byte for byte. Every text stands as it was written, white space and all;
    characters that would hide, reorder or overwrite what is printed appear by their code point instead.
    """
    return _TEMPLATE.render(
        subject=subject,
        item=subject.item,
        style=Markup(_STYLE),  # noqa: S704 - our own file
        style_hash=_STYLE_HASH,
        record_sha256=hashlib.sha256(canonical_json(subject.item.raw)).hexdigest(),
        signs=signs(subject.item.text),
        codes_shown=any(is_hidden(sign) for of in (*subject.thread, subject.item) for sign in of.text),
        zone=ZoneInfo(subject.timezone),
    )


def visible(text: str) -> Markup:
    """`text` escaped, with each hidden character shown as a small box with its code point."""
    pieces: list[Markup] = []
    start = 0
    flags = [range(*match.span()) for match in _FLAG_OF_A_NATION.finditer(text)]
    for place, character in enumerate(text):
        if is_hidden(character) and not any(place in flag for flag in flags):
            box = Markup('<span class="code">U+{:04X}</span>').format(ord(character))
            pieces += [escape(text[start:place]), box]
            start = place + 1
    return Markup().join([*pieces, escape(text[start:])])


def is_hidden(character: str) -> bool:
    """Whether a character prints as nothing, or moves what stands around it: controls, bidi marks, surrogates."""
    if character in "\r\n\t" or character in _PART_OF_SPELLING:
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def signs(text: str) -> list[str]:
    """The emoji and other signs of `text` by name, once each, in order: a printer may lack a picture for them."""
    found = dict.fromkeys(sign for sign in text if unicodedata.category(sign) == "So")
    return [f"{sign} {unicodedata.name(sign, 'unnamed').lower()} (U+{ord(sign):04X})" for sign in found][
        :_SIGNS_LISTED
    ]


def _name(text: str) -> Markup:
    """A name on one line, short enough to leave room for what it signs; the record holds all of it."""
    line = " ".join(text.split())
    if len(line) <= _NAME_LENGTH:
        return visible(line)
    return visible(line[:_NAME_LENGTH]) + f" … ({len(line):,} characters in the record)"


def _utc_time(moment: datetime) -> str:
    return f"{utc(moment):%Y-%m-%d %H:%M:%S} UTC"


def _school_time(moment: datetime, zone: ZoneInfo) -> str:
    local = utc(moment).astimezone(zone)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M:%S} {local.tzname()}"


def _template_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, name=_name, utc_time=_utc_time, school_time=_school_time)
    return environment


_TEMPLATE = _template_environment().get_template("card.html")
