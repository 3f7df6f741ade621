"""What Facebook and Instagram count, beside what they show: an empty answer is no proof that nothing is there.

A token that lost a permission, a Page restricted by age or country and an app that is not live all make Graph
answer with status 200 and an empty list.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors._fields import page, text
from connectors._graph import Graph, GraphError, NotPermitted, is_missing
from connectors._http import Service
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import SourceError
from monitor.domain.item import Item, ItemRef, Page, Reject, Visibility

Results = Iterator[list[Item | Reject]]
#: A post's comments and replies: how many the platform counted (None: it did not say), and how many it showed.
Count = tuple[int | None, int]
ADVICE = (
    "if this lasts, the token has lost a permission, the account is restricted by age or country, or the app is "
    "not live: ask your technician (docs/connectors.md)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a poll leaves to the next in its cursor: up to when all was read (UTC), and each post's count then.

    `messages_to` is up to when private messages were, for these may be allowed later than the rest.
    """

    read_to: datetime | None = None
    messages_to: datetime | None = None
    counts: Mapping[str, Count] = field(default_factory=dict)

    @classmethod
    def load(cls, cursor: str | None) -> "Memory":
        """The memory in `cursor`; one of no sense is none."""
        try:
            state = json.loads(cursor or "{}")
            counts = {
                post: (None if told is None else int(told), int(shown))
                for post, (told, shown) in state.get("counts", {}).items()
            }
            messages_to = state.get("messages_to")
            return cls(
                read_to=parse_instant(state["read_to"]),
                messages_to=parse_instant(messages_to) if messages_to else None,
                counts=counts,
            )
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
            return cls()

    def dump(self) -> str:
        def said(at: datetime | None) -> str | None:
            return format_instant(at) if at else None

        return json.dumps(
            {"read_to": said(self.read_to), "messages_to": said(self.messages_to), "counts": self.counts}
        )


@dataclass(slots=True, kw_only=True)
class Below:
    """What was read below one post, beside what the platform counts there and what the last poll left of both."""

    post: str
    told: int | None
    last: Count | None = None
    seen: set[str] = field(default_factory=set)
    #: Why Graph does not let us read there.
    refusal: SourceError | None = None

    @property
    def count(self) -> Count:
        return self.told, len(self.seen)

    @property
    def silent(self) -> bool:
        """Whether the platform counts something and showed nothing."""
        return bool(self.told) and not self.seen

    def missing(self) -> bool:
        """Whether the platform counts more than it showed, or gives no count."""
        return self.told is None or len(self.seen) < self.told

    def as_before(self) -> bool:
        """Whether the last poll ended with just these numbers: no count that lags behind."""
        return self.last == self.count


def readable(owner: str, below: Below, results: Results) -> Results:
    """`results` of what stands below `owner` (the post, or a comment), as far as we may read it.

    What went while we were reading is reported by the next sweep of its thread; what is withheld is told here, for
    one post must not stop the others.
    """
    try:
        yield from results
        return
    except GraphError as error:
        if not is_missing(error.result):
            raise
    except NotPermitted as error:
        yield [Reject(raw={"id": owner}, reason=f"what stands below this could not be read: {error}")]
        if owner == below.post:
            below.refusal = error
    if owner == below.post:
        below.told = None


def refused(read: Sequence[Below]) -> SourceError | None:
    """The error where the comments of not one post may be read: a permission was lost."""
    refusals = [below.refusal for below in read]
    return refusals[0] if refusals and all(refusals) else None


def silence(service: Service, read: Iterable[Below]) -> SourceError | None:
    """The error where comments are counted and none are shown, unless the last poll left it at that."""
    silent = [below for below in read if below.silent]
    if all(below.as_before() for below in silent):
        return None
    counted = sum(below.told or 0 for below in silent)
    return SourceError(
        f"{service.name} answered, but showed none of the {counted} comments that it counts under {len(silent)} "
        f"of the posts; all else was read, and the next poll tries again; {ADVICE}"
    )


def remembered(read: Sequence[Below]) -> dict[str, Count]:
    """What to remember of each post.

    A single post may hold back its comments for ever: that is told once. Where no post shows any, what they showed
    before is kept, and silence goes on to be an error.
    """
    mute = not any(below.seen for below in read)
    return {
        below.post: below.last if mute and below.silent and below.last and below.last[1] else below.count
        for below in read
    }


def vanished(
    service: Service, graph: Graph, memory: Memory, fields: str, still: Callable[[Any], bool]
) -> SourceError | None:
    """The error where no post is listed, though one that the last poll saw is `still` there to be listed."""
    for post in memory.counts:
        record = graph.single(post, fields)
        if text(record, "id") and still(record):
            return SourceError(
                f"{service.name} answered, but showed none of the {len(memory.counts)} posts that it showed last "
                f"time; the next poll tries again; {ADVICE}"
            )
    return None


def unlisted(
    graph: Graph, below: Below, known: Iterable[ItemRef], fields: str, comment: Callable[[Any], Item | Reject]
) -> Iterator[Page]:
    """Those of `known` that the listing left out, asked for one by one: gone only where the platform says so.

    Where it does not count, what is found so and is not hidden should have been listed.
    """
    found = 0
    for missing in [ref for ref in known if ref.id not in below.seen]:
        record = graph.look_up(missing.id, fields)
        results = [comment(record)] if record else []
        found += sum(isinstance(result, Item) and result.visibility is Visibility.PUBLIC for result in results)
        yield page(results, gone=[missing] if record is None else [])
    if below.told is None:
        below.told = found
