"""One SQL session per request, opened when first asked for and closed with the request."""

from __future__ import annotations

from typing import cast

from flask import Flask, g
from sqlalchemy.orm import Session

from collector.web.services import services


def sql() -> Session:
    """Return this request's session."""
    if "sql" not in g:
        g.sql = Session(services().engine)
    return cast("Session", g.sql)


def init_app(app: Flask) -> None:
    """Close the session when the request is over."""

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        session = g.pop("sql", None)
        if session is not None:
            session.close()
