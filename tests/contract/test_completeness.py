"""What every connector tells beside the items, that nothing be missed unseen: counts, costs, access, mentions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors import connect, describe
from connectors.sandbox import Entry
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel, ItemKind, ItemRef, Visibility
from monitor.domain.mentions import SchoolNames
from monitor.domain.ports import Connector
from tests.contract.places import OPTIONS, Place, Read, collect, secrets

NAMES = SchoolNames(
    names=("Larkfield Community Primary School", "Larkfield Primary"),
    misspellings=("Larkfeild Primary",),
    handles=("larkfieldprim",),
)
#: Kinds that do not tell how many comments a post has: what we hold cannot be compared.
UNCOUNTED = {"archive"}
#: Kinds that tell what is hidden, and kinds that read private messages, with the secrets that tests give.
HIDING = {"bluesky", "facebook", "instagram", "mastodon", "wordpress"}
MESSAGING = {"bluesky", "facebook", "instagram", "mastodon"}
#: Kinds that find what strangers write about the school, by its names alone.
SEARCHING = {"bluesky", "mastodon", "reddit", "x", "youtube"}


def test_a_platforms_count_of_a_posts_comments_can_be_compared_with_what_we_hold(place: Place) -> None:
    if place.kind in UNCOUNTED:
        assert not place.poll().totals
        return
    before = place.poll()
    post = before.saying("Sports day is on Friday").ref
    swept = place.sweep(post, [item.ref for item in before.items if item.thread == post])

    assert _told(place, before, swept)[post] == len(_below(swept, before, post))


def test_a_count_that_disagrees_shows(place: Place) -> None:
    if place.kind in UNCOUNTED:
        return
    place.world.add(replace(place.world.entry("post"), miscount=2))
    before = place.poll()
    post = before.saying("Sports day is on Friday").ref
    swept = place.sweep(post, [item.ref for item in before.items if item.thread == post])

    assert _told(place, before, swept)[post] == len(_below(swept, before, post)) + 2


def test_what_it_can_do_is_told_without_asking_the_platform(place: Place) -> None:
    can = place.connector().capabilities()

    assert can.reads
    assert place.sandbox.requests() == []
    if place.kind == "archive":
        assert can.hosts == ()
    else:
        assert can.hosts
        assert can.pages
        assert all(host == host.lower().strip("/") and "://" not in host for host in (*can.hosts, *can.pages))


def test_it_says_what_it_could_do_before_it_has_any_secret(place: Place) -> None:
    account = replace(place.account(), secrets={"token": "A", "client_id": "B", "client_secret": "C"})

    assert describe(account).reads


def test_where_evidence_is_photographed_is_told_beside_what_is_asked(place: Place) -> None:
    pages = {
        "bluesky": ("bsky.app",),
        "facebook": ("www.facebook.com",),
        "instagram": ("www.instagram.com",),
        "reddit": ("www.reddit.com",),
        "x": ("x.com",),
        "youtube": ("www.youtube.com",),
    }
    account = place.account()
    options = {name: value for name, value in account.options.items() if name != "page_url"}
    can = describe(
        replace(account, options=options, secrets={"token": "A", "client_id": "B", "client_secret": "C"})
    )

    # Elsewhere what is read stands on the site that is asked.
    assert can.pages == pages.get(place.kind, can.hosts)


def test_what_a_reading_costs_is_told_where_there_is_a_budget(place: Place) -> None:
    budget = place.connector().capabilities().budget
    found = place.poll()

    assert (found.spent > 0) == (budget is not None)
    if budget:
        assert found.spent < budget.cap


def test_access_is_told_in_words_and_utc(place: Place) -> None:
    access = place.connector().access(place.now)

    assert all(when.tzinfo is not None for when in access.ends.values())
    assert all(isinstance(told, str) and told for told in (*access.lacks, *access.notes))


@pytest.mark.parametrize("words", ["Larkfield Primary", "LARKFEILD primary"])
def test_mentions_are_looked_for_by_the_schools_names(place: Place, words: str) -> None:
    if place.kind not in SEARCHING:
        return
    at = -timedelta(hours=1)
    place.world.add(
        Entry(key="said", platform=place.kind, at=at, by="parent", title="So", text=f"{words} has shut again."),
        Entry(key="other", platform=place.kind, at=at, by="parent", title="Hm", text="The baker has shut again."),
    )
    found = collect(_watching_mentions(place).poll(None, place.now))

    assert [item.text for item in found.items if "baker" in item.text] == []
    (item,) = [item for item in found.items if words in item.text]
    assert item.channel is Channel.MENTION


def test_an_account_for_mentions_without_names_or_query_says_what_is_missing(place: Place) -> None:
    if place.kind not in SEARCHING:
        return
    with pytest.raises(ConfigError, match=f"{place.kind}-account"):
        _watching_mentions(place, SchoolNames())


def test_private_messages_are_left_alone_unless_the_rule_book_allows_it(place: Place) -> None:
    if place.kind == "archive":
        return
    message = Entry(
        key="psst",
        platform=place.kind,
        at=-timedelta(hours=1),
        by="parent",
        text="Between you and me",
        message=True,
    )
    place.world.add(message)
    asked = place.poll().texts()
    allowed = replace(place.account(), private_messages=True)
    connector = connect(allowed, secrets())
    found = collect(connector.poll(None, place.now))

    assert "Between you and me" not in asked
    assert ("private messages" in connector.capabilities().reads) == (place.kind in MESSAGING)
    if place.kind in MESSAGING:
        assert found.saying("Between you and me").kind is ItemKind.MESSAGE
    else:
        assert "Between you and me" not in found.texts()


def test_what_the_school_has_hidden_is_read_and_known_as_hidden(place: Place) -> None:
    assert place.connector().capabilities().hidden == (place.kind in HIDING)
    if place.kind not in HIDING:
        return
    place.world.add(
        Entry(
            key="hidden",
            platform=place.kind,
            at=-timedelta(hours=1),
            by="parent",
            under="post",
            text="You are all useless",
            hidden=True,
        )
    )
    found = place.poll()

    assert found.saying("You are all useless").visibility is not Visibility.PUBLIC
    assert found.saying("What time does it start?").visibility is Visibility.PUBLIC


def _told(place: Place, *reads: Read) -> dict[ItemRef, int]:
    return {ref: total for read in reads for ref, total in read.totals.items()}


def _below(swept: Read, polled: Read, post: ItemRef) -> set[ItemRef]:
    found = (*swept.items, *polled.items)
    return {item.ref for item in found if item.thread == post and item.ref != post}


def _watching_mentions(place: Place, names: SchoolNames = NAMES) -> Connector:
    own = {
        name: value for name, value in OPTIONS[place.kind].items() if name == "handle" and place.kind == "bluesky"
    }
    account = Account(
        id=f"{place.kind}-account",
        connector=place.kind,
        channel=Channel.MENTION,
        name="Said elsewhere",
        options={**own, **place.sandbox.options(place.kind)},
        names=names,
    )
    return connect(account, secrets())
