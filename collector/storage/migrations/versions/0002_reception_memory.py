"""What reception remembers beyond seqs: live times, contents, forgotten incarnations, names; held tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "key_floor",
        sa.Column("kid", sa.String(length=16), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_table(
        "device_name",
        sa.Column("device_id", sa.String(length=63), nullable=False),
        sa.Column("measurement", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "measurement", "kind", "name"),
    )
    with op.batch_alter_table("incarnation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("fault_source", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("live_first_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("live_last_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("tail", sa.LargeBinary(), nullable=False, server_default=""))
    with op.batch_alter_table("device_state", schema=None) as batch_op:
        batch_op.add_column(sa.Column("speaker", sa.String(length=16), nullable=True))
    with op.batch_alter_table("quarantined", schema=None) as batch_op:
        batch_op.add_column(sa.Column("detail", sa.String(length=300), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("sealed_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("quality", sa.String(length=10), nullable=True))
        batch_op.create_index("ix_quarantined_device", ["device_id", "held", "id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("quarantined", schema=None) as batch_op:
        batch_op.drop_index("ix_quarantined_device")
        batch_op.drop_column("quality")
        batch_op.drop_column("sealed_ms")
        batch_op.drop_column("detail")
    with op.batch_alter_table("device_state", schema=None) as batch_op:
        batch_op.drop_column("speaker")
    with op.batch_alter_table("incarnation", schema=None) as batch_op:
        batch_op.drop_column("tail")
        batch_op.drop_column("live_last_ms")
        batch_op.drop_column("live_first_ms")
        batch_op.drop_column("fault_source")
    op.drop_table("device_name")
    op.drop_table("key_floor")
