"""Which births' clocks were judged, and the hours whose means are to be made again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("incarnation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("judged_seq", sa.BigInteger(), nullable=False, server_default="-1"))
    op.create_table(
        "late_hour",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "hour_ms"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("late_hour")
    with op.batch_alter_table("incarnation", schema=None) as batch_op:
        batch_op.drop_column("judged_seq")
