"""Pages for people: complete without scripts, kept up to date by static/live.js where it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from collector.web.pages import incidents, login, overview, site
from collector.web.services import services

if TYPE_CHECKING:
    from flask import Flask


def init_app(app: Flask) -> None:
    """Register all pages."""
    for page in (login, overview, site, incidents):
        app.register_blueprint(page.blueprint)
    app.jinja_env.globals.update(here=_here, now_ms=_now_ms)


def _here() -> str:
    """Where to come back to after a change of language; a page that a form answered is left."""
    return request.full_path.rstrip("?") if request.method == "GET" else ""


def _now_ms() -> int:
    return services().clock.now_ms()
