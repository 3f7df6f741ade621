"""A real Chromium in a school's network: its proxy is gone through, its certificates and no others are trusted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.evidence.browser import Browser
from monitor.evidence.find_browser import find_browser
from monitor.evidence.page import PageShot
from monitor.evidence.upstream import Upstream
from tests.certificates import Authority
from tests.faults.test_browser import TEXT, Site
from tests.schoolproxy import SchoolProxy

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def executable() -> Path:
    found = find_browser()
    if found is None:
        pytest.skip(
            "NO BROWSER: install Chromium, or name one in SCHOOLWATCH_BROWSER; nothing is photographed here"
        )
    return found


@pytest.fixture
def school(tmp_path: Path) -> Authority:
    """The authority of the school's filter."""
    return Authority(tmp_path)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


def over_tls(site: Site, authority: Authority, host: str = "127.0.0.1", **how: Authority) -> str:
    """The address of a page of the site, whose certificate the authority signs."""
    site.server.socket = authority.server(host, **how).wrap_socket(site.server.socket, server_side=True)
    return site.show("/post", f"<p>{TEXT}</p>").replace("http://", "https://")


def photograph(
    executable: Path, url: str, site: Site, trust: Path | None = None, upstream: Upstream | None = None
) -> PageShot:
    allow = frozenset({site.address})
    with Browser(executable, allow=allow, certificates=trust, upstream=upstream, page_seconds=10) as browser:
        return browser.photograph_page(url, TEXT)


def test_a_page_that_the_schools_filter_has_signed_is_photographed(
    executable: Path, school: Authority, site: Site
) -> None:
    shot = photograph(executable, over_tls(site, school), site, trust=school.path)
    assert (shot.status, shot.text_found, shot.problem) == (200, True, "")
    assert shot.signed_by == "Larkfield filter"


def test_without_the_schools_certificate_it_is_not(executable: Path, school: Authority, site: Site) -> None:
    shot = photograph(executable, over_tls(site, school), site)
    assert not shot.text_found
    assert site.hits == []


def test_a_stranger_who_sends_the_schools_certificate_along_is_not_trusted(
    executable: Path, school: Authority, site: Site, tmp_path: Path
) -> None:
    """Chromium's own switch for a key would trust this chain, for it asks for no signature."""
    stranger = Authority(tmp_path, "stranger")
    shot = photograph(executable, over_tls(site, stranger, sent_along=school), site, trust=school.path)
    assert not shot.text_found
    assert site.hits == []


def test_a_certificate_for_another_name_is_not_trusted(executable: Path, school: Authority, site: Site) -> None:
    shot = photograph(executable, over_tls(site, school, host="127.0.0.2"), site, trust=school.path)
    assert not shot.text_found
    assert site.hits == []


def test_a_plain_page_of_the_sandbox_is_photographed_all_the_same(
    executable: Path, school: Authority, site: Site
) -> None:
    with SchoolProxy(refuses=403) as proxy:
        shot = photograph(executable, site.show("/p", TEXT), site, trust=school.path, upstream=Upstream(proxy.url))
    assert shot.text_found
    assert not [line for line in proxy.asked if site.address in line]


def test_a_page_is_fetched_through_the_schools_proxy_where_it_alone_knows_the_name(
    executable: Path, school: Authority, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("this machine resolves no names of the world outside")

    monkeypatch.setattr("monitor.evidence.proxy.resolve_name", unknown)
    over_tls(site, school, host="platform.social")
    with SchoolProxy(int(site.address.rpartition(":")[2])) as proxy:
        url = "https://platform.social/post"
        shot = photograph(executable, url, site, trust=school.path, upstream=Upstream(proxy.url))
    assert (shot.final_url, shot.text_found) == (url, True)
    assert "CONNECT platform.social:443 HTTP/1.1" in proxy.asked  # beside what Chromium asks of its maker
