"""The way to the end of Reddit's listings and threads: https://www.reddit.com/dev/api"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors._fields import dig, text
from connectors._reddit import written
from monitor.domain.errors import SourceError
from monitor.domain.item import Reject

#: One request: method, path, parameters. Gives the decoded answer, raises SourceError.
Ask = Callable[[str, str, Mapping[str, Any]], Any]

#: The most ids that one request to /api/info or /api/morechildren takes.
BATCH = 100


def fresh(found: Iterable[Any], seen: set[str]) -> list[Any]:
    """The records that are not among the fullnames `seen`, which grows by theirs."""
    new = []
    for record in found:
        name = text(record, "name")
        if not name or name not in seen:
            new.append(record)
        seen.add(name)
    return new


def records(listing: Any, what: str) -> list[Any]:
    """The records of a listing. Raises SourceError for anything else."""
    return [_data(thing) for thing in _children(listing, what)]


def look_up(ask: Ask, names: Iterable[str]) -> list[Any]:
    """The records with those fullnames, BATCH at most; Reddit leaves out what it does not know."""
    return records(ask("GET", "api/info", {"id": ",".join(names)}), "items")


def pages(ask: Ask, path: str, params: Mapping[str, Any], reach: datetime) -> Iterator[list[Any]]:
    """A listing from its newest record back to `reach`: page by page, until all of a page is older.

    Raises SourceError when the listing does not move on.
    """
    after, used = "", {""}
    while True:
        answer = ask("GET", path, {"limit": BATCH, **params, **({"after": after} if after else {})})
        found = records(answer, path)
        after = text(answer, "data", "after")
        if after and not found:
            nothing = f"Reddit answered, but listed nothing on a page of {path} that others follow"
            raise SourceError(f"{nothing}; trying again at the next poll")
        yield found
        if not after or (found and not any(_since(record, reach) for record in found)):
            return
        if after in used:
            raise SourceError("Reddit sent us round in a circle (the same page twice); trying again later")
        used.add(after)


def tree(ask: Ask, post: str, comment: str, most: int) -> Iterator[list[Any]]:
    """What stands below a post, or at and below one comment there (fullnames), answer by answer, to its end.

    "More comments" are asked for in batches, "continue this thread" from the comment it stands at. After `most`
    requests a Reject says what is left. Raises SourceError where Reddit does not move on.
    """
    starts, ids = deque([comment.removeprefix("t1_")]), deque[str]()
    asked: set[str] = set()
    for _ in range(most):
        if ids:
            batch = [ids.popleft() for _ in range(min(BATCH, len(ids)))]
            form = {"link_id": post, "children": ",".join(batch), "sort": "new"}
            things = _more(ask("POST", "api/morechildren", form))
            if things and not any(text(_data(thing), "id") in batch for thing in things):
                raise SourceError("Reddit sent us round in a circle (the same comments twice); trying again later")
        elif starts:
            start = starts.popleft()
            where = {"comment": start} if start else {}
            answer = ask("GET", f"comments/{post.removeprefix('t3_')}", {"limit": 500, "sort": "new", **where})
            things = _children(answer[-1] if isinstance(answer, list) and answer else None, f"comments of {post}")
            if start and (not things or text(_data(things[0]), "id") != start):
                # The comment is gone: Reddit then answers with the whole thread.
                continue
        else:
            return
        found, more = _flat(things)
        yield found
        for start, below in more:
            ids.extend(key for key in below if key not in asked)
            asked.update(below)
            if not below and start and f"below {start}" not in asked:
                asked.add(f"below {start}")
                starts.append(start)
    if left := [*ids, *starts]:
        yield [
            Reject(raw={"post": post, "comments": left}, reason=f"{most} requests did not bring the whole thread")
        ]


def _flat(things: Iterable[Any]) -> tuple[list[Any], list[tuple[str, list[str]]]]:
    """The records of a tree, each without what stands below it, and where there are more: (comment, ids)."""
    found: list[Any] = []
    more: list[tuple[str, list[str]]] = []
    waiting = deque(things)
    while waiting:
        thing = waiting.popleft()
        data = _data(thing)
        if text(thing, "kind") == "more":
            ids = dig(data, "children")
            wanted = [key for key in ids if isinstance(key, str)] if isinstance(ids, list) else []
            more.append((text(data, "parent_id").removeprefix("t1_"), wanted))
            continue
        below = dig(data, "replies", "data", "children")
        waiting.extend(below if isinstance(below, list) else [])
        whole = isinstance(data, Mapping)
        found.append({name: value for name, value in data.items() if name != "replies"} if whole else data)
    return found, more


def _more(answer: Any) -> list[Any]:
    things = dig(answer, "json", "data", "things")
    if not isinstance(things, list):
        raise SourceError("Reddit did not give us the rest of a thread; trying again later")
    return things


def _children(listing: Any, what: str) -> list[Any]:
    found = dig(listing, "data", "children")
    if not isinstance(found, list):
        raise SourceError(f"Reddit sent no list of {what}; trying again at the next poll")
    return found


def _data(thing: Any) -> Any:
    return thing.get("data", thing) if isinstance(thing, Mapping) else thing


def _since(record: Any, reach: datetime) -> bool:
    moment = written(record) if isinstance(record, Mapping) else None
    return moment is None or moment >= reach
