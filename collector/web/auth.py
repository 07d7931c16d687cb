"""Who asks, and may they: everything needs a viewer unless it is listed as open.

A session cookie (pages, and the API from pages) or ``Authorization: Bearer``. The role is read from SQL
at every request, so that taking it away works at once. What changes something needs a CSRF token,
unless a bearer token was shown, which no foreign page can make a browser send.
"""

from __future__ import annotations

import hmac
import secrets
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from flask import Flask, abort, g, redirect, request, session, url_for
from werkzeug.exceptions import Forbidden, Unauthorized

from collector.storage.state import User
from collector.web import users
from collector.web.database import sql
from collector.web.users import Principal

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

P = ParamSpec("P")
R = TypeVar("R")

OPEN = frozenset(
    {
        "static",
        "health.healthz",
        "health.readyz",
        "health.metrics",
        "login.form",
        "login.enter",
        "login.language",
    }
)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def init_app(app: Flask) -> None:
    """Check every request before its view runs."""
    app.before_request(_admit)
    app.jinja_env.globals["csrf_token"] = csrf_token
    app.jinja_env.globals["principal"] = principal


def principal() -> Principal | None:
    """Return who asks, None when nobody signed in."""
    if "principal" not in g:
        g.principal = _from_header() or _from_session()
    return cast("Principal | None", g.principal)


def signed_in() -> Principal:
    """Return who asks; only for views behind the check."""
    found = principal()
    if found is None:
        raise Unauthorized
    return found


def needs(role: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view run only for this role and those above."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            if not signed_in().may(role):
                raise Forbidden(f"this needs the role {role}")
            return view(*args, **kwargs)

        return checked

    return decorate


def enter(user: User) -> None:
    """Begin a session; whatever an earlier one held is forgotten, its language excepted."""
    language = session.get("language")
    session.clear()
    session["user"], session["mark"] = user.name, users.mark(user)
    if language:
        session["language"] = language
    session.permanent = True


def csrf_token() -> str:
    """Return the token that this session's forms carry."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return cast("str", session["csrf"])


def is_api() -> bool:
    """Say whether a program asks, which is answered with JSON."""
    return request.path.startswith("/api/")


def _admit() -> Response | None:
    """Refuse strangers and forged forms."""
    if request.endpoint is None:
        return None  # 404 or 405 follow
    if request.endpoint not in OPEN and principal() is None:
        return _ask_to_sign_in()
    if request.method not in SAFE and not _by_token():
        _check_csrf()
    return None


def _ask_to_sign_in() -> Response:
    if is_api():
        abort(401)
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("login.form", next=None if wanted == "/" else wanted))


def _check_csrf() -> None:
    given = request.headers.get("X-CSRF-Token") or (
        request.form.get("csrf_token") if not request.is_json else None
    )
    if not given or not hmac.compare_digest(given.encode(), csrf_token().encode()):
        raise Forbidden("the form is stale or not ours: load the page again")


def _by_token() -> bool:
    found = principal()
    return found is not None and found.by_token


def _from_header() -> Principal | None:
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        return None
    return users.check_token(sql(), given.token)


def _from_session() -> Principal | None:
    name = session.get("user")
    user = sql().get(User, name) if name and "Authorization" not in request.headers else None
    if user is None or not hmac.compare_digest(users.mark(user), str(session.get("mark", ""))):
        return None
    return Principal(user.name, user.role)
