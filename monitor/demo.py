"""The example school against sandbox platforms on loopback: the whole job, to be watched.

The demo's world is a week of comments up to a present and a few minutes beyond it. A simulated clock runs through
what is past, stopping wherever something happens, and so do the real stages; then the clock goes on in real time.
Where it stands is kept in the data folder: killed and started again, the demo goes on as if it had not been.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

from connectors.sandbox import Sandbox, World, environment
from monitor.adapters.mailbox import Mailbox
from monitor.bootstrap import build
from monitor.config import Config, Mail
from monitor.domain.account import Account
from monitor.domain.clock import format_instant, parse_instant
from monitor.jobs import Parts, Stages

#: The school went live this long before the present; what is older is history.
LIVE_FOR = timedelta(days=8)
#: Things that happen within this of one another are found by one poll: before the present, and after it.
CLUSTER, CLUSTER_LATER = timedelta(minutes=45), timedelta(seconds=20)
#: How long after something happened the simulated clock stops for it.
LAG = timedelta(minutes=2)
#: An account is read at every stop, however quiet it was.
POLL_EVERY = timedelta(seconds=20)


class DemoClock:
    """Stands where it was put until `run_on`, and goes on in real time from there."""

    def __init__(self, start: datetime) -> None:
        self._base = start
        self._since: float | None = None

    def now(self) -> datetime:
        if self._since is None:
            return self._base
        return self._base + timedelta(seconds=time.monotonic() - self._since)

    def jump(self, to: datetime) -> None:
        self._base = to

    def run_on(self) -> None:
        """From now on in real time, but never backwards."""
        self._base = max(self._base, datetime.now(UTC))
        self._since = time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """How far the demo has got: the world's present, where the clock stands, and the sandbox's port."""

    present: datetime
    clock: datetime
    port: int

    @classmethod
    def load(cls, path: Path, present: datetime) -> "Bookmark":
        """The one that was kept, or a new one at the beginning of the world."""
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(present=present, clock=present - LIVE_FOR, port=0)
        return cls(
            present=parse_instant(told["present"]), clock=parse_instant(told["clock"]), port=int(told["port"])
        )

    def save(self, path: Path) -> None:
        """All of it or nothing, whenever the power goes."""
        draft = path.with_suffix(".draft")
        told = {"present": format_instant(self.present), "clock": format_instant(self.clock), "port": self.port}
        with draft.open("w", encoding="utf-8") as file:
            json.dump(told, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


class Demo:
    """A running demo: its stages, its clock, and the world that it watches."""

    def __init__(self, parts: Parts, clock: DemoClock, world: World, data: Path, bookmark: Bookmark) -> None:
        self.parts = parts
        self.stages = Stages(parts)
        self.clock = clock
        self._world = world
        self._data = data
        self._bookmark = bookmark
        self._stopped = Event()

    def stop(self) -> None:
        """Let a replay in another thread end after the step that it is at."""
        self._stopped.set()

    def replay(self, until: datetime, progress: Callable[[datetime], None] = lambda _: None) -> None:
        """Run the simulated clock to `until`, through everything that happens before."""
        stops = [stop for stop in _stops(self._world) if stop <= until]
        while not self._stopped.is_set() and (following := self._next(stops, until)) is not None:
            self.clock.jump(following)
            # In between nothing happens on the platforms and nothing is read: no fault that anybody is told of.
            reading = following in stops or following == self._digest_after(following - timedelta(seconds=1))
            if reading:
                self._world.hand_in(self._data / "hand-ins", following)
                self.stages.poll_all()
            self.stages.drain(without=() if reading else ("watch",))
            self._remember()
            progress(following)

    def replay_all(self, progress: Callable[[datetime], None] = lambda _: None) -> None:
        """The whole world, and on until every message is sent and every capture made."""
        end = _stops(self._world)[-1] + LAG
        self.replay(end, progress)
        while self._unfinished() and self.clock.now() < end + timedelta(hours=2):
            self.clock.jump(self.clock.now() + timedelta(minutes=1))
            self.stages.drain(without=("watch",))
        self._remember()

    def replay_past(self, progress: Callable[[datetime], None] = lambda _: None) -> bool:
        """Up to the world's present; then the clock goes on in real time. False if it was stopped before."""
        self.replay(self._bookmark.present, progress)
        if self._stopped.is_set():
            return False
        self._world.hand_in(self._data / "hand-ins", self._bookmark.present + timedelta(days=1))
        self.clock.run_on()
        return True

    @property
    def present(self) -> datetime:
        return self._bookmark.present

    def summary(self, seconds: float) -> dict[str, object]:
        """What has come of it all, as `schoolwatch demo --once` prints it."""
        with self.parts.store.reading() as tx:
            counts = tx.queue.counts(self.clock.now())
            return {
                "items": counts.items,
                "by_connector": tx.items.count_by_connector(),
                "cases": counts.cases,
                "answered": counts.answered,
                "overdue": counts.overdue,
                "glances": counts.glances,
                "notices": tx.outbox.count(),
                "evidence": tx.evidence.count(captured=True),
                "problems": [problem.subject for problem in tx.health.problems()],
                "seconds": round(seconds, 1),
            }

    def _next(self, stops: list[datetime], until: datetime) -> datetime | None:
        """When something is to be done next: something happens, somebody must be told, or the digest is due."""
        now = self.clock.now()
        with self.parts.store.reading() as tx:
            step = tx.cases.earliest_step()
        times = [stop for stop in stops if stop > now] + [self._digest_after(now)]
        if step is not None:
            times.append(max(step, now + timedelta(seconds=1)))
        following = min(times)
        return following if following <= until else None

    def _digest_after(self, now: datetime) -> datetime:
        school, calendar = self.parts.config.school, self.parts.book.calendar
        local = calendar.local(now)
        at = local.replace(hour=school.digest_at.hour, minute=school.digest_at.minute, second=0, microsecond=0)
        return (at if at > local else at + timedelta(days=1)).astimezone(UTC)

    def _unfinished(self) -> int:
        with self.parts.store.reading() as tx:
            return tx.outbox.unsent() + tx.evidence.count(captured=False)

    def _remember(self) -> None:
        self._bookmark = replace(self._bookmark, clock=self.clock.now())
        self._bookmark.save(self._data / "demo.json")


@contextmanager
def demo(config: Config, data: Path, *, present: datetime | None = None, desk: str = "") -> Iterator[Demo]:
    """The demo's servers and stages. `present` is the world's, for a data folder that has none yet."""
    data.mkdir(parents=True, exist_ok=True)
    bookmark = Bookmark.load(data / "demo.json", (present or datetime.now(UTC)).replace(microsecond=0))
    world = World.load(bookmark.present)
    clock = DemoClock(bookmark.clock)
    with Mailbox(data / "mailbox") as mailbox, Sandbox(world, clock.now, port=bookmark.port) as sandbox:
        bookmark = replace(bookmark, port=urlsplit(sandbox.page_url("x")).port or 0)
        bookmark.save(data / "demo.json")
        config = _against(config, sandbox, mailbox.port, bookmark, desk)
        # Nothing of it leaves this computer, so that no proxy is any use.
        around = {**os.environ, **environment(config.accounts), "HTTPS_PROXY": "", "https_proxy": ""}
        with build(config, data, clock=clock, environment=around) as parts:
            yield Demo(parts, clock, world, data, bookmark)


def _against(config: Config, sandbox: Sandbox, mail_port: int, bookmark: Bookmark, desk: str) -> Config:
    """The configuration pointed at the sandbox and the demo's mail server."""

    def moved(account: Account) -> Account:
        return replace(account, options={**account.options, **sandbox.options(account.connector)})

    school = config.school.model_copy(
        update={
            "go_live": bookmark.present - LIVE_FOR,
            "poll_every": POLL_EVERY,
            "poll_quiet": POLL_EVERY,
            "public_url": desk or config.school.public_url,
            "mail": Mail(host="127.0.0.1", port=mail_port, sender=config.school.mail.sender, tls="none"),
            "browser_sandbox": False,  # it opens our own pages alone, on any machine
            "browser_may_open": (f"127.0.0.1:{bookmark.port}",),
        }
    )
    return replace(config, school=school, accounts=tuple(map(moved, config.accounts)))


def _stops(world: World) -> list[datetime]:
    """When to look: shortly after things happened, several together where they lie close."""
    moments = world.moments()
    ends = [
        moment
        for moment, following in pairwise([*moments, moments[-1] + timedelta(days=1)])
        if following - moment > (CLUSTER if moment < world.present else CLUSTER_LATER)
    ]
    return [end + LAG if end < world.present else end + timedelta(seconds=5) for end in ends]
