"""Language and time zone of an answer.

Pages: what the person chose, else the configured language. API: ``lang``, else Accept-Language, else the
configured one. Spanish is that of Mexico (decimal point, comma between thousands).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, has_request_context, request, session

from collector.web import speech
from collector.web.services import services

if TYPE_CHECKING:
    from collector.web.services import Services

LANGUAGES = ("es", "en")
LOCALES = {"es": "es_MX", "en": "en"}


def init_app(app: Flask, given: Services) -> None:
    """Choose per request; messages are in ``translations``, English ones in the sources."""
    speech.Babel(
        app,
        default_locale=LOCALES[given.config.web.language],
        default_timezone=given.config.web.timezone,
        default_translation_directories=str(Path(__file__).parent / "translations"),
        locale_selector=lambda: LOCALES[_choose()],
    )
    app.jinja_env.globals["language"] = language
    app.jinja_env.globals["languages"] = LANGUAGES


def _choose() -> str:
    if not has_request_context():
        return services().config.web.language
    if request.path.startswith("/api/"):
        return _of_program()
    chosen = session.get("language")
    return chosen if chosen in LANGUAGES else services().config.web.language


def _of_program() -> str:
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        return asked
    return request.accept_languages.best_match(LANGUAGES) or services().config.web.language


def language() -> str:
    """Return ``es`` or ``en``: the language of this answer."""
    locale = speech.locale()
    return "en" if locale is not None and locale.language == "en" else "es"
