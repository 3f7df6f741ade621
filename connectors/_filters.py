"""What a school's network puts in a platform's place: the block pages of filters, and sign-in pages.

Filters answer with a page of their own, with status 200 or 403, or send us on to a host of theirs. The product is
known by its name or its maker's hosts; that a page blocks, by its headings, for a school's own website may speak of
its filter, too. Sources, read 2026-11-21: https://github.com/ooni/blocking-fingerprints (fingerprints_http.csv:
ContentKeeper, page titles, Schools Broadband, headers in which gateways name themselves), Fortinet's replacement
messages (https://docs.fortinet.com/document/fortigate/6.0.0/cli-reference/188312), and what others' programs look
for: Netsweeper's /webadmin/deny (ICLab, WhatWeb), securly.com/blocked, Cisco's block.opendns.com and
block.sse.cisco.com, "Internet Security by Zscaler", the Barracuda Web Filter. For the rest it is the product's name
alone. Sign-in pages: RFC 6585, 6 (status 511) and the XML of WISPr.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

#: Product -> what gives it away, in lower case: in the page, in a header, or in the address that it sends us on to.
_MARKS: Mapping[str, tuple[str, ...]] = {
    "Smoothwall": ("smoothwall",),
    "Securly": ("securly.com", "securly"),
    "Lightspeed Filter": ("lightspeedsystems.com", "lightspeed systems", "lightspeed filter", "lsfilter.com"),
    "RM SafetyNet": ("rm safetynet", "safetynet.rm.com"),
    "LGfL SchoolProtect (WebScreen)": ("lgfl", "schoolprotect", "webscreen"),
    "Schools Broadband": ("schoolsbroadband.co.uk",),
    "Netsweeper": ("netsweeper", "webadmin/deny"),
    "Sophos": ("sophos",),
    "FortiGuard (Fortinet)": ("fortiguard", "fortinet", "fortigate", "web filter violation"),
    "Zscaler": ("zscaler",),
    "Cisco Umbrella": ("block.opendns.com", "block.sse.cisco.com", "cisco umbrella", "opendns", "cisco-wsa"),
    "Barracuda": ("barracuda",),
    "WebTitan": ("webtitan",),
    "DNSFilter": ("dnsfilter",),
    "iboss": ("iboss", "ibossreporter"),
    "ContentKeeper": ("contentkeeper",),
    "Palo Alto Networks": ("palo alto networks", "paloaltonetworks"),
    "Linewize": ("linewize",),
    "GoGuardian": ("goguardian",),
    "Blocksi": ("block.si", "blocksi"),
    "Forcepoint": ("forcepoint", "websense"),
    "Symantec (Blue Coat)": ("bluecoat", "blue coat"),
    "SonicWall": ("sonicwall",),
}
_PRODUCTS = {
    product: re.compile("|".join(rf"(?<![a-z0-9]){re.escape(mark)}" for mark in marks))
    for product, marks in _MARKS.items()
}
#: The headers in which such products name themselves.
_HEADERS = ("server", "via", "x-squid-error", "www-authenticate", "proxy-authenticate", "x-app-url")
# Bounded and without going back: a page may be made to take a pattern for ever.
_PAGE = re.compile(
    rb"(?>\xef\xbb\xbf|\s|<\?xml[^>]*>|<!--.*?-->)*+"
    rb"<(!doctype html|html|head|body|title|meta|script|iframe|center|h1)\b",
    re.IGNORECASE | re.DOTALL,
)
_HEADINGS = re.compile(r"<(title|h[1-3])\b[^>]{0,200}>(.{0,300}?)</\1>", re.DOTALL)
_BLOCKED = re.compile(
    r"\b(blocked|web ?filter|content filter|filtering|restricted|not allowed|access (is )?denied|violation)\b"
)
#: The statuses of block pages.
_STATUSES = (200, 403, 451, 503)
_SIGN_IN = re.compile(
    r"wispaccessgatewayparam|captive portal|hotspot login|wi-?fi (login|sign[ -]in)|walled garden"
)
_LOOKED_AT = 100_000


def looks_like_html(body: bytes) -> bool:
    """Whether a body begins as a web page does."""
    return _PAGE.match(body[:5000]) is not None


def in_between(status: int, headers: Mapping[str, str], body: bytes, host: str = "") -> str | None:
    """Who answered in a platform's place, for a sentence ("the network filter Smoothwall"), None where nobody did.

    `host` is who was asked. What is no web page and leads to no other host is never taken for one.
    """
    place = headers.get("location", "").lower() if 300 <= status < 400 else ""
    if place and _host(place) not in ("", host.lower()):
        return _named(place)
    page = body[:_LOOKED_AT].decode("utf-8", "replace").lower() if looks_like_html(body) else ""
    if status == 511 or _SIGN_IN.search(page):
        return "the network's sign-in page (captive portal)"
    headings = "\n".join(found[2] for found in _HEADINGS.finditer(page))
    if (found := _named(headings)) or status not in _STATUSES or not _BLOCKED.search(headings):
        return found
    told = "\n".join(headers.get(name, "").lower() for name in _HEADERS)
    return _named(f"{told}\n{page}") or "a network filter"


def _named(told: str) -> str | None:
    """The filter that `told` names."""
    product = next((product for product, marks in _PRODUCTS.items() if marks.search(told)), None)
    return f"the network filter {product}" if product else None


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""
