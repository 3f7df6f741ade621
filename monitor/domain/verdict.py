"""What the model says of a text (Reading) and what the school's rule book makes of it (Verdict)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """What a text does; the meanings and the borders between them are in docs/labels.md."""

    ABUSE = "abuse"
    THREAT = "threat"
    HATE = "hate"
    SEXUAL = "sexual"
    PROFANITY = "profanity"
    COMPLAINT = "complaint"
    QUERY = "query"
    SAFEGUARDING = "safeguarding"
    ALLEGATION = "allegation"
    PERSONAL_DATA = "personal_data"
    MEDIA = "media"
    SPAM = "spam"


#: Label -> probability, 0 to 1; every label is present.
Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the original text (code points, end exclusive) and the label that it speaks for."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameHit:
    """A person of the roster whom the text names: `text[start:end]`, how sure (0–1), and who else it may be."""

    person: str
    start: int
    end: int
    score: float
    ambiguous_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What a classifier may know of an item."""

    text: str
    parent: str | None = None
    platform: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read in one text.

    `labels` are over their threshold; `doubt` are labels that stay possible; `language` is an ISO 639-1 code, "mis"
    for a language that has no name here, or "und" where there are next to no words. `provisional`: the word list
    read alone because the model failed, and the model reads the text again once it works.
    """

    scores: Scores
    labels: tuple[str, ...]
    doubt: tuple[str, ...] = ()
    names: tuple[NameHit, ...] = ()
    names_doubt: tuple[str, ...] = ()
    language: str = "und"
    spans: tuple[Span, ...] = ()
    provisional: bool = False


class Action(StrEnum):
    """What the rule book asks for, weakest first."""

    IGNORE = "ignore"
    REVIEW = "review"
    ESCALATE = "escalate"


class Expects(StrEnum):
    """What an item on an official account waits for (P2)."""

    ANSWER = "answer"
    GLANCE = "glance"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rule book says of one revision.

    `severity` is 0–5 (POLICY: severity and precedence). `tell` are the roles told at once; `visible_to` the only
    roles that may see the case, None for everybody on the desk. `rank` is the place in the book of the first rule
    that matched: at equal severity the earlier rule comes first. `rules` are the ids of every rule that matched.
    `accused` are roster ids of people whom a complaint or allegation is about. `policy_version` is the rule
    book's hash.
    """

    action: Action
    severity: int
    rank: int
    rules: tuple[str, ...]
    tell: tuple[str, ...]
    visible_to: tuple[str, ...] | None
    expects: Expects
    accused: tuple[str, ...]
    policy_version: str
