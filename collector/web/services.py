"""What the web application is given by its composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prometheus_client import CollectorRegistry
    from sqlalchemy import Engine

    from collector.clock import Clock
    from collector.config import Config
    from collector.storage.port import Store


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the application uses from outside.

    ``secret`` signs session cookies. ``metrics_registry`` returns the registry that /metrics shows.
    ``checks`` are further readiness checks by name, beside state and store: each returns, or raises
    ``VigiaError``.
    """

    engine: Engine
    store: Store
    config: Config
    metrics_registry: Callable[[], CollectorRegistry]
    clock: Clock
    secret: str
    checks: Mapping[str, Callable[[], None]] = field(default_factory=dict)


def services() -> Services:
    """Return the services of the application that handles this request."""
    return cast("Services", current_app.extensions["vigia"])
