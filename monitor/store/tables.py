"""The tables. Every row belongs to a school; every instant is UTC; only this package knows SQL.

`revisions.awaits`, `cases.next_step_at`, `evidence.captured_at` and `messages.sent_at` are the queues between the
stages: each is an indexed column that a sweep reads, never a timer.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from monitor.domain.clock import utc

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite keeps no zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return utc(value).replace(tzinfo=None) if dialect.name == "sqlite" else utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text from anywhere: neither database keeps lone surrogates, and PostgreSQL no NUL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """`text` with what no database can keep replaced by signs that say so."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


Document = JSON().with_variant(JSONB(), "postgresql")


def _table(name: str, *parts: Any) -> Table:
    return Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("school_id", Words, nullable=False),
        *parts,
    )


def _text(name: str, default: str = "") -> Column[str]:
    return Column(name, Words, nullable=False, default=default)


def _item() -> Column[int]:
    return Column("item_id", ForeignKey("items.id"), nullable=False, index=True)


def _case() -> Column[int]:
    return Column("case_id", ForeignKey("cases.id"), nullable=False, index=True)


sources = _table(
    "sources",
    _text("account"),
    #: What the platform's limits count against (Account.credential): accounts that share it rest together.
    _text("credential"),
    Column("cursor", Words),
    Column("last_read_ok", Instant),
    Column("last_item_at", Instant),
    Column("next_poll_at", Instant),
    Column("failures", Integer, nullable=False, default=0),
    Column("problem", Words),
    Column("problem_since", Instant),
    #: Whether the problem is one that only a person can end.
    Column("refused", Boolean, nullable=False, default=False),
    #: When the first reading reached its end; until then how many items it has brought, and back to when.
    Column("first_read_at", Instant),
    Column("backfilled", Integer, nullable=False, default=0),
    Column("backfilled_to", Instant),
    #: When the one summary of all first readings was written.
    Column("summed_up_at", Instant),
    #: What the last proven read brought, known or new, and how much of it could not be read.
    Column("last_items", Integer, nullable=False, default=0),
    Column("last_rejects", Integer, nullable=False, default=0),
    #: How many polls in a row brought something new and left the cursor where it was.
    Column("stuck_polls", Integer, nullable=False, default=0),
    Column("unreadable_polls", Integer, nullable=False, default=0),
    #: What the platform said of our access: {"ends": {what: instant}, "lacks": [...], "notes": [...]}.
    Column("access", Document),
    Column("access_at", Instant),
    #: When it was last searched for accounts that look like the school's.
    Column("profiles_at", Instant),
    UniqueConstraint("school_id", "account"),
)

threads = _table(
    "threads",
    _text("account"),
    _text("platform"),
    _text("native_id"),
    #: The newest instant of its post and of what is below, by which it ages.
    Column("active_at", Instant, nullable=False),
    #: NULL: too old to be swept again, until something new is found below it.
    Column("next_sweep_at", Instant),
    Column("last_sweep_at", Instant),
    Column("failures", Integer, nullable=False, default=0),
    Column("problem", Words),
    #: How many comments the platform counts below the post, how many we hold, and since when the two differ.
    Column("total", Integer),
    Column("held", Integer),
    Column("counted_at", Instant),
    Column("differs_since", Instant),
    UniqueConstraint("school_id", "account", "platform", "native_id"),
    Index(None, "school_id", "account", "next_sweep_at"),
)

spending = _table(
    "spending",
    #: Whose limit it is (Account.credential), and the month or day ("2026-11", "2026-11-21") of the budget's zone.
    _text("credential"),
    _text("period"),
    _text("unit"),
    Column("amount", Float, nullable=False, default=0),
    Column("cap", Float, nullable=False),
    #: When the period is over.
    Column("ends_at", Instant, nullable=False),
    UniqueConstraint("school_id", "credential", "period"),
)

left_out = _table(
    "left_out",
    #: What a search found that speaks of another school: that it was found, and nothing of what it says.
    _text("account"),
    _text("platform"),
    _text("native_id"),
    Column("found_at", Instant, nullable=False),
    UniqueConstraint("school_id", "account", "platform", "native_id"),
)

lookalikes = _table(
    "lookalikes",
    #: The account whose connector found it.
    _text("account"),
    _text("platform"),
    _text("native_id"),
    _text("handle"),
    _text("name"),
    _text("about"),
    _text("url"),
    #: Which of the school's names it carries, and where.
    _text("why"),
    Column("raw", Document, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    #: "ours", "unofficial", "impersonating", "reported" or "unrelated"; NULL until a person decides.
    Column("decision", Words),
    _text("decided_by"),
    Column("decided_at", Instant),
    _text("note"),
    UniqueConstraint("school_id", "platform", "native_id"),
)

_GONE = text("gone_at IS NOT NULL")
items = _table(
    "items",
    _text("platform"),
    _text("native_id"),
    _text("account"),
    _text("connector"),
    _text("channel"),
    _text("kind"),
    _text("author_id"),
    _text("author_handle"),
    _text("author_name"),
    _text("author_kind"),
    _text("url"),
    Column("published_at", Instant),
    Column("detected_at", Instant, nullable=False),
    Column("parent", Words),
    Column("thread", Words),
    Column("lang", Words),
    Column("attachments", Document, nullable=False, default=list),
    _text("revision"),
    Column("history", Boolean, nullable=False, default=False),
    _text("visibility", "public"),
    Column("gone_at", Instant),
    #: When its text was given up, because its author had deleted it and no case needs it.
    Column("erased_at", Instant),
    UniqueConstraint("school_id", "platform", "native_id"),
    Index(None, "school_id", "platform", "thread"),
    Index(None, "school_id", "platform", "parent"),
    Index(None, "school_id", "detected_at"),
    # Of the few that are gone: of all, a search for what is still there would walk through it.
    Index("ix_items_gone", "school_id", "gone_at", sqlite_where=_GONE, postgresql_where=_GONE),
)

revisions = _table(
    "revisions",
    _item(),
    _text("revision"),
    _text("text"),
    Column("raw", Document, nullable=False),
    Column("seen_at", Instant, nullable=False),
    #: "classify", "triage" or NULL: the stage this revision waits for.
    Column("awaits", Words),
    UniqueConstraint("item_id", "revision"),
    Index("ix_revisions_awaits", "school_id", "awaits", "id"),
)

rejects = _table(
    "rejects",
    _text("account"),
    _text("digest"),
    _text("reason"),
    Column("raw", Document, nullable=False),
    Column("seen_at", Instant, nullable=False),
    UniqueConstraint("school_id", "account", "digest"),
)

readings = _table(
    "readings",
    _item(),
    _text("revision"),
    _text("classifier"),
    _text("version"),
    Column("scores", Document, nullable=False),
    Column("labels", Document, nullable=False),
    Column("doubt", Document, nullable=False),
    Column("names", Document, nullable=False),
    Column("names_doubt", Document, nullable=False),
    Column("spans", Document, nullable=False),
    _text("language", "und"),
    #: Made while the model failed: to be made again.
    Column("provisional", Boolean, nullable=False, default=False),
    Column("read_at", Instant, nullable=False),
    UniqueConstraint("item_id", "revision"),
    Index("ix_readings_provisional", "school_id", "provisional"),
)

verdicts = _table(
    "verdicts",
    _item(),
    _text("revision"),
    _text("action"),
    Column("severity", Integer, nullable=False),
    Column("rules", Document, nullable=False),
    _text("policy_version"),
    Column("decided_at", Instant, nullable=False),
)

cases = _table(
    "cases",
    Column("item_id", ForeignKey("items.id"), nullable=False),
    _text("action"),
    Column("severity", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    _text("status"),
    _text("expects"),
    Column("rules", Document, nullable=False),
    Column("tell", Document, nullable=False),
    Column("visible_to", Document),
    Column("accused", Document, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("due_at", Instant),
    Column("because", Words),
    Column("rule_version", Words),
    Column("calendar_version", Words),
    Column("level", Integer, nullable=False, default=0),
    Column("next_step_at", Instant),
    #: Roles told at once so far, and how often the case has become worse since.
    Column("told", Document, nullable=False, default=list),
    Column("raises", Integer, nullable=False, default=0),
    Column("found_late", Boolean, nullable=False, default=False),
    Column("acknowledged_at", Instant),
    Column("answered_at", Instant),
    Column("closed_at", Instant),
    Column("assignee", Words),
    UniqueConstraint("school_id", "item_id"),
    Index(None, "school_id", "next_step_at"),
    Index("ix_cases_queue", "school_id", "status", "severity", "due_at"),
)

case_events = _table(
    "case_events",
    _case(),
    Column("seq", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    _text("actor"),
    _text("kind"),
    Column("detail", Document, nullable=False),
    _text("previous"),
    _text("hash"),
    UniqueConstraint("case_id", "seq"),
)

messages = _table(
    "messages",
    #: The Message-ID: the same at every attempt, so that a repeat can be known as one.
    Column("message_id", Words, nullable=False, unique=True),
    _text("recipient"),
    _text("subject"),
    _text("text"),
    _text("html"),
    Column("created_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease_until", Instant),
    Column("next_attempt_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("problem", Words),
    Index("ix_messages_outbox", "school_id", "sent_at", "next_attempt_at"),
)

notices = _table(
    "notices",
    _case(),
    Column("level", Integer, nullable=False),
    _text("recipient"),
    Column("created_at", Instant, nullable=False),
    Column("message_row", ForeignKey("messages.id"), index=True),
    UniqueConstraint("case_id", "level", "recipient"),
)

evidence = _table(
    "evidence",
    _case(),
    _item(),
    _text("revision"),
    Column("wanted_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Instant, nullable=False),
    Column("captured_at", Instant),
    Column("grade", Words),
    _text("reason"),
    Column("manifest_sha256", Words),
    Column("files", Document, nullable=False, default=list),
    UniqueConstraint("case_id", "revision"),
    Index("ix_evidence_wanted", "school_id", "captured_at", "next_attempt_at"),
)

digests = _table(
    "digests",
    #: The school's local day, ISO 8601.
    _text("day"),
    Column("made_at", Instant, nullable=False),
    Column("figures", Document, nullable=False),
    UniqueConstraint("school_id", "day"),
)

problems = _table(
    "problems",
    #: What is ill ("account x-official", "mail", "browser"), one row each.
    _text("subject"),
    _text("message"),
    #: What it is in a few words, and "red" or "amber" where people are told of it by mail.
    _text("headline"),
    _text("grade"),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("times", Integer, nullable=False, default=1),
    Column("cleared_at", Instant),
    #: When somebody was last told of it by mail; NULL again once they were told that it is over.
    Column("told_at", Instant),
    UniqueConstraint("school_id", "subject"),
)

heartbeats = _table(
    "heartbeats",
    _text("stage"),
    Column("at", Instant, nullable=False),
    Column("done", Integer, nullable=False, default=0),
    UniqueConstraint("school_id", "stage"),
)
