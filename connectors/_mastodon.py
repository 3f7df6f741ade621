"""What Mastodon's records say: posts and accounts.

https://docs.joinmastodon.org/entities/Status/ and https://docs.joinmastodon.org/entities/Account/
"""

import re
from collections.abc import Iterable
from typing import Any

from connectors._fields import Unreadable, dig, instant, mappings, text, to_text, web_url
from monitor.domain.account import Account, Profile
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Raw, Visibility

PLATFORM = "mastodon"
#: Followers-only posts and direct messages: nobody's public words.
PRIVATE = frozenset({"private", "direct"})
_ID = re.compile(r"[0-9]{1,20}")


class Records:
    """Reads posts as one account sees them. `me` is the account's own id, once it is known."""

    def __init__(self, account: Account) -> None:
        self._channel = account.channel
        self._messages = account.channel is Channel.OFFICIAL and account.private_messages
        self._own = {handle.casefold().lstrip("@") for handle in account.handles}
        self.me = ""

    def item(self, record: Raw, top: str) -> Item:
        """A post of the conversation that `top` began. Raises Unreadable."""
        key, parent = id_of(record), parent_of(record)
        if not key:
            raise Unreadable("the post has no id")
        ours = self.is_us(record)
        comment = ItemKind.COMMENT if parent == top and not ours else ItemKind.REPLY
        public = comment if parent else ItemKind.POST
        limited = dig(record, "account", "limited") is True
        return Item(
            ref=ItemRef(PLATFORM, key),
            channel=self._channel,
            kind=public if is_public(record) else ItemKind.MESSAGE,
            author=Author(
                id=text(record, "account", "id"),
                handle=text(record, "account", "acct"),
                display_name=text(record, "account", "display_name"),
                kind=AuthorKind.SCHOOL if ours else AuthorKind.UNKNOWN,
            ),
            text=_words(record),
            url=web_url(text(record, "url")) or web_url(text(record, "uri")),
            published_at=instant(text(record, "created_at")),
            parent=ItemRef(PLATFORM, parent) if parent else None,
            thread=ItemRef(PLATFORM, top or key),
            lang=_language(text(record, "language")),
            attachments=tuple(map(_attachment, mappings(dig(record, "media_attachments")))),
            # The server's moderators limited its author: only followers still see it in conversations.
            visibility=Visibility.HIDDEN if limited else Visibility.PUBLIC,
            raw=record,
        )

    def is_us(self, post: Any) -> bool:
        names = {text(post, "account", "id"), text(post, "account", "acct").casefold()} - {""}
        return not names.isdisjoint({*self._own, self.me})

    def names_us(self, post: Any) -> bool:
        return any(id_of(mention) == self.me for mention in mappings(dig(post, "mentions")))

    def fresh(self, posts: Iterable[Any], seen: set[str]) -> list[Any]:
        """Those that may be read and were not in `seen`, and now are; what has no id passes, to be rejected.

        What is not public may be read where the rule book allows it, if it was written to the school or by it.
        """
        fresh = []
        for post in posts:
            may = is_public(post) or (self._messages and (self.is_us(post) or self.names_us(post)))
            if may and id_of(post) not in seen:
                fresh.append(post)
                seen |= {id_of(post)} - {""}
        return fresh


def id_of(record: Any, name: str = "id") -> str:
    """A record's id, "" where it has none that Mastodon could have given."""
    key = text(record, name)
    return key if is_id(key) else ""


def is_id(key: str) -> bool:
    return _ID.fullmatch(key) is not None


def parent_of(post: Any) -> str:
    return id_of(post, "in_reply_to_id")


def is_public(post: Any) -> bool:
    return text(post, "visibility") not in PRIVATE


def is_ours(ref: ItemRef) -> bool:
    """Whether Mastodon itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and is_id(ref.id)


def replies_counted(post: Any) -> int:
    """How many direct replies the server counts: the public ones that reached it."""
    count = dig(post, "replies_count")
    return count if isinstance(count, int) and count > 0 else 0


def standing(posts: Iterable[Any]) -> dict[str, tuple[str, int]]:
    """By id, what each public post answers ("" for nothing) and how many direct replies it has."""
    return {
        id_of(post): (parent_of(post), replies_counted(post)) for post in posts if id_of(post) and is_public(post)
    }


def profile(record: Raw) -> Profile | None:
    """An account that a search for names found, None where the record names none."""
    key = id_of(record)
    if not key:
        return None
    return Profile(
        platform=PLATFORM,
        id=key,
        handle=text(record, "acct"),
        name=text(record, "display_name"),
        about=to_text(text(record, "note")),
        url=web_url(text(record, "url")),
        raw=record,
    )


def _words(record: Raw) -> str:
    """The content warning, which its author wrote as well, the text, and the answers that a vote offers."""
    choices = [text(option, "title") for option in mappings(dig(record, "poll", "options"))]
    parts = [text(record, "spoiler_text").strip(), to_text(text(record, "content")), *choices]
    return "\n".join(filter(None, parts))


def _attachment(media: Raw) -> str:
    """What kind it is, and the alt text that its author gave it."""
    kind, words = text(media, "type") or "attachment", " ".join(text(media, "description").split())
    return f"{'photo' if kind == 'image' else kind}{f': {words}' if words else ''}"


def _language(code: str) -> str | None:
    """An ISO 639-1 code, without the region that some apps add."""
    language = code.partition("-")[0]
    return language if len(language) == 2 else None
