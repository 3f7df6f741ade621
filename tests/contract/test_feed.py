"""What is particular to feeds."""

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
