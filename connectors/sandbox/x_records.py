"""How X's sandbox writes ids, users, messages, errors and refusals."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.sandbox.server import Answer, Fault, Request, json_answer
from connectors.sandbox.world import Live, Person, Version, number
from monitor.domain.clock import format_instant

KIND = "x"
_NOT_FOUND = "https://api.twitter.com/2/problems/resource-not-found"
_EPOCH_MS = 1_288_834_974_657


def snowflake(version: Version, key: str) -> str:
    """X's kind of id: the milliseconds since its epoch, then 22 bits of its own."""
    milliseconds = int(version.at.timestamp() * 1000) - _EPOCH_MS
    return str((milliseconds << 22) | (number(key) & 0x3FFFFF))


def ids(live: Live) -> list[str]:
    """The ids of every version so far, oldest first."""
    return [snowflake(version, live.key) for version in live.versions]


def profile(person: Person) -> dict[str, str]:
    return {"id": person.id_on(KIND), "name": person.name, "username": person.handle}


def message(live: Live, conversation: str) -> dict[str, str]:
    """A private message as an event of its conversation."""
    return {
        "id": ids(live)[0],
        "event_type": "MessageCreate",
        "text": escaped(live.text),
        "sender_id": live.author.id_on(KIND) if live.author else "",
        "dm_conversation_id": conversation,
        "created_at": milliseconds(live.at),
    }


def media_key(live: Live) -> str:
    return f"3_{number(live.key)}"


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def milliseconds(moment: datetime) -> str:
    return f"{format_instant(moment.replace(microsecond=0)).removesuffix('Z')}.000Z"


def missing(key: str, parameter: str, kind: str) -> dict[str, str]:
    """What X says of a `kind` that was asked for by `parameter` and is not there."""
    return {
        "value": key,
        "detail": f"Could not find {kind} with {parameter}: [{key}].",
        "title": "Not Found Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": key,
        "type": _NOT_FOUND,
    }


def problem(status: int, title: str, detail: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    document = {"title": title, "detail": detail or title, "type": "about:blank", "status": status}
    return json_answer(document, status, headers)


def refuse(fault: Fault, request: Request) -> Answer:
    match fault:
        # X words both alike.
        case Fault.UNAUTHORISED | Fault.EXPIRED:
            return problem(401, "Unauthorized")
        case Fault.FORBIDDEN:
            return problem(403, "Forbidden")
        case Fault.RATE_LIMITED:
            reset = int((request.now + timedelta(minutes=10)).timestamp())
            return problem(429, "Too Many Requests", headers={"x-rate-limit-reset": str(reset)})
        case Fault.RATE_LIMITED_BARE:
            return problem(429, "Too Many Requests")
    return problem(503, "Service Unavailable")
