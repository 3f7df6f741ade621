"""What the Graph API does alike for Facebook and Instagram: field lists, cursors, errors, limits."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.sandbox.server import Answer, Fault, Request, json_answer
from connectors.sandbox.world import Live, number

VERSION = re.compile(r"v\d+\.\d+")


def names(fields: str) -> set[str]:
    """The top names of a field list: `from{id,name},replies.limit(1){id}` asks for from and replies."""
    top = re.sub(r"[{(][^{}()]*[})]", "", fields).replace(" ", "").split(",")
    return {name.partition(".")[0] for name in top} - {""}


def listing(
    request: Request, ordered: Sequence[Live], record: Callable[[Live], Any], *, newest_first: bool
) -> dict[str, Any]:
    """One page of `ordered`, by cursor; `paging.next` only where there is a next page."""
    rest = list(ordered)
    if after := request.query.get("after"):
        mark = base64.urlsafe_b64decode(after).decode()
        rest = [live for live in rest if (order(live) < mark if newest_first else order(live) > mark)]
    size = min(int(request.query.get("limit", 25)), request.page_size)
    shown = rest[:size]
    document: dict[str, Any] = {"data": [record(live) for live in shown]}
    if shown:
        before, following = (_cursor(shown[0]), _cursor(shown[-1]))
        document["paging"] = {"cursors": {"before": before, "after": following}}
    if len(rest) > size:
        document["paging"]["next"] = (
            f"https://graph.facebook.com{request.path}?access_token=REDACTED&after={following}"
        )
    return document


def order(live: Live) -> str:
    """What listings are sorted by: the time, then the id."""
    return f"{live.at.isoformat()}|{number(live.key)}"


def missing(key: str) -> Answer:
    text = f"Unsupported get request. Object with ID '{key}' does not exist or cannot be loaded"
    return error(400, 100, "GraphMethodException", text, subcode=33)


def unknown_path() -> Answer:
    return error(400, 2500, "OAuthException", "Unknown path components")


def error(
    status: int,
    code: int,
    kind: str,
    message: str,
    *,
    subcode: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    told: dict[str, Any] = {"message": message, "type": kind, "code": code, "fbtrace_id": "Asandbox"}
    if subcode is not None:
        told["error_subcode"] = subcode
    return json_answer({"error": told}, status, headers)


def refuse(fault: Fault, request: Request) -> Answer:
    match fault:
        case Fault.UNAUTHORISED:
            return error(401, 190, "OAuthException", "Error validating access token", subcode=463)
        case Fault.EXPIRED:
            when = f"{request.now - timedelta(hours=1):%A, %d-%b-%y %H:%M:%S} UTC"
            told = f"Error validating access token: Session has expired on {when}."
            return error(401, 190, "OAuthException", told, subcode=463)
        case Fault.FORBIDDEN:
            return error(403, 10, "OAuthException", "(#10) This endpoint requires another permission")
        case Fault.RATE_LIMITED:
            return error(
                400, 32, "OAuthException", "(#32) Page request limit reached", headers={"retry-after": "600"}
            )
        case Fault.RATE_LIMITED_BARE:
            return error(400, 4, "OAuthException", "(#4) Application request limit reached")
    return error(500, 2, "OAuthException", "An unexpected error has occurred. Please retry your request later.")


def _cursor(live: Live) -> str:
    return base64.urlsafe_b64encode(order(live).encode()).decode()
