"""What the desk asks of the store, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.domain.account import Account
from monitor.domain.errors import NotFound
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef
from monitor.domain.ports import Letter
from monitor.domain.verdict import Action, Expects, Label, Reading, Verdict
from monitor.store.store import Store

PAGE = Account(id="page", connector="facebook", channel=Channel.OFFICIAL, name="Page")
ORDINARY = Verdict(
    action=Action.REVIEW,
    severity=2,
    rank=0,
    rules=("complaint",),
    tell=(),
    visible_to=None,
    expects=Expects.ANSWER,
    accused=(),
    policy_version="1",
)
RESTRICTED = replace(ORDINARY, rules=("safeguarding",), visible_to=("dsl",), severity=4)


def comment(now: datetime, number: int, text: str) -> Item:
    return Item(
        ref=ItemRef("facebook", f"1_{number}"),
        channel=Channel.OFFICIAL,
        kind=ItemKind.COMMENT,
        author=Author(display_name="A parent"),
        text=text,
        url="https://facebook.example/1",
        published_at=now - timedelta(minutes=number),
    )


@pytest.fixture
def four(store: Store, now: datetime) -> Store:
    """An ordinary case, a restricted case, and two comments without a case, the second matched by a strict rule."""
    texts = ("gate one", "gate two", "gate three", "gate four")
    with store.transaction() as tx:
        tx.items.save(
            [comment(now, number, text) for number, text in enumerate(texts, 1)], PAGE, now, now - timedelta(days=9)
        )
        waiting = tx.readings.waiting("classify", 10)
        reading = Reading(scores=dict.fromkeys(Label, 0.1), labels=("complaint",))
        tx.readings.save(
            [(one.item.id, one.item.revision, reading) for one in waiting], classifier="test", version="1", now=now
        )
        verdicts = (ORDINARY, RESTRICTED, ORDINARY, RESTRICTED)
        for one, verdict in zip(waiting, verdicts, strict=True):
            tx.readings.save_verdict(one.item.id, one.item.revision, verdict, now)
        for one, verdict in zip(waiting[:2], verdicts, strict=False):
            tx.cases.open(one.item.id, verdict, None, now, next_step_at=None)
    return store


def test_a_search_can_leave_out_what_is_restricted_with_a_case_and_without(four: Store) -> None:
    with four.reading() as tx:
        everything = [one.item.text for one in tx.items.search("gate")]
        allowed = [one.item.text for one in tx.items.search("gate", without_restricted=["safeguarding"])]
        no_such_rule = [one.item.text for one in tx.items.search("gate", without_restricted=[])]
    assert everything == ["gate four", "gate three", "gate two", "gate one"]
    assert allowed == ["gate three", "gate one"]
    assert no_such_rule == ["gate four", "gate three", "gate one"]


def test_what_is_restricted_is_told_from_among_items(four: Store) -> None:
    with four.reading() as tx:
        stored = {one.item.text: one.id for one in tx.items.search()}
        found = tx.items.restricted(list(stored.values()), ["safeguarding"])
        assert sorted(found) == sorted([stored["gate two"], stored["gate four"]])
        assert tx.items.restricted([stored["gate one"]], ["safeguarding"]) == []


def test_the_surroundings_of_items_are_read_together(four: Store) -> None:
    with four.reading() as tx:
        stored = {one.item.text: one.id for one in tx.items.search()}
        around = tx.queue.surroundings(list(stored.values()))
        assert tx.queue.surroundings([]) == {}
    restricted, loose = around[stored["gate two"]], around[stored["gate four"]]
    assert restricted.case is not None
    assert restricted.case.visible_to == ("dsl",)
    assert (loose.case, loose.rules, loose.labels) == (None, ("safeguarding",), ("complaint",))


def test_cases_are_read_in_the_order_asked_for(four: Store) -> None:
    with four.reading() as tx:
        assert [entry.case.id for entry in tx.queue.of([2, 99, 1])] == [2, 1]
        assert tx.queue.of([]) == []


def test_a_message_names_each_case_it_carries_once(four: Store, now: datetime) -> None:
    with four.transaction() as tx:
        for case_id, level in ((1, 0), (1, 1), (2, 0)):
            tx.outbox.tell(case_id, level, ["head@larkfield.example"], now)
        for number, carries in enumerate(([one.id for one in tx.outbox.unbundled()], [])):
            letter = Letter(subject="s", text="t", html="h")
            message_id = f"<{number}@x>"
            tx.outbox.add(
                letter, message_id=message_id, recipient="head@larkfield.example", now=now, carries=carries
            )
        carried = tx.outbox.carried([1, 2])
    assert {message: [case.id for case in cases] for message, cases in carried.items()} == {1: [1, 2]}


def test_evidence_is_found_by_its_number(four: Store, now: datetime) -> None:
    with four.transaction() as tx:
        tx.evidence.want(1, 1, "abc", now)
        assert tx.evidence.get(1).case_id == 1
        with pytest.raises(NotFound, match="no evidence 7"):
            tx.evidence.get(7)


def test_a_database_that_can_be_read_answers(store: Store) -> None:
    assert store.answers()
