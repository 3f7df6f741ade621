"""The service with things broken in it: each fault is named on the status page, and the rest goes on."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from connectors.sandbox import TOKEN, Fault
from monitor.adapters.mailbox import Refusal
from monitor.bootstrap import build
from monitor.domain.account import Account, Capabilities
from monitor.domain.item import Channel, ItemRef, Page
from monitor.domain.ports import Connector
from monitor.jobs import Jobs, Parts, Stages
from tests.faults.conftest import PRESENT, SECRETS, Rig, page_of


@pytest.fixture(autouse=True)
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Captures are tested elsewhere; here they would only take time."""
    monkeypatch.setattr("monitor.bootstrap.find_browser", lambda: None)


def test_broken_accounts_are_named_and_the_others_are_read(rig: Rig) -> None:
    unknown = rig.account("x", id="myspace", connector="myspace")
    without_secret = rig.account("x", id="x-other", secrets={"token": "NOWHERE"})
    html = Account(
        id="not-a-feed",
        connector="feed",
        channel=Channel.MENTION,
        name="A page that is no feed",
        options={"url": f"{rig.sandbox.page_url('feed')}/"},
    )
    config = replace(rig.config, accounts=(unknown, without_secret, html, rig.account("facebook")))
    with build(config, rig.data, clock=rig.clock, environment=SECRETS) as parts:
        stages = Stages(parts)
        stages.poll_all()
        stages.drain()
        page = page_of(parts, "/status")
        with parts.store.reading() as tx:
            states = {state.account: state for state in tx.sources.states()}
    assert "there is no connector &#39;myspace&#39;" in page
    assert "the secret NOWHERE is not set" in page
    assert states["not-a-feed"].problem is not None
    assert states["not-a-feed"].last_read_ok is None
    assert states["facebook-page"].problem is None
    assert states["facebook-page"].items > 20


def test_a_token_that_died_is_shown_and_never_taken_for_a_quiet_week(rig: Rig) -> None:
    config = replace(rig.config, accounts=(rig.account("facebook"),))
    with build(config, rig.data, clock=rig.clock, environment=SECRETS) as parts:
        stages = Stages(parts)
        stages.poll_all()
        rig.sandbox.fail("facebook", Fault.UNAUTHORISED, times=50)
        rig.clock.jump(PRESENT + timedelta(hours=1))
        stages.poll_all()
        page = page_of(parts, "/status")
        with parts.store.reading() as tx:
            [state] = tx.sources.states()
    assert state.problem is not None
    assert state.last_read_ok == PRESENT
    assert "access token" in page
    assert TOKEN not in page


def test_a_mail_server_that_refuses_delays_messages_and_loses_none(rig: Rig) -> None:
    rig.mailbox.refusal = Refusal.LATER
    with build(rig.config, rig.data, clock=rig.clock, environment=SECRETS) as parts:
        stages = Stages(parts)
        stages.poll_all()
        stages.drain()
        page = page_of(parts, "/status")
        with parts.store.reading() as tx:
            waiting = len(tx.outbox.messages())
        assert "451" in page
        assert rig.mailbox.messages() == []
        rig.mailbox.refusal = None
        rig.clock.jump(PRESENT + timedelta(minutes=2))
        stages.drain()
        with parts.store.reading() as tx:
            assert tx.outbox.unsent() == 0
    mails = rig.mailbox.messages()
    assert len(mails) == len({mail.message_id for mail in mails}) >= waiting


def test_an_account_that_is_still_being_read_is_not_read_a_second_time(rig: Rig) -> None:
    config = replace(rig.config, accounts=(rig.account("facebook"),))
    with build(config, rig.data, clock=rig.clock, environment=SECRETS) as parts:
        again: list[int] = []

        class Asked(Connector):
            def capabilities(self) -> Capabilities:
                return Capabilities(reads=(), edits=False, deletions=False)

            def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
                again.append(len(again))
                stages.poll(config.accounts[0])
                yield Page()

            def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
                return iter(())

        stages = Stages(replace(parts, connectors={"facebook-page": Asked()}))
        stages.poll_all()
    assert again == [0]


def test_a_record_that_is_poison_is_counted_and_its_page_is_read(rig: Rig) -> None:
    rig.sandbox.fail("facebook", Fault.POISONED, times=1)
    config = replace(rig.config, accounts=(rig.account("facebook"),))
    with build(config, rig.data, clock=rig.clock, environment=SECRETS) as parts:
        Stages(parts).poll_all()
        with parts.store.reading() as tx:
            [state] = tx.sources.states()
    assert state.rejects >= 1
    assert state.items > 20


def test_a_fault_in_one_stage_is_recorded_and_the_other_stages_turn(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> int:
        raise RuntimeError("secret words of a comment")

    with build(rig.config, rig.data, clock=rig.clock, environment=SECRETS) as parts:
        stages = Stages(parts)
        monkeypatch.setattr("monitor.jobs.escalate.run", broken)
        stages.poll_all()
        stages.drain()
        page = page_of(parts, "/status")
        with parts.store.reading() as tx:
            assert tx.cases.all()
    assert "stopped by an unexpected fault (RuntimeError)" in page
    assert "secret words" not in page


def test_after_an_outage_the_ticking_service_sends_each_person_one_message(rig: Rig) -> None:
    with build(rig.config, rig.data, clock=rig.clock, environment=SECRETS) as parts:
        jobs = Jobs(Stages(parts))
        jobs.start()
        try:
            _wait(lambda: _settled(parts))
        finally:
            jobs.stop()
    others = ("open,", "what was there before")  # the digest, and the summary of the first reading
    mails = [mail for mail in rig.mailbox.messages() if not any(words in mail.subject for words in others)]
    people = [mail.recipients[0] for mail in mails]
    assert len(people) >= 4
    assert len(people) == len(set(people))


def _settled(parts: Parts) -> bool:
    with parts.store.reading() as tx:
        told = tx.outbox.count() > 0 and tx.outbox.unsent() == 0
        return told and not tx.readings.count_waiting() and tx.evidence.count(captured=False) == 0


def _wait(until: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
