"""Problems of Schoolwatch and its sources → e-mail to those who look after it; the rule book says to whom.

Red problems are told at once, while they last and when they are over; amber ones once. What is new together is one
message, the new things first: when the school's internet is down, fifty accounts are ill (docs/decisions/0011).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from monitor.domain.ports import Letters
from monitor.domain.rulebook import RuleBook
from monitor.domain.sender import Sender
from monitor.store.health import Problem
from monitor.store.store import Store

#: A problem that comes back this soon is the same one: nobody hears in between that it is over.
STEADY = timedelta(minutes=10)
#: After a message, what else becomes ill of the same kind is gathered for this long.
GATHER = timedelta(minutes=15)

Step = Literal["ill", "still", "well"]
_STEPS: tuple[Step, ...] = get_args(Step)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What people do not know yet of a problem: that it is there, that it is still there, or that it is over."""

    problem: Problem
    step: Step


def run(store: Store, letters: Letters, book: RuleBook, sender: Sender, now: datetime) -> int:
    """Put what is to be told into the outbox, one message a person; how many messages that made."""
    remind_every = book.policy.book.failures.remind_every
    with store.reading() as tx:
        problems = tx.health.to_tell()
    found = _news(problems, remind_every, now)
    # One that comes and goes is not told each time.
    forgotten = [one for one in problems if one.grade == "amber" and _over_for(one, remind_every, now)]
    if not found and not forgotten:
        return 0
    with store.transaction() as tx:
        for problem in forgotten:
            tx.health.told(problem, None)
        # What another worker was faster to tell is left out.
        news = [one for one in found if tx.health.told(one.problem, None if one.step == "well" else now)]
        if not news:
            return 0
        letter = letters.write("failure", sender=sender, news=news, read_again=tx.readings.count_provisional())
        recipients = book.recipients(book.policy.book.failures.tell, accused=()).emails
        for recipient in recipients:
            tx.outbox.add(letter, message_id=sender.new_message_id(), recipient=recipient, now=now)
    return len(recipients)


def _news(problems: Sequence[Problem], remind_every: timedelta, now: datetime) -> list[News]:
    """What is to be told now, what is new and red first; of each kind some time after the last message of it."""
    last_told = _latest((one.topic, one.told_at) for one in problems)
    last_over = _latest((one.topic, one.cleared_at) for one in problems if one.grade == "red")
    news = []
    for problem in problems:
        if problem.cleared_at:
            if problem.grade == "red" and last_over[problem.topic] + STEADY <= now:
                news.append(News(problem=problem, step="well"))
        elif problem.told_at is None:
            told = last_told.get(problem.topic)
            if told is None or told + GATHER <= now:
                news.append(News(problem=problem, step="ill"))
        elif problem.grade == "red" and problem.told_at + remind_every <= now:
            news.append(News(problem=problem, step="still"))
    return sorted(news, key=lambda one: _STEPS.index(one.step))


def _over_for(problem: Problem, span: timedelta, now: datetime) -> bool:
    return problem.cleared_at is not None and problem.cleared_at + span <= now


def _latest(moments: Iterable[tuple[str, datetime | None]]) -> dict[str, datetime]:
    """The latest moment of each topic that has one."""
    latest: dict[str, datetime] = {}
    for topic, moment in moments:
        if moment is not None:
            latest[topic] = max(moment, latest.get(topic, moment))
    return latest
