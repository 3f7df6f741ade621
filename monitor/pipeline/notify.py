"""Notices → e-mail. A message is done only once the mail server accepted it; a repeat has the same Message-ID.

Everything that a person must be told at one moment goes into one message: one matter on an ordinary day, all of
them after an outage. It says what kind of thing happened, why the machine thinks so, where to look and by when. It
may quote the words behind a label, where the rule book allows it and nothing in the comment is hurtful or private:
slurs make filters swallow mail (FACTS 6), and mail is read over shoulders.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from monitor.domain import why, wording
from monitor.domain.case import Case
from monitor.domain.errors import MailError
from monitor.domain.ports import Letters, Mailer
from monitor.domain.rulebook import RuleBook
from monitor.domain.sender import Sender
from monitor.domain.verdict import Label
from monitor.store.outbox import Message, PendingNotice
from monitor.store.store import Store, Transaction

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
#: Between attempts: doubled each time, up to the last.
RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(minutes=30)
#: While items are still being judged, notices wait at most this long to be told together.
SETTLE = timedelta(seconds=60)
#: What a comment is never quoted for, be it certain or only possible.
UNQUOTED = frozenset({*wording.VEILED, Label.PROFANITY, Label.PERSONAL_DATA, Label.SPAM})
#: How much is quoted for one label: so many pieces, each so long; nothing that a mail program would make a link.
QUOTES, LONGEST_QUOTE = 3, 60
_ADDRESS = re.compile(r"\w[.:@]\S")
REPEAT = "(A possible repeat: an earlier attempt to send this message may have reached you.)\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One case in a message. `due` is in school time; a restricted case has no headline of its own and no `why`."""

    case: int
    headline: str
    why: tuple[str, ...]
    advice: str
    severity: int
    step: str
    due: datetime | None
    because: str
    found_late: bool
    restricted: bool


def run(store: Store, mailer: Mailer, letters: Letters, book: RuleBook, sender: Sender, now: datetime) -> int:
    """Bundle what is pending and send what is due; how many messages were accepted."""
    with store.transaction() as tx:
        _bundle(tx, letters, book, sender, now)
    sent = 0
    while True:
        with store.transaction() as tx:
            message = tx.outbox.claim(now, LEASE)
        if message is None:
            return sent
        sent += _send(store, mailer, message, now)


def _bundle(tx: Transaction, letters: Letters, book: RuleBook, sender: Sender, now: datetime) -> None:
    pending = tx.outbox.unbundled()
    if not pending or not (_quiet(tx, now) or _waited(tx, pending, now)):
        return
    for recipient, group in groupby(pending, key=lambda notice: notice.recipient):
        notices = list(group)
        letter = letters.write("notice", sender=sender, matters=_matters(tx, notices, book, now))
        tx.outbox.add(
            letter,
            message_id=sender.new_message_id(),
            recipient=recipient,
            now=now,
            carries=[notice.id for notice in notices],
        )


def _quiet(tx: Transaction, now: datetime) -> bool:
    """Whether nothing upstream could add to what is pending."""
    step = tx.cases.earliest_step()
    return not tx.readings.count_waiting() and (step is None or step > now)


def _waited(tx: Transaction, pending: Sequence[PendingNotice], now: datetime) -> bool:
    return min(notice.created_at for notice in pending) + SETTLE <= now


def _matters(tx: Transaction, notices: Sequence[PendingNotice], book: RuleBook, now: datetime) -> list[Matter]:
    """One matter a case, the gravest first; of several notices of one case the highest level speaks."""
    by_case: dict[int, PendingNotice] = {}
    for notice in notices:
        known = by_case.get(notice.case.id)
        if known is None or notice.level > known.level:
            by_case[notice.case.id] = notice
    ordered = sorted(by_case.values(), key=lambda notice: (-notice.case.severity, notice.case.id))
    return [_matter(tx, notice.case, notice.level, book, now) for notice in ordered]


def _matter(tx: Transaction, case: Case, level: int, book: RuleBook, now: datetime) -> Matter:
    restricted = case.visible_to is not None
    rules = book.policy.rules(case.rules)
    headline = rules[0].headline if rules else "A comment"
    return Matter(
        case=case.id,
        headline="A confidential matter" if restricted else headline,
        why=() if restricted else tuple(_why(tx, case, book)),
        advice="" if restricted else " ".join(rule.advice for rule in rules if rule.advice),
        severity=case.severity,
        step=_step(case, level, now),
        due=book.calendar.local(case.deadline.due_at) if case.deadline and case.waiting else None,
        because=case.deadline.because if case.deadline else "",
        found_late=case.found_late,
        restricted=restricted,
    )


def _why(tx: Transaction, case: Case, book: RuleBook) -> Iterator[str]:
    """What was read in the comment as it stands now, a sentence each, and whom it names."""
    stored = tx.items.get(case.item_id)
    reading = tx.readings.get(stored.id, stored.revision)
    if reading is None:
        return
    text = stored.item.text
    quotable = book.policy.book.quotes and UNQUOTED.isdisjoint({*reading.labels, *reading.doubt})
    if not book.policy.reads(reading.language):
        yield f"It is {wording.unread(reading.language)}."
    for score in why.scores(text, reading):
        if score.label in reading.labels:
            yield _label(score, quotable)
    for one in why.named(text, reading, book.people):
        yield _name(one, quotable)


def _label(score: why.Score, quotable: bool) -> str:
    sure = "possibly, " if score.counts == "possibly" else ""
    said = f"{wording.label(score.label)} ({sure}{score.value:.0%})"
    quotes = [_quote(piece) for piece in score.behind[:QUOTES] if quotable and not _ADDRESS.search(piece)]
    return f"{said}: {', '.join(quotes)}" if quotes else said


def _name(one: why.Named, quotable: bool) -> str:
    if one.score is None:
        return f"Possibly names {one.person}"
    others = f"; or is it {' or '.join(one.others)}?" if one.others else ""
    return f"Names {one.person}{f' ({_quote(one.written)})' if quotable else ''}{others}"


def _quote(words: str) -> str:
    return f"“{wording.short(' '.join(wording.harmless(words).split()), LONGEST_QUOTE)}”"


def _step(case: Case, level: int, now: datetime) -> str:
    """Why the person is written to: "new", "worse" (than before), "reminder" or "overdue"."""
    if level > 0:
        return "overdue" if case.overdue(now) else "reminder"
    return "worse" if level < 0 else "new"


def _send(store: Store, mailer: Mailer, message: Message, now: datetime) -> bool:
    try:
        mailer.send(
            message_id=message.message_id,
            recipient=message.recipient,
            subject=message.subject,
            text=(REPEAT if message.attempts > 1 else "") + message.text,
            html=message.html,
        )
    except MailError as error:
        pause = LONGEST_RETRY if error.permanent else min(RETRY * 2 ** min(message.attempts - 1, 10), LONGEST_RETRY)
        logger.warning("message %s was not accepted: %s", message.id, error)
        with store.transaction() as tx:
            tx.outbox.failed(message.id, str(error), next_attempt_at=now + pause)
            tx.health.problem(f"mail to {message.recipient}", str(error), now)
        return False
    with store.transaction() as tx:
        tx.outbox.sent(message.id, now)
        tx.health.cleared(f"mail to {message.recipient}", now)
        for case_id in tx.outbox.cases_in(message.id):
            tx.cases.log(case_id, "automatic", "accepted", {"message": message.id}, now)
    return True
