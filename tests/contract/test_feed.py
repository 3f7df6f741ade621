"""What is particular to feeds."""

from dataclasses import replace
from typing import Any

import pytest

from connectors import connect
from connectors._fields import to_text
from connectors.sandbox import Fault
from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.item import Channel, ItemKind, ItemRef, Page
from tests.contract.places import PRESENT, Place, Read, collect
from tests.contract.recorded import Route, serve

ALERTS = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">
<id>tag:google.com,2005:reader/user/0/state/com.google/alerts/1</id><title>Google Alert - Larkfield</title><entry>
<id>tag:google.com,2013:googlealerts/feed:1</id>
<title type="html">Roof of &lt;b&gt;Larkfield&lt;/b&gt; school</title>
<link href="https://www.google.com/url?rct=j&amp;sa=t&amp;url=https://news.example/roof%3Fp%3D1&amp;ct=ga"/>
<published>2026-11-17T08:00:00Z</published><updated>2026-11-17T08:00:00Z</updated>
<content type="html">The &lt;b&gt;school&lt;/b&gt; says &amp;quot;soon&amp;quot;&amp;nbsp;…</content>
<author><name></name></author></entry></feed>"""


def _read(body: str | bytes, content_type: str = "application/xml") -> Read:
    data = body.encode() if isinstance(body, str) else body
    with serve([Route(path=".*", body=data, content_type=content_type)]) as address:
        return collect(_connector(f"{address}/feed").poll(None, PRESENT))


def _connector(url: str) -> Any:
    account = Account(id="news", connector="feed", channel=Channel.MENTION, name="news", options={"url": url})
    return connect(account, {})


def _until_error(feed: Place, cursor: str | None) -> list[Page]:
    pages = []
    with pytest.raises(SourceError):
        for page in feed.pages(cursor):
            pages.append(page)
    return pages


def _rss(items: str) -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>'


def test_an_unchanged_feed_is_not_sent_again(feed: Place) -> None:
    before = feed.poll()
    again = feed.poll(before.cursor)

    assert again == Read(pages=1, cursor=before.cursor)


def test_rss_and_atom_give_the_same_items(feed: Place) -> None:
    atom, rss = feed.poll(), feed.poll(url=f"{feed.sandbox.base_url('feed')}/news.rss")

    assert {(item.ref, item.revision, item.author) for item in atom.items} == {
        (item.ref, item.revision, item.author) for item in rss.items
    }


def test_a_google_alert_leads_to_the_page_itself_and_loses_its_tags() -> None:
    (alert,) = _read(ALERTS).items

    assert alert.url == "https://news.example/roof?p=1"
    assert alert.text == 'Roof of Larkfield school\nThe school says "soon" …'
    assert alert.kind is ItemKind.POST
    assert alert.ref == ItemRef("feed", "tag:google.com,2013:googlealerts/feed:1")


def test_a_web_page_is_called_one() -> None:
    with pytest.raises(SourceError, match="is a web page, not a feed") as caught:
        _read("<!DOCTYPE html><html><title>Hello</title></html>", "text/html")

    assert "`url` in accounts.yaml" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"{}", b"<xml/>", b"not a feed"])
def test_anything_else_is_no_feed(body: bytes) -> None:
    with pytest.raises(SourceError, match="not a feed"):
        _read(body)


def test_a_feed_cut_off_gives_what_came_and_is_fetched_again(feed: Place) -> None:
    before = feed.poll()
    feed.sandbox.fail("feed", Fault.TRUNCATED)
    pages: list[Page] = []
    with pytest.raises(SourceError, match="cut off"):
        for page in feed.pages():
            pages.append(page)

    assert 0 < len(collect(pages).items) < len(before.items)
    assert feed.poll(pages[-1].cursor).texts() == before.texts()


def test_an_entry_without_an_id_keeps_its_own_between_polls() -> None:
    body = _rss("<item><title>One</title></item><item><title>Two</title></item>")
    with serve([Route(path=".*", body=body.encode(), content_type="text/xml")]) as address:
        connector = _connector(f"{address}/feed")
        first, second = (collect(connector.poll(None, PRESENT)) for _ in range(2))

    assert [item.ref for item in first.items] == [item.ref for item in second.items]
    assert len({item.ref for item in first.items}) == 2


def test_a_bare_number_is_an_id_of_its_own_feed_only() -> None:
    (item,) = _read(_rss('<item><guid isPermaLink="false">17</guid><title>One</title></item>')).items

    assert item.ref.id.endswith("/feed#17")


def test_an_id_too_long_for_an_index_costs_its_entry_alone() -> None:
    item = '<item><guid isPermaLink="false">tag:{}</guid><title>{}</title></item>'
    found = _read(_rss(item.format("7" * 3000, "One") + item.format("8", "Two")))

    assert found.texts() == ["Two"]
    assert [reject.reason for reject in found.rejects] == ["an id in it is too long to be kept"]


def test_an_entry_without_a_time_is_undated() -> None:
    found = _read(_rss("<item><title>One</title><pubDate>last week</pubDate></item>"))

    assert [item.published_at for item in found.items] == [None]


def test_no_script_address_becomes_a_link() -> None:
    (item,) = _read(_rss("<item><title>One</title><link>javascript:alert(1)</link></item>")).items

    assert item.url == ""


def test_an_entity_bomb_does_no_harm() -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    feed = _rss("<item><title>&e12;</title></item>").removeprefix('<?xml version="1.0"?>')
    bomb = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "lol">{entities}]>{feed}'
    try:
        found = _read(bomb)
    except SourceError:
        return
    assert all(len(item.text) < 100_000 for item in found.items)


@pytest.mark.parametrize(
    "words", ["&#99999999999;", "&#xD800;", "&#0;", "<gml:pos>x</gml:pos>", "<![if x>", "<!--"]
)
def test_no_comment_can_break_the_feed_for_the_others(words: str) -> None:
    body = _rss(f"<item><guid>a:1</guid><description><![CDATA[{words}]]></description></item>")
    found = _read(body.replace("</channel>", "<item><title>Two</title></item></channel>"))

    assert "Two" in found.texts()
    assert len(found.items) == 2


@pytest.mark.parametrize(
    "nonsense", ["&#99999999999;", "&#xD800;", "<gml:pos>x</gml:pos>", "<link href='http://[' />"]
)
def test_what_feedparser_stumbles_over_is_read_or_a_source_error(nonsense: str) -> None:
    body = _rss(f"<item><title>One</wrong>{nonsense}</title></item>")
    try:
        found = _read(body)
    except SourceError:
        return
    assert len(found.items) == 1


# Counts, moves and silences


def test_how_many_comments_an_entry_has_is_told_where_the_feed_says_it(feed: Place) -> None:
    feed.world.add(replace(feed.world.entry("other-post"), miscount=-1))
    for name in ("atom", "rss"):
        connector = feed.connector(url=f"{feed.sandbox.base_url('feed')}/news.{name}")
        (page,) = connector.poll(None, feed.now)
        posts = {item.text: item.ref for item in page.items if item.kind is ItemKind.POST}

        assert page.totals == {posts["Sports day is on Friday"]: 14, posts["Lost: one scarf"]: 0}


@pytest.mark.parametrize("told", ["-1", "many", "", "9" * 20])
def test_a_count_that_makes_no_sense_is_none(told: str) -> None:
    slash = 'xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
    body = _rss(f"<item><guid>a:1</guid><title>One</title><slash:comments>{told}</slash:comments></item>")
    with serve([Route(path=".*", body=body.replace("<rss", f"<rss {slash}").encode())]) as address:
        (page,) = _connector(address).poll(None, PRESENT)

    assert len(page.items) == 1
    assert page.totals == {}


def test_a_feed_that_has_gone_needs_a_person() -> None:
    with serve([Route(path=".*", status=410, body=b"")]) as address, pytest.raises(SourceError) as caught:
        collect(_connector(address).poll(None, PRESENT))

    assert caught.value.permanent
    assert "gone for good" in str(caught.value)


@pytest.mark.parametrize(("status", "noted"), [(301, True), (308, True), (302, False), (307, False)])
def test_a_feed_that_has_moved_is_read_and_where_to_is_noted(status: int, noted: bool) -> None:
    new = Route(path="/new", body=_rss("<item><title>One</title></item>").encode())
    with serve([new, Route(path="/old", status=status, body=b"", headers={"Location": "/new"})]) as address:
        connector = _connector(f"{address}/old")
        found = collect(connector.poll(None, PRESENT))
        notes = connector.capabilities().notes

    assert found.texts() == ["One"]
    assert any(f"{address}/new" in note for note in notes) is noted


@pytest.mark.parametrize(("place", "words"), [("/feed", "circle"), ("ftp://127.0.0.1/feed", "nowhere")])
def test_a_redirect_that_leads_nowhere_is_an_error(place: str, words: str) -> None:
    route = Route(path=".*", status=302, body=b"", headers={"Location": place})
    with serve([route]) as address, pytest.raises(SourceError, match=words):
        collect(_connector(f"{address}/feed").poll(None, PRESENT))


def test_no_feed_sends_us_to_another_machine_in_the_schools_network() -> None:
    inside = Route(path="/inside", body=_rss("<item><title>Secret</title></item>").encode())
    routes = [inside]
    with serve(routes) as address:
        routes.append(Route(path="/feed", status=302, body=b"", headers={"Location": f"{address}/inside"}))
        connector = _connector(f"{address.replace('127.0.0.1', 'localhost')}/feed")
        with pytest.raises(SourceError, match=r"sends us on to 127\.0\.0\.1.*put its address under `url`"):
            collect(connector.poll(None, PRESENT))


def test_a_feed_that_is_suddenly_empty_is_not_believed_for_a_day(feed: Place) -> None:
    before = feed.poll()
    feed.world.edit("thanks", "Thanks a lot!", feed.later(minutes=1))
    feed.sandbox.fail("feed", Fault.EMPTY, times=3)
    with pytest.raises(SourceError, match="none of the 17 entries"):
        feed.poll(before.cursor)
    (page,) = _until_error(feed, before.cursor)
    feed.later(days=1)
    believed = feed.poll(page.cursor)

    assert believed.items == []
    assert believed.gone == []
    assert "Thanks a lot!" in feed.poll(believed.cursor).texts()


def test_an_empty_feed_that_never_held_anything_is_no_trouble() -> None:
    assert _read(_rss("")).items == []


def test_of_an_entry_that_stands_there_twice_the_later_version_counts() -> None:
    entry = "<entry><id>a:1</id><title>{}</title><updated>2026-11-1{}T08:00:00Z</updated></entry>"
    body = entry.format("New", 7) + entry.format("Newest", 8) + entry.format("Old", 6)
    (item,) = _read(f'<feed xmlns="http://www.w3.org/2005/Atom">{body}</feed>').items

    assert item.text == "Newest"


def test_what_comes_with_an_entry_is_a_fact() -> None:
    media = 'xmlns:media="http://search.yahoo.com/mrss/"'
    picture = "<media:content url='http://x/b' medium='image'/>"
    enclosed = f"<enclosure url='http://x/a.mp3' type='audio/mpeg' length='1'/>{picture}"
    shown = "<description>&lt;img src='c' alt='The gate'&gt;</description>"
    body = _rss(f"<item><title>One</title>{enclosed}</item><item><title>Two</title>{shown}</item>")
    found = _read(body.replace("<rss", f"<rss {media}"))

    assert {item.text: item.attachments for item in found.items} == {
        "One": ("photo", "audio"),
        "Two": ("photo: The gate",),
    }


def test_the_host_to_allow_is_the_feeds() -> None:
    can = _connector("https://news.example:8443/feed").capabilities()
    assert can.hosts == can.pages == ("news.example",)


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("plain", "plain"),
        ("a<br>b", "a\nb"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<script>alert(1)</script>hello<style>p{}</style>", "hello"),
        ('hi <img src="x" alt="😀">', "hi 😀"),
        ("fish &amp; chips &lt;3", "fish & chips <3"),
        ("<b>unclosed", "unclosed"),
        ("3 < 4 & 5", "3 < 4 & 5"),
    ],
)
def test_html_becomes_what_a_reader_sees(html: str, words: str) -> None:
    assert to_text(html) == words
