"""X, signed in as the school's own account: refresh tokens that work once, private messages, look-alikes."""

import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors import connect, describe
from connectors.sandbox import TOKEN, Entry, Fault, Person
from connectors.sandbox.x_tokens import LASTS, first_refresh
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind
from monitor.domain.ports import Connector, Secrets
from tests.contract.places import SCHOOL, Place, collect

STRANGER = Person(key="stranger", name="Larkfield School Parody", handle="larkfieldparody")


class Safe(Secrets):
    """Secrets that remember what was kept, and can be kept only `fails_after` more times (None: always)."""

    def __init__(self, **values: str) -> None:
        self.values_by_name = values
        self.kept: list[str] = []
        self.fails_after: int | None = None

    def __getitem__(self, name: str) -> str:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def keep(self, name: str, value: str) -> None:
        if self.fails_after == 0:
            raise ConfigError("the folder is read-only")
        if self.fails_after is not None:
            self.fails_after -= 1
        self.values_by_name[name] = value
        self.kept.append(value)


@pytest.fixture
def safe() -> Safe:
    return Safe(client_id="sandbox-app", client_secret=TOKEN, refresh_token=first_refresh(TOKEN))


def _connector(x: Place, secrets: Safe, *, messages: bool = False, **options: object) -> Connector:
    return connect(replace(x.account(**options), private_messages=messages), secrets)


def _message(key: str, text: str, by: str = "parent", under: str | None = None, hours: float = 5) -> Entry:
    return Entry(key=key, platform="x", at=-timedelta(hours=hours), text=text, by=by, under=under, message=True)


def _sign_ins(x: Place) -> int:
    return sum("/oauth2/token" in path for _, path in x.sandbox.requests())


def test_whoever_signed_in_reads_what_an_app_reads(x: Place, safe: Safe) -> None:
    assert collect(_connector(x, safe).poll(None, x.now)).texts() == x.expected()


def test_a_new_refresh_token_is_kept_before_the_access_token_is_used(x: Place, safe: Safe) -> None:
    pages = _connector(x, safe).poll(None, x.now)
    next(iter(pages))

    assert safe.kept[-1] == safe["refresh_token"] != first_refresh(TOKEN)


def test_access_is_renewed_when_it_is_about_to_end_and_not_before(x: Place, safe: Safe) -> None:
    connector = _connector(x, safe)
    collect(connector.poll(None, x.now))
    x.later(hours=1)
    collect(connector.poll(None, x.now))
    assert _sign_ins(x) == 1

    x.now += LASTS - timedelta(hours=1, minutes=5)
    collect(connector.poll(None, x.now))
    assert _sign_ins(x) == 2


def test_a_restart_goes_on_with_the_token_that_was_kept(x: Place, safe: Safe) -> None:
    collect(_connector(x, safe).poll(None, x.now))

    assert collect(_connector(x, safe).poll(None, x.now)).items
    assert _sign_ins(x) == 2


def test_a_token_that_works_once_is_not_spent_where_its_successor_cannot_be_kept(x: Place, safe: Safe) -> None:
    safe.fails_after = 0
    with pytest.raises(SourceError, match="cannot be kept: the folder is read-only") as caught:
        collect(_connector(x, safe).poll(None, x.now))

    assert caught.value.permanent
    assert "restart" not in str(caught.value)
    assert _sign_ins(x) == 0
    safe.fails_after = None
    assert collect(_connector(x, safe).poll(None, x.now)).items


def test_a_token_that_could_not_be_kept_is_held_until_it_can_be(x: Place, safe: Safe) -> None:
    connector = _connector(x, safe)
    safe.fails_after = 1
    with pytest.raises(SourceError, match="Do not restart"):
        collect(connector.poll(None, x.now))
    assert safe["refresh_token"] == first_refresh(TOKEN)

    safe.fails_after = None
    assert collect(connector.poll(None, x.now)).items


def test_a_sign_in_that_x_refuses_says_what_to_do(x: Place, safe: Safe) -> None:
    safe.values_by_name["refresh_token"] = "spent-long-ago"
    with pytest.raises(SourceError, match="sign in again as the school's account") as caught:
        collect(_connector(x, safe).poll(None, x.now))

    assert caught.value.permanent
    assert "x-account" in str(caught.value)


def test_a_sign_in_by_another_process_or_person_meanwhile_is_taken_up(x: Place, safe: Safe) -> None:
    connector = _connector(x, safe)
    collect(connector.poll(None, x.now))
    # As `schoolwatch check` does beside the service.
    collect(_connector(x, safe).poll(None, x.now))
    x.later(hours=3)

    assert collect(connector.poll(None, x.now)).cursor


def test_an_app_that_x_does_not_know_is_called_that(x: Place, safe: Safe) -> None:
    safe.values_by_name["client_secret"] = "mistyped"
    with pytest.raises(SourceError, match="client secret is wrong"):
        collect(_connector(x, safe).poll(None, x.now))


def test_an_access_token_that_x_takes_back_is_renewed_at_the_next_poll(x: Place, safe: Safe) -> None:
    connector = _connector(x, safe)
    collect(connector.poll(None, x.now))
    x.sandbox.fail("x", Fault.EXPIRED)
    with pytest.raises(SourceError, match="expired"):
        collect(connector.poll(None, x.now))

    assert collect(connector.poll(None, x.now)).items
    assert _sign_ins(x) == 2


def test_trouble_at_the_sign_in_spends_nothing_and_passes(x: Place, safe: Safe) -> None:
    x.sandbox.fail("x", Fault.SERVER_ERROR, path="/oauth2/token")
    connector = _connector(x, safe)
    with pytest.raises(SourceError) as caught:
        collect(connector.poll(None, x.now))

    assert not caught.value.permanent
    assert collect(connector.poll(None, x.now)).items


def test_an_app_token_stands_in_for_a_lost_sign_in_and_the_loss_is_told(x: Place, safe: Safe) -> None:
    safe.values_by_name |= {"refresh_token": "spent-long-ago", "token": TOKEN}
    kept = []
    with pytest.raises(SourceError, match="sign in again"):
        for page in _connector(x, safe, messages=True).poll(None, x.now):
            kept += [item.text for item in page.items]

    assert sorted(kept) == x.expected()


def test_no_token_of_a_sign_in_reaches_an_address_or_an_error(x: Place, safe: Safe) -> None:
    collect(_connector(x, safe).poll(None, x.now))
    safe.values_by_name["refresh_token"] = "spent-long-ago"
    with pytest.raises(SourceError) as caught:
        collect(_connector(x, safe).poll(None, x.now))

    told = "".join(traceback.format_exception(caught.value)) + "".join(path for _, path in x.sandbox.requests())
    assert not any(secret in told for secret in (*safe.kept, "sandbox-access", "spent-long-ago"))


def test_a_search_does_not_sign_in(x: Place, safe: Safe) -> None:
    account = Account(
        id="said", connector="x", channel=Channel.MENTION, name="said", options={"query": "larkfield"}
    )
    with pytest.raises(ConfigError, match="only the school's own account signs in"):
        connect(account, safe)


def test_secrets_that_cannot_be_kept_are_refused_at_the_start(x: Place, safe: Safe) -> None:
    with pytest.raises(ConfigError, match="cannot be kept"):
        connect(x.account(), dict(safe))


def test_what_a_sign_in_opens_is_told_before_there_is_one(x: Place) -> None:
    names = dict.fromkeys(("refresh_token", "client_id"), "NOT_SET_YET")

    assert describe(replace(x.account(), secrets=names)).finds_profiles


def test_private_messages_are_read_from_both_sides_where_the_rule_book_says_so(x: Place, safe: Safe) -> None:
    x.world.add(
        _message("hello", "May I ask &amp; tell?"), _message("reply", "Of course.", by="school", under="hello")
    )
    found = collect(_connector(x, safe, messages=True).poll(None, x.now))
    asked, answered = found.saying("May I ask &amp; tell?"), found.saying("Of course.")

    assert asked.kind is answered.kind is ItemKind.MESSAGE
    assert asked.author.handle == "annbob"
    assert answered.author.kind is AuthorKind.SCHOOL
    assert asked.thread == answered.thread is not None
    assert asked.published_at == x.now - timedelta(hours=5)


def test_private_messages_are_never_asked_for_otherwise(x: Place, safe: Safe) -> None:
    x.world.add(_message("hello", "May I ask?"))
    for connector in (_connector(x, safe), connect(replace(x.account(), private_messages=True), {"token": TOKEN})):
        assert "May I ask?" not in collect(connector.poll(None, x.now)).texts()
        assert "private messages" not in connector.capabilities().reads

    assert not any("dm_events" in path for _, path in x.sandbox.requests())


def test_messages_are_read_to_the_end_once_and_again_only_over_the_overlap(x: Place, safe: Safe) -> None:
    x.world.add(*(_message(f"m{n}", f"message {n}", hours=n * 20) for n in range(1, 30)))
    connector = _connector(x, safe, messages=True)
    before = collect(connector.poll(None, x.now))
    assert {f"message {n}" for n in range(1, 30)} <= set(before.texts())

    at = x.later(hours=1)
    x.world.add(Entry(key="new", platform="x", at=at, text="one more", by="parent", message=True))
    asked = len(x.sandbox.requests())
    after = collect(connector.poll(before.cursor, x.now))
    again = [path for _, path in x.sandbox.requests()[asked:] if "dm_events" in path]
    assert "one more" in after.texts()
    assert len(again) == 2


def test_what_was_said_privately_is_not_asked_for_in_public(x: Place, safe: Safe) -> None:
    x.world.add(_message("hello", "May I ask?"))
    connector = _connector(x, safe, messages=True)
    said = collect(connector.poll(None, x.now)).saying("May I ask?")
    assert said.thread is not None

    assert collect(connector.thread(said.thread, [said.ref], x.now)).gone == []


def test_the_permissions_that_a_sign_in_lacks_are_named(
    x: Place, safe: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = _connector(x, safe, messages=True)
    assert connector.access(x.now).lacks == ()

    monkeypatch.setattr("connectors.sandbox.x_tokens.SCOPES", "users.read tweet.read offline.access")
    x.later(hours=3)
    assert connector.access(x.now).lacks == ("dm.read",)
    assert connector.capabilities().needs == ("tweet.read", "users.read", "offline.access", "dm.read")


def test_without_leave_to_read_messages_all_else_is_read_and_they_are_made_good_later(
    x: Place, safe: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    x.world.add(_message("hello", "May I ask?"))
    with monkeypatch.context() as patched:
        patched.setattr("connectors.sandbox.x_tokens.SCOPES", "users.read tweet.read offline.access")
        before = collect(_connector(x, safe, messages=True).poll(None, x.now))

    assert before.texts() == [text for text in x.expected() if text != "May I ask?"]
    x.later(days=5)
    assert "May I ask?" in collect(_connector(x, safe, messages=True).poll(before.cursor, x.now)).texts()


def test_messages_that_x_withholds_in_spite_of_the_scope_stop_nothing_and_are_told(x: Place, safe: Safe) -> None:
    x.sandbox.fail("x", Fault.FORBIDDEN, path="/dm_events")
    kept, cursor = [], None
    with pytest.raises(SourceError, match="does not permit"):
        for page in _connector(x, safe, messages=True).poll(None, x.now):
            kept += [item.text for item in page.items]
            cursor = page.cursor

    assert sorted(kept) == x.expected()
    assert cursor is not None


def test_an_app_is_told_how_much_of_its_share_it_has_read(x: Place) -> None:
    (note,) = x.connector().access(x.now).notes

    assert "of 2000000 posts" in note


def test_accounts_that_carry_the_schools_name_are_found_once_each(x: Place, safe: Safe) -> None:
    x.world.people[STRANGER.key] = STRANGER
    connector = _connector(x, safe)
    found = list(connector.profiles(["Larkfield School", "Larkfield"], x.now))

    assert connector.capabilities().finds_profiles
    assert {profile.handle for profile in found} == {SCHOOL.handle, STRANGER.handle}
    assert len(found) == 2
    assert found[0].url.endswith(f"/{found[0].handle}")


def test_an_app_does_not_look_for_accounts(x: Place) -> None:
    assert not x.connector().capabilities().finds_profiles
    assert list(x.connector().profiles(["Larkfield"], x.now)) == []
