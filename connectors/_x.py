"""X's records as items: posts, private messages and profiles.

X gives an edit a new id (docs.x.com, "Edit posts"): an item keeps the first id of its chain, so that an edit is a
new revision of the same item. Specification 2.167 renames `tweet` to `post`: both are read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors._fields import Unreadable, dig, instant, mappings, read, text
from monitor.domain.account import Account, Profile
from monitor.domain.item import Author, AuthorKind, Item, ItemKind, ItemRef, Raw, Reject

PLATFORM = "x"
_EPOCH_MS = 1_288_834_974_657
_SNOWFLAKES_BEGIN = 30_000_000_000
_POST_ID = re.compile(r"[0-9]{1,20}")
#: A larger count is no count.
_MOST_REPLIES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One answer, taken apart: its records and what was sent along with them."""

    records: Sequence[Any]
    users: Mapping[str, Raw]
    posts: Mapping[str, Raw]
    media: Mapping[str, str]
    #: The ids that X says belong to nothing, and all those that it gave as the subject of an error.
    missing: frozenset[str]
    refused: frozenset[str]
    next_token: str

    @classmethod
    def of(cls, answer: Any) -> "Found":
        data = dig(answer, "data")
        included = mappings(dig(answer, "includes", "tweets")) + mappings(dig(answer, "includes", "posts"))
        errors = {
            text(error, "resource_id") or text(error, "value"): text(error, "type")
            for error in mappings(dig(answer, "errors"))
        }
        return cls(
            records=data if isinstance(data, list) else [],
            users={text(user, "id"): user for user in mappings(dig(answer, "includes", "users"))},
            posts={id_of(post): post for post in included},
            media={
                text(entry, "media_key"): ": ".join(filter(None, (text(entry, "type"), text(entry, "alt_text"))))
                for entry in mappings(dig(answer, "includes", "media"))
            },
            # A post that we may not see ("not-authorized-for-resource") still exists.
            missing=frozenset(key for key, kind in errors.items() if kind.endswith("/resource-not-found")),
            refused=frozenset(errors),
            next_token=text(answer, "meta", "next_token"),
        )


class Reader:
    """Reads records for one account; `own` are the school's handles and ids, in small letters."""

    def __init__(self, account: Account, own: Iterable[str], page_url: str) -> None:
        self._channel = account.channel
        self._own = set(own)
        self._page_url = page_url.rstrip("/")

    def add_own(self, user_id: str) -> None:
        """The school also writes under `user_id`."""
        self._own.add(user_id)

    def post(self, record: Any, found: Found) -> Item | Reject:
        """A post of `found`."""
        author = found.users.get(text(record, "author_id"), {})
        parent = found.posts.get(reference(record, "replied_to"), {})

        def convert(post: Raw) -> Item:
            return self._post(post, author, parent, found.media)

        return read(record, convert)

    def message(self, record: Any, found: Found) -> Item | Reject:
        """A private message of `found`."""
        sender = found.users.get(text(record, "sender_id"), {})

        def convert(event: Raw) -> Item:
            return self._message(event, sender, found.media)

        return read(record, convert)

    def profile(self, user: Raw) -> Profile:
        handle = text(user, "username")
        return Profile(
            platform=PLATFORM,
            id=text(user, "id"),
            handle=handle,
            name=text(user, "name"),
            about=text(user, "description"),
            url=f"{self._page_url}/{handle}",
            raw=user,
        )

    def _post(self, post: Raw, user: Raw, parent: Raw, media: Mapping[str, str]) -> Item:
        if not id_of(post):
            raise Unreadable("the post has no id")
        first = first_of(post)
        replied_to = reference(post, "replied_to")
        conversation = text(post, "conversation_id")
        author = self._author(text(post, "author_id"), user)
        return Item(
            ref=ItemRef(PLATFORM, first),
            channel=self._channel,
            kind=_kind(replied_to, conversation, author),
            author=author,
            text=_words(post),
            url=f"{self._page_url}/{author.handle or 'i'}/status/{id_of(post)}",
            published_at=_published(post, first),
            parent=ItemRef(PLATFORM, first_of(parent) or replied_to) if replied_to else None,
            thread=ItemRef(PLATFORM, conversation) if conversation else None,
            lang=_language(text(post, "lang")),
            attachments=_attachments(post, media),
            raw={"tweet": post, "author": user, "parent": parent},
        )

    def _message(self, event: Raw, user: Raw, media: Mapping[str, str]) -> Item:
        key, conversation = id_of(event), text(event, "dm_conversation_id")
        if not key:
            raise Unreadable("the message has no id")
        return Item(
            # Another form than a post's, so that no search or look-up asks for it as one.
            ref=ItemRef(PLATFORM, f"message:{key}"),
            channel=self._channel,
            kind=ItemKind.MESSAGE,
            author=self._author(text(event, "sender_id"), user),
            text=_unescaped(text(event, "text")),
            url=f"{self._page_url}/messages/{conversation}",
            published_at=instant(text(event, "created_at")) or time_of(key),
            thread=ItemRef(PLATFORM, f"messages:{conversation}") if conversation else None,
            attachments=_attachments(event, media),
            raw={"message": event, "author": user},
        )

    def _author(self, author_id: str, user: Raw) -> Author:
        handle = text(user, "username")
        return Author(
            id=author_id,
            handle=handle,
            display_name=text(user, "name"),
            kind=AuthorKind.SCHOOL if author_id and {handle.lower(), author_id} & self._own else AuthorKind.UNKNOWN,
        )


def totals(items: Iterable[Item]) -> dict[ItemRef, int]:
    """How many replies X counts in each conversation whose first post is among `items`, at any depth.

    X's `reply_count` tells of direct answers only. Added up over a conversation's posts it tells of all of them,
    except of answers to what no longer exists: these count for themselves. A conversation of which X leaves out
    one count has none.
    """
    known = {item.ref: item for item in items}
    answers = Counter(item.parent for item in known.values())
    found: dict[ItemRef, int | None] = {ref: 0 for ref, item in known.items() if item.thread == ref}
    for item in known.values():
        so_far = found.get(item.thread) if item.thread else None
        if item.thread is None or so_far is None:
            continue
        direct = _direct_answers(item, answers[item.ref])
        orphaned = item.ref != item.thread and item.parent not in known
        found[item.thread] = None if direct is None else so_far + direct + orphaned
    return {ref: count for ref, count in found.items() if count is not None}


def _direct_answers(item: Item, known: int) -> int | None:
    """X's count of the answers to a post, None where it gives none. `known` are those that were read."""
    post = item.raw.get("tweet")
    count = dig(post, "public_metrics", "reply_count")
    if not isinstance(count, int) or not 0 <= count <= _MOST_REPLIES:
        return None
    # Each version of an edited post has its own count (docs.x.com/x-api/fundamentals/edit-posts).
    return max(count, known) if first_of(post) != newest_of(post) else count


def is_post(ref: ItemRef) -> bool:
    """Whether X itself gave the id, and to a post: what staff handed in and messages have ids of another form."""
    return ref.platform == PLATFORM and _POST_ID.fullmatch(ref.id) is not None


def id_of(record: Any) -> str:
    return text(record, "id")


def first_of(post: Any) -> str:
    """The id of a post's first version."""
    return _history(post)[0]


def newest_of(post: Any) -> str:
    """The id of a post's newest version."""
    return _history(post)[-1]


def reference(post: Any, kind: str) -> str:
    """The id of the post that `post` answers ("replied_to") or repeats ("retweeted"), "" for none."""
    references = mappings(dig(post, "referenced_tweets")) + mappings(dig(post, "referenced_posts"))
    return next((id_of(entry) for entry in references if text(entry, "type") == kind), "")


def time_of(key: str) -> datetime | None:
    """The instant that an id carries (UTC), None for an id that carries none."""
    try:
        number = int(key)
        return (
            datetime.fromtimestamp(((number >> 22) + _EPOCH_MS) / 1000, UTC) if number > _SNOWFLAKES_BEGIN else None
        )
    except (OverflowError, ValueError, OSError):
        return None


def _history(post: Any) -> list[str]:
    ids = dig(post, "edit_history_tweet_ids") or dig(post, "edit_history_post_ids")
    return [str(entry) for entry in ids] if isinstance(ids, list) and ids else [id_of(post)]


def _words(post: Raw) -> str:
    """The whole text: long posts carry it apart."""
    return _unescaped(text(post, "note_tweet", "text") or text(post, "note_post", "text") or text(post, "text"))


def _unescaped(words: str) -> str:
    """X escapes three characters as HTML does."""
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _published(post: Raw, first: str) -> datetime | None:
    """When the first version appeared: an edit's `created_at` is later, its first id is not."""
    stated = instant(text(post, "created_at"))
    return stated if stated is not None and id_of(post) == first else time_of(first) or stated


def _attachments(record: Raw, media: Mapping[str, str]) -> tuple[str, ...]:
    keys = dig(record, "attachments", "media_keys")
    return tuple(media.get(str(key)) or "media" for key in keys) if isinstance(keys, list) else ()


def _kind(replied_to: str, conversation: str, author: Author) -> ItemKind:
    if not replied_to:
        return ItemKind.POST
    if replied_to == conversation and author.kind is not AuthorKind.SCHOOL:
        return ItemKind.COMMENT
    return ItemKind.REPLY


def _language(code: str) -> str | None:
    """An ISO 639-1 code; X also uses `und`, `zxx` and codes of its own (`qme`) for "cannot tell"."""
    return code if len(code) == 2 else None
