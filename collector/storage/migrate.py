"""Brings the state's tables to the newest revision (Alembic).

Alembic is loaded by who upgrades; who only looks (every part of the collector, at start) saves its 11 MB.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine

MIGRATIONS = Path(__file__).parent / "migrations"


_LINK = re.compile(r"^(revision|down_revision)\b.*= (?:\"(\w+)\"|None)$", re.MULTILINE)


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    # a percent sign would be read as interpolation
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(engine: Engine) -> bool:
    """Create or upgrade the tables; say whether anything changed."""
    from alembic import command  # noqa: PLC0415 - see above

    config = _config()
    before = _revision(engine)
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
    return before != newest()


def newest() -> str:
    """Return the newest revision this version knows: the one that no other comes after."""
    links = [dict(_LINK.findall(path.read_text())) for path in (MIGRATIONS / "versions").glob("*.py")]
    (head,) = {str(link["revision"]) for link in links} - {link["down_revision"] for link in links}
    return head


def is_current(engine: Engine) -> bool:
    """Say whether the tables are those of this version."""
    return _revision(engine) == newest()


def _revision(engine: Engine) -> str | None:
    """Return the revision of the tables, None when there are none."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found
