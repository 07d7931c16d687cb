"""A state database, a virtual clock and channels that remember or fail, for the alerts' tests."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from collector import config as configuration
from collector.alerts import lifecycle
from collector.alerts.channels.errors import PermanentChannelError, TemporaryChannelError
from collector.alerts.routes import Routing
from collector.alerts.service import AlertService
from collector.log import Reporter
from collector.metrics import Metrics
from collector.model import Cause, Change, Fact, Severity, Transition
from collector.storage.state import Base, Incident, IncidentChange, Outbox, Site, open_engine

if TYPE_CHECKING:
    from pathlib import Path

T0 = 1_772_000_000_000  # Wednesday 2026-02-25 00:13:20 in Mexico City
MINUTE = 60_000


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.ms = T0

    def now_ms(self) -> int:
        return self.ms

    def mono(self) -> float:
        return self.ms / 1000


class Memo:
    """A channel that remembers, or fails as it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.tried = 0
        self.fault: BaseException | None = None
        self.gate: threading.Event | None = None

    def send(self, title: str, body: str) -> None:
        self.tried += 1
        if self.gate is not None:
            self.gate.wait(30)
        if self.fault is not None:
            raise self.fault
        self.sent.append((title, body))

    @property
    def kinds(self) -> list[str]:
        """The first word of each title: Aviso, Novedad, Recuperado."""
        return [title.split()[0] for title, _ in self.sent]


TEMPORARY = TemporaryChannelError("busy")
PERMANENT = PermanentChannelError("never")

CHANNELS: dict[str, Any] = {
    "crew": {"routes": ["crew"]},
    "office": {"routes": ["crew", "dispatcher", "maintenance"], "min_severity": "info", "language": "en"},
}


class Bench:
    """One database, two channels (crew and office), and the service over them."""

    def __init__(self, folder: Path, alerts: dict[str, Any] | None = None) -> None:
        sections = {"channels": CHANNELS} | (alerts or {})
        self.config = configuration.parse(
            {"alerts": sections, "web": {"public_url": "https://vigia.example/"}}, folder
        )
        self.engine: Engine = open_engine(f"sqlite:///{folder}/state.db")
        Base.metadata.create_all(self.engine)
        with Session(self.engine) as session, session.begin():
            session.add(
                Site(
                    id="casa",
                    name_es="Casa de Cultura San Ángel",
                    name_en="San Ángel Culture House",
                    kind="culture",
                    nominal_v=127.0,
                    priority=3,
                    sample=True,
                    safety_note="Perro bravo en el patio",
                )
            )
        self.clock = Clock()
        self.metrics = Metrics(CollectorRegistry())
        self.routing = Routing.of(self.config.alerts)
        self.crew, self.office = Memo(), Memo()
        self.service = self.restart()

    def restart(self) -> AlertService:
        """The service as a new process would make it."""
        channels = {"crew": self.crew, "office": self.office}
        names = {name: channels[name] for name in self.config.alerts.channels if name in channels}
        reporter = Reporter("alerts", self.metrics)
        self.service = AlertService(
            self.config, self.engine, self.metrics, reporter, self.clock, channels=names
        )
        return self.service

    def close(self) -> None:
        self.engine.dispose()

    def say(self, change: Change, condition: str = "outage", **more: Any) -> None:
        """Apply one transition, as the rules would say it now."""
        values: dict[str, Any] = {
            "site": "casa",
            "subject": "",
            "at_ms": self.clock.ms,
            "severity": Severity.CRITICAL,
            "cause": Cause.UNKNOWN if condition == "outage" else None,
            "confidence": 0.5,
            "facts": (Fact("modem_not_carried", {"known": False}),),
        } | more
        with Session(self.engine) as session, session.begin():
            said = Transition(change=change, condition=condition, **values)
            lifecycle.apply(session, [said], self.clock.ms, self.routing)

    def after(self, ms: int) -> Bench:
        """Let time pass, then deliver what is due."""
        self.clock.ms += ms
        for name in self.config.alerts.channels:
            self.service.deliver(name)
        return self

    def incidents(self) -> list[Incident]:
        with Session(self.engine, expire_on_commit=False) as session:
            return list(session.scalars(select(Incident).order_by(Incident.id)))

    def incident(self) -> Incident:
        (only,) = self.incidents()
        return only

    def history(self) -> list[str]:
        with Session(self.engine) as session:
            return list(session.scalars(select(IncidentChange.kind).order_by(IncidentChange.id)))

    def outbox(self) -> list[tuple[str, str, str]]:
        with Session(self.engine) as session:
            rows = session.scalars(select(Outbox).order_by(Outbox.id))
            return [(row.channel, row.kind, row.status) for row in rows]

    def person(self, what: Any, *args: Any) -> None:
        """Do what a person does to incident 1."""
        with Session(self.engine) as session, session.begin():
            what(session, 1, *args)
