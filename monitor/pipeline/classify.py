"""Items → readings: what each new wording says, and whom it names."""

from datetime import datetime

from monitor.domain.ports import Reader
from monitor.domain.verdict import Comment
from monitor.store.store import Store


def run(store: Store, reader: Reader, now: datetime, limit: int = 64) -> int:
    """Read up to `limit` waiting revisions; how many were read.

    A reader that had to do without its model is a problem on the status page until it has it back.
    """
    with store.reading() as tx:
        waiting = tx.readings.waiting("classify", limit)
    if not waiting:
        return 0
    readings = reader.read(
        [
            Comment(
                text=one.item.item.text,
                parent=one.parent_text,
                platform=one.item.item.ref.platform,
                channel=one.item.item.channel,
            )
            for one in waiting
        ]
    )
    rows = [(one.item.id, one.item.revision, reading) for one, reading in zip(waiting, readings, strict=True)]
    with store.transaction() as tx:
        if reader.problem:
            tx.health.problem("classifier", f"comments are read by the word list alone: {reader.problem}", now)
        else:
            tx.health.cleared("classifier", now)
        return tx.readings.save(rows, classifier=reader.name, version=reader.version, now=now)
