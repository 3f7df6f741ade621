"""A live page as a browser found it: what the capturer asks for, without knowing any browser."""

from dataclasses import dataclass
from typing import Protocol

#: Width and height of the window a page is opened in, in CSS pixels.
VIEWPORT = (1280, 900)
#: A picture ends here, in CSS pixels: a page without end must not fill memory and vault.
TALLEST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """What a page asked for and did not get.

    `media` counts images, films, sounds, fonts and whatever else is no page, style or script; `sockets` counts web
    sockets. `addresses` lists the "host:port" that are not public, `more_addresses` counts those not listed.
    """

    media: int = 0
    sockets: int = 0
    addresses: tuple[str, ...] = ()
    more_addresses: int = 0

    @property
    def total(self) -> int:
        return self.media + self.sockets + len(self.addresses) + self.more_addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class PageShot:
    """The picture of a page, and how it came about.

    `png` is None where there is no picture, and `problem` then says why. `status` is the HTTP status of
    `final_url`, None where nothing answered. `text_found`: a reader of the page finds the text that was looked for.
    `signed_by` names who signed the certificate of the server that answered, which may be a filter of the school's
    network; "" where there was none.
    """

    png: bytes | None
    final_url: str
    status: int | None
    text_found: bool
    problem: str
    blocked: Blocked
    signed_by: str = ""

    @property
    def cut(self) -> bool:
        """Whether the page is longer than the picture: a PNG states its height (PNG specification, 11.2.1)."""
        return self.png is not None and int.from_bytes(self.png[20:24], "big") >= TALLEST


class Photographer(Protocol):
    """What takes the pictures. `version` is its name and version, None before first use."""

    version: str | None

    def photograph_page(self, url: str, expect_text: str) -> PageShot:
        """The page at `url` as it is now. Raises CaptureError where no browser can be had."""
        ...

    def render_html(self, html: str) -> bytes:
        """A PNG of a page of our own making. Raises CaptureError."""
        ...
