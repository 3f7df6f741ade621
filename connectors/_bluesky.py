"""What Bluesky's records say: posts as its listings and threads show them, direct messages, and profiles.

https://docs.bsky.app/docs/category/http-reference
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors._fields import Unreadable, dig, instant, mappings, text
from monitor.domain.account import Account, Profile
from monitor.domain.item import Author, AuthorKind, Item, ItemKind, ItemRef, Raw, Reject, Visibility

PLATFORM = "bluesky"
_POST = re.compile(r"at://(did:[a-z]+:[\w.:%-]+)/app\.bsky\.feed\.post/([\w.~:-]+)")
#: A conversation in direct messages, and one message of it: ids of our own form, for Bluesky's are short.
_CONVERSATION = re.compile(r"chat:([\w.~-]+)")
_MESSAGE = re.compile(r"chat:[\w.~-]+:[\w.~-]+")
#: Labels with which moderators take a post out of sight (https://docs.bsky.app/docs/advanced-guides/moderation).
_OUT_OF_SIGHT = frozenset({"!hide", "!takedown"})
_KEY_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"


class Records:
    """Reads records as one account sees them. `did` is the account's own id, `page_url` where people read."""

    def __init__(self, account: Account, names: Iterable[str], page_url: str) -> None:
        self._channel = account.channel
        self._own = {name.lower().lstrip("@") for name in names}
        self._page_url = page_url.rstrip("/")
        self.did = ""

    def post(self, view: Raw, hidden: Collection[str], now: datetime) -> Item:
        """A post as threads, searches and notifications show it: they agree on what matters.

        `hidden` are the replies that the author of their thread has hidden. Raises Unreadable.
        """
        uri, record = text(view, "uri"), dig(view, "record")
        address = _POST.fullmatch(uri)
        if address is None or not isinstance(record, Mapping):
            raise Unreadable("the entry has no address of a post, or no post")
        parent, root = (_ref(text(record, "reply", place, "uri")) for place in ("parent", "root"))
        author = self._author(dig(view, "author"))
        ours = author.kind is AuthorKind.SCHOOL
        below = ItemKind.COMMENT if parent == root and not ours else ItemKind.REPLY
        labels = _labels(view)
        unseen = uri in hidden or not _OUT_OF_SIGHT.isdisjoint(labels)
        why = ["threadgate"] * (uri in hidden) + [f"label:{label}" for label in labels]
        return Item(
            ref=ItemRef(PLATFORM, uri),
            channel=self._channel,
            kind=below if parent else ItemKind.POST,
            author=author,
            text=text(record, "text"),
            url=f"{self._page_url}/profile/{address[1]}/post/{address[2]}",
            published_at=_published(view, address[2], now),
            parent=parent,
            thread=root or ItemRef(PLATFORM, uri),
            lang=language(dig(record, "langs")),
            attachments=attachments(dig(record, "embed")),
            visibility=Visibility.HIDDEN if unseen else Visibility.PUBLIC,
            # A muted author is hidden from the school alone: everybody else goes on reading.
            raw={"post": view, "hidden": why + ["muted"] * (dig(view, "author", "viewer", "muted") is True)},
        )

    def message(self, view: Raw, conversation: Raw) -> Item:
        """A direct message (chat.bsky.convo.defs#messageView). Raises Unreadable."""
        thread = f"chat:{text(conversation, 'id')}"
        key, answered = f"{thread}:{text(view, 'id')}", f"{thread}:{text(view, 'replyTo', 'id')}"
        if not _MESSAGE.fullmatch(key):
            raise Unreadable("the message or its conversation has no id")
        did = text(view, "sender", "did")
        people = mappings(dig(conversation, "members"))
        return Item(
            ref=ItemRef(PLATFORM, key),
            channel=self._channel,
            kind=ItemKind.MESSAGE,
            author=self._author(next((who for who in people if did and text(who, "did") == did), {"did": did})),
            text=text(view, "text"),
            url=f"{self._page_url}/messages/{text(conversation, 'id')}",
            published_at=instant(text(view, "sentAt")),
            parent=ItemRef(PLATFORM, answered) if _MESSAGE.fullmatch(answered) else None,
            thread=ItemRef(PLATFORM, thread),
            attachments=attachments(dig(view, "embed")),
            raw={"message": view, "conversation": text(conversation, "id")},
        )

    def profile(self, view: Raw) -> Profile | None:
        """An account that a search for names found, None where the record names none."""
        did, handle = text(view, "did"), text(view, "handle")
        if not did.startswith("did:"):
            return None
        return Profile(
            platform=PLATFORM,
            id=did,
            handle=handle,
            name=text(view, "displayName"),
            about=text(view, "description"),
            url=f"{self._page_url}/profile/{did}",
            raw=view,
        )

    def _author(self, who: Any) -> Author:
        did, handle = text(who, "did"), text(who, "handle")
        ours = bool(did) and (did == self.did or bool({did.lower(), handle.lower()} & self._own))
        return Author(
            id=did,
            handle=handle,
            display_name=text(who, "displayName"),
            kind=AuthorKind.SCHOOL if ours else AuthorKind.UNKNOWN,
        )


def fresh(results: Iterable[Item | Reject], seen: set[str]) -> Iterator[Item | Reject]:
    """What was not `seen` yet, which it adds."""
    for result in results:
        if isinstance(result, Reject) or result.ref.id not in seen:
            seen.update([result.ref.id] if isinstance(result, Item) else ())
            yield result


def shown(entry: Any) -> Any:
    """The post in an entry of a feed or thread; the entry itself, to be kept, where there is none."""
    return found if isinstance(found := dig(entry, "post"), Mapping) else entry


def post_uri(uri: str) -> str:
    """`uri` if it is the address of a post, else ""."""
    return uri if _POST.fullmatch(uri) else ""


def is_post(ref: ItemRef) -> bool:
    """Whether Bluesky itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and bool(post_uri(ref.id))


def is_conversation(ref: ItemRef) -> bool:
    return ref.platform == PLATFORM and _CONVERSATION.fullmatch(ref.id) is not None


def _ref(uri: str) -> ItemRef | None:
    return ItemRef(PLATFORM, uri) if post_uri(uri) else None


def standing(view: Any) -> tuple[str, int]:
    """What a post answers ("" for nothing), and how many direct replies Bluesky counts below it."""
    count = dig(view, "replyCount")
    return text(view, "record", "reply", "parent", "uri"), count if isinstance(count, int) and count > 0 else 0


def is_words(view: Any) -> bool:
    """Whether an entry of a conversation is a message, and no deleted one nor a notice of who joined."""
    return not text(view, "$type").endswith(("#deletedMessageView", "#systemMessageView"))


def hidden_replies(of: Any) -> set[str]:
    """The replies that the author of a thread has hidden (app.bsky.feed.threadgate)."""
    found = dig(of, "threadgate", "record", "hiddenReplies")
    return {uri for uri in found if isinstance(uri, str)} if isinstance(found, list) else set()


def language(named: Any) -> str | None:
    """The first language that the author's app named, as ISO 639-1."""
    first = str(named[0]) if isinstance(named, list) and named else ""
    return first[:2].lower() if re.fullmatch("[A-Za-z]{2}(-.*)?", first) else None


def attachments(embed: Any) -> tuple[str, ...]:
    """Kinds of attachments as facts, with the words that describe them; nothing is downloaded."""
    kind = text(embed, "$type").partition("#")[0].rpartition(".")[2]
    if kind == "recordWithMedia":
        return (*attachments(dig(embed, "media")), "quote")
    found = mappings(dig(embed, "images")) if kind == "images" else [embed] if kind else []
    name = {"images": "photo", "external": "link", "record": "quote"}.get(kind, kind)
    return tuple(f"{name}: {alt}" if (alt := " ".join(text(entry, "alt").split())) else name for entry in found)


def _labels(view: Any) -> list[str]:
    """What moderators, or the author's own app, labelled a post."""
    labels = [text(label, "val") for label in mappings(dig(view, "labels")) if dig(label, "neg") is not True]
    return list(filter(None, labels))


def _published(view: Raw, key: str, now: datetime) -> datetime | None:
    """When a post was written, by the later of two witnesses: a date in the past must not make a comment history.

    Its author chooses `createdAt`, and `indexedAt` is the earlier of that and the arrival; the record's key is made
    of the time, too (atproto.com/specs/tid), in microseconds and 10 bits of its own.
    """
    stated = instant(text(view, "indexedAt")) or instant(text(view, "record", "createdAt"))
    if not re.fullmatch(f"[2-7a-j][{_KEY_DIGITS}]{{12}}", key):
        return stated
    number = sum(_KEY_DIGITS.index(digit) << 5 * place for place, digit in enumerate(reversed(key)))
    keyed = datetime.fromtimestamp((number >> 10) / 1_000_000, UTC)
    return keyed if stated is None or stated < keyed <= now else stated
