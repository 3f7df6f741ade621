"""WordPress's records of posts and comments as items."""

from collections.abc import Iterable
from typing import Any

from connectors._fields import Unreadable, embedded, text, to_text, web_url
from connectors._wordpress_listings import written_at
from monitor.domain.account import Account
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Raw, Visibility

PLATFORM = "wordpress"
BINNED = frozenset({"trash", "post-trashed"})
#: https://wordpress.org/documentation/article/post-status/ and the statuses of comments
_VISIBILITY = {
    "hold": Visibility.HELD,
    "pending": Visibility.HELD,
    "future": Visibility.HELD,
    "spam": Visibility.HIDDEN,
    "private": Visibility.HIDDEN,
    "draft": Visibility.HIDDEN,
}


class Reader:
    """Makes items of one site's records; `site` is its name in our ids."""

    def __init__(self, account: Account, site: str) -> None:
        self._site = site
        self._channel = account.channel
        self._official = account.channel is Channel.OFFICIAL
        self._staff = set(account.handles)

    def meet(self, posts: Iterable[Any]) -> None:
        """Whoever may write posts on the school's own site speaks for the school below them, too."""
        if self._official:
            self._staff |= {text(post, "author") for post in posts}

    def post(self, record: Raw) -> Item:
        number, html = text(record, "id"), text(record, "content", "rendered")
        if not number:
            raise Unreadable("the post has no id")
        featured = ("photo",) if _number(record, "featured_media") else ()
        ref = self.ref("posts", number)
        return Item(
            ref=ref,
            channel=self._channel,
            kind=ItemKind.POST,
            author=Author(
                id=_number(record, "author"), kind=AuthorKind.SCHOOL if self._official else AuthorKind.UNKNOWN
            ),
            text=f"{to_text(text(record, 'title', 'rendered'))}\n{to_text(html)}".strip(),
            url=web_url(text(record, "link")),
            published_at=written_at(record),
            thread=ref,
            attachments=(*featured, *embedded(html)),
            visibility=_VISIBILITY.get(text(record, "status"), Visibility.PUBLIC),
            raw=record,
        )

    def comment(self, record: Raw) -> Item:
        number, html = text(record, "id"), text(record, "content", "rendered")
        if not number:
            raise Unreadable("the comment has no id")
        author, parent, post = (_number(record, name) for name in ("author", "parent", "post"))
        thread = self.ref("posts", post) if post else None
        return Item(
            ref=self.ref("comments", number),
            channel=self._channel,
            kind=ItemKind.REPLY if parent else ItemKind.COMMENT,
            # A visitor may sign with any name, the school's too; a number belongs to somebody who signed in.
            author=Author(
                id=author,
                display_name=text(record, "author_name"),
                kind=AuthorKind.SCHOOL if author and author in self._staff else AuthorKind.UNKNOWN,
            ),
            text=to_text(html),
            url=web_url(text(record, "link")),
            published_at=written_at(record),
            parent=self.ref("comments", parent) if parent else thread,
            thread=thread,
            attachments=embedded(html),
            visibility=_VISIBILITY.get(text(record, "status"), Visibility.PUBLIC),
            raw=record,
        )

    def ref(self, place: str, number: str) -> ItemRef:
        """Numbers are a site's own: the site's name makes them unique."""
        return ItemRef(PLATFORM, f"{self._site}#{place}/{number}")

    def number_of(self, ref: ItemRef, place: str) -> str:
        """The site's own number, "" for what it did not give: other sites' items, and what staff handed in."""
        number = ref.id.removeprefix(f"{self._site}#{place}/") if ref.platform == PLATFORM else ""
        return number if number.isdecimal() else ""


def _number(record: Any, name: str) -> str:
    """WordPress writes 0 for "none"."""
    return text(record, name).strip("0") and text(record, name)
