"""The configuration in TOML."""

from __future__ import annotations

import tomllib
from typing import Any

from agent.errors import ConfigError


def parse(data: bytes) -> dict[str, Any]:
    """Return the file's tables. Raises ConfigError ``malformed``."""
    try:
        return tomllib.loads(data.decode())
    except ValueError as error:
        raise ConfigError("malformed", f"is not TOML: {error}") from error
