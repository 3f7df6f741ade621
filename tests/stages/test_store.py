"""The store keeps what it is given, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext

from monitor.domain.account import Account
from monitor.domain.errors import ConfigError
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef, Visibility
from monitor.domain.ports import Letter
from monitor.store.engine import MIGRATIONS, migrate, open_engine
from monitor.store.store import Store
from monitor.store.tables import metadata

PAGE = Account(id="page", connector="facebook", channel=Channel.OFFICIAL, name="Page")


def comment(now: datetime, text: str = "When is the fair?", number: int = 1) -> Item:
    return Item(
        ref=ItemRef("facebook", f"1_{number}"),
        channel=Channel.OFFICIAL,
        kind=ItemKind.COMMENT,
        author=Author(display_name="A parent"),
        text=text,
        url="https://facebook.example/1",
        published_at=now - timedelta(minutes=5),
        raw={"id": f"1_{number}", "message": text},
    )


def test_the_migrations_end_at_the_tables_of_the_code(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_what_was_read_before_an_update_stays_read(database_url: str) -> None:
    engine = open_engine(database_url)
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO items VALUES (1, 'larkfield', 'x', '1', 'a', 'x', 'official', 'comment', '', '', '', '', "
            "'', NULL, '2026-11-18 12:00:00', NULL, NULL, NULL, '[]', 'r', false, NULL)"
        )
        connection.exec_driver_sql(
            "INSERT INTO readings (school_id, item_id, revision, classifier, version, scores, labels, doubt, "
            "names, names_doubt, spans, language, read_at) VALUES ('larkfield', 1, 'r', 'local', '1', '{}', "
            "'[\"query\"]', '[]', '[]', '[]', '[]', 'en', '2026-11-18 12:00:00')"
        )
    migrate(engine)
    with Store(engine, "larkfield").reading() as tx:
        reading = tx.readings.get(1, "r")
        assert reading is not None
        assert (reading.labels, reading.provisional) == (("query",), False)
        assert tx.readings.count_provisional() == 0
    engine.dispose()


def test_accounts_and_conversations_from_before_the_sweeps_are_swept_and_told_of_no_more(
    database_url: str, now: datetime
) -> None:
    engine = open_engine(database_url)
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql(
            "INSERT INTO sources (school_id, account, cursor, last_read_ok, last_sweep_at, failures) VALUES "
            "('larkfield', 'page', 'here', '2026-11-18 12:00:00', '2026-11-18 12:00:00', 0), "
            "('larkfield', 'never', NULL, NULL, NULL, 2)"
        )
        for number, (published, thread) in enumerate(
            (("'2026-11-01 08:00:00'", "'p'"), ("NULL", "'p'"), ("'2026-10-01 08:00:00'", "NULL")), 101
        ):
            connection.exec_driver_sql(
                f"INSERT INTO items VALUES ({number}, 'larkfield', 'facebook', '{number}', 'page', 'facebook', "
                f"'official', 'comment', '', '', '', 'unknown', '', {published}, '2026-11-02 09:00:00', NULL, "
                f"{thread}, NULL, '[]', 'r', false, NULL)"
            )
            connection.exec_driver_sql(
                "INSERT INTO revisions (school_id, item_id, revision, text, raw, seen_at) VALUES "
                f"('larkfield', {number}, 'r', 'words', '{{}}', '2026-11-02 09:00:00')"
            )
        connection.exec_driver_sql(
            "INSERT INTO problems (school_id, subject, message, first_at, last_at, times) VALUES "
            "('larkfield', 'mail', 'down', '2026-11-18 12:00:00', '2026-11-18 12:00:00', 1)"
        )
    migrate(engine)
    with Store(engine, "larkfield").transaction() as tx:
        read, never = tx.sources.states()
        assert (read.cursor, read.first_read_at, read.items, read.refused) == ("here", now, 3, False)
        assert (never.first_read_at, never.failures) == (None, 2)
        assert tx.sources.told_of_first_readings()
        assert tx.threads.due("page", now, 9) == [ItemRef("facebook", "p")]
        thread = tx.threads.get("page", ItemRef("facebook", "p"))
        assert thread.active_at == datetime(2026, 11, 2, 9, tzinfo=UTC)
        assert {stored.item.visibility for stored in tx.items.search()} == {Visibility.PUBLIC}
        assert [problem.grade for problem in tx.health.problems()] == [""]
        tx.sources.register([PAGE])
        tx.items.save([comment(now)], PAGE, now, now)
    engine.dispose()


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    migrate(engine)
    engine.dispose()


def test_a_database_newer_than_the_program_is_refused(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="newer than this program"):
        migrate(engine)
    engine.dispose()


def test_the_same_page_twice_is_stored_once(store: Store, now: datetime) -> None:
    for _ in range(2):
        with store.transaction() as tx:
            saved = tx.items.save([comment(now), comment(now, number=2)], PAGE, now, now - timedelta(days=9))
    assert (saved.new, saved.edited, saved.known) == (0, 0, 2)
    with store.reading() as tx:
        assert tx.items.count() == 2
        assert tx.readings.count_waiting() == {"classify": 2}


def test_an_edit_is_a_new_revision_and_the_old_wording_stays(store: Store, now: datetime) -> None:
    with store.transaction() as tx:
        tx.items.save([comment(now)], PAGE, now, now - timedelta(days=9))
        saved = tx.items.save([comment(now, "You will regret this")], PAGE, now, now - timedelta(days=9))
    assert saved.edited == 1
    with store.reading() as tx:
        stored = tx.items.find(ItemRef("facebook", "1_1"))
        assert stored is not None
        assert stored.item.text == "You will regret this"
        assert [text for _, _, text in tx.items.wordings(stored.id)] == [
            "When is the fair?",
            "You will regret this",
        ]


def test_a_text_no_database_can_keep_is_still_kept(store: Store, now: datetime) -> None:
    with store.transaction() as tx:
        tx.items.save([comment(now, "nul \x00 and half a pair \ud83d")], PAGE, now, now - timedelta(days=9))
        tx.items.save([comment(now, "nul \x00 and half a pair \ud83d")], PAGE, now, now - timedelta(days=9))
    with store.reading() as tx:
        [stored] = tx.items.search()
        assert stored.item.text == "nul \ufffd and half a pair ?"


@pytest.mark.parametrize("published", [None, timedelta(days=10)])
def test_what_is_undated_or_older_than_going_live_is_history(
    store: Store, now: datetime, published: timedelta | None
) -> None:
    old = replace(comment(now), published_at=None if published is None else now - published)
    with store.transaction() as tx:
        tx.items.save([old], PAGE, now, now - timedelta(days=9))
        [stored] = tx.items.search()
    assert stored.history


def test_another_school_sees_nothing_of_it(database_url: str, now: datetime) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    with Store(engine, "larkfield").transaction() as tx:
        tx.items.save([comment(now)], PAGE, now, now)
    with Store(engine, "elsewhere").reading() as tx:
        assert tx.items.count() == 0
        assert tx.items.find(ItemRef("facebook", "1_1")) is None
    engine.dispose()


def test_a_start_forgets_accounts_and_stages_that_are_no_more(store: Store, now: datetime) -> None:
    with store.transaction() as tx:
        for subject in ("account old", "poll old", "mail to joan@school.example"):
            tx.health.problem(subject, "ill", now)
        tx.health.beat("poll old", 0, now)
        tx.health.start_afresh(now)
        assert [problem.subject for problem in tx.health.problems()] == ["mail to joan@school.example"]
        assert tx.health.heartbeats() == []


def test_hostile_signs_in_any_text_are_kept_as_signs_that_say_so(store: Store, now: datetime) -> None:
    with store.transaction() as tx:
        tx.health.problem("mail", "refused \x00 by \ud83d", now)
        letter = Letter(subject="\ud83d", text="\x00", html="")
        tx.outbox.add(letter, message_id="<1@a>", recipient="a@b.example", now=now)
        assert tx.health.problems()[0].message == "refused \ufffd by ?"
        assert tx.outbox.messages()[0].subject == "?"
