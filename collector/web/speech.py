"""Flask-Babel's functions with types, which it does not publish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask_babel  # type: ignore[import-untyped] # no type information published

if TYPE_CHECKING:
    from datetime import datetime

    from babel import Locale

Babel = flask_babel.Babel


def gettext(message: str, **values: Any) -> str:
    """Translate into the language of this answer."""
    return str(flask_babel.gettext(message, **values))


def lazy_gettext(message: str) -> Any:
    """Translate when it is turned into text, for tables made at import."""
    return flask_babel.lazy_gettext(message)


def locale() -> Locale | None:
    """Return the locale of this answer, None outside of one."""
    found: Locale | None = flask_babel.get_locale()
    return found


def format_datetime(moment: datetime, pattern: str) -> str:
    """Put a time into the reader's language and zone (patterns of CLDR)."""
    return str(flask_babel.format_datetime(moment, pattern))


def format_decimal(value: float, pattern: str | None = None) -> str:
    """Put a number into the reader's language."""
    return str(flask_babel.format_decimal(value, pattern))
