"""Private messages to a Page or to the Instagram account connected to it, read only where the rule book says so.

https://developers.facebook.com/docs/graph-api/reference/page/conversations and /conversation/messages.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from connectors._fields import Unreadable, dig, instant, mappings, page, read, text, web_url
from connectors._graph import Graph, GraphError, NotPermitted, is_missing, unseen, when
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef, Page, Raw, Reject

#: What a thread's reference begins with when it is a conversation: a person's with the school.
CONVERSATION = "conversation/"
CONVERSATION_FIELDS = "id,updated_time,link"
MESSAGE_FIELDS = "id,created_time,from,message,attachments{mime_type}"
#: Graph gives out the last ones of a conversation, and calls all before deleted.
LATEST = 20
#: What was sent while the last poll was reading.
OVERLAP = timedelta(hours=1)
_KINDS = {"image": "photo", "video": "video", "audio": "audio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """The conversations that `owner` (a Page's id, or "me": the token's Page) has through `service` of Graph.

    `needs` are the permissions that reading them takes.
    """

    platform: str
    service: str
    owner: str
    needs: tuple[str, ...]
    channel: Channel
    author: Callable[[Raw], Author]

    def permitted(self, graph: Graph) -> bool:
        """Whether the token may list the conversations."""
        try:
            graph.get_connections(self.owner, "conversations", platform=self.service, fields="id", limit=1)
        except NotPermitted:
            return False
        return True

    def poll(
        self, graph: Graph, since: datetime, read_to: datetime | None, now: datetime, cursor: str | None
    ) -> Generator[Page, None, datetime | None]:
        """Messages of the conversations that moved since `read_to`, on a first reading since `since`.

        Returns up to when they were read: where Graph does not permit it, as far as before. access() tells of
        that, all else goes on, and nothing is left out once it is permitted. The conversation moved last comes
        first; only a whole page of older ones ends the list.
        """
        moved = read_to - OVERLAP if read_to else since
        seen: set[str] = set()
        shown = refused = False
        params = {"platform": self.service, "fields": CONVERSATION_FIELDS, "limit": 50}
        try:
            for records in graph.listing(self.owner, "conversations", params):
                fresh = [record for record in unseen(records, seen) if when(record, "updated_time") >= moved]
                for record in fresh:
                    try:
                        found = self._messages(graph, record, min(since, moved), read_to)
                        shown = True
                    except NotPermitted:
                        reason = "we are not permitted to read the messages of this conversation"
                        found = [Reject(raw=record, reason=reason)]
                        refused = True
                    yield page(found, cursor=cursor)
                if records and not fresh:
                    break
        except NotPermitted:
            return read_to
        return read_to if refused and not shown else now

    def thread(self, graph: Graph, ref: ItemRef) -> list[Item | Reject]:
        """The last messages of the conversation `ref`, nothing where it is no longer there or not for us."""
        record = graph.look_up(ref.id.removeprefix(CONVERSATION), CONVERSATION_FIELDS)
        try:
            return self._messages(graph, record, datetime.min.replace(tzinfo=UTC)) if record else []
        except NotPermitted:
            return []

    def _messages(
        self, graph: Graph, conversation: Any, since: datetime, read_to: datetime | None = None
    ) -> list[Item | Reject]:
        key = text(conversation, "id")
        if not key:
            return [Reject(raw=conversation, reason="the conversation has no id")]
        params = {"fields": MESSAGE_FIELDS, "limit": LATEST}
        records: list[Any] = []
        seen: set[str] = set()
        try:
            for more in graph.listing(key, "messages", params):
                records += unseen(more, seen)
                if len(records) >= LATEST:
                    break
        except GraphError as error:
            # The conversation was deleted while we were reading.
            if not is_missing(error.result):
                raise
            return []
        fresh = [record for record in records if when(record, "created_time") >= since]
        found = [read(record, lambda raw: self._item(raw, conversation)) for record in fresh]
        if read_to and len(fresh) >= LATEST and all(when(record, "created_time") > read_to for record in fresh):
            reason = f"only the last {LATEST} messages of a conversation can be read: some before may be missing"
            found.append(Reject(raw={"id": key}, reason=reason))
        return found

    def _item(self, raw: Raw, conversation: Any) -> Item:
        message = text(raw, "id")
        if not message:
            raise Unreadable("the message has no id")
        link = text(conversation, "link")
        return Item(
            ref=ItemRef(self.platform, message),
            channel=self.channel,
            kind=ItemKind.MESSAGE,
            author=self.author(raw),
            text=text(raw, "message"),
            url=web_url(urljoin("https://www.facebook.com/", link)) if link else "",
            published_at=instant(text(raw, "created_time")),
            thread=ItemRef(self.platform, f"{CONVERSATION}{text(conversation, 'id')}"),
            attachments=tuple(
                _KINDS.get(text(entry, "mime_type").partition("/")[0], "file")
                for entry in mappings(dig(raw, "attachments", "data"))
            ),
            raw=raw,
        )


def is_conversation(ref: ItemRef) -> bool:
    """Whether a thread is a conversation, and no post."""
    return ref.id.startswith(CONVERSATION)
