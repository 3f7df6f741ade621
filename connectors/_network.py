"""The way out of a school's network: its proxy, its certificates, and in words what went wrong on the way."""

import base64
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import requests
import urllib3
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from monitor.domain.errors import SourceError

_TUNNEL_REFUSED = re.compile(r"(?:^|tunnel connection failed: )([345]\d\d)\b", re.IGNORECASE)
_PROXY = "the school's proxy (`network: proxy` in school.yaml)"
PROXY_REFUSES = (
    f"did not answer: {_PROXY} wants a user name and password (407), or others than it was given: ask your "
    "technician to let this computer pass, or to set the secret that `proxy_login` names"
)
_PROXY_SILENT = f"did not answer: {_PROXY} cannot be reached; ask your technician whether its address is right"
_ALLOW = "ask your technician to allow what `schoolwatch check --hosts` prints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How a platform is reached from this school: the longest that one answer may take (s), proxy, certificates.

    `proxy_login` is "user:password" (RFC 7617). `ca_bundle` (PEM) is trusted beside the usual authorities. The
    environment's proxies are for `network` to take up.
    """

    timeout: float
    proxy: str = ""
    proxy_login: SecretStr | None = None
    ca_bundle: Path | None = None

    def client(self, **how: Any) -> httpx.Client:
        """An httpx client that goes this way. Raises SourceError where `ca_bundle` cannot be read."""
        trusted = self.trusted()
        secure = trusted if self.proxy.startswith("https") else None
        proxy = httpx.Proxy(self.proxy, ssl_context=secure, headers=self._for_proxy()) if self.proxy else None
        return httpx.Client(timeout=self.timeout, proxy=proxy, verify=trusted, trust_env=False, **how)

    def lead(self, session: requests.Session) -> None:
        """Let `session` go this way. Raises SourceError where `ca_bundle` cannot be read."""
        session.trust_env = False
        if self.proxy:
            session.proxies = {"http": self.proxy, "https": self.proxy}
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Adapter(self.trusted(), self._for_proxy()))

    def _for_proxy(self) -> dict[str, str]:
        """The headers that the proxy alone is to see."""
        if self.proxy_login is None:
            return {}
        login = base64.b64encode(self.proxy_login.get_secret_value().encode()).decode()
        return {"Proxy-Authorization": f"Basic {login}"}

    def leads_inside(self, host: str) -> bool:
        """Whether `host` is a machine of the school's own network, where nobody outside may send us.

        What a proxy is to find by its name it alone can judge.
        """
        try:
            numbers = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST if self.proxy else 0)
        except (OSError, UnicodeError):
            return False
        addresses = [ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in numbers]
        return not all(address.is_global for address in addresses)

    def trusted(self) -> ssl.SSLContext:
        """Whose certificates are believed. Raises SourceError where `ca_bundle` cannot be read."""
        if self.ca_bundle is None:
            return _context(None, 0)
        try:
            return _context(self.ca_bundle, self.ca_bundle.stat().st_mtime_ns)
        except (OSError, ssl.SSLError) as error:
            reason = "there is no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
            raise SourceError(
                f"The file of certificates {self.ca_bundle} cannot be used ({reason}): put the certificate of the "
                "school's network there (PEM), or change `network: ca_bundle` in school.yaml",
                permanent=True,
            ) from None


class _Adapter(HTTPAdapter):
    """Trusts what `trusted` does, on the way through a proxy as well, which it tells `for_proxy`."""

    def __init__(self, trusted: ssl.SSLContext, for_proxy: Mapping[str, str]) -> None:
        self._trusted = trusted
        self._for_proxy = dict(for_proxy)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._trusted)

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        return self._for_proxy

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        secure = {"proxy_ssl_context": self._trusted} if proxy.startswith("https") else {}
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=self._trusted, **secure)


@lru_cache(maxsize=8)
def _context(ca_bundle: Path | None, changed: int) -> ssl.SSLContext:
    """The usual authorities and those of `ca_bundle`, read again once the file has `changed`."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_bundle is not None:
        context.load_verify_locations(ca_bundle)
        # The authorities of many filters lack what RFC 5280 asks for; Python 3.13 began to insist on it
        # (https://docs.python.org/3/whatsnew/3.13.html#ssl).
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def why(error: Exception, *, proxied: bool) -> str:
    """What kept an answer from coming, to follow the service's name; `proxied`: it was asked through a proxy."""
    causes = list(_causes(error))

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if among(ssl.SSLCertVerificationError):
        return (
            "did not answer with a certificate that we trust: the school's network seems to inspect encrypted "
            "connections (TLS). Ask your technician for the network's own certificate, and put its file where "
            "`network: ca_bundle` in school.yaml says"
        )
    if among(httpx.ProxyError, requests.exceptions.ProxyError, urllib3.exceptions.ProxyError):
        refused = next(filter(None, (_TUNNEL_REFUSED.search(str(cause)) for cause in causes)), None)
        if refused is None:
            return _PROXY_SILENT
        if refused[1] == "407":
            return PROXY_REFUSES
        return f"did not answer: {_PROXY} does not let us through ({refused[1]}); {_ALLOW}"
    if among(TimeoutError, httpx.TimeoutException, requests.Timeout, urllib3.exceptions.TimeoutError):
        return "did not answer in time"
    if among(ConnectionResetError, ssl.SSLError):
        return f"did not answer: the connection was cut; if this lasts, a network filter may be doing it: {_ALLOW}"
    if proxied and among(httpx.ConnectError):
        return _PROXY_SILENT
    if among(socket.gaierror):
        return "did not answer: its address was not found (DNS); if others fail as well, this server is offline"
    return f"did not answer properly ({type(error).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it was made of: libraries wrap what the system says several times over."""
    todo: list[Any] = [error]
    seen: set[int] = set()
    while todo:
        found = todo.pop()
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            todo += [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]
