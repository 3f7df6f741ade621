"""How a connector is found by its kind, and what is said of options that cannot be used."""

import subprocess
import sys

import pytest

from connectors import connect, kinds
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel

SECRETS = {"token": "a-secret-value"}


def _account(connector: str, channel: Channel = Channel.OFFICIAL, **options: object) -> Account:
    return Account(id="our-page", connector=connector, channel=channel, name="Our page", options=options)


def test_a_kind_is_a_module_and_neither_helpers_nor_the_sandbox_are_kinds() -> None:
    assert kinds() == sorted(kinds())
    assert set(kinds()) >= {
        *("archive", "bluesky", "facebook", "feed", "instagram", "mastodon", "reddit", "wordpress", "x", "youtube")
    }
    assert not {kind for kind in kinds() if kind.startswith("_") or kind == "sandbox"}


def test_listing_the_kinds_imports_no_client_library() -> None:
    program = (
        "import sys, connectors; connectors.kinds(); "
        "names = ['tweepy', 'atproto', 'facebook', 'feedparser', 'googleapiclient', 'mastodon', 'praw']; "
        "names += ['requests', 'httpx']; "
        "print([name for name in names if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"


def test_an_unknown_kind_names_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"our-page.*'myspace'.*archive, bluesky, .*x, youtube"):
        connect(_account("myspace"), SECRETS)


@pytest.mark.parametrize("kind", ["_http", "sandbox", "..os", "sandbox.x"])
def test_what_is_no_kind_is_not_imported(kind: str) -> None:
    with pytest.raises(ConfigError):
        connect(_account(kind), SECRETS)


def test_an_unknown_option_is_named_with_its_account() -> None:
    with pytest.raises(ConfigError, match=r"our-page: option 'pagge'"):
        connect(_account("facebook", page="1", pagge="1"), SECRETS)


def test_every_wrong_option_is_named_and_no_value_is_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        connect(_account("facebook", page="EAAB-a-token-by-mistake", timeout=-5), SECRETS)

    assert "option 'page'" in str(caught.value)
    assert "option 'timeout'" in str(caught.value)
    assert "EAAB" not in str(caught.value)


def test_a_missing_secret_says_where_to_put_it() -> None:
    with pytest.raises(ConfigError, match=r"our-page: the secret 'token' is missing"):
        connect(_account("facebook", page="1"), {})


def test_an_official_account_on_x_needs_its_handle_and_a_search_its_query() -> None:
    with pytest.raises(ConfigError, match="option 'handle'"):
        connect(_account("x"), SECRETS)
    with pytest.raises(ConfigError, match="option 'query'"):
        connect(_account("x", Channel.MENTION, handle="larkfieldprim"), SECRETS)


def test_a_feed_is_an_address_of_the_web() -> None:
    with pytest.raises(ConfigError, match="option 'url'"):
        connect(_account("feed", url="file:///etc/passwd"), SECRETS)


def test_a_time_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"option 'timezone'.*Europe/London"):
        connect(_account("archive", path=".", timezone="Larkfield/Hall"), SECRETS)
