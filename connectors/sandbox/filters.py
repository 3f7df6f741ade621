"""Pages that school networks' filters put in a platform's place, in the manner of known products.

Each is a status, headers and HTML. What they have in common with the real ones is what connectors/_filters.py names
with its sources; the words are ours.
"""

from collections.abc import Mapping

_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><title>{title}</title></head>'
    "<body><h1>{heading}</h1><p>{words}</p></body></html>"
)


def _page(title: str, heading: str, words: str) -> bytes:
    return _PAGE.format(title=title, heading=heading, words=words).encode()


#: The first is answered with status 200, as most are, the second with 403, the third sends on to the filter's host.
BLOCK_PAGES: tuple[tuple[int, Mapping[str, str], bytes], ...] = (
    (
        200,
        {},
        _page(
            "Smoothwall",
            "This page is blocked",
            "Social networking is not allowed here. Powered by Smoothwall Guardian",
        ),
    ),
    (
        403,
        {},
        _page(
            "Web Filter Violation",
            "FortiGuard Intrusion Prevention - Access Blocked",
            "Category: Social Networking",
        ),
    ),
    (302, {"Location": "https://www.securly.com/blocked?useremail=&reason=domainblockedforuser"}, b""),
)
