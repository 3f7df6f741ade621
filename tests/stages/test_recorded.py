"""Answers of the real platforms, which nobody here wrote, go through connectors and stages to items and cases."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import connectors
from classifiers.reader import load_reader
from monitor.config import Config
from monitor.domain.cadence import Cadence
from monitor.domain.verdict import Label
from monitor.pipeline import classify, ingest, triage
from tests.contract.recorded import SECRETS, needs_recordings, recorded_accounts
from tests.stages.conftest import School

#: Before the oldest recording, so that none of it is history.
GO_LIVE = datetime(2020, 1, 1, tzinfo=UTC)


@needs_recordings
def test_recorded_answers_become_scored_items_and_cases(school: School, example: Config) -> None:
    cadence = Cadence(poll_every=timedelta(minutes=5), poll_quiet=timedelta(minutes=5), go_live=GO_LIVE)
    reader = load_reader("local", example.people)
    school.now = datetime(2026, 11, 30, tzinfo=UTC)  # later than every recording
    with recorded_accounts() as accounts:
        with school.store.transaction() as tx:
            tx.sources.register(accounts)
        for _ in range(2):  # the second time brings nothing
            for account in accounts:
                connector = connectors.connect(account, SECRETS if account.connector != "feed" else {})
                ingest.run(school.store, account, connector, cadence, school.now)
            school.later(minutes=6)
    while classify.run(school.store, reader, school.now) + triage.run(school.store, school.book, school.now):
        pass
    with school.store.reading() as tx:
        states = {state.account: state for state in tx.sources.states()}
        stored = tx.items.search(limit=10_000)
        readings = [tx.readings.get(one.id, one.revision) for one in stored]
        cases = tx.cases.all()
    assert {account: state.problem for account, state in states.items()} == dict.fromkeys(states)
    assert all(state.last_read_ok for state in states.values())
    assert min(Counter(one.account for one in stored).values()) >= 5
    assert len({one.item.ref for one in stored}) == len(stored)
    assert all(reading is not None and set(reading.scores) == set(Label) for reading in readings)
    assert cases, "what was said on official accounts waits for an answer or a glance"
    assert all(case.deadline is not None and case.found_late for case in cases if case.expects != "nothing")
