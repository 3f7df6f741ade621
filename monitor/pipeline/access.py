"""Platform → what it says of our access: which tokens and permissions end when, and what they lack (P16)."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.ports import Connector
from monitor.store.store import Store

logger = logging.getLogger(__name__)

#: Access is asked for once a day; where no answer came, an hour later.
EVERY = timedelta(days=1)
AGAIN = timedelta(hours=1)


def run(store: Store, accounts: Sequence[Account], connectors: Mapping[str, Connector], now: datetime) -> int:
    """Ask for one account whose time has come; 1 if there was one.

    That no answer came is no failure of reading: what was known before stands.
    """
    with store.reading() as tx:
        due = tx.access.due("access_at", now, every=EVERY)
    for account in accounts:
        if account.id not in due:
            continue
        with store.transaction() as tx:
            if not tx.access.claim(account.id, "access_at", now, every=EVERY, again=AGAIN):
                continue
        try:
            access = connectors[account.id].access(now)
        except SourceError as error:
            logger.warning("account %s does not say how long we may read it: %s", account.id, error)
        else:
            with store.transaction() as tx:
                tx.access.keep(account.id, access, now)
        return 1
    return 0
