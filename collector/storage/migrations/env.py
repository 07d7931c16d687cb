"""Alembic's entry: runs revisions on the engine that ``migrate.py`` passes in."""

from __future__ import annotations

from alembic import context

from collector.storage.state import Base

with context.config.attributes["engine"].begin() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
