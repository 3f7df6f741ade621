"""APScheduler ticks → pipeline stages. Holds no state: what is due stands in the database.

A tick that fails is recorded as a problem of its stage, shown on the status page, and tried again at the next tick.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from apscheduler.executors.pool import ThreadPoolExecutor as TickThreads
from apscheduler.schedulers.background import BackgroundScheduler

from monitor.config import Config
from monitor.domain.account import Account
from monitor.domain.cadence import Cadence
from monitor.domain.errors import MonitorError
from monitor.domain.ports import Capturer, Clock, Connector, Letters, Mailer, Reader, Vault
from monitor.domain.rulebook import RuleBook
from monitor.domain.sender import Sender
from monitor.pipeline import (
    access,
    capture,
    classify,
    digest,
    escalate,
    failures,
    first_read,
    housekeeping,
    ingest,
    lookalikes,
    notify,
    triage,
    watch,
)
from monitor.store.store import Store

logger = logging.getLogger(__name__)

#: Seconds between ticks. An account's tick only polls when the account is due.
POLL_TICK, STAGE_TICK, SLOW_TICK = 5, 2, 30
#: Stages that look at everything, or ask platforms once a day.
SLOW = ("watch", "access", "lookalikes", "digest")
#: A stage that has nothing to do still says this often that it turns.
HEARTBEAT = timedelta(seconds=60)
#: After a start, how long all accounts are read before anybody is told of what was found.
CATCH_UP_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that the stages work with, put together by bootstrap."""

    config: Config
    store: Store
    clock: Clock
    connectors: Mapping[str, Connector]
    problems: Mapping[str, str]
    reader: Reader
    capturer: Capturer
    vault: Vault
    mailer: Mailer
    letters: Letters
    book: RuleBook
    sender: Sender


class Stages:
    """The stages with their ports filled in, each under its name."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._beats: dict[str, datetime] = {}
        self._being_read = {account.id: Lock() for account in parts.config.accounts}
        school = parts.config.school
        self._cadence = Cadence(poll_every=school.poll_every, poll_quiet=school.poll_quiet, go_live=school.go_live)
        self._edition = digest.Edition(at=school.digest_at, accounts=parts.config.accounts, problems=parts.problems)
        watched = watch.Watched(
            accounts=parts.config.accounts,
            unusable=parts.problems,
            poll_every=school.poll_every,
            started=parts.clock.now(),
        )
        store, book, letters, sender = parts.store, parts.book, parts.letters, parts.sender
        self._stages: Mapping[str, Callable[[datetime], int]] = {
            "classify": lambda now: classify.run(store, parts.reader, now),
            "triage": lambda now: triage.run(store, book, now),
            "escalate": lambda now: escalate.run(store, book, now),
            "watch": lambda now: watch.run(store, watched, book.calendar, now),
            "failures": lambda now: failures.run(store, letters, book, sender, now),
            "notify": lambda now: notify.run(store, parts.mailer, letters, book, sender, now),
            "capture": lambda now: capture.run(
                store, parts.capturer, parts.vault, now, school=school.name, timezone=school.timezone
            ),
            "access": lambda now: access.run(store, self.accounts(), parts.connectors, now),
            "lookalikes": lambda now: lookalikes.run(store, self.accounts(), parts.connectors, now),
            "first reading": lambda now: first_read.run(store, letters, book, sender, self.accounts(), now),
            "housekeeping": lambda now: housekeeping.run(store, book.policy.book, now),
            "digest": lambda now: digest.run(store, letters, book, sender, self._edition, now),
        }

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._stages)

    def accounts(self) -> list[Account]:
        """The accounts that can be read."""
        return [account for account in self.parts.config.accounts if account.id in self.parts.connectors]

    def poll(self, account: Account) -> int:
        """Read one account if it is due, and if it is not just being read: that could be paid for twice."""
        connector, lock = self.parts.connectors[account.id], self._being_read[account.id]
        if not lock.acquire(blocking=False):
            return 0
        try:
            return self._turn(
                f"poll {account.id}",
                lambda now: ingest.run(self.parts.store, account, connector, self._cadence, now),
            )
        finally:
            lock.release()

    def turn(self, stage: str) -> int:
        """One sweep of a stage; how much it did."""
        return self._turn(stage, self._stages[stage])

    def drain(self, *, without: Collection[str] = ()) -> None:
        """Turn the stages in order, but for those in `without`, until none has anything left to do."""
        order = [stage for stage in self._stages if stage not in without]
        while sum(self.turn(stage) for stage in order):
            pass

    def poll_all(self) -> None:
        """Read every account that is due, side by side, so that a slow one does not delay the others."""
        if accounts := self.accounts():
            with ThreadPoolExecutor(max_workers=len(accounts)) as threads:
                list(threads.map(self.poll, accounts))

    def _turn(self, name: str, run: Callable[[datetime], int]) -> int:
        """Run one sweep at this moment and record how it went. Never raises: the next tick must come."""
        now = self.parts.clock.now()
        try:
            done = run(now)
        except MonitorError as error:
            logger.warning("%s failed: %s", name, error)
            self._record(name, str(error), now)
            return 0
        except Exception as error:  # a bug in one sweep must not end the watching; it is recorded
            logger.exception("%s failed unexpectedly", name)
            self._record(name, f"stopped by an unexpected fault ({type(error).__name__}); see the log", now)
            return 0
        last = self._beats.get(name)
        if done or last is None or not timedelta(0) <= now - last < HEARTBEAT:
            self._beats[name] = now
            with self.parts.store.transaction() as tx:
                tx.health.beat(name, done, now)
                tx.health.cleared(name, now)
        return done

    def _record(self, name: str, message: str, now: datetime) -> None:
        self._beats.pop(name, None)
        try:
            with self.parts.store.transaction() as tx:
                tx.health.problem(name, message, now)
        except Exception:  # the database itself is ill: the log is all that is left
            logger.exception("the problem of %s could not be recorded", name)


class Jobs:
    """The ticking service."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": TickThreads(len(stages.accounts()) + len(stages.names) + 1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Catch up with what happened while nobody watched, then tick. Returns at once."""
        self._scheduler.add_job(self._begin, id="begin")
        self._scheduler.start()

    def _begin(self) -> None:
        """After an outage everything is read first and then told, so that each person gets one message."""
        self._catch_up()
        for account in self._stages.accounts():
            self._every(POLL_TICK, f"poll {account.id}", self._stages.poll, account)
        for stage in self._stages.names:
            self._every(SLOW_TICK if stage in SLOW else STAGE_TICK, stage, self._stages.turn, stage)

    def _catch_up(self) -> None:
        threads = ThreadPoolExecutor(max_workers=max(1, len(self._stages.accounts())))
        polls = [threads.submit(self._stages.poll, account) for account in self._stages.accounts()]
        deadline = datetime.now(UTC) + timedelta(seconds=CATCH_UP_SECONDS)
        for poll in polls:
            try:
                poll.result(timeout=max(0.0, (deadline - datetime.now(UTC)).total_seconds()))
            except TimeoutError:
                logger.warning("an account is still being read; going on without waiting for it")
        threads.shutdown(wait=False)
        self._stages.drain(without=("notify", "capture", "access", "lookalikes"))

    def _every(self, seconds: int, name: str, run: Callable[..., int], *args: object) -> None:
        self._scheduler.add_job(
            run, "interval", args=args, seconds=seconds, id=name, next_run_time=datetime.now(UTC)
        )

    def stop(self) -> None:
        """Let running ticks end, and tick no more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
