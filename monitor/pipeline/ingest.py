"""Platform → items: polls an account to the end and re-reads the threads of its recent posts.

Each page is stored with its cursor in one transaction, so that a crash repeats a page and never skips one (P1).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.item import Page
from monitor.domain.ports import Connector
from monitor.store.sources import SourceState
from monitor.store.store import Store

logger = logging.getLogger(__name__)

#: A failing account is asked again after twice as long each time, up to this (FACTS 1.13).
LONGEST_PAUSE = timedelta(minutes=30)
#: Threads are re-read for edits and deletions while they had something new in this time.
SWEEP_WINDOW = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often to read, and the instant before which everything is history."""

    poll_every: timedelta
    sweep_every: timedelta
    go_live: datetime


def run(store: Store, account: Account, connector: Connector, cadence: Cadence, now: datetime) -> int:
    """Read one account if it is due; how many items were new or edited.

    A SourceError becomes the account's problem, shown on the status page, and the account is tried again later.
    """
    with store.reading() as tx:
        state = tx.sources.state(account.id)
    if state.next_poll_at is not None and state.next_poll_at > now:
        return 0
    try:
        changed, newest = _poll(store, account, connector, cadence, state, now)
        if state.last_sweep_at is None or state.last_sweep_at + cadence.sweep_every <= now:
            changed += _sweep(store, account, connector, cadence, now)
    except SourceError as error:
        _failed(store, account, state, error, cadence, now)
        return 0
    with store.transaction() as tx:
        tx.sources.read_ok(account.id, now, newest=newest, next_poll_at=now + cadence.poll_every)
    return changed


def _poll(
    store: Store, account: Account, connector: Connector, cadence: Cadence, state: SourceState, now: datetime
) -> tuple[int, datetime | None]:
    changed = 0
    newest = state.last_item_at
    for page in connector.poll(state.cursor, now):
        changed += _keep(store, account, page, cadence, now, keep_cursor=True)
        dates = [item.published_at for item in page.items if item.published_at]
        newest = max([*dates, newest] if newest else dates, default=None)
    return changed, newest


def _sweep(store: Store, account: Account, connector: Connector, cadence: Cadence, now: datetime) -> int:
    changed = 0
    with store.reading() as tx:
        threads = tx.items.threads_of(account.id, now - SWEEP_WINDOW)
    for thread in threads:
        with store.reading() as tx:
            known = [stored.item.ref for stored in tx.items.thread(thread) if stored.gone_at is None]
        pages: Iterable[Page] = connector.thread(thread, known, now)
        for page in pages:
            changed += _keep(store, account, page, cadence, now, keep_cursor=False)
    with store.transaction() as tx:
        tx.sources.swept(account.id, now)
    return changed


def _keep(store: Store, account: Account, page: Page, cadence: Cadence, now: datetime, *, keep_cursor: bool) -> int:
    with store.transaction() as tx:
        saved = tx.items.save(page.items, account, now, cadence.go_live)
        tx.items.reject(account, page.rejects, now)
        for item_id in tx.items.mark_gone(page.gone, now):
            if case := tx.cases.for_item(item_id):
                tx.cases.log(case.id, "automatic", "gone", {"item": item_id}, now)
        if keep_cursor:
            tx.sources.set_cursor(account.id, page.cursor)
    return saved.new + saved.edited


def _failed(
    store: Store, account: Account, state: SourceState, error: SourceError, cadence: Cadence, now: datetime
) -> None:
    pause = (
        LONGEST_PAUSE if error.permanent else min(cadence.poll_every * 2 ** min(state.failures, 10), LONGEST_PAUSE)
    )
    again = max(now + pause, error.retry_at or now)
    logger.warning("account %s could not be read: %s", account.id, error)
    with store.transaction() as tx:
        tx.sources.failed(account.id, str(error), now, next_poll_at=again, refused=error.permanent)
