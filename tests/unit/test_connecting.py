"""From the register to connectors: what each is given, and what keeps it from being made."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

import connectors
from connectors.feed import Feed
from connectors.sandbox import Sandbox, World
from monitor.bootstrap.accounts import connect_all, examine
from monitor.bootstrap.network import WayOut, way_out, with_network
from monitor.config import Config, Mentions, Network, load_config
from monitor.domain.account import Access, Account, Capabilities
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import Channel
from tests.certificates import Authority
from tests.conftest import ROOT
from tests.schoolproxy import SchoolProxy

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
SECRETS = {name: "given" for account in load_config(ROOT / "config").accounts for name in account.secrets.values()}


def with_mentions(config: Config, dpia: str | None) -> Config:
    given = {"dpia": {"approved_by": "the data protection officer", "approved_on": dpia}} if dpia else {}
    mentions = Mentions.model_validate({"names": ["Larkfield Primary"], **given})
    return replace(config, school=config.school.model_copy(update={"mentions": mentions}))


# Who may be read


@pytest.mark.parametrize("dpia", [None, "2026-11-19"])
def test_mentions_are_not_read_before_an_assessment_is_approved(
    example: Config, tmp_path: Path, dpia: str | None
) -> None:
    connected = connect_all(with_mentions(example, dpia), WayOut(), tmp_path, SECRETS, NOW)
    assert "data protection impact assessment" in connected.problems["local-news"]
    assert "local-news" not in connected.connectors
    assert {"x-official", "facebook-page", "hand-ins"} <= connected.connectors.keys(), (
        "the school's own accounts and what is handed in need none"
    )


def test_they_are_read_from_the_day_of_the_approval_in_school_time(example: Config, tmp_path: Path) -> None:
    config = with_mentions(example, "2026-07-01")
    before, after = (datetime(2026, 6, 30, 23 - hours, 30, tzinfo=UTC) for hours in (1, 0))
    assert config.calendar.local(after).date() == date(2026, 7, 1)
    assert "local-news" in connect_all(config, WayOut(), tmp_path, SECRETS, before).problems
    assert "local-news" in connect_all(config, WayOut(), tmp_path, SECRETS, after).connectors


def test_the_example_school_has_an_assessment(example: Config, tmp_path: Path) -> None:
    connected = connect_all(example, WayOut(), tmp_path, SECRETS, NOW)
    assert connected.problems == {}
    assert connected.connectors.keys() == {account.id for account in example.accounts}


# What a connector is given


def test_one_missing_secret_keeps_back_its_own_accounts_alone(example: Config, tmp_path: Path) -> None:
    connected = connect_all(example, WayOut(), tmp_path, {**SECRETS, "FACEBOOK_PAGE_TOKEN": ""}, NOW)
    assert set(connected.problems) == {"facebook-page"}
    assert "FACEBOOK_PAGE_TOKEN is not set" in connected.problems["facebook-page"]


def test_a_renewed_secret_is_kept_for_the_next_start(
    example: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Mapping[str, str]] = []
    monkeypatch.setattr(connectors, "connect", lambda account, secrets: given.append(secrets))
    config = replace(example, accounts=example.accounts[:1])
    connect_all(config, WayOut(), tmp_path, SECRETS, NOW)
    given[0].keep("token", "renewed")  # type: ignore[attr-defined]
    connect_all(config, WayOut(), tmp_path, SECRETS, NOW)
    assert given[1]["token"] == "renewed"


def an_account(**options: object) -> Account:
    return Account(id="one", connector="feed", channel=Channel.MENTION, name="One", options=options)


def test_the_schools_way_out_is_among_every_accounts_options_and_its_own_wins() -> None:
    network = WayOut(proxy="http://proxy.example:8080", ca_bundle="/data/certificates.pem")
    url = "https://news.example/larkfield.atom"
    assert with_network(an_account(url=url), network).options == {
        "url": url,
        "proxy": "http://proxy.example:8080",
        "ca_bundle": "/data/certificates.pem",
    }
    assert with_network(an_account(url=url, proxy=""), network).options["proxy"] == ""
    assert with_network(an_account(url=url), WayOut()).options == {"url": url}


def test_the_schools_proxy_login_is_told_to_no_other_proxy() -> None:
    network = WayOut(proxy="http://proxy.example:8080", proxy_login=SecretStr("desk:hunter2"))
    url = "https://news.example/larkfield.atom"
    assert with_network(an_account(url=url), network).options["proxy_login"] == network.proxy_login
    assert (
        "proxy_login" not in with_network(an_account(url=url, proxy="http://other.example:8080"), network).options
    )
    assert "hunter2" not in repr((network, with_network(an_account(url=url), network)))


def test_a_proxy_login_is_taken_from_no_file() -> None:
    with pytest.raises(ConfigError, match="option 'proxy_login'") as caught:
        connectors.describe(an_account(url="https://news.example/", proxy_login="desk:hunter2"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("no_proxy", "asked_directly"),
    [
        ("", False),
        ("news.example", True),
        ("localhost, EXAMPLE", True),
        ("*.example", True),
        ("*", True),
        ("ews.example", False),
        ("www.news.example,,.", False),
    ],
)
def test_what_the_environment_says_to_ask_directly_is_asked_so(no_proxy: str, asked_directly: bool) -> None:
    network = WayOut(proxy="http://proxy.example:8080", no_proxy=no_proxy)
    options = with_network(an_account(url="https://News.example/larkfield.atom"), network).options
    assert ("proxy" not in options) is asked_directly


def with_own_network(config: Config, **network: str) -> Config:
    return replace(config, school=config.school.model_copy(update={"network": Network.model_validate(network)}))


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_environments_proxy_is_used_where_the_school_names_none(
    example: Config, tmp_path: Path, name: str
) -> None:
    environment = {name: "http://proxy.example:3128"}
    assert way_out(example, tmp_path, environment).proxy == "http://proxy.example:3128"
    own = with_own_network(example, proxy="http://other.example:8080")
    assert way_out(own, tmp_path, environment).proxy == "http://other.example:8080"


def test_the_environments_proxy_may_carry_its_login(example: Config, tmp_path: Path) -> None:
    network = way_out(example, tmp_path, {"HTTPS_PROXY": "http://desk:p%40ss@proxy.example:3128"})
    assert (network.proxy, network.proxy_login) == ("http://proxy.example:3128", SecretStr("desk:p@ss"))


def test_the_proxys_login_is_a_secret_that_the_school_names(example: Config, tmp_path: Path) -> None:
    config = with_own_network(example, proxy="http://proxy.example:8080", proxy_login="PROXY_LOGIN")
    (tmp_path / "login").write_text("desk:hunter2\n")
    network = way_out(config, tmp_path, {"PROXY_LOGIN_FILE": str(tmp_path / "login")})
    assert network.proxy_login == SecretStr("desk:hunter2")
    for environment in ({}, {"PROXY_LOGIN": "hunter2"}):
        with pytest.raises(ConfigError, match="PROXY_LOGIN") as caught:
            way_out(config, tmp_path, environment)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("proxy", ["https://me:hunter2@proxy.example", "socks5://proxy.example", "proxy:3128"])
def test_a_proxy_of_the_environment_that_cannot_be_used_is_told_without_its_password(
    example: Config, tmp_path: Path, proxy: str
) -> None:
    with pytest.raises(ConfigError, match="HTTPS_PROXY") as caught:
        way_out(example, tmp_path, {"HTTPS_PROXY": proxy})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.8.8"])
def test_this_computer_is_never_asked_through_a_proxy(host: str) -> None:
    account = an_account(url=f"http://{host}:8000/api/feed", timeout=5, queries=("a",), note="http://[")
    assert "proxy" not in with_network(account, WayOut(proxy="http://proxy.example:8080")).options


def test_every_connector_takes_the_schools_way_out(example: Config, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    config = with_own_network(
        example, proxy="http://127.0.0.1:3128", proxy_login="LOGIN", ca_bundle=str(authority.path)
    )
    network = way_out(config, tmp_path / "data", {"LOGIN": "desk:hunter2"})
    assert connect_all(example, network, tmp_path / "data", SECRETS, NOW).problems == {}


def test_the_schools_certificate_is_trusted_beside_the_usual_ones(example: Config, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.path.write_bytes("# Schulträger\n".encode("latin-1") + authority.path.read_bytes())
    config = with_own_network(example, ca_bundle=str(authority.path))
    for _ in range(2):  # and once only, however often it starts
        together = Path(way_out(config, tmp_path / "data", {}).ca_bundle).read_bytes()
    assert together.count(authority.path.read_bytes().strip()) == 1
    assert together.count(b"BEGIN CERTIFICATE") > 50


def test_a_connector_asks_through_the_schools_proxy(example: Config, tmp_path: Path) -> None:
    world = World.load(NOW)
    feeds = tuple(
        replace(one, options={"url": "http://news.social/api/feed/news.atom"})
        for one in example.accounts
        if one.connector == "feed"
    )
    with Sandbox(world, lambda: NOW) as sandbox, SchoolProxy(urlsplit(sandbox.base_url("feed")).port or 0) as proxy:
        connected = connect_all(replace(example, accounts=feeds), WayOut(proxy=proxy.url), tmp_path, {}, NOW)
        items = [item for page in connected.connectors["local-news"].poll(None, NOW) for item in page.items]
    assert items
    assert proxy.asked[0] == "GET http://news.social/api/feed/news.atom HTTP/1.1"


def test_without_a_certificate_nothing_is_written(example: Config, tmp_path: Path) -> None:
    assert way_out(example, tmp_path / "data", {}) == WayOut()
    assert not (tmp_path / "data").exists()


def test_what_staff_hand_in_lies_among_the_data_unless_the_path_says_otherwise(
    example: Config, tmp_path: Path
) -> None:
    archive = next(one for one in example.accounts if one.connector == "archive")
    elsewhere = replace(archive, id="elsewhere", options={"path": str(tmp_path / "elsewhere")})
    config = replace(example, accounts=(archive, elsewhere))
    connected = connect_all(config, WayOut(), tmp_path / "data", {}, NOW)
    assert [account.options["path"] for account in connected.accounts] == [
        str(tmp_path / "data" / "hand-ins"),
        str(tmp_path / "elsewhere"),
    ]
    assert (tmp_path / "data" / "hand-ins").is_dir()
    assert not (tmp_path / "elsewhere").exists(), "a folder of the school's own is the school's to make"


# What `schoolwatch check` is told


def test_what_an_account_can_do_is_told_without_its_secrets(example: Config, tmp_path: Path) -> None:
    examined = examine(example, WayOut(), tmp_path, {}, NOW, ask=True)
    assert [one.account.id for one in examined] == [account.id for account in example.accounts]
    assert all(one.can and one.can.reads for one in examined)
    assert {one.account.id for one in examined if one.problem} == {
        account.id for account in example.accounts if account.secrets
    }


def test_what_a_platform_says_of_the_token_is_told_if_it_is_asked(
    example: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Feed, now: datetime) -> Access:
        raise SourceError("the news no longer accept our token", permanent=True)

    monkeypatch.setattr(Feed, "access", refused)
    config = replace(example, accounts=tuple(one for one in example.accounts if one.connector == "feed"))
    (asked,) = examine(config, WayOut(), tmp_path, {}, NOW, ask=True)
    (unasked,) = examine(config, WayOut(), tmp_path, {}, NOW, ask=False)
    assert (asked.problem, unasked.problem) == ("the news no longer accept our token", "")
    assert asked.can is not None


def test_an_account_whose_options_are_wrong_is_told_with_its_reason(example: Config, tmp_path: Path) -> None:
    config = replace(example, accounts=(an_account(url="ftp://news.example/"),))
    (one,) = examine(config, WayOut(), tmp_path, {}, NOW, ask=True)
    assert one.can is None
    assert "option 'url'" in one.problem


@pytest.mark.parametrize("kind", ["x", "facebook", "feed", "archive"])
def test_an_account_is_described_without_any_secret(example: Config, kind: str) -> None:
    account = next(one for one in example.accounts if one.connector == kind)
    assert isinstance(connectors.describe(account), Capabilities)
    with pytest.raises(ConfigError):
        connectors.describe(replace(account, options={"nonsense": 1}))
