"""Counters of our own, in Prometheus form; every process adds to the same folder (see ``prepare``).

Nothing else defines metrics, so that this page is their list. Labels are few and bounded: reasons,
outcomes, channels, never devices or sites.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


def prepare(folder: Path, *, wipe: bool = False) -> None:
    """Name the shared folder; must run before prometheus_client is imported anywhere in the process."""
    folder.mkdir(parents=True, exist_ok=True)
    if wipe:
        for stale in folder.glob("*.db"):
            stale.unlink(missing_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def shared_registry() -> CollectorRegistry:
    """All processes' numbers together, as the web's /metrics shows them."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - reads the folder's name at import
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - same

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # published without types
    return registry


class Metrics:
    """The counters; one instance a process, passed through constructors."""

    frames: Counter
    tables: Counter
    log_events: Counter
    retries: Counter
    batch_seconds: Histogram
    lag_seconds: Histogram
    connected: Gauge
    acks: Counter
    transitions: Counter
    notifications: Counter
    failures: Counter
    probe_ok: Gauge
    probe_seconds: Gauge

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        from prometheus_client import REGISTRY, Counter, Gauge, Histogram  # noqa: PLC0415 - see prepare

        target = registry or REGISTRY
        self.frames = Counter(
            "vigia_frames", "Frames by outcome and reason", ["outcome", "reason"], registry=target
        )
        self.tables = Counter(
            "vigia_tables_set_aside", "Tables or fields set aside", ["reason"], registry=target
        )
        self.log_events = Counter(
            "vigia_problems", "Problems by reason code, as logged", ["part", "reason"], registry=target
        )
        self.retries = Counter("vigia_retries", "Attempts repeated", ["part", "reason"], registry=target)
        self.batch_seconds = Histogram(
            "vigia_batch_seconds", "Time of each pipeline stage", ["stage"], registry=target
        )
        self.lag_seconds = Histogram(
            "vigia_lag_seconds",
            "From arrival to stored",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 60),
            registry=target,
        )
        self.connected = Gauge(
            "vigia_broker_connected",
            "Broker sessions that are up",
            registry=target,
            multiprocess_mode="livesum",
        )
        self.acks = Counter("vigia_device_acks", "End-to-end acknowledgements sent", registry=target)
        self.transitions = Counter(
            "vigia_transitions",
            "Conditions raised, revised, cleared",
            ["condition", "change"],
            registry=target,
        )
        self.notifications = Counter(
            "vigia_notifications", "Messages by channel and result", ["channel", "result"], registry=target
        )
        self.failures = Counter("vigia_process_restarts", "Parts restarted by run", ["part"], registry=target)
        self.probe_ok = Gauge(
            "vigia_probe_ok",
            "Whether a probe of the centre is well",
            ["probe"],
            registry=target,
            multiprocess_mode="mostrecent",
        )
        self.probe_seconds = Gauge(
            "vigia_probe_seconds",
            "How long its last good answer took",
            ["probe"],
            registry=target,
            multiprocess_mode="mostrecent",
        )
