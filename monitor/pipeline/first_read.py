"""The first reading of all accounts → one summary by e-mail, sent once ever: counts, no comment text.

What was there before the school went live is history: it has no clock and alarms nobody, so somebody must hear once
that it was read, and whether there is something grave in it to look at in their own time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.domain.account import Account
from monitor.domain.ports import Letters
from monitor.domain.rulebook import RuleBook
from monitor.domain.sender import Sender
from monitor.store.queue import AccountHistory
from monitor.store.sources import SourceState
from monitor.store.store import Store

#: An account that has been failing for this long is not waited for.
GIVE_UP = timedelta(days=1)


def run(
    store: Store, letters: Letters, book: RuleBook, sender: Sender, accounts: Sequence[Account], now: datetime
) -> int:
    """Write the summary once every account has been read to its end and all of it is judged; how many messages.

    `accounts` are those that can be read.
    """
    with store.reading() as tx:
        if tx.sources.told_of_first_readings():
            return 0
        states = {account.id: tx.sources.state(account.id) for account in accounts}
        read = [name for name, state in states.items() if state.first_read_at is not None]
        if not read or not all(_done(state, now) for state in states.values()) or tx.readings.count_waiting():
            return 0
    with store.transaction() as tx:
        if not tx.sources.tell_of_first_readings(read, now):
            return 0  # another worker was faster
        found = {history.account: history for history in tx.queue.histories()}
        rows = [
            (account.name, states[account.id], found.get(account.id, AccountHistory(account=account.id)))
            for account in accounts
        ]
        letter = letters.write("first_read", sender=sender, day=now, accounts=rows)
        recipients = book.recipients(book.policy.book.digest, accused=()).emails
        for recipient in recipients:
            tx.outbox.add(letter, message_id=sender.new_message_id(), recipient=recipient, now=now)
    return len(recipients)


def _done(state: SourceState, now: datetime) -> bool:
    """Whether an account was read to its end, or has long been found not to be readable."""
    failing = state.problem_since is not None and state.problem_since + GIVE_UP <= now
    return state.first_read_at is not None or failing
