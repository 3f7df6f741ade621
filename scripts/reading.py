"""What reading costs, measured by scripts/bench in processes of their own: prints one JSON object.

reading.py ingest          items a second into a new SQLite file, in pages of 100
reading.py cycle STORED    processor seconds of one poll of 50 accounts with nothing new, with STORED items
reading.py memory CYCLES   MiB held after a tenth of so many polls of every configured account, and after all

The accounts are those of the example school, as often as it takes, against sandbox platforms in a process of their
own. What is stored beside their items is older than what is still swept.
"""

import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from connectors import connect, kinds
from connectors.sandbox import APP, TOKEN, Sandbox, World
from monitor.config import default_folder, load_config
from monitor.domain.account import Account, Capabilities
from monitor.domain.cadence import Cadence
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef, Page
from monitor.domain.ports import Connector
from monitor.pipeline import ingest
from monitor.store.engine import migrate, open_engine
from monitor.store.store import Store

PRESENT = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
ACCOUNTS, PAGE, ITEMS_A_THREAD = 50, 100, 20
INGESTED = 20_000
#: Polls until nothing is new and every conversation was swept, and polls of which the cheapest counts.
WARM_UP, MEASURED = 4, 4
EVERY = timedelta(minutes=5)
CADENCE = Cadence(poll_every=EVERY, poll_quiet=EVERY, go_live=PRESENT - timedelta(days=30))


def main() -> None:
    what, *numbers = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch, new_store(Path(scratch)) as store:
        measured = {"ingest": measure_ingest, "cycle": measure_cycle, "memory": measure_memory}[what](
            store, Path(scratch), *map(int, numbers)
        )
    print(json.dumps(measured))


@contextmanager
def new_store(folder: Path) -> Iterator[Store]:
    engine = open_engine(f"sqlite:///{folder / 'schoolwatch.db'}")
    migrate(engine)
    store = Store(engine, "larkfield")
    yield store
    store.close()


def measure_ingest(store: Store, scratch: Path) -> dict[str, float]:
    account = Account(id="page", connector="facebook", channel=Channel.OFFICIAL, name="page")
    items = [old_item(account, number, INGESTED) for number in range(INGESTED)]
    began = time.perf_counter()
    new = ingest.run(store, account, Listed(items), CADENCE, PRESENT)
    assert new == INGESTED
    return {"per_s": INGESTED / (time.perf_counter() - began)}


class Listed(Connector):
    """A platform that answers at once."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def capabilities(self) -> Capabilities:
        return Capabilities(reads=("comments",), edits=True, deletions=True)

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        for start in range(0, len(self._items), PAGE):
            yield Page(items=tuple(self._items[start : start + PAGE]), cursor=str(start))

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        return iter(())


def measure_cycle(store: Store, scratch: Path, stored: int) -> dict[str, float]:
    with platforms() as addresses:
        accounts = example_accounts(addresses, scratch, ACCOUNTS)
        for account, _ in accounts:
            keep(store, account, stored // ACCOUNTS)
        used = [cycle(store, accounts, number) for number in range(WARM_UP + MEASURED)]
    check(store)
    return {"cpu_s": min(used[WARM_UP:])}


def measure_memory(store: Store, scratch: Path, cycles: int) -> dict[str, float]:
    with platforms() as addresses:
        accounts = example_accounts(addresses, scratch, 0)
        held = []
        for number in range(cycles):
            cycle(store, accounts, number)
            held.append(resident_mib())
    check(store)
    return {"early_mib": held[cycles // 10], "late_mib": held[-1]}


def keep(store: Store, account: Account, count: int) -> None:
    """Items of two years that ended where sweeps no longer reach, kept as ingest keeps them."""
    found = [old_item(account, number, count) for number in range(count)]
    for start in range(0, count, PAGE):
        page = found[start : start + PAGE]
        newest = {item.thread: item.published_at for item in page if item.thread and item.published_at}
        with store.transaction() as tx:
            saved = tx.items.save(page, account, PRESENT, CADENCE.go_live)
            tx.threads.found(account.id, newest, [], PRESENT)
            for thread in newest:
                tx.threads.swept(account.id, thread, PRESENT, next_sweep_at=None)
        assert saved.new == len(page)


def old_item(account: Account, number: int, count: int) -> Item:
    key = f"{account.id}-{number}"
    return Item(
        ref=ItemRef(account.connector, key),
        channel=account.channel,
        kind=ItemKind.COMMENT,
        author=Author(id="7", display_name="A parent"),
        text=f"Who do we ask about the coach trip? Mrs Bell said Tuesday, the letter says Friday ({key})",
        url=f"https://school.example/{key}",
        published_at=PRESENT - timedelta(days=91 + 730 * (count - number) / count),
        thread=ItemRef(account.connector, f"{account.id}-thread-{number // ITEMS_A_THREAD}"),
        raw={"id": key, "from": {"id": "7", "name": "A parent"}, "message": "Who do we ask about the coach trip?"},
    )


@contextmanager
def platforms() -> Iterator[Mapping[str, Mapping[str, object]]]:
    """The sandbox in another process: kind -> the options that point a connector there."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        yield here.recv()
    finally:
        server.terminate()
        server.join()


def serve(told: Connection) -> None:
    with Sandbox(World.load(PRESENT), lambda: PRESENT, page_size=100) as sandbox:
        told.send({kind: sandbox.options(kind) for kind in kinds()})
        time.sleep(3600)


def example_accounts(
    addresses: Mapping[str, Mapping[str, object]], scratch: Path, number: int
) -> list[tuple[Account, Connector]]:
    """The example school's accounts, each under several names until there are `number`, at least once each."""
    World.load(PRESENT).hand_in(scratch / "hand-ins", PRESENT)
    found = []
    configured = load_config(default_folder()).accounts
    for place in range(max(number, len(configured))):
        account = configured[place % len(configured)]
        options = {**account.options, **addresses[account.connector]}
        if account.connector == "archive":
            options["path"] = str(scratch / "hand-ins")
        account = replace(account, id=f"{account.id}-{place}", options=options)
        secrets = {option: APP.get(option, TOKEN) for option in account.secrets}
        found.append((account, connect(account, secrets)))
    return found


def cycle(store: Store, accounts: list[tuple[Account, Connector]], number: int) -> float:
    """Poll every account side by side, as the service does; the processor seconds of this process."""
    now = PRESENT + number * (EVERY + timedelta(minutes=1))
    with store.transaction() as tx:
        tx.sources.register([account for account, _ in accounts])
    began = time.process_time()
    with ThreadPoolExecutor(len(accounts)) as threads:
        new = list(threads.map(lambda one: ingest.run(store, one[0], one[1], CADENCE, now), accounts))
    assert number < WARM_UP or not any(new), "nothing is new after the first polls"
    return time.process_time() - began


def check(store: Store) -> None:
    """A poll that fails costs nothing and proves nothing."""
    with store.reading() as tx:
        problems = {state.account: state.problem for state in tx.sources.states() if state.problem}
    assert not problems, problems


def resident_mib() -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


if __name__ == "__main__":
    main()
