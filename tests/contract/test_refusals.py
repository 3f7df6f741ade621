"""What every connector that asks a server does when it is refused, cut off, kept waiting or sent nonsense."""

import logging
import traceback
from contextlib import suppress
from datetime import timedelta

import pytest

from connectors.sandbox import TOKEN, Entry, Fault
from monitor.domain.errors import SourceError
from tests.contract.places import Place

#: Long enough for all requests of a poll.
ALWAYS = 500
#: Where pages follow one another. A feed has one page.
PAGED = {
    "bluesky": "getAuthorFeed",
    "facebook": "/comments",
    "instagram": "/comments",
    "mastodon": "/statuses",
    "reddit": "/larkfield/comments",
    "wordpress": "/comments",
    "x": "/mentions",
    "youtube": "/commentThreads",
}
#: The listing that the sweep of a thread reads.
SWEPT = {
    "bluesky": "getPostThread",
    "facebook": "/comments",
    "instagram": "/comments",
    "mastodon": "/context",
    "reddit": "/comments",
    "wordpress": "/comments",
    "x": "/search/recent",
    "youtube": "/commentThreads",
}
TRANSIENT = (Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.HTML, Fault.TRUNCATED, Fault.SLOW)
#: In seconds: far less than a slow answer takes, and more than a good one does on a busy machine.
PATIENCE = 2
#: The listing in which a record is spoilt.
LISTING = {
    "bluesky": "/app.bsky.feed.getPostThread",
    "facebook": "/comments",
    "feed": "/news",
    "instagram": "/comments",
    "mastodon": "/context",
    "reddit": "/comments",
    "wordpress": "/comments",
    "x": "/mentions",
    "youtube": "/commentThreads",
}


def test_a_refused_token_needs_a_person_and_says_whom_to_ask(networked: Place) -> None:
    networked.sandbox.fail(networked.kind, Fault.UNAUTHORISED)
    with pytest.raises(SourceError) as caught:
        networked.poll()

    assert caught.value.permanent
    assert f"{networked.kind}-account" in str(caught.value)
    assert "Ask your technician" in str(caught.value) or "Open the address" in str(caught.value)


def test_a_permission_that_lacks_needs_a_person(networked: Place) -> None:
    networked.sandbox.fail(networked.kind, Fault.FORBIDDEN)
    with pytest.raises(SourceError) as caught:
        networked.poll()

    assert caught.value.permanent


def test_too_many_requests_says_when_to_come_back(networked: Place) -> None:
    networked.sandbox.fail(networked.kind, Fault.RATE_LIMITED)
    with pytest.raises(SourceError) as caught:
        networked.poll()

    assert not caught.value.permanent
    assert caught.value.retry_at == networked.now + timedelta(minutes=10)


def test_too_many_requests_without_a_header_waits_all_the_same(networked: Place) -> None:
    networked.sandbox.fail(networked.kind, Fault.RATE_LIMITED_BARE)
    with pytest.raises(SourceError) as caught:
        networked.poll()

    assert caught.value.retry_at is not None
    assert timedelta(minutes=5) <= caught.value.retry_at - networked.now <= timedelta(hours=1)
    assert len(networked.sandbox.requests()) == 1


@pytest.mark.parametrize("fault", TRANSIENT)
def test_trouble_passes_and_the_next_poll_reads_everything(networked: Place, fault: Fault) -> None:
    networked.sandbox.fail(networked.kind, fault)
    with pytest.raises(SourceError) as caught:
        networked.poll(timeout=PATIENCE)

    assert not caught.value.permanent
    assert networked.poll().texts() == networked.expected()


@pytest.mark.parametrize("fault", TRANSIENT)
def test_trouble_half_way_keeps_what_was_read_and_loses_nothing(networked: Place, fault: Fault) -> None:
    networked.sandbox.fail(networked.kind, fault, path=LISTING[networked.kind])
    kept, cursor = [], None
    with pytest.raises(SourceError):
        for page in networked.pages(timeout=PATIENCE):
            kept += [item.text for item in page.items]
            cursor = page.cursor

    assert set(kept) | set(networked.poll(cursor).texts()) >= set(networked.expected())


def test_a_web_page_in_place_of_data_is_called_that(networked: Place) -> None:
    networked.sandbox.fail(networked.kind, Fault.HTML)
    with pytest.raises(SourceError, match="web page"):
        networked.poll()


def test_nobody_listening_is_no_silence(networked: Place) -> None:
    networked.sandbox.stop()
    with pytest.raises(SourceError, match="did not answer") as caught:
        networked.poll()

    assert not caught.value.permanent


def test_a_poisoned_record_is_rejected_and_the_others_are_read(networked: Place) -> None:
    networked.sandbox.fail(networked.kind, Fault.POISONED, path=LISTING[networked.kind])
    found = networked.poll()

    assert found.texts() == networked.expected()
    (reject,) = found.rejects
    assert reject.reason
    assert reject.raw


def test_the_token_reaches_no_url_log_or_error(networked: Place, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        found = networked.poll()
        errors = []
        for fault in (Fault.UNAUTHORISED, Fault.TRUNCATED, Fault.HTML, Fault.SERVER_ERROR):
            networked.sandbox.fail(networked.kind, fault)
            with pytest.raises(SourceError) as caught:
                networked.poll()
            errors += traceback.format_exception(caught.value)

    assert found.items
    assert TOKEN not in caplog.text
    assert TOKEN not in "".join(errors)
    assert all(TOKEN not in path for _, path in networked.sandbox.requests())
    assert TOKEN not in repr([item.raw for item in found.items])


def test_no_comment_is_written_into_a_log(networked: Place, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        networked.poll()

    assert "Sports day" not in caplog.text


def test_a_wrong_token_is_refused_by_the_sandbox_as_by_the_platform(networked: Place) -> None:
    if networked.kind == "feed":
        return
    with pytest.raises(SourceError, match="access token"):
        list(networked.connector(token="another").poll(None, networked.now))


def test_a_filters_block_page_is_named_with_the_host_to_allow(networked: Place) -> None:
    for product in ("Smoothwall", "FortiGuard", "Securly"):
        networked.sandbox.fail(networked.kind, Fault.BLOCK_PAGE)
        with pytest.raises(
            SourceError, match=rf"network filter {product}.*allow 127.0.0.1.*check --hosts"
        ) as caught:
            networked.poll()

        assert not caught.value.permanent
    assert networked.poll().texts() == networked.expected()


def test_a_token_that_has_expired_is_called_that_and_needs_a_person(networked: Place) -> None:
    if networked.kind == "feed":
        # Feeds take no token.
        return
    networked.sandbox.fail(networked.kind, Fault.EXPIRED, times=ALWAYS)
    with pytest.raises(SourceError, match="expired") as caught:
        networked.poll()

    assert caught.value.permanent


@pytest.mark.parametrize("fault", [Fault.DUPLICATED, Fault.REORDERED])
def test_duplicated_and_reordered_pages_bring_everything_once(networked: Place, fault: Fault) -> None:
    networked.sandbox.fail(networked.kind, fault, times=ALWAYS)
    found = networked.poll()

    assert found.texts() == networked.expected()
    assert len({item.ref for item in found.items}) == len(found.items)


def test_pages_that_lead_in_a_circle_end_in_an_error_that_keeps_what_was_read(networked: Place) -> None:
    if networked.kind == "feed":
        return
    networked.sandbox.fail(networked.kind, Fault.CIRCLE, times=ALWAYS, path=PAGED[networked.kind])
    kept = []
    with pytest.raises(SourceError) as caught:
        for page in networked.pages():
            kept += page.items

    assert kept
    assert not caught.value.permanent
    assert len(networked.sandbox.requests()) < 50


def test_a_listing_that_comes_empty_loses_nothing(networked: Place) -> None:
    before = networked.poll()
    at = networked.later(minutes=5)
    networked.world.add(
        Entry(key="new", platform=networked.kind, at=at, by="parent", under="post", text="Meanwhile")
    )
    networked.sandbox.fail(networked.kind, Fault.EMPTY, times=ALWAYS)
    kept, gone, cursor = [], [], before.cursor
    with suppress(SourceError):
        for page in networked.pages(before.cursor):
            kept += [item.text for item in page.items]
            gone += page.gone
            cursor = page.cursor
    networked.sandbox.recover(networked.kind)
    after = networked.poll(cursor)

    assert gone == after.gone == []
    assert {*before.texts(), *kept, *after.texts()} == set(networked.expected())


def test_a_thread_that_comes_empty_is_an_error_and_nothing_of_it_is_gone(networked: Place) -> None:
    if not networked.connector().capabilities().deletions:
        return
    before = networked.poll()
    post = before.saying("Sports day is on Friday").ref
    networked.sandbox.fail(networked.kind, Fault.EMPTY, times=ALWAYS, path=SWEPT[networked.kind])
    gone = []
    with pytest.raises(SourceError) as caught:
        for page in networked.connector().thread(post, [item.ref for item in before.items], networked.now):
            gone += page.gone

    assert gone == []
    assert not caught.value.permanent
