"""The outbox: done only when accepted, never lost, and a repeat says that it is one."""

from datetime import timedelta

from monitor.domain.errors import MailError
from monitor.pipeline import notify
from tests.stages.conftest import School


def test_a_refused_message_is_kept_shown_and_tried_again(school: School) -> None:
    school.postbox.refuses = MailError("the mail server says 451")
    school.say("angry with @tom-field #complaint")
    school.work()
    with school.store.reading() as tx:
        [problem] = tx.health.problems()
        [message] = tx.outbox.messages()
    assert "451" in problem.message
    assert message.problem == "the mail server says 451"
    school.postbox.refuses = None
    school.later(minutes=1)
    school.work()
    assert school.told() == {"joan.price": 1}
    with school.store.reading() as tx:
        assert tx.health.problems() == []


def test_a_repeat_has_the_same_message_id_and_says_that_it_may_be_one(school: School) -> None:
    class DiesAfterAccepting(type(school.postbox)):  # type: ignore[misc]
        def send(self, **message: str) -> None:
            super().send(**message)
            raise KeyboardInterrupt

    school.say("angry with @tom-field #complaint")
    real, school.postbox = school.postbox, DiesAfterAccepting()
    try:
        school.work()
    except KeyboardInterrupt:
        real.accepted.extend(school.postbox.accepted)
    school.postbox = real
    school.work()
    assert len(real.accepted) == 1, "the lease of the worker that died still runs"
    school.now += notify.LEASE
    school.work()
    first, second = real.accepted
    assert first["message_id"] == second["message_id"]
    assert "possible repeat" in second["text"]
    assert "possible repeat" not in first["text"]


def test_one_address_that_is_refused_does_not_hold_up_the_others(school: School) -> None:
    class NotJoan(type(school.postbox)):  # type: ignore[misc]
        def send(self, **message: str) -> None:
            if message["recipient"].startswith("joan"):
                raise MailError("550 nobody of that name", permanent=True)
            super().send(**message)

    school.postbox = NotJoan()
    school.say("a threat #threat")
    school.work()
    assert set(school.told()) == {"david.okafor", "sian.llewellyn-field", "linh.nguyen"}


def test_while_items_are_still_being_judged_notices_wait_to_be_told_together(school: School) -> None:
    school.say("angry with @tom-field #complaint")
    school.work()
    school.postbox.accepted.clear()
    with school.store.transaction() as tx:
        tx.outbox.tell(1, 9, ["joan.price@larkfield.example"], school.now)
    school.say("one more, not yet classified")
    notify.run(school.store, school.postbox, school.letters, school.book, school.sender, school.now)
    assert school.told() == {}
    school.now += timedelta(seconds=60)
    notify.run(school.store, school.postbox, school.letters, school.book, school.sender, school.now)
    assert school.told() == {"joan.price": 1}, "but not for longer than a minute"
