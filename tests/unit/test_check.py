"""What `schoolwatch check` makes of what is known of an account."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.bootstrap.accounts import Examined
from monitor.cli import app, check
from monitor.cli.check import hosts_to_allow
from monitor.config import Config
from monitor.domain.account import Access, Account, Budget, Capabilities
from monitor.domain.item import Channel
from tests.conftest import ROOT

ACCOUNT = Account(id="x-official", connector="x", channel=Channel.OFFICIAL, name="Larkfield on X")
CAN = Capabilities(
    reads=("own posts",),
    edits=True,
    deletions=False,
    hidden=True,
    acts=("hide", "reply"),
    needs=("tweet.read", "users.read"),
    hosts=("api.x.com", "upload.x.com"),
    pages=("x.com",),
    budget=Budget(unit="US$", cap=50, period="month"),
)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> "Shown":
    return Shown(monkeypatch)


class Shown:
    """The output and exit status of `check` where accounts are as given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, *examined: Examined, arguments: Sequence[str] = (), **variables: str) -> tuple[str, int]:
        self._monkeypatch.setattr(check, "examine_accounts", lambda *_, **__: list(examined))
        environment = {"COLUMNS": "160", "SMTP_PASSWORD": "given", "SCHOOLWATCH_CONFIG": str(ROOT / "config")}
        ended = CliRunner().invoke(app, ["check", *arguments], env={**environment, **variables})
        return ended.stdout, ended.exit_code


def test_an_account_that_is_well_is_a_row_of_what_it_can_do(shown: Shown) -> None:
    ends = {"the access token": datetime(2026, 12, 24, tzinfo=UTC)}
    output, status = shown(Examined(account=ACCOUNT, can=CAN, access=Access(ends=ends, notes=("credit: US$ 12",))))
    for told in (
        *(
            "x-official",
            "x, official",
            "own posts",
            "edits",
            "hidden or held",
            "does: hide, reply",
            "50 US$ a month",
        ),
        *(
            "the access token ends 24 December 2026",
            "needs tweet.read, users.read",
            "x-official: credit: US$ 12",
            " ok ",
        ),
    ):
        assert told in output
    assert "deletions" not in output
    assert status == 0
    assert output.endswith("\nAll is well.\n")


def test_what_keeps_the_service_from_starting_is_told_too(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SCHOOLWATCH_DATABASE_FILE", str(tmp_path / "nowhere"))
    output, status = shown(Examined(account=ACCOUNT, can=CAN), SMTP_PASSWORD="")
    assert "e-mail CANNOT WORK: the secret SMTP_PASSWORD is not set" in output
    assert "the database CANNOT WORK: the secret SCHOOLWATCH_DATABASE cannot be read" in output
    assert status == 1


def test_a_token_that_ends_soon_is_a_warning(shown: Shown) -> None:
    in_a_week, later = (datetime.now(UTC) + timedelta(days=days) for days in (7, 30))
    access = Access(ends={"the access token": in_a_week, "the API's version": later})
    output, status = shown(Examined(account=ACCOUNT, can=CAN, access=access))
    warnings = output[output.index("Warnings:") :]
    assert f"x-official: the access token ends {in_a_week:%d %B %Y}: renew it" in warnings
    assert "the API's version" not in warnings
    assert status == 0


def test_what_several_accounts_share_is_told_once(shown: Shown) -> None:
    other = replace(ACCOUNT, id="x-mentions")
    can = replace(CAN, notes=("search reaches back 7 days",))
    problem = "the secret X_TOKEN is not set; put it into the environment"
    output, _ = shown(*(Examined(account=one, can=can, problem=problem) for one in (ACCOUNT, other)))
    assert output.count("x-official, x-mentions: search reaches back 7 days\n") == 1
    assert output.count(f"x-official, x-mentions: CANNOT BE READ: {problem}\n") == 1


def test_nothing_is_wider_than_the_terminal_and_no_name_is_broken(shown: Shown) -> None:
    name = "WORDPRESS_APPLICATION_PASSWORD"
    problem = f"the secret {name} is not set; put it into the environment as {name}, or its file as {name}_FILE"
    output, _ = shown(Examined(account=ACCOUNT, can=CAN, problem=problem), COLUMNS="100")
    assert max(map(len, output.splitlines())) == 100
    assert output.count(name) == 4


def test_hosts_of_an_account_that_cannot_be_understood_are_missed_aloud(shown: Shown) -> None:
    output, status = shown(Examined(account=ACCOUNT, problem="option 'handle': missing"), arguments=("--hosts",))
    assert output == "mail.larkfield.example:587  send e-mail\n"
    assert status == 1


def test_a_permission_that_the_token_lacks_is_a_fault(shown: Shown) -> None:
    output, status = shown(Examined(account=ACCOUNT, can=CAN, access=Access(lacks=("tweet.moderate.write",))))
    assert "lacks tweet.moderate.write" in output
    assert " !! " in output
    assert status == 1


def test_a_refusal_is_told_in_full_below_the_table(shown: Shown) -> None:
    problem = "X no longer accepts our access token (401); ask your technician for a new one"
    output, status = shown(Examined(account=ACCOUNT, can=CAN, problem=problem))
    assert f"  x-official: CANNOT BE READ: {problem}\n" in output
    assert " !! " in output
    assert status == 1


def test_an_account_of_which_nothing_is_known_is_a_row_too(shown: Shown) -> None:
    output, status = shown(Examined(account=ACCOUNT, problem="account x-official: option 'handle': missing"))
    assert output.count(" ? ") == 1
    assert status == 1


def test_each_host_stands_once_with_all_it_is_for(example: Config, tmp_path: Path) -> None:
    mentions = Account(id="x-mentions", connector="x", channel=Channel.MENTION, name="Said on X")
    lines = hosts_to_allow(example.school, [(ACCOUNT, CAN), (mentions, CAN)])
    assert [line.split()[0] for line in lines] == [
        *("api.x.com:443", "mail.larkfield.example:587", "upload.x.com:443", "x.com:443")
    ]
    assert lines[0].endswith("read x-official, read x-mentions")
    assert lines[3].endswith("photograph evidence of x-official, photograph evidence of x-mentions")
