"""Platform → accounts in the school's name that are not in its register, listed for a person to decide (P14)."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from monitor.domain.account import Account, Profile
from monitor.domain.errors import SourceError
from monitor.domain.lookalike import resembles
from monitor.domain.ports import Connector
from monitor.store.store import Store

logger = logging.getLogger(__name__)

#: Each account looks once a day; where the platform did not answer, six hours later.
EVERY = timedelta(days=1)
AGAIN = timedelta(hours=6)


def run(store: Store, accounts: Sequence[Account], connectors: Mapping[str, Connector], now: datetime) -> int:
    """Look through one account whose time has come: search its platform, and see who wrote what it brought.

    1 if there was one. What a platform does not answer is looked for later; it is no failure of reading.
    """
    with store.reading() as tx:
        due = tx.access.due("profiles_at", now, every=EVERY)
    for account in accounts:
        if account.id not in due:
            continue
        with store.transaction() as tx:
            since = tx.sources.state(account.id).profiles_at
            if not tx.access.claim(account.id, "profiles_at", now, every=EVERY, again=AGAIN):
                continue
            # A day of overlap: a crash after the claim must not leave out whoever wrote since the last look.
            authors = tx.lookalikes.authors(account.id, since and since - EVERY)
        _keep(store, account, authors, accounts, now)
        try:
            _keep(store, account, _search(store, account, accounts, connectors, now), accounts, now)
        except SourceError as error:
            logger.warning("account %s could not be searched for accounts in our name: %s", account.id, error)
        else:
            with store.transaction() as tx:
                tx.access.asked(account.id, "profiles_at", now)
        return 1
    return 0


def _search(
    store: Store, account: Account, accounts: Sequence[Account], connectors: Mapping[str, Connector], now: datetime
) -> Iterable[Profile]:
    """What a search finds; it may cost, so the first account of a platform that can searches for all of them.

    One whose budget is spent searches no more.
    """
    able = (one for one in accounts if connectors[one.id].capabilities().finds_profiles)
    if account is not next((one for one in able if one.connector == account.connector), None):
        return ()
    budget = connectors[account.id].capabilities().budget
    if budget is not None:
        with store.reading() as tx:
            if tx.spending.amount(account.credential, budget, now) >= budget.cap:
                return ()
    return connectors[account.id].profiles([*account.names.phrases, *account.names.handles], now)


def _keep(
    store: Store, account: Account, found: Iterable[Profile], accounts: Sequence[Account], now: datetime
) -> None:
    ours = [handle for one in accounts if one.connector == account.connector for handle in one.handles]
    for profile in found:
        if why := resembles(profile, account.names, ours):
            with store.transaction() as tx:
                tx.lookalikes.save(account.id, profile, why, now)
