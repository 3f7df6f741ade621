"""Platform → items: polls an account to the end, then sweeps those of its conversations that are due.

Each page is stored with its cursor and what it cost in one transaction, so that a crash repeats a page and never
skips one (P1). A sweep reads a post again with all that is below it: it finds edits, deletions and what a poll
cannot list, and ends by comparing what we hold with what the platform counts.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.domain.account import Account
from monitor.domain.cadence import Cadence
from monitor.domain.errors import SourceError
from monitor.domain.item import AuthorKind, Channel, Item, ItemRef, Page, Visibility
from monitor.domain.ports import Connector
from monitor.domain.spending import begins_anew, spent_words
from monitor.store.intake import Saved
from monitor.store.sources import SourceState
from monitor.store.store import Store, Transaction

logger = logging.getLogger(__name__)

#: How many conversations are swept after one poll: the next poll must not wait for long.
SWEEPS_A_TURN = 25
#: After so many sweeps in a row that failed, the others wait for the next turn: the platform is likely down.
FAILURES_A_TURN = 3
#: What the history of a case says when who sees its comment has changed.
_SHOWN = {Visibility.PUBLIC: "shown again", Visibility.HIDDEN: "hidden", Visibility.HELD: "held"}

_OUR_FAULT = "Schoolwatch itself went wrong while it read ({}): tell your technician, the log says more"


def run(store: Store, account: Account, connector: Connector, cadence: Cadence, now: datetime) -> int:
    """Read one account if it is due; how many items were new or edited.

    A SourceError becomes the account's problem, shown on the status page, and the account is tried again later. One
    whose budget is spent is not asked.
    """
    with store.reading() as tx:
        state = tx.sources.state(account.id)
    if state.next_poll_at is not None and state.next_poll_at > now:
        return 0
    turn = _Turn(store, account, connector, cadence, now)
    try:
        if spent := turn.over_budget():
            raise spent
        poll = turn.poll(state.cursor)
        turn.sweep()
    except SourceError as error:
        logger.warning("account %s could not be read: %s", account.id, error)
        turn.failed(error, state.failures + 1)
        return turn.changed
    except Exception as error:
        # Who called says so; the platform must not be asked, and paid, again at every tick meanwhile.
        turn.failed(SourceError(_OUR_FAULT.format(type(error).__name__)), state.failures + 1)
        raise
    with store.transaction() as tx:
        busy = tx.cases.runs_on(account.id) or bool(tx.threads.due(account.id, now, limit=1))
        # A date in the future would have the account taken for active until then.
        newest = max((min(at, now) for at in (poll.newest, state.last_item_at) if at), default=None)
        tx.sources.read_ok(
            account.id,
            now,
            newest=newest,
            next_poll_at=cadence.next_poll(now, newest, busy=busy),
            items=poll.items,
            rejects=poll.rejects,
            stuck_polls=poll.stuck_polls(state),
            unreadable_polls=turn.unreadable_polls(state),
        )
    return turn.changed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Poll:
    """What a poll that reached its end brought: items known or new, how many of them new, and its last cursor."""

    items: int = 0
    new: int = 0
    rejects: int = 0
    newest: datetime | None = None
    cursor: str | None = None

    def stuck_polls(self, before: SourceState) -> int:
        """How many polls in a row brought something new and left the cursor where it was."""
        if self.cursor is None or self.cursor != before.cursor:
            return 0
        return before.stuck_polls + (1 if self.new else 0)


class _Turn:
    """One reading of one account; `changed` counts items new or edited, `unreadable` new records that are none."""

    def __init__(
        self, store: Store, account: Account, connector: Connector, cadence: Cadence, now: datetime
    ) -> None:
        self.changed = 0
        self.unreadable = 0
        self._store = store
        self._account = account
        self._connector = connector
        self._cadence = cadence
        self._now = now
        can = connector.capabilities()
        self._budget = can.budget
        self._deletions = can.deletions
        # What staff hand in is about the school: they have read it.
        self._searches = account.channel is Channel.MENTION and bool(can.hosts)

    def over_budget(self) -> SourceError | None:
        """What to say once the cap is reached."""
        if self._budget is None:
            return None
        with self._store.reading() as tx:
            spent = self._spent(tx)
        return SourceError(spent_words(self._budget, spent, self._now)) if spent >= self._budget.cap else None

    def poll(self, cursor: str | None) -> _Poll:
        """Keep every page of what is new since `cursor`, each before the next is asked for.

        Raises SourceError where the cap was reached before the last page: the next period goes on from there.
        """
        found, spent = _Poll(cursor=cursor), None
        for page in self._connector.poll(cursor, self._now):
            saved = self._keep(page, polled=True)
            dates = [item.published_at for item in page.items if item.published_at]
            found = _Poll(
                items=found.items + len(page.items),
                new=found.new + saved.new,
                rejects=found.rejects + len(page.rejects),
                newest=max(filter(None, (*dates, found.newest)), default=None),
                cursor=page.cursor,
            )
            if spent:
                raise spent
            spent = self.over_budget() if page.spent else None
        return found

    def sweep(self) -> None:
        """Read again the conversations that are due, the longest due first, as many as one turn has room for.

        One that fails is put off and recorded, and the next is read: the account itself was read by its poll.
        """
        with self._store.reading() as tx:
            due = tx.threads.due(self._account.id, self._now, SWEEPS_A_TURN)
        failures = 0
        for thread in due:
            if failures == FAILURES_A_TURN or not self._may_go_on():
                return
            try:
                self._sweep(thread)
            except SourceError as error:
                failures += 1
                logger.warning("a conversation of account %s could not be read: %s", self._account.id, error)
                self._put_off(thread, error)
            else:
                failures = 0

    def unreadable_polls(self, before: SourceState) -> int:
        """How many readings in a row, of those that brought anything new, brought what could not be read."""
        if self.unreadable:
            return before.unreadable_polls + 1
        return 0 if self.changed else before.unreadable_polls

    def failed(self, error: SourceError, failures: int) -> None:
        """Record why the account could not be read, and when to ask again."""
        again = self._cadence.retry(self._now, self._account.id, failures, permanent=error.permanent)
        if self._budget is not None:
            again = min(again, begins_anew(self._budget, self._now))
        with self._store.transaction() as tx:
            self._rest(tx, error.retry_at)
            tx.sources.failed(self._account.id, str(error), self._now, next_poll_at=again, refused=error.permanent)

    def _sweep(self, thread: ItemRef) -> None:
        with self._store.reading() as tx:
            known = tx.items.still_in(thread)
        for page in self._connector.thread(thread, known, self._now):
            self._keep(page, polled=False)
        with self._store.transaction() as tx:
            active_at = tx.threads.get(self._account.id, thread).active_at
            next_sweep_at = self._cadence.next_sweep(self._now, active_at)
            tx.threads.swept(
                self._account.id, thread, self._now, next_sweep_at=next_sweep_at, deletions=self._deletions
            )

    def _put_off(self, thread: ItemRef, error: SourceError) -> None:
        with self._store.transaction() as tx:
            self._rest(tx, error.retry_at)
            found = tx.threads.get(self._account.id, thread)
            again = self._cadence.retry(
                self._now, f"{self._account.id} {thread}", found.failures + 1, permanent=error.permanent
            )
            if self._cadence.next_sweep(self._now, found.active_at) is None:
                tx.threads.given_up(self._account.id, thread)
            else:
                tx.threads.failed(self._account.id, thread, str(error), next_sweep_at=again)

    def _may_go_on(self) -> bool:
        """Whether neither the budget is spent nor the platform has asked us, here or elsewhere, to rest."""
        with self._store.reading() as tx:
            rests_until = tx.sources.state(self._account.id).next_poll_at
            spent = self._spent(tx)
        rests = rests_until is not None and rests_until > self._now
        return not rests and (self._budget is None or spent < self._budget.cap)

    def _spent(self, tx: Transaction) -> float:
        return tx.spending.amount(self._account.credential, self._budget, self._now) if self._budget else 0.0

    def _keep(self, page: Page, *, polled: bool) -> Saved:
        account, now = self._account, self._now
        with self._store.transaction() as tx:
            ours = self._ours(tx, page.items)
            saved = tx.items.save(ours, account, now, self._cadence.go_live)
            unreadable = tx.items.reject(account, page.rejects, now)
            self._keep_threads(tx, ours, saved, page)
            for item_id in saved.back:
                self._log(tx, item_id, "back")
            for item_id in tx.items.mark_gone(page.gone, account.channel, now):
                self._log(tx, item_id, "gone")
            for item_id, visibility in saved.shown.items():
                self._log(tx, item_id, _SHOWN[visibility])
            if page.spent and self._budget is not None:
                tx.spending.add(account.credential, self._budget, page.spent, now)
            self._rest(tx, page.rest_until)
            if polled:
                oldest = min((item.published_at for item in ours if item.published_at), default=None)
                tx.sources.page_read(account.id, page.cursor, saved.new, oldest)
        self.changed += saved.new + saved.edited
        self.unreadable += unreadable
        return saved

    def _keep_threads(self, tx: Transaction, ours: Sequence[Item], saved: Saved, page: Page) -> None:
        newest: dict[ItemRef, datetime] = {}
        for item in ours:
            if item.thread is not None:
                at = min(item.published_at or self._now, self._now)
                newest[item.thread] = max(at, newest.get(item.thread, at))
        stirred = {item.thread for item in saved.arrived if item.thread is not None}
        tx.threads.found(self._account.id, newest, stirred, self._now)
        totals = page.totals
        if self._searches:
            ours_to_count = tx.items.known(totals)
            totals = {ref: total for ref, total in totals.items() if ref in ours_to_count}
        tx.threads.counted(self._account.id, totals, self._now)

    def _ours(self, tx: Transaction, found: Sequence[Item]) -> Sequence[Item]:
        """What speaks of our school, is known already, or stands in a conversation that is; the rest is counted."""
        if not self._searches:
            return found
        doubtful = [item for item in found if not self._speaks_of_us(item)]
        around = {ref for item in doubtful for ref in (item.ref, item.parent, item.thread) if ref is not None}
        known = tx.items.known(around) if around else set()
        known |= {item.ref for item in found} - {item.ref for item in doubtful}
        others = {item.ref: item for item in doubtful if known.isdisjoint((item.ref, item.parent, item.thread))}
        tx.items.leave_out(tuple(others.values()), self._account, self._now)
        return [item for item in found if item.ref not in others]

    def _speaks_of_us(self, item: Item) -> bool:
        author = item.author
        return author.kind is AuthorKind.SCHOOL or self._account.names.mean_us(
            item.text, author.display_name, author.handle
        )

    def _rest(self, tx: Transaction, until: datetime | None) -> None:
        """The platform says when to come back: that holds for every account that shares its limits."""
        if until is not None:
            tx.sources.rest(self._account.credential, until)

    def _log(self, tx: Transaction, item_id: int, kind: str) -> None:
        if case := tx.cases.for_item(item_id):
            tx.cases.log(case.id, "automatic", kind, {"item": item_id}, self._now)
