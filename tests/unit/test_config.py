"""The configuration is read strictly: what cannot be used stops the start and is named."""

import re
import shutil
from datetime import date
from pathlib import Path

import certifi
import pytest
import yaml

from connectors import kinds
from monitor.config import Config, Mentions, Network, load_config, load_people
from monitor.domain.errors import ConfigError
from monitor.domain.mentions import SchoolNames
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
        ("school.yaml", 'proxy: ""', "proxy: proxy.larkfield.example:8080", "network.proxy"),
        ("school.yaml", 'proxy: ""', "proxy: http://me:pw@proxy.larkfield.example", "network.proxy"),
        ("school.yaml", '"Larkfield Primary"]', '"LPS"]', "mentions.names.*'LPS' is too short.*at least 6 letters"),
        ("school.yaml", '"Larkfield Primary"]', '"The Primary School"]', "mentions.names.*could be any school"),
        (
            "school.yaml",
            '"Larkfield Primary"]',
            "Larkfield]",
            "mentions.*'Larkfield' is a single word.*place_needed",
        ),
        ("school.yaml", '"2026-10-12"', "2026-10-12", "mentions.dpia.approved_on.*in quotes"),
        ("school.yaml", '"Linh Nguyễn, data protection officer"', '""', "mentions.dpia.approved_by"),
        ("school.yaml", '"Linh Nguyễn, data protection officer"', '"    "', "mentions.dpia.approved_by"),
        ("school.yaml", "handles: [larkfieldprim]", 'handles: ["@"]', "mentions.handles: .*neither letters"),
        ("school.yaml", "places: [Northvale]", 'places: [" "]', "mentions.places: .*neither letters"),
        ("policy.yaml", "private_messages: []", "private_messages: [x-offical]", "private_messages.*'x-offical'"),
        ("policy.yaml", "private_messages: []", "private_messages: [x-mentions]", "private_messages.*'x-mentions'"),
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


# What the school is called


def with_mentions(folder: Path, **values: object) -> Config:
    """The configuration with other `mentions:`."""
    path = folder / "school.yaml"
    school = yaml.safe_load(path.read_text(encoding="utf-8"))
    school["mentions"] = {"names": ["Larkfield Primary"], **values}
    path.write_text(yaml.safe_dump(school), encoding="utf-8")
    return load_config(folder)


def test_every_account_knows_what_the_school_is_called(folder: Path) -> None:
    config = with_mentions(
        folder, misspellings=["Larkfeild Primary"], places=["Northvale"], elsewhere=["Kent"], place_needed=True
    )
    names = {account.names for account in config.accounts}
    assert names == {
        SchoolNames(
            names=("Larkfield Primary",),
            misspellings=("Larkfeild Primary",),
            handles=("larkfieldprim", "larkfieldprim.bsky.social"),
            places=("Northvale",),
            elsewhere=("Kent",),
            place_needed=True,
        )
    }


def test_the_schools_handles_are_those_given_and_its_accounts_but_no_numbers_or_names(folder: Path) -> None:
    config = with_mentions(folder, handles=["larkfieldpta", "larkfieldprim"])
    assert config.accounts[0].names.handles == ("larkfieldpta", "larkfieldprim", "larkfieldprim.bsky.social")
    assert "100200300400500" in config.accounts[2].handles


def test_the_handles_of_staff_beside_an_accounts_own_are_not_searched_for(folder: Path) -> None:
    change(folder, "accounts.yaml", "handles: [larkfieldprim]", "handles: [larkfieldprim, mrs_field_head]")
    change(folder, "accounts.yaml", "handles: [larkfieldprim]", "handles: [somebody]")
    config = load_config(folder)
    assert config.accounts[0].handles == ("larkfieldprim", "mrs_field_head")
    assert config.accounts[1].channel == "mention"
    assert config.accounts[0].names.handles == ("larkfieldprim", "larkfieldprim.bsky.social")


def test_a_single_word_is_a_name_only_beside_a_place(folder: Path) -> None:
    config = with_mentions(folder, names=["Larkfield"], places=["Northvale"], place_needed=True)
    assert config.accounts[0].names.phrases == ("Larkfield",)
    with pytest.raises(ConfigError, match="`places` must say which"):
        with_mentions(folder, names=["Larkfield"], place_needed=True)


@pytest.mark.parametrize(
    ("field", "text", "person"),
    [
        ("names", "Joan Price", "Joan Price"),
        ("names", "Larkfield head joan  PRICE", "Joan Price"),
        ("misspellings", "Sian Llewellyn Field Larkfield", "Siân Llewellyn-Field"),
        ("names", "Dave Okafor of Larkfield", "David Okafor"),
        ("handles", "@tom_field", "Tom Field"),
    ],
)
def test_nobody_is_searched_for_by_name(folder: Path, field: str, text: str, person: str) -> None:
    with pytest.raises(ConfigError, match=f"school.yaml: mentions: .* names {person}, and nobody is searched for"):
        with_mentions(folder, **{field: [text]})


@pytest.mark.parametrize("name", ["Joan Priceworth School", "Priceton Primary", "Larkfield Field Studies"])
def test_a_name_that_only_holds_part_of_a_persons_is_a_name(folder: Path, name: str) -> None:
    assert with_mentions(folder, names=[name]).accounts[0].names.names == (name,)


@pytest.mark.parametrize(
    "options",
    [
        "{query: 'larkfield \"joan price\"'}",
        "{queries: [larkfield, [from, {any: Mrs Price}]]}",
        "{url: 'https://news.example/search?q=joan+price'}",
        "{url: 'https://news.example/search?q=Joan%20Price'}",
    ],
)
def test_a_search_for_a_person_is_that_accounts_problem_alone(folder: Path, options: str) -> None:
    change(folder, "accounts.yaml", '{url: "https://news.example/larkfield.atom"}', options)
    config = load_config(folder)
    assert set(config.problems) == {"local-news"}
    assert "nobody is searched for by name" in config.problems["local-news"]
    assert len(config.accounts) == 10


def test_an_official_accounts_options_may_name_somebody(folder: Path) -> None:
    change(folder, "accounts.yaml", "{handle: larkfieldprim}", "{handle: joan price}")
    assert load_config(folder).problems == {}


@pytest.mark.parametrize(
    ("dpia", "today", "missing"),
    [
        (
            None,
            date(2026, 11, 18),
            "before a data protection impact assessment is recorded.*approved_by.*approved_on",
        ),
        ("2026-11-19", date(2026, 11, 18), "on 19 November 2026"),
        ("2026-11-18", date(2026, 11, 18), None),
    ],
)
def test_mentions_wait_for_an_assessment_that_has_been_approved(
    dpia: str | None, today: date, missing: str | None
) -> None:
    given = {"dpia": {"approved_by": "the data protection officer", "approved_on": dpia}} if dpia else {}
    said = Mentions.model_validate(given).missing_assessment(today)
    if missing is None:
        assert said is None
    else:
        assert re.search(missing, said or "")


def test_private_messages_are_read_where_the_rule_book_says_so_and_nowhere_else(folder: Path) -> None:
    assert not any(account.private_messages for account in load_config(folder).accounts)
    change(folder, "policy.yaml", "private_messages: []", "private_messages: [facebook-page]")
    assert [account.id for account in load_config(folder).accounts if account.private_messages] == ["facebook-page"]


def test_leave_for_an_account_that_cannot_be_used_stops_nothing(folder: Path) -> None:
    change(folder, "policy.yaml", "private_messages: []", "private_messages: [x-official]")
    change(folder, "accounts.yaml", "channel: official", "channel: offical")
    assert set(load_config(folder).problems) == {"x-official"}


# The school's way out


def test_a_proxys_password_in_the_file_is_refused_and_not_repeated(folder: Path) -> None:
    change(folder, "school.yaml", 'proxy: ""', "proxy: http://desk:hunter2@proxy.larkfield.example:8080")
    with pytest.raises(ConfigError, match=r"network\.proxy: .*`proxy_login` names") as caught:
        load_config(folder)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("token", ["EAAGm0PX4ZCpsBAKZC", "abcd-efgh-ijkl-mnop", "AAAAAAAAAAA%2Fzz", "hunter2"])
def test_a_secret_in_place_of_its_name_is_refused_and_not_repeated(folder: Path, token: str) -> None:
    change(folder, "accounts.yaml", "X_BEARER_TOKEN", token)
    problem = load_config(folder).problems["x-official"]
    assert "must be the name of a secret" in problem
    assert token not in problem


def test_a_password_of_the_mail_relay_in_the_file_is_not_repeated(folder: Path) -> None:
    change(folder, "school.yaml", "password: SMTP_PASSWORD", "password: correct-horse")
    with pytest.raises(ConfigError, match=r"mail\.password: must be the name of a secret") as caught:
        load_config(folder)
    assert "correct-horse" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "cannot be read: No such file"),
        ("", "not a PEM file|holds no authority"),
        ("not a certificate", "not a PEM file"),
        ("-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n", "not a PEM file"),
    ],
)
def test_a_certificate_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None, named: str) -> None:
    if content is not None:
        (tmp_path / "filter.pem").write_text(content)
    with pytest.raises(ConfigError, match=rf"network\.ca_bundle: .*filter\.pem .*({named})"):
        Network(ca_bundle="filter.pem").certificates(tmp_path)


def test_a_certificate_file_lies_beside_the_school(tmp_path: Path) -> None:
    shutil.copy(certifi.where(), tmp_path / "filter.pem")
    assert Network(ca_bundle="filter.pem").certificates(tmp_path) == tmp_path / "filter.pem"
    assert Network().certificates(tmp_path) is None
