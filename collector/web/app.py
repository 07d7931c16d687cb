"""The web application: ``create_app(services)`` and nothing at import."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from flask import Flask

from collector.web import api, auth, database, health, i18n, pages, problems, security, words
from collector.web.live import Hub

if TYPE_CHECKING:
    from collector.web.services import Services

SESSION_DAYS = 14
MAX_BODY = 64 * 1024
LIVE_CLIENTS = 64


def create_app(services: Services) -> Flask:
    """Build the application. Its live feed is ``app.extensions["vigia.live"]``; close it at the end."""
    app = Flask(__name__)
    app.config.update(_settings(services))
    app.extensions["vigia"] = services
    app.extensions["vigia.live"] = Hub(services.engine, services.clock, LIVE_CLIENTS)
    i18n.init_app(app, services)
    for part in (database, auth, security, words, problems):
        part.init_app(app)
    app.register_blueprint(health.blueprint)
    api.init_app(app)
    pages.init_app(app)
    app.jinja_env.globals.update(title=services.config.web.title, version=version("vigia"))
    return app


def _settings(services: Services) -> dict[str, object]:
    return {
        "SECRET_KEY": services.secret,
        "SESSION_COOKIE_NAME": "vigia",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": services.config.web.public_url.startswith("https://"),
        "PERMANENT_SESSION_LIFETIME": timedelta(days=SESSION_DAYS),
        "MAX_CONTENT_LENGTH": MAX_BODY,
    }
