"""A collector's state with facilities, devices and incidents in real SQLite, and the application on it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.orm import Session

from collector.config import parse
from collector.model import Point
from collector.storage.embedded import EmbeddedStore
from collector.storage.points import instance_tag
from collector.storage.state import (
    Assignment,
    Base,
    Device,
    DeviceState,
    Incarnation,
    Incident,
    IncidentChange,
    Outbox,
    RuleState,
    Site,
    open_engine,
)
from collector.web import users
from collector.web.app import create_app
from collector.web.services import Services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from collector.clock import Clock
    from collector.model import Value

NOW_MS = 1_772_470_800_000  # 2026-03-02 17:00 UTC, 11:00 in Mexico City
MINUTE = 60_000
PASSWORDS = {"vera": "solo miro aqui", "carla": "cuadrilla norte", "ada": "administra todo"}
SETTINGS = {"state": {"url": "sqlite:///state.db"}, "store": {"kind": "embedded"}}
ROLES = {"vera": "viewer", "carla": "crew", "ada": "admin"}


@dataclass
class StandingClock:
    """Time as the test sets it."""

    ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def mono(self) -> float:
        return self.ms / 1000


@dataclass
class Web:
    """The application and what it stands on."""

    app: Flask
    engine: Engine
    store: EmbeddedStore
    clock: Clock
    services: Services
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, name: str | None = None) -> FlaskClient:
        """A browser, signed in when a name is given."""
        client = self.app.test_client()
        if name is not None:
            form = {"name": name, "password": PASSWORDS[name], "csrf_token": csrf(client)}
            assert client.post("/login", data=form).status_code == 303
        return client

    def bearer(self, role: str) -> dict[str, str]:
        """Headers of a program with this role."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}


def csrf(client: FlaskClient) -> str:
    """The token of the client's session, made by loading a page with a form."""
    client.get("/login")
    with client.session_transaction() as session:
        return str(session["csrf"])


def seed(session: Session, now_ms: int) -> None:
    """Four facilities: one without supply, one with a weak battery, one well, one never heard of."""
    session.add_all([
        Site(
            id="mercado-olivar-del-conde",
            name_es="Mercado Olivar del Conde",
            name_en="Olivar del Conde Market",
            kind="market",
            address="Av. Santa Lucía 123, Olivar del Conde",
            lat=19.3745,
            lon=-99.2051,
            contacts="Administración: 55 1234 5678",
            keys_and_hours="Llaves con el vigilante, de 7:00 a 20:00",
            safety_note="Tablero eléctrico abierto junto al acceso 2: no tocar, usar guantes.",
            provider="Telmex",
            provider_circuit="L-0091",
            meter_number="K77-2210",
            sample=True,
        ),
        Site(
            id="biblioteca-constituyente-mexicano",
            name_es="Biblioteca Pública Constituyente Mexicano #1865",
            name_en="Mexican Constituent Public Library #1865",
            kind="library",
            address="Calle 10, Tolteca",
            lat=19.3872,
            lon=-99.1904,
        ),
        Site(
            id="centro-deportivo-plateros",
            name_es="Centro Deportivo, Ecológico y Cultural Plateros",
            name_en="Plateros Sports, Ecological and Cultural Center",
            kind="sports-center",
            lat=19.3651,
            lon=-99.1987,
        ),
        Site(id="clinica-ah-dzac", name_es="Clínica Ah Dzac", name_en="Ah Dzac Clinic", kind="clinic"),
    ])  # fmt: skip
    session.flush()
    states = {
        "mercado-olivar-del-conde": ("dark", 12),
        "biblioteca-constituyente-mexicano": ("degraded", 190),
        "centro-deportivo-plateros": ("ok", 5000),
    }
    for site, (status, minutes) in states.items():
        session.add(
            RuleState(
                site_id=site, status=status, since_ms=now_ms - minutes * MINUTE, updated_ms=now_ms, state={}
            )
        )
        _devices(session, site, now_ms)
    session.flush()
    _incidents(session, now_ms)


def _devices(session: Session, site: str, now_ms: int) -> None:
    device = f"{site.split('-', maxsplit=1)[0]}-r1"
    session.add(Device(id=device, kind="router", feed="ups:ups1", modem_feed="mains"))
    session.flush()
    session.add(Assignment(device_id=device, site_id=site))
    session.add(
        DeviceState(
            device_id=device,
            incarnation="aa" * 8,
            incarnation_order=0,
            seq=119,
            sample_ms=now_ms - 20_000,
            arrival_ms=now_ms - 15_000,
            session_phase="birth",
            hello={"agent": "0.1.0", "hardware": "GL-AR300M", "os": "OpenWrt 23.05"},
        )
    )
    session.add(
        Incarnation(
            kid=device.encode().hex()[:16].ljust(16, "0"),
            incarnation="aa" * 8,
            device_id=device,
            boot=3,
            kernel_boot="bb" * 16,
            order=0,
            stored=[[0, 99], [102, 119]],
            refused=[[100, 100, "future"]],
            first_ms=now_ms - 60 * MINUTE,
            last_ms=now_ms,
        )
    )


SUPPLY_FACTS = [
    {"code": "input_measured", "params": {"volts": 0.4, "pu": 0.003}},
    {"code": "battery_charge", "params": {"percent": 71}},
]


def _incidents(session: Session, now_ms: int) -> None:
    supply = Incident(
        site_id="mercado-olivar-del-conde",
        condition="supply_lost",
        subject="mercado-r1/ups1",
        status="notified",
        severity="critical",
        cause="mains-site",
        confidence=0.84,
        facts=SUPPLY_FACTS,
        started_ms=now_ms - 12 * MINUTE,
        opened_ms=now_ms - 12 * MINUTE + 3000,
    )
    battery = Incident(
        site_id="biblioteca-constituyente-mexicano",
        condition="battery_replace",
        subject="biblioteca-r1/ups1",
        severity="warning",
        started_ms=now_ms - 190 * MINUTE,
        opened_ms=now_ms - 190 * MINUTE,
    )
    past = Incident(
        site_id="centro-deportivo-plateros",
        condition="outage",
        status="closed",
        severity="critical",
        cause="backhaul-provider",
        confidence=0.7,
        final=True,
        started_ms=now_ms - 3000 * MINUTE,
        opened_ms=now_ms - 3000 * MINUTE,
        cleared_ms=now_ms - 2950 * MINUTE,
        closed_ms=now_ms - 2949 * MINUTE,
    )
    session.add_all([past, battery, supply])
    session.flush()
    for row in (past, battery, supply):
        opened = IncidentChange(incident_id=row.id, at_ms=row.opened_ms, kind="opened", data={})
        session.add(opened)
        session.flush()
        session.add(
            Outbox(
                incident_id=row.id,
                change_id=opened.id,
                kind="alert",
                channel="telegram",
                status="delivered",
                due_ms=row.opened_ms + MINUTE,
                attempts=1,
                delivered_ms=row.opened_ms + MINUTE,
            )
        )


def readings(now_ms: int) -> list[Point]:
    """The newest rows of the facility without supply."""
    rows: list[tuple[str, str | None, dict[str, Value]]] = [
        (
            "upsd",
            "ups1",
            {
                "battery_runtime": 1430.0,
                "load_percent": 23.0,
                "output_voltage": 121.3,
                "battery_voltage": 12.4,
                "ol": 0,
                "ob": 1,
                "lb": 0,
                "dischrg": 1,
                "age_input_ms": 900,
                "input_voltage": 0.4,
                "battery_charge_percent": 71.0,
            },
        ),
        (
            "net",
            "eth0",
            {"carrier": 1, "speed": 1000, "bytes_recv": 48_213_442_117, "bytes_sent": 9_100_200_300},
        ),
        ("net", "lan1", {"bytes_recv": 1000, "bytes_sent": 9, "carrier": 0}),
        ("wifi_ap", "phy0-ap0", {"clients": 14, "signal_p50": -61.0, "channel": 6, "clients_day": 212}),
        ("system", None, {"load1": 0.12, "uptime": 812_345}),
        ("mem", None, {"used_percent": 41.7, "total": 128_000_000, "zram_ratio": 3.5}),
        ("ping", "9.9.9.9", {"average_response_ms": 23.4, "percent_packet_loss": 0.0}),
    ]
    return [_point(*row, now_ms - 20_000) for row in rows]


def _point(measurement: str, instance: str | None, values: dict[str, Value], time_ms: int) -> Point:
    tags = {"site": "mercado-olivar-del-conde", "device": "mercado-r1"}
    if instance is not None:
        tags[instance_tag(measurement)] = instance
    return Point(measurement, tuple(sorted(tags.items())), tuple(values.items()), time_ms)


def lines(now_ms: int) -> list[Point]:
    """Voltage and traffic of the last day, every five minutes."""
    made = []
    for at, time_ms in enumerate(range(now_ms - 24 * 60 * MINUTE, now_ms - 60_000, 5 * MINUTE)):
        dark = now_ms - time_ms < 12 * MINUTE
        volts, charge = (0.0, 71.0) if dark else (124.0 + at % 7, 100.0)
        made.append(
            _point("upsd", "ups1", {"input_voltage": volts, "battery_charge_percent": charge}, time_ms)
        )
        traffic: dict[str, Value] = {"bytes_recv": at * at * 500_000, "bytes_sent": at * 30_000_000}
        made.append(_point("net", "eth0", traffic, time_ms))
    return made


def fill(folder: Path, clock: Clock) -> dict[str, str]:
    """Make state and store in a folder; returns a token for each role."""
    config = parse(SETTINGS, folder)
    engine = open_engine(config.state_url())
    Base.metadata.create_all(engine)
    now_ms, tokens = clock.now_ms(), {}
    with Session(engine) as session:
        seed(session, now_ms)
        for name, password in PASSWORDS.items():
            users.add_user(session, name, password, ROLES[name])
            tokens[ROLES[name]] = users.add_token(session, f"programa {name}", ROLES[name], now_ms)
        session.commit()
    engine.dispose()
    store = EmbeddedStore(config.store, clock)
    assert all(answer.reason is None for answer in store.write([lines(now_ms), readings(now_ms)]))
    store.close()
    return tokens


def build(folder: Path, clock: Clock, tokens: dict[str, str], **web: object) -> Web:
    """Build the application on a filled folder."""
    config = parse(SETTINGS | {"web": web}, folder)
    engine = open_engine(config.state_url())
    store = EmbeddedStore(config.store, clock)
    services = Services(engine, store, config, CollectorRegistry, clock, "s" * 40)
    return Web(create_app(services), engine, store, clock, services, tokens)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with state and store as of NOW_MS, to be copied: hashing passwords takes its time."""
    folder = tmp_path_factory.mktemp("filled")
    return folder, fill(folder, StandingClock())


@pytest.fixture
def make_web(
    tmp_path: Path, clock: StandingClock, filled: tuple[Path, dict[str, str]]
) -> Iterator[Callable[..., Web]]:
    made = []
    folder, tokens = filled
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)

    def make(**settings: object) -> Web:
        made.append(build(tmp_path, clock, tokens, **settings))
        return made[-1]

    yield make
    for web in made:
        web.app.extensions["vigia.live"].close()
        web.store.close()
        web.engine.dispose()


@pytest.fixture
def web(make_web: Callable[..., Web]) -> Web:
    return make_web()
