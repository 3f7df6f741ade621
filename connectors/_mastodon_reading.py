"""One reading of a Mastodon account, or of hashtags and searches: its listings, and what their pages hold."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors._completeness import Memory, replies_below
from connectors._fields import dig, instant, page, read, text
from connectors._mastodon import PLATFORM, Records, id_of, parent_of, replies_counted, standing
from connectors._mastodon_http import MOST, Client, Listed, Progress, ask, listed, mentions, older, search
from monitor.domain.item import Item, ItemRef, Page, Reject

#: A post without replies is not opened again once it is older than the last complete poll by this.
LIVELY = timedelta(days=2)
#: The listing of the school's own posts.
POSTS = "posts"
Found = tuple[list[Item | Reject], Mapping[ItemRef, int]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A listing, from a mark on, and what is made of a page of it; `doubt` says what is wrong if it comes empty.

    `since`: it is asked for what was written after that alone.
    """

    listing: Callable[[int | None], Iterator[Listed]]
    records: Callable[[list[Any]], Iterator[Found]]
    doubt: str = ""
    since: datetime | None = None


class Reading:
    """Reads what is new since `read_to` (None: the first time), and everything recent again.

    Mentions and finds go back to `since`, own posts to `begin`. What is in `seen` was read already; `tops` has the
    beginnings of conversations by their posts, as far as they are known. `memory` takes note of what comes empty.
    """

    def __init__(
        self,
        client: Client,
        records: Records,
        *,
        now: datetime,
        read_to: datetime | None,
        window: timedelta,
        overlap: timedelta,
        page_size: int,
        memory: Memory,
        seen: set[str],
        tops: dict[str, str],
    ) -> None:
        self._client = client
        self._records = records
        self._read_to = read_to
        self._since = read_to - overlap if read_to else now - window
        self._begin = min(self._since, now - window)
        self._settled = (read_to or now) - LIVELY
        self._page_size = page_size
        self._memory = memory
        self._seen = seen
        self._tops = tops

    def go_on(self, progress: Progress, stages: Mapping[str, Stage]) -> Iterator[Page]:
        """All listings from where `progress` stands, which moves on with every page of one."""
        names = list(stages)
        if progress.stage not in names:
            progress.stage, progress.mark = names[0], None
        for name in names[names.index(progress.stage) :]:
            if name != progress.stage:
                progress.stage, progress.mark = name, None
            first = progress.mark is None
            for posts, mark in stages[name].listing(progress.mark):
                read: list[Item | Reject] = []
                for results, totals in stages[name].records(posts):
                    read += results
                    yield page(results, cursor=progress.cursor(), totals=totals)
                if first:
                    self._remember(name, stages[name], posts, read)
                    first = False
                if mark is not None:
                    progress.mark = mark
                    yield Page(cursor=progress.cursor())
            if first:
                self._remember(name, stages[name], [], [])

    def _remember(self, name: str, stage: Stage, posts: list[Any], results: list[Item | Reject]) -> None:
        """What a listing showed first, or that it showed nothing."""
        if not stage.doubt:
            return
        keys = set(map(id_of, posts))
        found = [item for item in results if isinstance(item, Item) and item.ref.id in keys]

        def exists(key: str) -> bool:
            return ask(self._client.status, key) is not None

        self._memory.listed(name, posts, found, exists, stage.doubt, stage.since, own=name == POSTS)
        if name == POSTS and not posts:
            me: Any = self._client.account_verify_credentials()
            last = instant(f"{text(me, 'last_status_at')}T00:00:00Z")
            if last is not None and last > self._begin and (count := text(me, "statuses_count")) != "0":
                self._memory.counted(name, posts, f"{stage.doubt}, of which it counts {count}")

    def own_and_addressed(self) -> Mapping[str, Stage]:
        """Own posts with their replies, the school's answers elsewhere with theirs, then mentions."""
        client, size, unsure = self._client, self._page_size, self._read_to is None

        def own(mark: int | None) -> Iterator[Listed]:
            return older(
                lambda mark: client.account_statuses(
                    self._records.me, exclude_reblogs=True, since_id=self._begin, max_id=mark, limit=size
                ),
                mark,
                unsure=False,
            )

        def addressed(mark: int | None) -> Iterator[Listed]:
            return mentions(client, self._since, mark, size, unsure=unsure)

        none = "Mastodon answered, but showed no mentions, though it showed some before"
        return {
            POSTS: Stage(
                own,
                self._begun,
                "Mastodon answered, but showed none of the school's own posts",
                self._begin,
            ),
            "answers": Stage(own, self._answers),
            "mentions": Stage(addressed, self._by_themselves, none),
        }

    def elsewhere(self, tags: Iterable[str], queries: Iterable[str]) -> Mapping[str, Stage]:
        """What the searches find, and what is said under the hashtags: not every server searches for these."""
        client, size, unsure = self._client, self._page_size, self._read_to is None

        def tagged(tag: str) -> Callable[[int | None], Iterator[Listed]]:
            return lambda mark: older(
                lambda mark: client.timeline_hashtag(tag, since_id=self._since, max_id=mark, limit=size),
                mark,
                unsure=unsure,
            )

        def found(query: str) -> Callable[[int | None], Iterator[Listed]]:
            return lambda mark: search(client, query, self._since, mark, size, unsure=unsure)

        listings = {query: found(query) for query in queries} | {f"#{tag}": tagged(tag) for tag in tags}
        doubt = "Mastodon answered, but found nothing for {}, though it did before"
        return {
            name: Stage(listing, self._by_themselves, doubt.format(name), self._since)
            for name, listing in listings.items()
        }

    def _begun(self, posts: list[Any]) -> Iterator[Found]:
        """Those of the school's posts that answer nothing, and what stands below them."""
        begun = self._records.fresh((post for post in posts if not parent_of(post)), self._seen)
        yield [self.item(post, id_of(post)) for post in begun], {}
        for post in filter(id_of, begun):
            below = self.below(post) if _lively(post, self._settled) else []
            total = replies_below(id_of(post), standing([post, *below]))
            results = [self.item(one, id_of(post)) for one in self._records.fresh(below, self._seen)]
            yield results, {ItemRef(PLATFORM, id_of(post)): total}

    def _answers(self, posts: list[Any]) -> Iterator[Found]:
        """The school's answers in conversations that others began, and what stands below them."""
        for post in self._records.fresh(filter(parent_of, posts), set(self._seen)):
            if self._read_to is None or _lively(post, self._settled):
                below = self.below(post)
                new = self._records.fresh([post, *below], self._seen)
                yield [self.item(one, self._top(post)) for one in new], {}

    def _by_themselves(self, posts: list[Any]) -> Iterator[Found]:
        """Posts without what stands below them, one by one: each may take a request for where it stands."""
        for post in self._records.fresh(posts, self._seen):
            yield [self.item(post, self._top(post))], {}

    def below(self, post: Any) -> list[Any]:
        """What stands below a post. The server counts public replies, but of those that the school muted, too."""
        below = self._context(id_of(post))[1]
        if count := replies_counted(post):
            doubt = f"Mastodon answered, but showed none of the {count} replies that it counts below a post"
            self._memory.counted(id_of(post), below, doubt)
        return below

    def _context(self, key: str) -> tuple[list[Any], list[Any]]:
        """What stands above and below a post; nothing where it has no id, or went while we were reading."""
        answer = ask(self._client.status_context, key) if key else None
        if answer is None:
            return [], []
        return listed(dig(answer, "ancestors")), listed(dig(answer, "descendants"))

    def _top(self, post: Any) -> str:
        """The post that began the conversation, as far as we may see it; "" where a record has no id."""
        key, parent = id_of(post), parent_of(post)
        if not key or not parent:
            return key
        if key not in self._tops:
            above = self._context(key)[0]
            if len(self._tops) >= MOST:
                self._tops.clear()
            self._tops[key] = next(filter(None, map(id_of, above)), parent)
        return self._tops[key]

    def item(self, record: Any, top: str) -> Item | Reject:
        """A post of the conversation that `top` began."""
        return read(record, lambda raw: self._records.item(raw, top))


def _lively(post: Any, settled: datetime) -> bool:
    """Whether there may be something new below a post: it has replies, or was written after `settled`."""
    written = instant(text(post, "created_at"))
    return written is None or written > settled or dig(post, "replies_count") != 0
