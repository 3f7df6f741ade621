"""Who answered in a platform's place: filters of school networks and sign-in pages."""

import pytest

from connectors._filters import in_between, looks_like_html


def _page(title: str, words: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{words}</body></html>".encode()


@pytest.mark.parametrize(
    ("status", "body", "product"),
    [
        (200, _page("Smoothwall"), "Smoothwall"),
        (
            403,
            _page("Web Filter Violation", "<h3>Web Page Blocked!</h3>Powered by FortiGuard"),
            "FortiGuard (Fortinet)",
        ),
        (403, _page("Internet Security by Zscaler"), "Zscaler"),
        (403, _page("Access denied", "<p>The Barracuda Web Filter says no"), "Barracuda"),
        (200, _page("Site Blocked", "a Cisco Umbrella policy setting"), "Cisco Umbrella"),
        (
            200,
            b"<html><h1>Blocked</h1><iframe src='http://10.0.0.1:8080/webadmin/deny/index.php?d=9'>",
            "Netsweeper",
        ),
        (200, _page("Page blocked", "LGfL SchoolProtect"), "LGfL SchoolProtect (WebScreen)"),
        (200, _page("Blocked by ContentKeeper"), "ContentKeeper"),
        (503, _page("Web Page Blocked", "<!-- Palo Alto Networks -->"), "Palo Alto Networks"),
        (403, b"<?xml version='1.0'?>\n<!-- x --><!DOCTYPE html><title>Sophos: blocked</title>", "Sophos"),
    ],
)
def test_a_filter_is_known_by_its_page(status: int, body: bytes, product: str) -> None:
    assert in_between(status, {}, body) == f"the network filter {product}"


@pytest.mark.parametrize(
    ("address", "product"),
    [
        ("https://www.securly.com/blocked?reason=domainblockedforuser", "Securly"),
        ("https://block.opendns.com/main?url=1", "Cisco Umbrella"),
        ("http://Filter7external.schoolsbroadband.co.uk/access?x", "Schools Broadband"),
        ("http://filter.school.example:8080/webadmin/deny/index.php", "Netsweeper"),
        ("https://gateway.zscaler.net:443/auD?origurl=x", "Zscaler"),
    ],
)
def test_a_filter_is_known_by_where_it_sends_us(address: str, product: str) -> None:
    assert in_between(302, {"location": address}, b"", "graph.facebook.com") == f"the network filter {product}"


def test_a_filter_is_known_by_a_header() -> None:
    found = in_between(403, {"via": "1.1 wsa07.school.example:80 (Cisco-WSA/9.1.2)"}, _page("Access Denied"))

    assert found == "the network filter Cisco Umbrella"


def test_a_filter_without_a_name_is_one_all_the_same() -> None:
    assert in_between(403, {}, _page("This website is blocked at Larkfield")) == "a network filter"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (511, b""),
        (200, _page("Welcome", "<!-- <WISPAccessGatewayParam> -->")),
        (200, _page("Guest", "Wi-Fi login")),
    ],
)
def test_a_sign_in_page_is_told_from_a_filter(status: int, body: bytes) -> None:
    assert in_between(status, {}, body) == "the network's sign-in page (captive portal)"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {}, b'{"data": [{"message": "Why is Smoothwall blocking this? <title>Blocked</title>"}]}'),
        (200, {}, b"<?xml version='1.0'?><rss><channel><title>Sophos blocked again</title></channel></rss>"),
        (200, {}, _page("Larkfield School", "Our broadband and filter come from LGfL, Sophos protects us")),
        (404, {}, _page("Page not found", "Our filter is Smoothwall")),
        (404, {"via": "1.1 proxy (Cisco-WSA/9.1.2)"}, _page("Not found")),
        (502, {}, _page("502 Bad Gateway")),
        (301, {"location": "https://www.larkfield.example/"}, b""),
        (302, {"location": "/smoothwall"}, b""),
        (302, {"location": "http://["}, b""),
    ],
)
def test_what_only_speaks_of_filters_is_none(status: int, headers: dict[str, str], body: bytes) -> None:
    assert in_between(status, headers, body, "larkfield.example") is None


@pytest.mark.parametrize(
    "body", [b"<!---->" * 700, b" " * 5000, b"<h1" * 30_000, b"<html><h1>" * 10_000, b"\xff<html"]
)
def test_no_body_takes_for_ever(body: bytes) -> None:
    assert in_between(200, {}, body) is None


def test_a_web_page_may_begin_with_a_comment() -> None:
    assert looks_like_html(b"\xef\xbb\xbf <!-- saved --> <HTML>")
    assert not looks_like_html(b"<rss><title>")
