"""What every connector that asks a server does when it is refused, cut off, kept waiting or sent nonsense."""

import logging
import traceback
from datetime import timedelta

import pytest

from connectors.sandbox import TOKEN, Fault
from monitor.domain.errors import SourceError
from tests.contract.places import Place

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
