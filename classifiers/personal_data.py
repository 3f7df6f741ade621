"""Private data that has a shape: contact details, a pupil's full name, health and family matters beside a name.

Found in the original text, so that the spans can be redacted. What has no shape (rumours, hints) is the model's.
"""

from bisect import bisect_left
from collections.abc import Sequence

from classifiers import contacts, full_names, private_facts
from classifiers.fold import Folded, fold
from monitor.domain.verdict import Label, NameHit, Span


def find(text: str, names: Sequence[NameHit]) -> list[Span]:
    """Where `text`, in which `names` of the roster were found, shows private data, in order of appearance.

    A full name of the roster's is no private data; what is said beside it may be.
    """
    folded = fold(text)
    strangers = [name for name in full_names.find(folded, text) if not _on_roster(name, folded, names)]
    people = [_in_folded(name, folded) for name in names] + [(each.start, each.end) for each in strangers]
    found = {
        *contacts.find(folded.text),
        *((each.start, each.end) for each in strangers if each.pupil),
        *private_facts.find(folded.text.lower(), people),
    }
    return [_span(*folded.original(*place)) for place in sorted(found)]


def _on_roster(name: full_names.FullName, folded: Folded, names: Sequence[NameHit]) -> bool:
    start, end = folded.original(name.start, name.end)
    return any(hit.start < end and start < hit.end for hit in names)


def _in_folded(hit: NameHit, folded: Folded) -> tuple[int, int]:
    return bisect_left(folded.origins, hit.start), bisect_left(folded.origins, hit.end)


def _span(start: int, end: int) -> Span:
    return Span(start=start, end=end, label=Label.PERSONAL_DATA)
