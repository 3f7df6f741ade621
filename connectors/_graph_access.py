"""What Facebook says of a token: when it ends, what it lacks, and how long our version of the Graph API lasts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from connectors._fields import dig, json_or_none, mappings, text
from connectors._graph import Graph, GraphError, GraphOptions, connected
from connectors._graph_messages import Inbox
from connectors._http import Service
from monitor.domain.account import Access
from monitor.domain.errors import SourceError

#: Until when each version answers: developers.facebook.com/docs/graph-api/changelog/versions, read 2026-11-21.
#: The end of the newest, v26.0 of 2026-07-29, was not announced by then.
VERSION_ENDS: Mapping[str, datetime] = {
    "v20.0": datetime(2026, 9, 24, tzinfo=UTC),
    "v21.0": datetime(2027, 1, 21, tzinfo=UTC),
    "v22.0": datetime(2027, 5, 20, tzinfo=UTC),
    "v23.0": datetime(2027, 10, 8, tzinfo=UTC),
    "v24.0": datetime(2028, 2, 18, tzinfo=UTC),
    "v25.0": datetime(2028, 7, 29, tzinfo=UTC),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose access is asked about: the id of what the token reads ("the Page 7" in words), and what it must carry.

    `scopes_name_it` says how permissions begin that may be given for single Pages or accounts: for this id. Where
    private messages are read, `inbox` is where.
    """

    id: str
    words: str
    needs: Sequence[str]
    scopes_name_it: str
    inbox: Inbox | None = None


def inspect(
    service: Service, options: GraphOptions, token: str, app_token: str, subject: Subject, now: datetime
) -> Access:
    """The access that `token` gives; `app_token` ("" for none) is the app's own. Raises SourceError as polls do.

    Facebook tells of a token to its app alone: /docs/graph-api/reference/debug_token.
    """
    with connected(service, options, token, now, subject.words) as graph:
        graph.get_object(subject.id, fields="id")
        spoken = graph.spoken
        closed = subject.inbox.needs if subject.inbox and not subject.inbox.permitted(graph) else ()
    ends = {f"version {version} of the API": VERSION_ENDS.get(version) for version in (options.version, spoken)}
    notes = []
    if closed:
        notes.append(
            f"{service.name} does not let this token read private messages; all else is read, and they will be, "
            "back to where they were last read, once it does"
        )
    if spoken != options.version:
        notes.append(
            f"{service.name} answers as version {spoken} of its API, though {options.version} is asked for: that "
            "version is no longer available to this app, and Schoolwatch needs an update"
        )
    with connected(service, options, app_token or token, now, subject.words) as graph:
        facts = _facts(graph, token)
    if facts is None:
        notes.append(
            f"{service.name} does not say when this token ends nor what it may read: it tells the app alone. "
            f"{'Correct' if app_token else 'Put'} the app's id and its secret, joined by |, "
            f"{'that stand ' if app_token else ''}under `secrets: app_token` (docs/connectors.md)"
        )
    ends["the access token"] = _instant(facts, "expires_at")
    ends[f"{service.name}'s permission to read data"] = _instant(facts, "data_access_expires_at")
    lacks = [need for need in subject.needs if facts is not None and not _carries(facts, need, subject)]
    return Access(
        ends={what: when for what, when in ends.items() if when is not None},
        # What is refused though the token carries it was not granted to the app ("Advanced Access").
        lacks=tuple(lacks) if set(lacks) & set(closed) else (*lacks, *closed),
        notes=tuple(notes),
    )


def _facts(graph: Graph, token: str) -> Mapping[str, Any] | None:
    """What debug_token tells, None where it tells nothing to whoever asks.

    It is read with GET only, which would put the token into the address. A batch of one carries it in its body:
    /docs/graph-api/batch-requests.
    """
    query = {"method": "GET", "relative_url": f"debug_token?{urlencode({'input_token': token})}"}
    graph.session.documents = (list,)
    try:
        answers = graph.request(
            f"{graph.version}/", post_args={"batch": json.dumps([query]), "include_headers": "false"}
        )
    except GraphError:
        return None
    except SourceError as error:
        # Whoever asks was refused: the token itself has just been seen to work.
        if not error.permanent:
            raise
        return None
    body = text(mappings(answers)[0], "body") if mappings(answers) else ""
    facts = dig(json_or_none(body), "data")
    # A token that may not ask gets an error in the place of facts, and at times beside them.
    return facts if isinstance(facts, Mapping) and isinstance(facts.get("scopes"), list) else None


def _instant(facts: Any, name: str) -> datetime | None:
    """A Unix time, None where there is no end (0) or nothing is told."""
    value = dig(facts, name)
    try:
        return datetime.fromtimestamp(value, UTC) if type(value) is int and value > 0 else None
    except (OverflowError, OSError, ValueError):
        return None


def _carries(facts: Mapping[str, Any], need: str, subject: Subject) -> bool:
    """Whether the token has a permission, and has it for what is read: it may have been given for others only."""
    if need not in facts["scopes"]:
        return False
    if not need.startswith(subject.scopes_name_it):
        return True
    granted = [grant for grant in mappings(facts.get("granular_scopes")) if text(grant, "scope") == need]
    targets = [grant["target_ids"] for grant in granted if isinstance(grant.get("target_ids"), list)]
    return not targets or any(subject.id in only for only in targets)
