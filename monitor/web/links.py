"""Addresses that strangers wrote: linked only where they are plainly a web page."""

from urllib.parse import urlsplit


def web_address(url: str) -> str | None:
    """`url` if it may be linked: http or https, a host, no name or password in it, no control or blank."""
    if any(ord(sign) <= 0x20 or 0x7F <= ord(sign) <= 0x9F for sign in url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    usable = parts.scheme in ("http", "https") and host and parts.username is None and parts.password is None
    return url if usable else None


def host_of(url: str) -> str:
    """The host of an address that `web_address` let through."""
    return urlsplit(url).hostname or ""
