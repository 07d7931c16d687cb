from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from collector.storage import migrate
from collector.storage.state import Base, open_engine


def test_the_migrations_make_the_tables_of_the_models(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/state.db")
    assert not migrate.is_current(engine)
    assert migrate.upgrade(engine)
    assert migrate.is_current(engine)
    assert migrate.newest() == ScriptDirectory(str(migrate.MIGRATIONS)).get_current_head()
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_upgrading_again_changes_nothing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/state.db")
    migrate.upgrade(engine)
    before = sorted(inspect(engine).get_table_names())
    assert not migrate.upgrade(engine)
    assert sorted(inspect(engine).get_table_names()) == before
