"""Items → readings: what each new wording says, and whom it names.

What was read while the model failed is provisional: it is read again once the model works.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.domain.ports import Reader
from monitor.domain.verdict import Comment, Reading
from monitor.store.readings import Waiting
from monitor.store.store import Store, Transaction

#: What the status page calls it.
CLASSIFIER = "classifier"
#: While the model fails and nothing is waiting, it is tried this often.
TRY_AGAIN = timedelta(minutes=1)
#: What it is tried on.
TRIAL = Comment(text="What time does the fair start?")


def run(store: Store, reader: Reader, now: datetime, limit: int = 64) -> int:
    """Read up to `limit` waiting revisions or, when there are none, provisional ones again; how many were read.

    A reader that had to do without its model is a problem on the status page until it has it back.
    """
    with store.reading() as tx:
        waiting = tx.readings.waiting("classify", limit)
        again = [] if waiting else tx.readings.provisional(limit)
    if waiting:
        readings = reader.read([one.comment for one in waiting])
        rows = [(one.item.id, one.item.revision, reading) for one, reading in zip(waiting, readings, strict=True)]
        with store.transaction() as tx:
            record_health(tx, reader, now)
            return tx.readings.save(rows, classifier=reader.name, version=reader.version, now=now)
    if reader.problem and not _mended(store, reader, now):
        return 0
    return _read_again(store, reader, again, now) if again else 0


def record_health(tx: Transaction, reader: Reader, now: datetime) -> None:
    """Say on the status page whether the reader has its model."""
    if reader.problem:
        message = f"comments are read by the word list alone: {reader.problem}"
        tx.health.problem(CLASSIFIER, message, now, headline="The classifier fails", grade="red")
    else:
        tx.health.cleared(CLASSIFIER, now)


def _mended(store: Store, reader: Reader, now: datetime) -> bool:
    """Whether a failing model works again; asked once a minute at most."""
    with store.reading() as tx:
        known = tx.health.problem_of(CLASSIFIER)
    if known and known.cleared_at is None and known.last_at + TRY_AGAIN > now:
        return False
    reader.read([TRIAL])
    with store.transaction() as tx:
        record_health(tx, reader, now)
    return reader.problem is None


def _read_again(store: Store, reader: Reader, again: Sequence[Waiting], now: datetime) -> int:
    """Put proper readings in the place of provisional ones; none if the model fails at that."""
    readings = reader.read([one.comment for one in again])
    with store.transaction() as tx:
        record_health(tx, reader, now)
        if reader.problem:
            return 0
        return sum(
            _replace(tx, reader, one, reading, now)
            for one, reading in zip(again, readings, strict=True)
            if not reading.provisional
        )


def _replace(tx: Transaction, reader: Reader, one: Waiting, reading: Reading, now: datetime) -> bool:
    item_id, revision = one.item.id, one.item.revision
    before = tx.readings.made_by(item_id, revision)
    if not tx.readings.replace(item_id, revision, reading, classifier=reader.name, version=reader.version, now=now):
        return False
    if case := tx.cases.for_item(item_id):
        detail = {"before": before, "version": reader.version, "labels": list(reading.labels)}
        tx.cases.log(case.id, "automatic", "read_again", detail, now)
    return True
