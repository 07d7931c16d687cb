"""Signing in and out, and the language of the pages."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for

from collector.web import auth, users
from collector.web.database import sql
from collector.web.i18n import LANGUAGES
from collector.web.services import services
from collector.web.speech import gettext

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("login", __name__)

ATTEMPTS = 10
WINDOW_S = 300.0
MAX_TRACKED = 10_000


class Attempts:
    """Failed attempts per name and address of the last minutes; bounded, per process."""

    def __init__(self) -> None:
        self._failed: defaultdict[tuple[str, str], deque[float]] = defaultdict(lambda: deque(maxlen=ATTEMPTS))

    def exhausted(self, who: tuple[str, str], now: float) -> bool:
        """Say whether this name must wait."""
        tried = self._failed.get(who)
        return tried is not None and len(tried) == ATTEMPTS and now - tried[0] < WINDOW_S

    def failed(self, who: tuple[str, str], now: float) -> None:
        """Remember a failure."""
        if len(self._failed) >= MAX_TRACKED:
            self._failed.clear()
        self._failed[who].append(now)

    def succeeded(self, who: tuple[str, str]) -> None:
        """Forget the failures of this name."""
        self._failed.pop(who, None)


def _attempts() -> Attempts:
    kept = current_app.extensions.setdefault("vigia.attempts", Attempts())
    assert isinstance(kept, Attempts)  # noqa: S101 - ours alone
    return kept


@blueprint.get("/login")
def form() -> ResponseReturnValue:
    """Show the form; whoever is signed in goes on."""
    if auth.principal() is not None:
        return redirect(_onward())
    return render_template("login.html", wrong=None, name="")


@blueprint.post("/login")
def enter() -> ResponseReturnValue:
    """Check name and password."""
    name = request.form.get("name", "")[: users.MAX_NAME]
    who, now = (name, request.remote_addr or ""), services().clock.mono()
    if _attempts().exhausted(who, now):
        return _again(name, gettext("Too many attempts. Wait five minutes."), 429)
    user = users.check_password(sql(), name, request.form.get("password", ""))
    if user is None:
        _attempts().failed(who, now)
        return _again(name, gettext("Name or password is wrong."), 401)
    _attempts().succeeded(who)
    auth.enter(user)
    return redirect(_onward(), 303)


@blueprint.post("/logout")
def leave() -> ResponseReturnValue:
    """End the session."""
    session.clear()
    return redirect(url_for("login.form"), 303)


@blueprint.post("/language")
def language() -> ResponseReturnValue:
    """Keep the chosen language and go back to the page."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
        session.permanent = True
    return redirect(_onward(), 303)


def _again(name: str, wrong: str, status: int) -> tuple[str, int]:
    return render_template("login.html", wrong=wrong, name=name), status


def _onward() -> str:
    """Where to go next: a path of ours, never another host."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    ours = (
        wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not (parts.scheme or parts.netloc)
    )
    return wanted if ours and wanted.isprintable() and "\\" not in wanted else url_for("overview.show")
