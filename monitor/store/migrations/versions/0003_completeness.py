"""Threads with their own sweeps and counts, what was spent, look-alikes, and what a platform says of our access."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("items") as items:
        items.add_column(sa.Column("visibility", sa.Text(), nullable=False, server_default="public"))
        items.add_column(sa.Column("erased_at", INSTANT, nullable=True))
    gone = sa.text("gone_at IS NOT NULL")
    op.create_index("ix_items_gone", "items", ["school_id", "gone_at"], sqlite_where=gone, postgresql_where=gone)
    with op.batch_alter_table("sources") as sources:
        sources.drop_column("last_sweep_at")
        sources.add_column(sa.Column("credential", sa.Text(), nullable=False, server_default=""))
        sources.add_column(sa.Column("first_read_at", INSTANT, nullable=True))
        sources.add_column(sa.Column("backfilled", sa.Integer(), nullable=False, server_default="0"))
        sources.add_column(sa.Column("backfilled_to", INSTANT, nullable=True))
        sources.add_column(sa.Column("summed_up_at", INSTANT, nullable=True))
        sources.add_column(sa.Column("last_items", sa.Integer(), nullable=False, server_default="0"))
        sources.add_column(sa.Column("last_rejects", sa.Integer(), nullable=False, server_default="0"))
        sources.add_column(sa.Column("stuck_polls", sa.Integer(), nullable=False, server_default="0"))
        sources.add_column(sa.Column("unreadable_polls", sa.Integer(), nullable=False, server_default="0"))
        sources.add_column(sa.Column("access", DOCUMENT, nullable=True))
        sources.add_column(sa.Column("access_at", INSTANT, nullable=True))
        sources.add_column(sa.Column("refused", sa.Boolean(), nullable=False, server_default=sa.false()))
        sources.add_column(sa.Column("profiles_at", INSTANT, nullable=True))
    with op.batch_alter_table("problems") as problems:
        problems.add_column(sa.Column("headline", sa.Text(), nullable=False, server_default=""))
        problems.add_column(sa.Column("grade", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "threads",
        *_begins(),
        *_words("account", "platform", "native_id"),
        sa.Column("active_at", INSTANT, nullable=False),
        sa.Column("next_sweep_at", INSTANT, nullable=True),
        sa.Column("last_sweep_at", INSTANT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("held", sa.Integer(), nullable=True),
        sa.Column("counted_at", INSTANT, nullable=True),
        sa.Column("differs_since", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_threads"),
        sa.UniqueConstraint(
            "school_id", "account", "platform", "native_id", name="uq_threads_school_id_account_platform_native_id"
        ),
    )
    op.create_index(
        "ix_threads_school_id_account_next_sweep_at", "threads", ["school_id", "account", "next_sweep_at"]
    )
    op.create_table(
        "spending",
        *_begins(),
        *_words("credential", "period", "unit"),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.Column("cap", sa.Float(), nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_spending"),
        sa.UniqueConstraint("school_id", "credential", "period", name="uq_spending_school_id_credential_period"),
    )
    op.create_table(
        "left_out",
        *_begins(),
        *_words("account", "platform", "native_id"),
        sa.Column("found_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_left_out"),
        sa.UniqueConstraint(
            "school_id", "account", "platform", "native_id", name="uq_left_out_school_id_account_platform_native_id"
        ),
    )
    op.create_table(
        "lookalikes",
        *_begins(),
        *_words("account", "platform", "native_id", "handle", "name", "about", "url", "why"),
        sa.Column("raw", DOCUMENT, nullable=False),
        sa.Column("found_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lookalikes"),
        sa.UniqueConstraint(
            "school_id", "platform", "native_id", name="uq_lookalikes_school_id_platform_native_id"
        ),
    )
    # What was read before had been read to its end, which is no news; its conversations go on being swept.
    op.execute("UPDATE sources SET first_read_at = last_read_ok, summed_up_at = last_read_ok")
    op.execute(
        "INSERT INTO threads (school_id, account, platform, native_id, active_at, next_sweep_at) "
        "SELECT school_id, account, platform, thread, MAX(COALESCE(published_at, detected_at)), MAX(detected_at) "
        "FROM items WHERE thread IS NOT NULL GROUP BY school_id, account, platform, thread"
    )


def _begins() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("school_id", sa.Text(), nullable=False),
    ]


def _words(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]
