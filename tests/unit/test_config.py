"""The configuration is read strictly: what cannot be used stops the start and is named."""

import shutil
from pathlib import Path

import pytest

from connectors import kinds
from monitor.config import load_config, load_people, secret
from monitor.domain.errors import ConfigError
from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_example_school_is_valid(folder: Path) -> None:
    config = load_config(folder)
    assert config.problems == {}
    assert all("holds the role" in warning for warning in config.warnings)
    assert {account.connector for account in config.accounts} == set(kinds())


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("school.yaml", "nation: england", "nation: atlantis", "nation.*atlantis"),
        ("school.yaml", 'closes: "17:00"', "closes: 17:00", "closes.*in quotes"),
        ("school.yaml", "poll_every: PT5M", "poll_every: 5", "poll_every.*in quotes"),
        ("school.yaml", "poll_every: PT5M", "poll_every: often", "poll_every.*often"),
        ("school.yaml", "timezone: Europe/London", "timezone: Europe/Londonium", "Europe/Londonium"),
        ("school.yaml", '"2026-11-01T00:00:00Z"', '"2026-11-01T00:00:00"', "go_live.*no time zone"),
        ("school.yaml", "name: Larkfield", "nmae: Larkfield", "name: Field required"),
        ("school.yaml", "id: larkfield", "id: larkfield\nid: other", "'id' stands twice"),
        ("school.yaml", "id: larkfield", "id: [larkfield", "not readable YAML"),
        ("policy.yaml", "severity: 4", "severity: 9", "severity.*9"),
        ("policy.yaml", "tell: [headteacher, slt]", "tell: [boss]", "tell.*boss"),
        ("people.yaml", "roles: [headteacher, slt]", "roles: [emperor]", "person 1.*roles.*emperor"),
        ("people.yaml", "id: david-okafor", "id: joan-price", "'joan-price' stands twice"),
        ("people.yaml", "joan.price@larkfield.example", "joan at larkfield", "person 1.*email"),
        ("calendar.yaml", "scotland:", "skotland:", ""),
        ("calendar.yaml", '"2026-12-25"', '"2026-12-32"', "2026-12-32"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_file(
    folder: Path, file: str, old: str, new: str, named: str
) -> None:
    change(folder, file, old, new)
    if not named:
        load_config(folder)  # another nation's holidays are none of this school's business
        return
    with pytest.raises(ConfigError, match=named) as caught:
        load_config(folder)
    assert file in str(caught.value)


def test_one_bad_account_is_that_accounts_problem_alone(folder: Path) -> None:
    change(folder, "accounts.yaml", "channel: official", "channel: offical")
    config = load_config(folder)
    assert set(config.problems) == {"x-official"}
    assert "channel" in config.problems["x-official"]
    assert len(config.accounts) == 10


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "policy.yaml").unlink()
    with pytest.raises(ConfigError, match=r"policy\.yaml cannot be read"):
        load_config(folder)


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        load_config(tmp_path / "nowhere")


def test_a_role_that_nobody_holds_is_a_warning(folder: Path) -> None:
    change(folder, "people.yaml", "roles: [chair_of_governors, governor]", "roles: [governor]")
    assert "nobody with an e-mail address holds the role chair_of_governors" in load_config(folder).warnings


def test_a_bare_list_is_a_roster_too(shared: Path) -> None:
    assert len(load_people(shared / "comments" / "roster.yaml")) == 24


def test_a_secret_comes_from_its_file_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from the file\n")
    assert secret("TOKEN", {"TOKEN": "from the environment"}) == "from the environment"
    assert secret("TOKEN", {"TOKEN_FILE": str(tmp_path / "token"), "TOKEN": "x"}) == "from the file"


@pytest.mark.parametrize("environment", [{}, {"TOKEN_FILE": "/nowhere/token"}])
def test_a_secret_that_is_not_there_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="the secret TOKEN"):
        secret("TOKEN", environment)
