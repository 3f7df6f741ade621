"""A comment's text cut into parts, so that the words behind its labels and the names in it can be highlighted."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from monitor.domain.verdict import NameHit, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A run of text that the same labels and the same person stand behind."""

    text: str
    labels: tuple[str, ...]
    person: str | None


def parts(text: str, spans: Sequence[Span], names: Sequence[NameHit]) -> list[Part]:
    """`text` in order, cut wherever a span or a name begins or ends. Positions outside the text are ignored."""
    edges = {0, len(text)}
    edges |= {edge for span in spans for edge in (span.start, span.end)}
    edges |= {edge for hit in names for edge in (hit.start, hit.end)}
    cuts = sorted(edge for edge in edges if 0 <= edge <= len(text))
    return [
        Part(
            text=text[start:end],
            labels=tuple(dict.fromkeys(span.label for span in spans if span.start <= start and end <= span.end)),
            person=next((hit.person for hit in names if hit.start <= start and end <= hit.end), None),
        )
        for start, end in pairwise(cuts)
    ]
