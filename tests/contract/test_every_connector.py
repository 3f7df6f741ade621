"""What every connector does, each against its platform's sandbox through its real client library."""

import json
from datetime import timedelta

from connectors import kinds
from connectors.sandbox import Entry
from monitor.domain.item import AuthorKind
from tests.contract.places import OPTIONS, Place, collect


def test_every_kind_has_a_place_to_be_tested_in() -> None:
    assert set(kinds()) == set(OPTIONS)


def test_every_item_is_found_once_over_all_pages(place: Place) -> None:
    found = place.poll()

    assert found.texts() == place.expected()
    assert len({item.ref for item in found.items}) == len(found.items)
    assert found.rejects == []


def test_a_listing_longer_than_a_page_is_read_to_its_end(place: Place) -> None:
    if place.kind in ("archive", "feed"):
        # A file and a feed come as one: make it a long one.
        place.world.add(*(_comment(place, f"more-{n}") for n in range(12)))
    asked = len(place.sandbox.requests())
    found = place.poll()

    assert found.texts() == place.expected()
    assert place.kind in ("archive", "feed") or len(place.sandbox.requests()) - asked > 4


def test_the_next_poll_brings_what_arrived_since(place: Place) -> None:
    before = place.poll()
    at = place.later(hours=30)
    place.world.add(_comment(place, "just-now", at=at))
    after = place.poll(before.cursor)

    assert "just-now" in after.texts()
    assert {*before.texts(), *after.texts()} == set(place.expected())


def test_a_poll_broken_off_after_any_page_is_made_good_by_the_next(place: Place) -> None:
    whole = place.poll()
    for stop in range(whole.pages):
        kept = []
        for page in place.pages():
            kept.append(page)
            if len(kept) == stop + 1:
                break
        again = place.poll(kept[-1].cursor)

        assert {*collect(kept).texts(), *again.texts()} == set(place.expected())


def test_a_cursor_that_makes_no_sense_reads_from_the_beginning(place: Place) -> None:
    for cursor in ("nonsense", "[]", '{"read_to": 7}', "null"):
        assert place.poll(cursor).texts() == place.expected()


def test_an_edit_is_a_new_revision_of_the_same_item(place: Place) -> None:
    before = place.poll()
    original = before.saying("Thanks!")
    at = place.later(minutes=10)
    place.world.edit("thanks", "Thanks for nothing!", at)
    after = place.poll(before.cursor)
    edited = after.saying("Thanks for nothing!")

    assert edited.ref == original.ref
    assert edited.revision != original.revision
    assert edited.published_at == original.published_at
    assert "Thanks!" not in after.texts()


def test_an_edit_made_before_the_first_poll_shows_its_newest_text_only(place: Place) -> None:
    found = place.poll()

    assert "It is mine" in found.texts()
    assert "mine" not in found.texts()


def test_a_deletion_is_reported_gone_and_nothing_else_is(place: Place) -> None:
    before = place.poll()
    question, post = before.saying("Comment 3 <b>& more</b>"), before.saying("Sports day is on Friday")
    place.world.delete("comment-3", place.later(minutes=10))
    swept = place.sweep(post.ref, [item.ref for item in before.items])

    deletions = place.connector().capabilities().deletions
    assert swept.gone == ([question.ref] if deletions else [])


def test_a_sweep_of_a_thread_brings_all_its_comments(place: Place) -> None:
    before = place.poll()
    place.world.add(_comment(place, "found by the sweep", at=place.later(minutes=10)))
    swept = place.sweep(before.saying("Sports day is on Friday").ref, [])

    if place.connector().capabilities().deletions:
        assert {"Thanks!", "What time does it start?", "found by the sweep"} <= set(swept.texts())
    else:
        assert swept.items == []


def test_an_item_without_an_author_has_an_unknown_one(place: Place) -> None:
    author = place.poll().saying("Who am I?").author

    assert author.kind is AuthorKind.UNKNOWN
    assert (author.id, author.handle, author.display_name) == ("", "", "")


def test_an_item_without_words_has_an_empty_text(place: Place) -> None:
    empty = place.poll().saying("")

    # Instagram's comments carry nothing but words.
    assert empty.attachments == (() if place.kind in ("archive", "feed", "instagram") else ("photo",))


def test_what_the_school_wrote_is_known_as_the_schools(place: Place) -> None:
    found = place.poll()

    ours = {item.text for item in found.items if item.author.kind is AuthorKind.SCHOOL}
    assert ours == {"Sports day is on Friday", "At ten.", "Lost: one scarf"}


def test_an_answer_names_what_it_answers_and_the_post_above(place: Place) -> None:
    if place.kind == "archive":
        # What staff hand in stands alone.
        return
    found = place.poll()
    post, question, answer = map(found.saying, ("Sports day is on Friday", "What time does it start?", "At ten."))

    assert answer.parent == question.ref
    assert question.parent == post.ref
    assert answer.thread == question.thread == post.ref


def test_times_are_the_platforms_own(place: Place) -> None:
    found = place.poll()
    told = {live.text: live.at for live in place.world.live(place.kind, place.now)}

    for item in found.items:
        assert item.published_at is not None
        assert abs(item.published_at - told[item.text]) < timedelta(seconds=1)


def test_the_platforms_record_is_kept_and_can_be_stored(place: Place) -> None:
    for item in place.poll().items:
        assert item.raw
        assert json.loads(json.dumps(item.raw)) == item.raw


def test_text_that_no_database_stores_is_replaced_and_the_rest_kept(place: Place) -> None:
    if place.kind in ("archive", "feed"):
        # XML and UTF-8 files cannot carry it in the first place.
        return
    place.world.add(_comment(place, "a\x00b\ud800c"))

    assert "a\ufffdb\ufffdc" in place.poll().texts()


def _comment(place: Place, text: str, at: timedelta = timedelta(hours=-1)) -> Entry:
    title = "review" if place.kind == "archive" else ""
    return Entry(key=ascii(text), platform=place.kind, at=at, by="parent", under="post", text=text, title=title)
