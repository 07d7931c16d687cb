"""Who fell with whom, incidents of areas, announced work, groups of sites, and the centre's probes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "centre_span",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("refuted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("centre_span", schema=None) as batch_op:
        batch_op.create_index("ix_centre_span_until_ms", ["until_ms"], unique=False)

    op.create_table(
        "fall",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("condition", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("fell_ms", sa.BigInteger(), nullable=False),
        sa.Column("back_ms", sa.BigInteger(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("fall", schema=None) as batch_op:
        batch_op.create_index("ix_fall_changed_ms", ["changed_ms"], unique=False)
        batch_op.create_index("ix_fall_site_id", ["site_id"], unique=False)

    op.create_table(
        "fallen",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id"),
    )
    op.create_table(
        "fell_together",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("other_id", sa.String(length=64), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "other_id"),
    )
    with op.batch_alter_table("fell_together", schema=None) as batch_op:
        batch_op.create_index("ix_fell_together_other_id", ["other_id"], unique=False)

    op.create_table(
        "probe",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("checked_ms", sa.BigInteger(), nullable=False),
        sa.Column("good_ms", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("latency_ms", sa.Float(), nullable=True),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "work_window",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("group_name", sa.String(length=64), nullable=True),
        sa.Column("circuit", sa.String(length=64), nullable=True),
        sa.Column("provider", sa.String(length=64), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("radius_m", sa.Float(), nullable=True),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("work_window", schema=None) as batch_op:
        batch_op.create_index("ix_work_window_to_ms", ["to_ms"], unique=False)

    op.create_table(
        "site_group",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["site.id"],
        ),
        sa.PrimaryKeyConstraint("name", "site_id"),
    )
    op.create_table(
        "area",
        sa.Column("incident_id", SERIAL, autoincrement=False, nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("back_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"]),
        sa.PrimaryKeyConstraint("incident_id"),
    )
    op.create_table(
        "area_member",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("area_id", SERIAL, nullable=False),
        sa.Column("incident_id", SERIAL, nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("joined_ms", sa.BigInteger(), nullable=False),
        sa.Column("left_ms", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["area_id"],
            ["incident.id"],
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("area_member", schema=None) as batch_op:
        batch_op.create_index("ix_area_member_area_id", ["area_id"], unique=False)
        batch_op.create_index("ix_area_member_incident_id", ["incident_id"], unique=False)
        batch_op.create_index("ix_area_member_left_ms", ["left_ms"], unique=False)

    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index("ix_incident_open", ["cleared_ms", "cause"], unique=False)

    with op.batch_alter_table("rule_state", schema=None) as batch_op:
        batch_op.add_column(sa.Column("heard_ms", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("mains", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("rule_state", schema=None) as batch_op:
        batch_op.drop_column("mains")
        batch_op.drop_column("heard_ms")

    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.drop_index("ix_incident_open")

    with op.batch_alter_table("area_member", schema=None) as batch_op:
        batch_op.drop_index("ix_area_member_left_ms")
        batch_op.drop_index("ix_area_member_incident_id")
        batch_op.drop_index("ix_area_member_area_id")

    op.drop_table("area_member")
    op.drop_table("area")
    op.drop_table("site_group")
    with op.batch_alter_table("work_window", schema=None) as batch_op:
        batch_op.drop_index("ix_work_window_to_ms")

    op.drop_table("work_window")
    op.drop_table("probe")
    with op.batch_alter_table("fell_together", schema=None) as batch_op:
        batch_op.drop_index("ix_fell_together_other_id")

    op.drop_table("fell_together")
    op.drop_table("fallen")
    with op.batch_alter_table("fall", schema=None) as batch_op:
        batch_op.drop_index("ix_fall_site_id")
        batch_op.drop_index("ix_fall_changed_ms")

    op.drop_table("fall")
    with op.batch_alter_table("centre_span", schema=None) as batch_op:
        batch_op.drop_index("ix_centre_span_until_ms")

    op.drop_table("centre_span")
