"""Bluesky's direct messages (docs.bsky.app, chat.bsky.convo), a service that the account's server asks."""

from functools import cached_property
from typing import Any

from connectors.sandbox.bluesky_records import KIND, base32, did, error, paged, profile, time
from connectors.sandbox.server import Answer, Request, json_answer
from connectors.sandbox.world import Entry, Person, World

SERVICE = "did:web:api.bsky.chat#bsky_chat"


class Chat:
    """The school's conversations, one with each person who began one, as one request sees them."""

    def __init__(self, world: World, request: Request) -> None:
        self._world = world
        self._request = request
        entries = [entry for entry in world.entries() if entry.platform == KIND and entry.message]
        self._messages = sorted(
            (entry for entry in entries if world.present + entry.at <= request.now), key=lambda entry: entry.at
        )

    def conversations(self) -> Answer:
        """Those whom the school answered are accepted, the others ask to be."""
        status = self._request.query.get("status")
        told = [found for found in self._conversations.values() if found["status"] == status]
        marked = [(f"{found['lastMessage']['sentAt']}{found['id']}", found) for found in told]
        return paged(self._request, "convos", marked, lambda found: found)

    def conversation(self) -> Answer:
        found = self._conversations.get(self._request.query.get("convoId", ""))
        return json_answer({"convo": found}) if found else error(400, "InvalidRequest", "Convo not found")

    def messages(self) -> Answer:
        asked = self._request.query.get("convoId")
        said = [entry for entry in self._messages if _id(self._person(entry).key) == asked]
        return paged(
            self._request,
            "messages",
            [(f"{(self._world.present + entry.at).isoformat()}{entry.key}", entry) for entry in said],
            self._message,
        )

    @cached_property
    def _conversations(self) -> dict[str, Any]:
        people = {person.key: person for person in map(self._person, self._messages)}
        return {_id(person.key): self._conversation(person) for person in people.values()}

    def _conversation(self, person: Person) -> dict[str, Any]:
        said = [entry for entry in self._messages if self._person(entry) is person]
        return {
            "id": _id(person.key),
            "members": [profile(self._world.school), profile(person)],
            "lastMessage": self._message(said[-1]),
            "muted": False,
            "status": "accepted" if any(entry.by != person.key for entry in said) else "request",
            "unreadCount": 0,
        }

    def _message(self, entry: Entry) -> dict[str, Any]:
        sender = {"did": did(self._world.people[entry.by or ""])}
        kept = {"id": _id(entry.key), "sentAt": time(self._world.present + entry.at), "sender": sender}
        if entry.deleted is not None and self._world.present + entry.deleted <= self._request.now:
            return {"$type": "chat.bsky.convo.defs#deletedMessageView", **kept}
        return {"$type": "chat.bsky.convo.defs#messageView", **kept, "text": entry.text}

    def _person(self, entry: Entry) -> Person:
        """Who began the conversation."""
        return self._person(self._world.entry(entry.under)) if entry.under else self._world.people[entry.by or ""]


def _id(key: str) -> str:
    return f"3{base32(key)[:12]}"
