"""Runs the web application under gunicorn: threads, one place for each live stream beside them.

``serve`` returns after SIGTERM, soon even while streams are open: the worker ends them first.
"""

from __future__ import annotations

import logging
import os
import secrets
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped] # no type information published
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped] # same

from collector.config import secret
from collector.errors import ConfigError
from collector.web.app import LIVE_CLIENTS, create_app
from collector.web.services import Services

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped] # no type information published
    from prometheus_client import CollectorRegistry
    from sqlalchemy import Engine

    from collector.clock import Clock
    from collector.config import Config, WebConfig
    from collector.storage.port import Store

LOG = logging.getLogger("vigia.web")
GRACE_S = 3
SECRET_VARIABLE = "VIGIA_WEB_SECRET"  # noqa: S105 - the name of a variable
MIN_SECRET = 32


class Worker(ThreadWorker):  # type: ignore[misc] # its base has no types
    """gunicorn's threaded worker, which ends the live streams when it is told to stop."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: no new streams, the open ones end now."""
        self._end_streams()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGINT and SIGQUIT: the same."""
        self._end_streams()
        super().handle_quit(sig, frame)

    def _end_streams(self) -> None:
        app = getattr(self, "wsgi", None)
        if app is not None:
            app.extensions["vigia.live"].close()


class Server(BaseApplication):  # type: ignore[misc] # its base has no types
    """A gunicorn that is configured by values, without files or arguments."""

    def __init__(self, settings: dict[str, Any], make_app: Callable[[], Flask]) -> None:
        self._settings = settings
        self._make_app = make_app
        super().__init__()

    def load_config(self) -> None:
        """Take the values."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application, in the worker, after the fork."""
        return self._make_app()


def serve(
    config: Config,
    engine: Engine,
    store: Store,
    metrics_registry: Callable[[], CollectorRegistry],
    clock: Clock,
    port_file: Path | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    The workers are forks: ``engine``'s connections are left to the parent, ``store`` must not have been
    used yet. With port 0 the system chooses one; the real one is logged and, when ``port_file`` is given,
    written there (text, atomically) as soon as connections are accepted.
    """
    services = Services(
        engine, store, config, metrics_registry, clock, session_secret(config.web.secret_file)
    )

    def make_app() -> Flask:
        engine.dispose(close=False)
        return create_app(services)

    Server(_settings(config.web, port_file), make_app).run()


def session_secret(path: Path) -> str:
    """Return what signs the sessions: from the environment, else the file; a missing file is made, 0600."""
    if not os.environ.get(SECRET_VARIABLE) and not path.exists():
        try:
            path.touch(mode=0o600, exist_ok=False)
            path.write_text(secrets.token_urlsafe(48) + "\n", encoding="ascii")
        except OSError as error:
            text = f"{path}: cannot be written ({error.strerror}); or set {SECRET_VARIABLE}"
            raise ConfigError(text) from error
    value = secret(path, SECRET_VARIABLE)
    if len(value) < MIN_SECRET:
        raise ConfigError(f"{path}: the session secret must have at least {MIN_SECRET} characters")
    return value


def _settings(config: WebConfig, port_file: Path | None) -> dict[str, Any]:
    host = f"[{config.host}]" if ":" in config.host else config.host
    return {
        "bind": f"{host}:{config.port}",
        "workers": config.workers,
        "threads": config.threads + LIVE_CLIENTS,
        "worker_class": Worker,
        "worker_connections": 1000 + LIVE_CLIENTS,
        "graceful_timeout": GRACE_S,
        "keepalive": 5,
        "proc_name": "vigia-web",
        "control_socket_disable": True,
        "errorlog": "-",
        "loglevel": "warning",
        "when_ready": lambda arbiter: _announce(arbiter, config.host, port_file),
    }


def _announce(arbiter: Arbiter, host: str, port_file: Path | None) -> None:
    """Say which port it became."""
    port = arbiter.LISTENERS[0].sock.getsockname()[1]
    LOG.info("listening on http://%s:%d", host, port)
    if port_file is not None:
        draft = port_file.with_name(port_file.name + ".new")
        draft.write_text(f"{port}\n", encoding="ascii")
        draft.replace(port_file)
