"""For machines that watch the watcher: alive, ready, and our own numbers. Open, and without details."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from collector.errors import VigiaError
from collector.web import centre
from collector.web.database import sql
from collector.web.services import services

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = logging.getLogger("vigia.web")
blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Answer as long as the process does."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Say which of state, store and further checks works; 503 when one does not. Reasons are logged.

    ``probes`` are what the centre's probes see: for information, for a web server is ready without them.
    """
    given = services()
    checks: dict[str, Callable[[], None]] = {"state": _state, "store": given.store.check, **given.checks}
    results = {name: _passes(name, check) for name, check in checks.items()}
    ready = all(results.values())
    words = {name: "ok" if passed else "failed" for name, passed in results.items()}
    answer = jsonify(status="ok" if ready else "failed", checks=words, probes=_probes())
    return answer, 200 if ready else 503


def _probes() -> dict[str, str]:
    try:
        return {one["name"]: one["health"] for one in centre.probes(sql(), services().clock.now_ms())}
    except SQLAlchemyError:
        return {}


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counters of all our processes in Prometheus form."""
    return Response(generate_latest(services().metrics_registry()), content_type=CONTENT_TYPE_LATEST)


def _state() -> None:
    sql().execute(text("SELECT 1"))


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except (VigiaError, SQLAlchemyError) as error:
        LOG.warning("not_ready: %s: %s", name, error)
        return False
    return True
