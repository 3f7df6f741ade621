"""The school's register of accounts (P14), as far as reading them needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.domain.item import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account or search that is polled.

    `handles` are all handles and native ids under which the school itself writes on that platform, so that
    its own replies are known as such wherever they were typed.
    """

    id: str
    connector: str
    channel: Channel
    name: str
    handles: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    #: Option name -> name of the secret that holds it (environment variable, or the same with `_FILE`).
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a connector can read and do with the account it was given, for `schoolwatch check`."""

    reads: tuple[str, ...]
    edits: bool
    deletions: bool
    acts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
