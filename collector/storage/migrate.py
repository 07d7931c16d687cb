"""Brings the state's tables to the newest revision (Alembic)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from sqlalchemy import Engine

MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    # a percent sign would be read as interpolation
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(engine: Engine) -> bool:
    """Create or upgrade the tables; say whether anything changed."""
    config = _config()
    with engine.connect() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
    return before != newest()


def newest() -> str | None:
    """Return the newest revision this version knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def is_current(engine: Engine) -> bool:
    """Say whether the tables are those of this version."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest()
