"""Problems of Schoolwatch itself → e-mail to those who look after it: at once, while it lasts, and when it is over.

Only what cannot wait until somebody looks at the status page is told; the rule book says to whom.
"""

from datetime import datetime, timedelta

from monitor.domain.ports import Letters
from monitor.domain.rulebook import RuleBook
from monitor.domain.sender import Sender
from monitor.store.health import Problem
from monitor.store.store import Store

#: What is told, by the subject of its problem.
GRAVE = ("classifier",)
#: A problem that comes back this soon is the same one: nobody hears in between that it is over.
STEADY = timedelta(minutes=10)


def run(store: Store, letters: Letters, book: RuleBook, sender: Sender, now: datetime) -> int:
    """Put what is to be told of grave problems into the outbox; how many messages that made."""
    made = 0
    for subject in GRAVE:
        with store.reading() as tx:
            problem = tx.health.problem_of(subject)
        if problem and (news := _news(problem, book.policy.book.failures.remind_every, now)):
            made += _tell(store, problem, news, letters, book, sender, now)
    return made


def _news(problem: Problem, remind_every: timedelta, now: datetime) -> str | None:
    """What people do not know yet: "ill", "still" ill, "well" again, or None."""
    if problem.cleared_at is not None:
        return "well" if problem.told_at and problem.cleared_at + STEADY <= now else None
    if problem.told_at is None:
        return "ill"
    return "still" if problem.told_at + remind_every <= now else None


def _tell(
    store: Store, problem: Problem, news: str, letters: Letters, book: RuleBook, sender: Sender, now: datetime
) -> int:
    with store.transaction() as tx:
        if not tx.health.told(problem, None if news == "well" else now):
            return 0  # another worker was faster
        letter = letters.write(
            "failure", sender=sender, news=news, problem=problem, read_again=tx.readings.count_provisional()
        )
        recipients = book.recipients(book.policy.book.failures.tell, accused=()).emails
        for recipient in recipients:
            tx.outbox.add(letter, message_id=sender.new_message_id(), recipient=recipient, now=now)
    return len(recipients)
