"""How often accounts and their conversations are read: pure rules (P1, FACTS 1.13)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: An account that something new was read of within this time is active.
ACTIVE = timedelta(hours=6)
#: The longest that an account which fails is left alone, unless the platform itself asks for more.
LONGEST_PAUSE = timedelta(minutes=30)
#: How much of a pause chance may take off, so that accounts which failed together do not come back together.
JITTER = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Conversations active less than `younger_than` ago are read again `every` so often; None: at every poll."""

    younger_than: timedelta
    every: timedelta | None


TIERS = (
    Tier(younger_than=timedelta(days=1), every=None),
    Tier(younger_than=timedelta(days=7), every=timedelta(hours=1)),
    Tier(younger_than=timedelta(days=90), every=timedelta(days=1)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often to read an account that is active and one that is quiet; before `go_live` everything is history."""

    poll_every: timedelta
    poll_quiet: timedelta
    go_live: datetime
    tiers: Sequence[Tier] = TIERS

    def next_poll(self, now: datetime, newest: datetime | None, *, busy: bool) -> datetime:
        """When to read an account again whose newest item is of `newest`; `busy`: something in it waits."""
        if busy:
            return now + self.poll_every
        if newest is None:
            return now + self.poll_quiet
        slower = self.poll_every * max(1.0, (now - newest) / ACTIVE)
        return now + min(slower, self.poll_quiet)

    def next_sweep(self, now: datetime, active_at: datetime) -> datetime | None:
        """When to read a conversation again that was last active at `active_at`; None: no more."""
        for tier in self.tiers:
            if now - active_at <= tier.younger_than:
                return now + (self.poll_every if tier.every is None else tier.every)
        return None

    def retry(self, now: datetime, who: str, failures: int, *, permanent: bool = False) -> datetime:
        """When to ask `who` again that failed for the `failures`th time: ever later, and never all at once.

        Where trying again cannot help, only as often as it takes to notice that a person has.

        Chance is taken from a hash: the same failure of the same account or conversation always waits as long.
        """
        longer = self.poll_every * 2 ** min(failures - 1, 10)
        pause = LONGEST_PAUSE if permanent else min(longer, LONGEST_PAUSE)
        chance = int.from_bytes(hashlib.sha256(f"{who}:{failures}".encode()).digest()[:4]) / 2**32
        return now + pause * (1 - JITTER * chance)
