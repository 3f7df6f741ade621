"""Whether what was read is all there is: how much stands below a post, and listings that come empty."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors._fields import dig, instant, text
from monitor.domain.clock import format_instant
from monitor.domain.errors import SourceError
from monitor.domain.item import Item, Reject

#: How many empty listings are remembered: a cursor must not grow without end.
MOST_EMPTY = 200


def replies_below(top: str, posts: Mapping[str, tuple[str, int]]) -> int:
    """How many replies stand below the post `top`, where a platform counts only those directly below each.

    `posts` has every post of the thread that was seen: its parent's id, and the platform's count of its direct
    replies. One whose parent was not seen (deleted, or hidden from us) is counted by nobody else, so here.
    """
    counted = sum(count for _, count in posts.values())
    return counted + sum(key != top and parent not in posts for key, (parent, _) in posts.items())


class Memory:
    """What a cursor remembers of listings, so that an empty one is not taken for a quiet one.

    A listing that is empty against a count, or although what it showed last still exists, is doubted: the rest is
    read, and the poll fails, to be made again. Empty a second time it is believed: somebody may have been muted or
    blocked, or a count be wrong, and what the totals differ by goes on being shown.
    """

    def __init__(self, state: Any) -> None:
        newest, empty = dig(state, "newest"), dig(state, "empty")
        self._newest = dict(newest) if isinstance(newest, Mapping) else {}
        self._empty = dict.fromkeys(map(str, empty)) if isinstance(empty, list) else {}
        self._doubts: list[str] = []

    def counted(self, name: str, shown: object, doubt: str) -> None:
        """A listing of which the platform says that it is not empty, and whether it `shown` anything."""
        if shown:
            self._empty.pop(name, None)
        elif name not in self._empty:
            self._empty[name] = None
            self._doubts.append(doubt)

    def listed(
        self,
        name: str,
        shown: object,
        results: Iterable[Item | Reject],
        exists: Callable[[str], bool],
        doubt: str,
        since: datetime | None = None,
        *,
        own: bool = False,
    ) -> None:
        """A listing's first page. Empty, it is doubted where the newest item that it showed before still `exists`.

        `since`: the listing is asked for what was written after that alone. One of the school's `own` posts is
        never believed while that one exists: nobody has muted or blocked themselves.
        """
        if shown:
            dated = [(item.published_at, item.ref.id) for item in results if isinstance(item, Item)]
            at, key = max(((at, key) for at, key in dated if at), default=(None, ""))
            if at is not None:
                self._newest[name] = {"id": key, "at": format_instant(at)}
            self._empty.pop(name, None)
        elif kept := self._newest.get(name):
            at = instant(text(kept, "at"))
            if (since is None or at is None or at > since) and exists(text(kept, "id")):
                if own:
                    self._empty.pop(name, None)
                self.counted(name, shown, doubt)
            else:
                del self._newest[name]

    @property
    def doubt(self) -> SourceError | None:
        """What to fail with once everything else is read."""
        more = f" (and {len(self._doubts) - 1} more such)" if len(self._doubts) > 1 else ""
        return SourceError(f"{self._doubts[0]}{more}; trying again at the next poll") if self._doubts else None

    def state(self) -> dict[str, Any]:
        """To be kept in the cursor, as JSON."""
        return {"newest": self._newest, "empty": list(self._empty)[-MOST_EMPTY:]}
