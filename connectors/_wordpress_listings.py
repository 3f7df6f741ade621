"""WordPress's listings: read by date down to a moment, or counted."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from connectors._fields import instant, text


class Walk:
    """A listing by date, newest first, read down to `since`.

    It goes on to the end where the older records are not as many as were `counted`, or where the site does not keep
    to the order.
    """

    def __init__(
        self,
        pages: Iterator[tuple[list[Any], int | None]],
        since: datetime,
        seen: set[str],
        counted: int | None = None,
    ) -> None:
        self._pages = pages
        self._seen = seen
        self._since = since
        self._counted = counted
        self._total: int | None = None
        self._dates: list[datetime | None] = []

    def __iter__(self) -> Iterator[list[Any]]:
        """Each page's records, without those `seen` before: new comments push others on to the next page."""
        walked: set[str] = set()
        for records, total in self._pages:
            fresh = _fresh(records, walked)
            self._total = total if self._total is None else self._total
            self._dates += [written_at(record) for record in fresh]
            yield _fresh(fresh, self._seen)
            if self._is_done():
                return

    def older(self, moment: datetime) -> int | None:
        """How many records there are from before `moment`, None where the site does not say how many there are."""
        if self._total is None:
            return None
        return self._total - sum(date is None or date >= moment for date in self._dates)

    def _is_done(self) -> bool:
        dates = [date for date in self._dates if date is not None]
        if not dates or dates[-1] >= self._since or dates != sorted(dates, reverse=True):
            return False
        return self._counted is None or self._counted == self.older(self._since)


class Tally:
    """How many comments a site counts over several listings; `total` is None where it does not say.

    Those whose status is in `left_out` are not counted: they are shown to moderators, and nobody keeps them.
    """

    def __init__(self, left_out: Collection[str]) -> None:
        self._left_out = left_out
        self.total: int | None = 0

    def over(self, pages: Iterator[tuple[list[Any], int | None]]) -> Iterator[list[Any]]:
        """Each page's records once, counted."""
        counted: int | None = None
        seen: set[str] = set()
        for number, (records, total) in enumerate(pages):
            fresh = _fresh(records, seen)
            counted = total if number == 0 else counted
            if counted is not None:
                counted -= sum(text(record, "status") in self._left_out for record in fresh)
            yield fresh
        self.total = None if self.total is None or counted is None else self.total + counted


def _fresh(records: list[Any], seen: set[str]) -> list[Any]:
    """The records that are not among `seen`, each once; they are from now on. What has no id is always fresh."""
    fresh = []
    for record in records:
        key = text(record, "id")
        if not key or key not in seen:
            fresh.append(record)
            seen.add(key)
    return fresh


def written_at(record: Any) -> datetime | None:
    """When a post or comment was written: WordPress leaves out that it is UTC."""
    stated = text(record, "date_gmt")
    return instant(stated) or instant(f"{stated}+00:00")
