"""Three facilities, each with a router on the mains, judged together over one state database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from collector import config as configuration
from collector.alerts import stages
from collector.alerts.routes import Routing
from collector.judge import Judge
from collector.log import Reporter
from collector.metrics import Metrics
from collector.model import Arrival, Born
from collector.registry import Registry
from collector.storage.state import (
    AreaMember,
    Assignment,
    Base,
    Device,
    Incident,
    Outbox,
    Site,
    open_engine,
)
from tests.rules.timeline import ms, ups

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

METRE = 1.0 / 111_195.0
CHANNELS = {"crew": {"routes": ["crew"]}, "desk": {"routes": ["dispatcher"]}}


class Clock:
    """Stands still; the steps bring their own time."""

    def now_ms(self) -> int:
        return ms(0)

    def mono(self) -> float:
        return 0.0


def hurry(connection: Any, _record: object) -> None:
    """Leave out what protects from a loss of power."""
    connection.execute("PRAGMA synchronous=OFF")


class Town:
    """``sites``: id -> metres north of the first; each has the router ``<id>-r``."""

    def __init__(
        self,
        folder: Path,
        sites: Mapping[str, float],
        *,
        feed: str = "mains",
        **columns: Any,
    ) -> None:
        self.engine = open_engine(f"sqlite:///{folder}/state.db")
        event.listen(
            self.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF")
        )
        Base.metadata.create_all(self.engine)
        self.names = list(sites)
        with Session(self.engine) as session, session.begin():
            for name, north_m in sites.items():
                values = {"lat": 19.36 + north_m * METRE, "lon": -99.2} | columns
                session.add(
                    Site(
                        id=name, name_es=name.title(), name_en=name.title(), kind="library",
                        nominal_v=127.0, priority=3, sample=True, **values,
                    )
                )  # fmt: skip
                session.add(Device(id=f"{name}-r", kind="router", feed=feed, modem_feed=feed))
            session.flush()
            for name in sites:
                session.add(Assignment(device_id=f"{name}-r", site_id=name, from_ms=0))
        self.config = configuration.parse({"alerts": {"channels": CHANNELS}}, folder)
        self.second = 0
        self.silent: set[str] = set()
        self.restart()

    def restart(self) -> None:
        """A new process: nothing is remembered but what is in SQL."""
        metrics = Metrics(CollectorRegistry())
        registry = Registry(
            self.engine, self.config.registry.model_copy(update={"enrolments_dir": None}),
            Reporter("test", metrics), Clock(),
        )  # fmt: skip
        self.judge = Judge(registry, self.config, metrics)

    def born(self) -> Town:
        for name in self.names:
            self.hear(name, Born(f"{name}-r", ms(self.second), "k1", {"intervals": {"frame": 30_000}}, "i1"))
        return self

    def hear(self, name: str, *more: Any) -> None:
        with Session(self.engine) as session, session.begin():
            arrival = Arrival(f"{name}-r", ms(self.second))
            self.judge.observe(session, name, (arrival, *more), ms(self.second))

    def ups(self, name: str, status: str, **more: Any) -> None:
        self.hear(name, ups(self.second, status, f"{name}-r", **more))

    def until(self, second: int, step: int = 5) -> Town:
        """Let time pass, a tick every ``step`` seconds; who is not silent speaks every ten."""
        while self.second < second:
            self.second = min(second, self.second + step)
            for name in self.names:
                if self.second % 10 == 0 and name not in self.silent:
                    self.hear(name)
            self.tick()
        return self

    def tick(self) -> None:
        with Session(self.engine) as session, session.begin():
            self.judge.tick(session, self.names, ms(self.second))

    def incidents(self, condition: str = "outage") -> dict[str, Incident]:
        """The newest incident of each site."""
        with Session(self.engine, expire_on_commit=False) as session:
            query = select(Incident).where(Incident.condition == condition).order_by(Incident.id)
            return {row.site_id: row for row in session.scalars(query)}

    def members(self) -> list[tuple[str, bool, str]]:
        """Site, whether it is in the area, and why it left."""
        with Session(self.engine) as session:
            rows = session.scalars(select(AreaMember).order_by(AreaMember.id))
            return [(row.site_id, row.left_ms is None, row.reason) for row in rows]

    def waiting(self) -> list[tuple[str, str, str]]:
        """Site or area, kind and channel of what will be sent."""
        routing = Routing.of(self.config.alerts)
        with Session(self.engine) as session:
            query = (
                select(Outbox, Incident)
                .join(Incident, Incident.id == Outbox.incident_id)
                .where(Outbox.status == "pending")
                .order_by(Outbox.id)
            )
            return [
                ("area" if row.condition == "area" else row.site_id, sent.kind, sent.channel)
                for sent, row in session.execute(query)
                if stages.unwanted(sent, row, (), routing) is None
            ]
