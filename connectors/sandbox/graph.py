"""What the Graph API does alike for Facebook and Instagram: tokens, field lists, cursors, errors, limits, messages.

Reference: developers.facebook.com/docs/graph-api (debug_token, batch-requests, reference/page/conversations).
"""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.sandbox.server import Answer, Fault, Request, json_answer
from connectors.sandbox.world import Live, World, number

VERSION = re.compile(r"v\d+\.\d+")
_INNERMOST = re.compile(r"[{(][^{}()]*[})]")


def api(token: str, request: Request, route: Callable[[Sequence[str], Request], Answer]) -> Answer:
    """What `route` answers to a path below the version, for those who bring `token` or the app's own."""
    if bearer(request) not in (token, app_token(token)):
        return refuse(Fault.UNAUTHORISED, request)
    version, _, rest = request.path.strip("/").partition("/")
    if not VERSION.fullmatch(version):
        return unknown_path()
    if request.method == "POST" and not rest:
        answer = _batch(request, route)
    else:
        answer = route(rest.split("/"), request) if request.method == "GET" else missing(rest)
    return replace(answer, headers={**answer.headers, "facebook-api-version": version})


def app_token(token: str) -> str:
    """What the app itself signs in with, where its Page or account does so with `token`."""
    return f"1|{token}"


def bearer(request: Request) -> str:
    """The token that a request brings."""
    return request.headers.get("authorization", "").removeprefix("Bearer ") or request.query.get("access_token", "")


def debug_token(request: Request, token: str, scopes: Sequence[str], subject: str) -> Answer:
    """What is told of `token`, to the app alone: no token may inspect itself (github.com/logly/mureo, 740)."""
    if bearer(request) != app_token(token):
        return error(400, 100, "OAuthException", "(#100) You must provide an app access token")
    ends = int((request.now + timedelta(days=60)).timestamp())
    facts = {
        "is_valid": request.query.get("input_token") == token,
        "type": "PAGE",
        "expires_at": 0,
        "data_access_expires_at": ends,
        "scopes": list(scopes),
        "granular_scopes": [{"scope": scope, "target_ids": [subject]} for scope in scopes],
    }
    return json_answer({"data": facts})


class View:
    """One platform's world as one request sees it. What stands below something deleted is gone with it."""

    def __init__(self, world: World, kind: str, request: Request) -> None:
        self.world = world
        self.request = request
        self._everything = {live.key: live for live in world.live(kind, request.now)}
        self._children: dict[str | None, list[Live]] = defaultdict(list)
        for live in self._everything.values():
            self._children[live.entry.under].append(live)
        reachable = [live for top in self._children[None] for live in (top, *self.below(top))]
        self.all = [live for live in reachable if not self.top(live).entry.message]
        self._messages = [live for live in reachable if self.top(live).entry.message]

    def top(self, live: Live) -> Live:
        """The post, or the first message, above which nothing stands."""
        above = self.above(live)
        return self.top(above) if above else live

    def above(self, live: Live) -> Live | None:
        """What `live` answers, None where it stands at the top."""
        return self._everything[live.entry.under] if live.entry.under else None

    def children(self, live: Live) -> list[Live]:
        """What answers `live` itself."""
        return self._children.get(live.key, [])

    def below(self, live: Live) -> list[Live]:
        """All that stands below `live`, in reading order."""
        return [each for child in self.children(live) for each in (child, *self.below(child))]

    def listing(
        self, ordered: Sequence[Live], record: Callable[[Live], Any], *, newest_first: bool
    ) -> dict[str, Any]:
        return listing(self.request, ordered, record, newest_first=newest_first)

    def conversations(self, platform: str, *, linked: bool) -> Answer:
        """The school's conversations, the one moved last first; `linked` where they tell their address."""
        if self.request.query.get("platform", platform) != platform:
            return json_answer({"data": []})
        last = {self.top(live).key: live for live in sorted(self._messages, key=order)}
        record = partial(self._conversation, linked=linked)
        return json_answer(self.listing(sorted(last.values(), key=order, reverse=True), record, newest_first=True))

    def conversation(self, key: str, *, linked: bool) -> Answer | None:
        """One of them by its id, None where it is none."""
        found = self._said_in(key)
        return json_answer(self._conversation(found[-1], linked=linked)) if found else None

    def messages(self, kind: str, conversation: str) -> Answer:
        """The messages of one conversation, newest first."""
        found = self._said_in(conversation)
        if not found:
            return missing(conversation)
        record = partial(self._message, kind=kind)
        return json_answer(self.listing(sorted(found, key=order, reverse=True), record, newest_first=True))

    def _said_in(self, conversation: str) -> list[Live]:
        found = [live for live in self._messages if conversation_id(self.top(live)) == conversation]
        return sorted(found, key=order)

    def _conversation(self, last: Live, *, linked: bool) -> dict[str, Any]:
        key = conversation_id(self.top(last))
        whole = {"id": key, "updated_time": told_time(last)}
        return whole | ({"link": f"/larkfield/inbox/{key}/"} if linked else {})

    def _message(self, live: Live, *, kind: str) -> dict[str, Any]:
        whole: dict[str, Any] = {
            "id": f"m_{number(live.key)}",
            "created_time": told_time(live),
            "message": live.text,
        }
        if live.author:
            name = {"username": live.author.handle} if kind == "instagram" else {"name": live.author.name}
            whole["from"] = {"id": live.author.id_on(kind), **name}
        if live.entry.photo:
            whole["attachments"] = {"data": [{"mime_type": "image/jpeg"}]}
        return whole


def conversation_id(first: Live) -> str:
    return f"t_{number(first.key)}"


def told_time(live: Live) -> str:
    """When something was written, as Graph says it."""
    return live.at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def names(fields: str) -> set[str]:
    """The top names of a field list: `from{id,name},replies.limit(1){id}` asks for from and replies."""
    rest = fields.replace(" ", "")
    while (top := _INNERMOST.sub("", rest)) != rest:
        rest = top
    return {name.partition(".")[0] for name in rest.split(",")} - {""}


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


def _batch(request: Request, route: Callable[[Sequence[str], Request], Answer]) -> Answer:
    """Several requests in one, each answered with its status and its body as text."""
    answers = []
    for told in json.loads(dict(parse_qsl(request.body.decode())).get("batch", "[]")):
        address = urlsplit(told["relative_url"])
        single = replace(
            request, method=told["method"], path=f"/{address.path}", query=dict(parse_qsl(address.query))
        )
        answer = route(address.path.split("/"), single)
        answers.append({"code": answer.status, "body": answer.body.decode()})
    return json_answer(answers)


def _cursor(live: Live) -> str:
    return base64.urlsafe_b64encode(order(live).encode()).decode()
