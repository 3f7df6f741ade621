"""Bluesky's ids, tokens, profiles, pages and errors."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from connectors.sandbox.server import Answer, Request, json_answer
from connectors.sandbox.world import Person, number

KIND = "bluesky"
DOMAIN = "bsky.social"
_KEY_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_Record = TypeVar("_Record")


def jwt(claims: Mapping[str, Any], secret: str) -> str:
    """A token that says `claims`, signed with `secret` (RFC 7519)."""
    head, body = (_base64(json.dumps(part).encode()) for part in ({"typ": "at+jwt", "alg": "HS256"}, claims))
    return f"{head}.{body}.{_base64(hmac.digest(secret.encode(), f'{head}.{body}'.encode(), 'sha256'))}"


def did(person: Person) -> str:
    return did_of(person.id_on(KIND))


def handle(person: Person) -> str:
    return f"{person.handle}.{DOMAIN}"


def did_of(of: str) -> str:
    return f"did:plc:{base32(of)[:24]}"


def tid(microseconds: int, of: str) -> str:
    """A key made of the time, and 10 bits of its own (atproto.com/specs/tid)."""
    key, rest = "", (microseconds << 10) | (number(of) & 0x3FF)
    for _ in range(13):
        key, rest = _KEY_DIGITS[rest & 31] + key, rest >> 5
    return key


def cid(of: str) -> str:
    return f"bafyrei{base32(of)}"


def base32(of: str) -> str:
    return base64.b32encode(hashlib.sha256(of.encode("utf-8", "replace")).digest()).decode().lower().rstrip("=")


def _base64(of: bytes) -> str:
    return base64.urlsafe_b64encode(of).decode().rstrip("=")


def time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def profile(person: Person) -> dict[str, Any]:
    return {
        "did": did(person),
        "handle": handle(person),
        "displayName": person.name,
        "associated": {"activitySubscription": {"allowSubscriptions": "followers"}},
        "viewer": {"muted": False, "blockedBy": False},
        "labels": [],
    }


def error(status: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return json_answer({"error": error, "message": message}, status, headers)


def paged(
    request: Request,
    name: str,
    marked: Iterable[tuple[str, _Record]],
    show: Callable[[_Record], Any],
    rest: Mapping[str, Any] | None = None,
) -> Answer:
    """A page of what is `marked`, the latest first; the cursor is the mark of the last."""
    size = min(int(request.query.get("limit", 50)), request.page_size)
    last = request.query.get("cursor")
    latest = sorted(marked, key=lambda entry: entry[0])[::-1]
    shown = [(mark, record) for mark, record in latest if last is None or mark < last][:size]
    cursor = {"cursor": shown[-1][0]} if shown else {}
    return json_answer({name: [show(record) for _, record in shown], **cursor, **(rest or {})})
