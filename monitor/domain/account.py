"""The school's register of accounts (P14), as far as reading them needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from monitor.domain.item import Channel, Raw
from monitor.domain.mentions import SchoolNames


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
    #: What the school is called in public: what mention accounts search for and look-alikes are known by.
    names: SchoolNames = field(default_factory=SchoolNames)
    #: Whether the rule book lets this account's private messages be read (P17).
    private_messages: bool = False

    @property
    def credential(self) -> str:
        """What a platform's limits and prices are counted against: accounts with the same secrets share it."""
        return f"{self.connector}:{'+'.join(sorted(self.secrets.values()))}" if self.secrets else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent on a platform in a calendar month or day of `zone`, in `unit` ("US$", "units")."""

    unit: str
    cap: float
    period: Literal["month", "day"]
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a connector can read and do with the account it was given, for `schoolwatch check`.

    `hosts` are the names that it asks, for a school's firewall; an account without any reads no network.
    `pages` are those of its pages for people, which are photographed as evidence.
    `needs` names the permissions that its secrets must carry.
    """

    reads: tuple[str, ...]
    edits: bool
    deletions: bool
    acts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    #: Whether it tells comments that were hidden, or are held for approval.
    hidden: bool = False
    budget: Budget | None = None
    #: Whether the platform lets us look for accounts by name (P14).
    finds_profiles: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a platform says of our access to it: what ends when (UTC), and which permissions the token lacks.

    `ends` has entries such as "the access token", "Facebook's permission to read data", "version v26.0 of the API".
    """

    ends: Mapping[str, datetime] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An account on a platform as its public profile tells of it; `raw` is the platform's record."""

    platform: str
    id: str
    handle: str
    name: str
    about: str
    url: str
    raw: Raw = field(default_factory=dict)
