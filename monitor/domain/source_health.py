"""Whether a source is well: what its last readings say, what a person should know of it, and what to do next (P1).

Pure: everything that is known of an account goes in, the faults that people are told of come out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from monitor.domain.account import Access
from monitor.domain.spending import Spent
from monitor.domain.wording import count, length, listed, when

#: An account that was not read for this many of its intervals is ill; a hiccup is shorter.
INTERVALS = 3
#: An interval is never taken to be longer, whatever was planned: three of them must leave most of 24 hours (P2).
LONGEST_INTERVAL = timedelta(hours=2)
#: How long the platform's counts may differ from ours: a late approval or a spam filter needs some time.
COUNTS_MAY_DIFFER = timedelta(days=1)
#: So many polls may bring something new and leave the cursor where it was.
STUCK_POLLS = 3
#: So many polls that bring anything new may bring something unreadable as well.
DRIFTING_POLLS = 3
#: Fewer unreadable records are an odd record or two, not another format.
FEW = 3
#: Days before an end at which people are told of it, and parts of a budget.
WARN_DAYS = (14, 7, 1)
WARN_PARTS = (50, 80, 100)

Grade = Literal["red", "amber"]
_READING_ENDS = "Nothing said there reaches us until this is put right. Look at the account yourself until then."
_TECHNICIAN = "Ask your technician: docs/connectors.md says what to do, platform by platform."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a source.

    `subject` names it for good ("account ID", "format ID", "access ID: the access token"). `headline` stays the
    same until the fault takes another turn, of which people are told anew; `text` ends with what to do next.
    """

    subject: str
    grade: Grade
    headline: str
    text: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A post below which the platform counts another number of comments than we hold, and since when (UTC).

    `url` is "" where the post itself was not read.
    """

    post: str
    url: str
    total: int
    held: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What is known of one account. Instants are UTC; `started` is when this run of the service began.

    `unusable` is why it could not even be connected. `problem` is why the last attempt failed, `refused` whether
    for good. `coming` says that its first reading is bringing items. `records` and `unreadable` are what the last
    proven read brought; the last `unreadable_polls` with anything new in them brought something unreadable too.
    `used_up_until` is when a budget that was used up begins, or last began, anew. `counted` and `held` are the
    comments below its posts by the platform's count and by ours.
    """

    id: str
    name: str
    started: datetime
    unusable: str | None = None
    last_read_ok: datetime | None = None
    next_poll_at: datetime | None = None
    problem: str | None = None
    problem_since: datetime | None = None
    refused: bool = False
    coming: bool = False
    records: int = 0
    unreadable: int = 0
    stuck_polls: int = 0
    unreadable_polls: int = 0
    used_up_until: datetime | None = None
    counted: int = 0
    held: int = 0
    differences: Sequence[Difference] = ()
    access: Access = field(default_factory=Access)

    @property
    def shows_format(self) -> bool:
        """Whether the last read brought anything by which the format can be judged."""
        return self.records + self.unreadable > 0


def interval(facts: SourceFacts, poll_every: timedelta) -> timedelta:
    """How often the account was to be read when it was last read; a failure has since moved its next poll."""
    planned_for = facts.problem_since if facts.problem else facts.next_poll_at
    if facts.last_read_ok is None or planned_for is None:
        return poll_every
    return min(max(planned_for - facts.last_read_ok, poll_every), max(poll_every, LONGEST_INTERVAL))


def faults(facts: SourceFacts, poll_every: timedelta, zone: ZoneInfo, now: datetime) -> list[Fault]:
    """Everything that is wrong with one account, what keeps it from being read first."""
    found = [
        _reading(facts, poll_every, zone, now),
        _format(facts),
        _cursor(facts),
        _counts(facts, now),
        *_access(facts, zone, now),
    ]
    return [fault for fault in found if fault]


def _reading(facts: SourceFacts, poll_every: timedelta, zone: ZoneInfo, now: datetime) -> Fault | None:
    """Why the account is not read: at most one fault, the worst."""
    subject, name = f"account {facts.id}", facts.name
    if facts.unusable is not None:
        text = f"Its set-up is wrong: {facts.unusable.rstrip('.')}. {_READING_ENDS} Ask your technician."
        return Fault(subject=subject, grade="red", headline=f"{name} cannot be read as it is set up", text=text)
    if facts.problem and facts.refused:
        text = f"{_sentence(facts.problem)} {_READING_ENDS}"
        headline = f"{name} no longer lets us read it"
        return Fault(subject=subject, grade="red", headline=headline, text=text, since=facts.problem_since)
    every = interval(facts, poll_every)
    since = facts.last_read_ok or facts.problem_since or facts.started
    # What was being read well until the service stopped has its intervals after the start to be read again.
    began = since if facts.problem else max(since, facts.started)
    # So has what a budget kept from being read, after that begins anew; till then `budget_fault` tells of it.
    began = max(began, facts.used_up_until or began)
    coming = facts.coming and not facts.problem
    if now - began >= INTERVALS * every and not coming:
        return _unread(facts, subject, since, every, zone, now)
    if facts.counted and not facts.held and _oldest(facts, now) >= INTERVALS * every:
        text = (
            f"It answers, but gives us none of the {count(facts.counted, 'comment')} that it counts itself. The "
            f"permission to read comments may have been taken away. {_READING_ENDS} {_TECHNICIAN}"
        )
        headline = f"{name} answers, but shows us no comments"
        return Fault(subject=subject, grade="red", headline=headline, text=text, since=now - _oldest(facts, now))
    return None


def _unread(
    facts: SourceFacts, subject: str, since: datetime, every: timedelta, zone: ZoneInfo, now: datetime
) -> Fault:
    if facts.last_read_ok:
        headline = f"{facts.name} is not being read"
        told = f"Not read since {when(since, zone, now)} ({length(now - since)}); planned every {length(every)}."
    else:
        headline = f"{facts.name} has never been read"
        told = f"Never read, tried since {when(since, zone, now)} ({length(now - since)})."
    if facts.problem:
        why = _sentence(facts.problem)
    elif facts.next_poll_at and facts.next_poll_at > now:
        why = f"The platform asks us to wait until {when(facts.next_poll_at, zone, now)}."
    else:
        why = "No answer came, and no error either."
    text = (
        f"{told} {why} Schoolwatch goes on trying. Does the internet work at school? If it does and this lasts, "
        "tell your technician, and look at the account yourself until then."
    )
    return Fault(subject=subject, grade="red", headline=headline, text=text, since=since)


def _format(facts: SourceFacts) -> Fault | None:
    """Half of what came cannot be read, or something each time: the platform sends something new."""
    drifts = facts.unreadable_polls >= DRIFTING_POLLS
    if facts.unreadable and facts.unreadable >= facts.records:
        of = f"{facts.records + facts.unreadable:,}"
        told = f"Of what it sent last, {count(facts.unreadable, 'record')} of {of} could not be read"
    elif drifts:
        told = f"The last {facts.unreadable_polls} polls that brought anything new brought unreadable records too"
    else:
        return None
    text = (
        f"{told}: the platform has probably changed its format. These records are kept as "
        "received, but nobody is told of what stands in them. Look at the account itself meanwhile, and tell your "
        "technician to update Schoolwatch."
    )
    grade: Grade = "red" if drifts or facts.unreadable >= FEW else "amber"
    headline = f"{facts.name} sends what we cannot read"
    return Fault(subject=f"format {facts.id}", grade=grade, headline=headline, text=text)


def _cursor(facts: SourceFacts) -> Fault | None:
    """New things come, but the place to go on from stays: what lies behind may never be reached."""
    if facts.stuck_polls < STUCK_POLLS:
        return None
    text = (
        f"The last {facts.stuck_polls} polls brought something new, yet the platform sends us back to the same "
        "place each time: comments behind it may be missed. Look at the account itself meanwhile, and tell your "
        "technician to update Schoolwatch."
    )
    headline = f"{facts.name} does not get ahead"
    return Fault(subject=f"cursor {facts.id}", grade="red", headline=headline, text=text)


def _counts(facts: SourceFacts, now: datetime) -> Fault | None:
    lasting = [one for one in facts.differences if now - one.since > COUNTS_MAY_DIFFER]
    if not lasting:
        return None
    worst = max(lasting, key=lambda one: abs(one.total - one.held))
    where = "under a post" if len(lasting) == 1 else f"under {len(lasting)} posts; under one of them"
    told = f"{where} it counts {count(worst.total, 'comment')}, we hold {worst.held:,}"
    why = (
        "Some may be hidden from us by the platform's spam filter, by their authors' settings or by a block"
        if worst.total > worst.held
        else "Some may have been hidden or deleted there"
    )
    text = f"For more than a day, {told}. {why}. Look at the post on the platform itself."
    since = min(one.since for one in lasting)
    headline = f"{facts.name} counts otherwise than we do"
    return Fault(subject=f"counts {facts.id}", grade="amber", headline=headline, text=text, since=since)


def _access(facts: SourceFacts, zone: ZoneInfo, now: datetime) -> list[Fault]:
    found = [_ending(facts, what, end, zone, now) for what, end in facts.access.ends.items()]
    if facts.access.lacks:
        lacks = listed(list(facts.access.lacks))
        text = f"What these permissions would show is not read. {_TECHNICIAN}"
        headline = f"{facts.name}: our access lacks {lacks}"
        subject = f"access {facts.id}: permissions"
        found.append(Fault(subject=subject, grade="amber", headline=headline, text=text))
    return [fault for fault in found if fault]


def _ending(facts: SourceFacts, what: str, end: datetime, zone: ZoneInfo, now: datetime) -> Fault | None:
    """What ends within 14, 7 or 1 days, or has ended."""
    near = [days for days in WARN_DAYS if end - now <= timedelta(days=days)]
    if not near:
        return None
    what_it_is = what[:1].upper() + what[1:]
    if end <= now:
        headline = f"{facts.name}: {what} has ended"
        told = f"{what_it_is} ended on {when(end, zone, now)}; without it this account may no longer be read."
    else:
        headline = f"{facts.name}: {what} ends within {count(min(near), 'day')}"
        told = (
            f"{what_it_is} ends on {when(end, zone, now)}, in {length(end - now)}. After that this account may no "
            "longer be read: have it renewed before then."
        )
    text = f"{told} {_TECHNICIAN}"
    grade: Grade = "red" if min(near) == WARN_DAYS[-1] else "amber"
    return Fault(subject=f"access {facts.id}: {what}", grade=grade, headline=headline, text=text)


def budget_fault(spent: Spent, names: Sequence[str], zone: ZoneInfo, now: datetime) -> Fault | None:
    """That half, four fifths or all of a budget is used, which the accounts called `names` share."""
    reached = [part for part in WARN_PARTS if 100 * spent.share >= part]
    if not reached or not names:
        return None
    who, anew = listed(list(names)), when(spent.ends_at, zone, now)
    full = reached[-1] == WARN_PARTS[-1]
    text = f"{spent.words} are used for {who}. The limit begins anew on {anew}. " + (
        "Until then nothing more is asked for: look at the account by hand, and have your technician raise the "
        "limit in accounts.yaml if that can be afforded."
        if full
        else "Once it is reached nothing more is read until then, and what is said is found late. If it goes on "
        "like this, have your technician raise the limit in accounts.yaml."
    )
    return Fault(
        subject=f"budget {spent.credential}",
        grade="red" if full else "amber",
        headline=f"{who}: {reached[-1]} % of the limit for {spent.period_words} used",
        text=text,
    )


def _oldest(facts: SourceFacts, now: datetime) -> timedelta:
    """How long the counts have differed."""
    return max((now - one.since for one in facts.differences), default=timedelta(0))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
