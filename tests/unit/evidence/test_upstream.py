"""Behind a school's proxy the same addresses are refused as without it, and its look-ups open no way in."""

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.evidence.interception import Interception
from monitor.evidence.proxy import VettingProxy
from monitor.evidence.upstream import Upstream
from monitor.evidence.vetting import Resolver, may_be_public
from tests.certificates import Authority
from tests.schoolproxy import SchoolProxy
from tests.unit.evidence.test_proxy import Site, connection_to, fetch, tunnel


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def secure_site(authority: Authority) -> Iterator[Site]:
    """The same with a certificate for platform.social that the school's filter has signed."""
    site = Site()
    site.server.socket = authority.server("platform.social").wrap_socket(site.server.socket, server_side=True)
    yield site
    site.stop()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def public(host: str, port: int) -> list[str]:
    return ["93.184.215.14"]


def private(host: str, port: int) -> list[str]:
    return ["10.0.0.5"]


def unknown(host: str, port: int) -> list[str]:
    raise OSError("this machine resolves no names of the world outside")


@contextmanager
def behind(
    school: SchoolProxy, resolve: Resolver = public, *allowed: str, trust: Path | None = None
) -> Iterator[VettingProxy]:
    """A vetting proxy whose way out is the school's."""
    proxy = VettingProxy(
        frozenset(allowed),
        resolve=resolve,
        upstream=Upstream(school.url),
        interception=Interception(trust) if trust else None,
    )
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


def test_a_tunnel_leads_through_the_schools_proxy_by_name(site: Site) -> None:
    with SchoolProxy(site.port) as school, behind(school) as proxy, connection_to(proxy) as connection:
        connection.set_tunnel("platform.social", 443)
        connection.request("POST", "/through", body=b"a" * 200_000)
        assert connection.getresponse().read() == b"a" * 200_000
    assert school.asked == ["CONNECT platform.social:443 HTTP/1.1"]
    assert site.hits == ["POST /through"]


def test_a_plain_request_is_passed_on_in_absolute_form(site: Site) -> None:
    with SchoolProxy(site.port) as school, behind(school) as proxy:
        assert fetch(proxy, "http://platform.social:8080/a?b=c") == b"hello"
    assert school.asked == ["GET http://platform.social:8080/a?b=c HTTP/1.1"]
    assert site.hits == ["GET /a?b=c"]
    assert "proxy-connection" not in site.seen[0]


def test_the_schools_proxy_is_told_its_login(site: Site) -> None:
    with SchoolProxy(site.port) as school:
        proxy = VettingProxy(resolve=public, upstream=Upstream(school.url, "desk:hunter2"))
        proxy.start()
        assert fetch(proxy, "http://platform.social/") == b"hello"
        assert tunnel(proxy, "platform.social:443") == 200
        proxy.stop()
    assert school.logins == ["Basic ZGVzazpodW50ZXIy"] * 2


def test_what_is_allowed_on_this_machine_is_reached_without_the_schools_proxy(site: Site) -> None:
    own = f"127.0.0.1:{site.port}"
    with SchoolProxy(refuses=403) as school, behind(school, lambda host, port: [host], own) as proxy:
        assert fetch(proxy, f"http://{own}/") == b"hello"
        assert tunnel(proxy, own) == 200
    assert school.asked == []


@pytest.mark.parametrize("url", ["http://intranet.larkfield.social/", "http://10.0.0.5/"])
def test_a_name_that_resolves_to_a_private_address_never_reaches_the_schools_proxy(site: Site, url: str) -> None:
    with SchoolProxy(site.port) as school, behind(school, private) as proxy:
        with pytest.raises(http.client.RemoteDisconnected):
            fetch(proxy, url)
        assert tunnel(proxy, "intranet.larkfield.social:443") == 403
        assert len(proxy.take_refused()[0]) == 2
    assert school.asked == []


def test_where_names_cannot_be_resolved_here_the_schools_proxy_is_asked_over_tls(site: Site) -> None:
    with SchoolProxy(site.port) as school, behind(school, unknown) as proxy:
        assert tunnel(proxy, "platform.social:443") == 200
    assert school.asked == ["CONNECT platform.social:443 HTTP/1.1"]


def test_what_cannot_be_vetted_goes_nowhere_without_tls(site: Site) -> None:
    """The proxy might resolve the name to a machine of the school's, and no certificate would tell."""
    with SchoolProxy(site.port) as school, behind(school, unknown) as proxy:
        with pytest.raises(http.client.RemoteDisconnected):
            fetch(proxy, "http://platform.social/")
        assert tunnel(proxy, "platform.social:8443") == 403
        assert proxy.take_refused()[0] == ("platform.social:80", "platform.social:8443")
    assert school.asked == []


# fmt: off
LOCAL = [
    "intranet", "wpad", "localhost", "sims.localhost", "printer.local", "printer.LOCAL", "printer.local.",
    "nas.lan", "router.home", "x.home.arpa", "files.internal", "mis.corp", "a.intranet", "127.1", "0x7f000001",
    "127.0.0.0x1", "2130706433", "10.0.0.5", "::1", "fe80::1", "", ".", "a.1",
]
# fmt: on


@pytest.mark.parametrize("host", LOCAL)
def test_names_of_local_use_and_spelt_addresses_are_not_handed_on(host: str) -> None:
    assert not may_be_public(host, 443, encrypted=True)


@pytest.mark.parametrize("host", ["x.com", "www.facebook.com", "larkfield.sch.uk", "xn--bcher-kva.org"])
def test_names_of_the_open_internet_are(host: str) -> None:
    assert may_be_public(host, 443, encrypted=True)


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_refusal_of_the_schools_proxy_is_no_tunnel(status: int) -> None:
    with SchoolProxy(refuses=status) as school, behind(school) as proxy:
        assert tunnel(proxy, "platform.social:443") == 502


def test_a_schools_proxy_that_is_down_is_no_tunnel() -> None:
    with SchoolProxy() as school:
        pass
    with behind(school) as proxy:
        assert tunnel(proxy, "platform.social:443") == 502


# Certificates


def test_a_server_that_the_schools_filter_vouches_for_is_reached(secure_site: Site, authority: Authority) -> None:
    with SchoolProxy(secure_site.port) as school, behind(school, trust=authority.path) as proxy:
        connection = http.client.HTTPSConnection(
            proxy.url.removeprefix("http://"), timeout=10, context=ssl._create_unverified_context()
        )
        connection.set_tunnel("platform.social", 443)
        connection.request("POST", "/through", body=b"a" * 200_000)
        assert connection.getresponse().read() == b"a" * 200_000
        connection.close()
    assert secure_site.hits == ["POST /through"]


def test_a_server_by_another_name_is_not(secure_site: Site, authority: Authority) -> None:
    with SchoolProxy(secure_site.port) as school, behind(school, trust=authority.path) as proxy:
        assert tunnel(proxy, "bank.social:443") == 502
    assert secure_site.hits == []


def test_a_server_that_somebody_else_vouches_for_is_not(
    secure_site: Site, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "another filter")
    with SchoolProxy(secure_site.port) as school, behind(school, trust=other.path) as proxy:
        assert tunnel(proxy, "platform.social:443") == 502
    assert secure_site.hits == []


def test_each_run_shows_the_browser_another_key(authority: Authority) -> None:
    assert Interception(authority.path).fingerprint != Interception(authority.path).fingerprint
