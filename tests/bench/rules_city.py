"""What the rules cost at the centre: ``python -m tests.bench.rules_city`` (a city, quiet and in a storm).

A state of so many sites in SQLite, each with one router that speaks every 30 s: a second of frames is judged
as the ingest judges it (``observe``), then time passes (``tick``). CPU seconds of this process per second of
the day; 0.25 is a quarter of one core. Then a share of the sites falls silent within one minute.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import click
from prometheus_client import CollectorRegistry
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from collector.config import AlertsConfig, ChannelConfig, Config, RegistryConfig
from collector.judge import Judge
from collector.log import Reporter
from collector.metrics import Metrics
from collector.model import Arrival, Readings
from collector.registry import Registry
from collector.storage.state import (
    Assignment,
    Base,
    Device,
    Incident,
    RuleState,
    Site,
    open_engine,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from collector.model import Observation, Value

START_MS = 1_772_000_000_000
FRAME_S = 30
FLAGS = {name: 0 for name in ("ob", "lb", "rb", "cal", "data_stale", "driver_lost", "unknown_ups")}  # noqa: C420 - a table of fields


class _Clock:
    def now_ms(self) -> int:
        return START_MS

    def mono(self) -> float:
        return 0.0


def settle(engine: Engine, sites: int) -> None:
    """Build a city: 30 km wide, three providers, every second site on a UPS."""
    rng = Random(1)  # noqa: S311 - chance that can be repeated
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.execute(
            insert(Site),
            [
                {
                    "id": f"s{number}", "name_es": f"S{number}", "name_en": f"S{number}", "kind": "library",
                    "nominal_v": 127.0, "priority": 3, "sample": False, "provider": f"p{number % 3}",
                    "lat": 19.3 + rng.uniform(0, 0.27), "lon": -99.2 + rng.uniform(0, 0.28),
                }
                for number in range(sites)
            ],
        )  # fmt: skip
        session.execute(
            insert(Device),
            [
                {"id": f"d{number}", "kind": "router", "feed": feed, "modem_feed": feed}
                for number, feed in zip(range(sites), itertools.cycle(("mains", "ups:u")), strict=False)
            ],
        )
        session.execute(
            insert(Assignment),
            [{"device_id": f"d{number}", "site_id": f"s{number}", "from_ms": 0} for number in range(sites)],
        )


class Day:
    """A city's second after second; ``silent`` sites say nothing."""

    def __init__(self, engine: Engine, sites: int) -> None:
        self.engine, self.sites = engine, sites
        crew = ChannelConfig(min_severity="info")
        config = Config(alerts=AlertsConfig(channels={"crew": crew}))
        metrics = Metrics(CollectorRegistry())
        registry = Registry(engine, RegistryConfig(enrolments_dir=None), Reporter("bench", metrics), _Clock())
        self.judge = Judge(registry, config, metrics)
        self.names = [site.id for site in registry.sites()]
        self.silent: set[int] = set()
        self.second = 0

    def pass_second(self) -> tuple[float, float]:
        """Judge a second; return the CPU seconds of frames and of the tick."""
        self.second += 1
        now_ms = START_MS + self.second * 1000
        begun = time.process_time()
        speaking = [
            number
            for number in range(self.second % FRAME_S, self.sites, FRAME_S)
            if number not in self.silent
        ]
        with Session(self.engine) as session, session.begin():
            names = [f"s{number}" for number in speaking]
            rows = session.scalars(select(RuleState).where(RuleState.site_id.in_(names))).all()
            for number in speaking:
                device = f"d{number}"
                fields: dict[str, Value] = {"ol": 1, "input_voltage": 127.0, "age_input_ms": 500, **FLAGS}
                told: list[Observation] = [
                    Arrival(device, now_ms),
                    *(Readings(device, now_ms - ago, "upsd", "u", fields) for ago in (20_000, 10_000, 0)),
                ]
                self.judge.observe(session, f"s{number}", told, now_ms)
            del rows
        heard = time.process_time()
        with Session(self.engine) as session, session.begin():
            self.judge.tick(session, self.names, now_ms)
        return heard - begun, time.process_time() - heard


def measure(day: Day, seconds: int, what: str) -> None:
    """Let seconds pass and print what they cost."""
    costs = [day.pass_second() for _ in range(seconds)]
    frames, ticks = (sum(part) / seconds for part in zip(*costs, strict=True))
    worst = max(sum(cost) for cost in costs)
    with Session(day.engine) as session:
        incidents = session.scalar(select(func.count()).select_from(Incident))
    click.echo(
        f"{what}: {frames + ticks:.3f} CPU s per s (frames {frames:.3f}, ticks {ticks:.3f}), "
        f"worst second {worst:.2f}, {incidents} incidents"
    )


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--sites", type=int, default=33_000)
    ask.add_argument("--silent", type=float, default=0.1, help="share of the sites that fall silent")
    given = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'state.db'}")
        settle(engine, given.sites)
        day = Day(engine, given.sites)
        measure(day, 60, "first minute (everybody new)")
        measure(day, 60, "quiet")
        day.silent = set(range(0, given.sites, round(1 / given.silent)))
        measure(day, 75, f"{len(day.silent)} sites fall silent")
        measure(day, 60, "they are found")
        measure(day, 60, "they are dark")
        engine.dispose()


if __name__ == "__main__":
    main()
