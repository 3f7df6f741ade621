"""What a new tuning or rule book is replayed over: the comments that were read last, as they stand now."""

from dataclasses import replace

from monitor.domain.verdict import Comment
from tests.stages.conftest import School


def latest(school: School, limit: int = 10) -> list[Comment]:
    with school.store.reading() as tx:
        return [one.comment for one in tx.readings.latest(limit)]


def test_the_newest_comes_first_with_what_it_answers(school: School) -> None:
    asked = school.say("When is the fair?")
    school.say("He deserves it", parent=asked.ref)
    school.work()
    assert latest(school) == [
        Comment(text="He deserves it", parent="When is the fair?", platform="facebook", channel="official"),
        Comment(text="When is the fair?", platform="facebook", channel="official"),
    ]
    assert len(latest(school, limit=1)) == 1


def test_of_an_edited_comment_only_the_present_wording_counts(school: School) -> None:
    first = school.say("When is the fair?")
    school.work()
    school.keep(replace(first, text="Never mind, found it"))
    school.work()
    assert [comment.text for comment in latest(school)] == ["Never mind, found it"]


def test_what_nobody_has_read_yet_is_left_out(school: School) -> None:
    school.say("When is the fair?")
    assert latest(school) == []
