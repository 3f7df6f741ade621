"""Readings that are to be made again, every verdict kept, and whether somebody was told of a problem."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("readings") as readings:
        readings.add_column(sa.Column("provisional", sa.Boolean(), nullable=False, server_default=sa.false()))
        readings.create_index("ix_readings_provisional", ["school_id", "provisional"])
    with op.batch_alter_table("verdicts") as verdicts:
        verdicts.drop_constraint("uq_verdicts_item_id_revision_policy_version", type_="unique")
    with op.batch_alter_table("problems") as problems:
        problems.add_column(sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
