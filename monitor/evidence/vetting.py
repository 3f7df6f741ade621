"""Which addresses the open internet routes, and which names could lead into the school's own network."""

import ipaddress
import socket
from collections.abc import Callable, Sequence

from monitor.domain.errors import MonitorError

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Ends of names that no public DNS serves (RFC 6761, 6762, 8375, 9476; the rest is custom inside networks).
_LOCAL = frozenset(
    {
        *("alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test"),
        *("corp", "home", "intranet", "lan", "localdomain", "private", "workgroup"),
    }
)
_HTTPS = 443

#: Every address of a host name and port; raises OSError where it has none.
Resolver = Callable[[str, int], Sequence[str]]


class NotPublic(MonitorError):
    """The address is not a public one."""

    permanent = True


def resolve_name(host: str, port: int) -> list[str]:
    """Every address of `host`. Raises OSError where the name does not resolve."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # what the idna codec says of a label that is no label
        raise OSError(f"{host[:80]!r} is not a host name") from error
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def is_public(address: str) -> bool:
    """Whether `address` is one that the open internet routes.

    An IPv4 address behind NAT64 is judged as itself; other ways to dress up an IPv4 address (mapped, 6to4,
    Teredo) are nobody's honest address and not public.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def may_be_public(host: str, port: int, *, encrypted: bool) -> bool:
    """Whether a name that cannot be resolved here may be handed to the school's proxy, which can.

    Where it leads is unknown until the proxy has been asked, so only over TLS, where the certificate proves that it
    is no machine of the school's; and not by a name of local use (docs/decisions/0009).
    """
    *others, top = host.rstrip(".").lower().split(".")
    # A last label that begins with a digit makes the whole an IPv4 address in some spelling.
    named = bool(others) and top[:1].isalpha() and top not in _LOCAL
    return named and encrypted and port == _HTTPS
