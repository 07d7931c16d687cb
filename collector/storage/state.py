"""The collector's own state in SQL: registry, reception, rules, incidents, outbox.

SQLAlchemy 2 models for SQLite and PostgreSQL; migrations under ``migrations/``. Times are integers in
milliseconds since 1970 UTC (``_ms``). Readings are not here: they are in the store (InfluxDB or embedded).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# SQLite only autoincrements INTEGER; PostgreSQL wants 64 bits.
Serial = BigInteger().with_variant(Integer, "sqlite")
Milliseconds = BigInteger


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, bytes: LargeBinary}  # noqa: RUF012 - as SQLAlchemy documents it


# --- registry -----------------------------------------------------------------------------------


class Site(Base):
    """A facility. What is not known is None; nothing is guessed."""

    __tablename__ = "site"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name_es: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40))
    address: Mapped[str | None] = mapped_column(String(300))
    lat: Mapped[float | None] = mapped_column(Float)
    lon: Mapped[float | None] = mapped_column(Float)
    premises: Mapped[str | None] = mapped_column(String(64))
    service: Mapped[str | None] = mapped_column(String(8))
    nominal_v: Mapped[float] = mapped_column(Float, default=127.0)
    circuit: Mapped[str | None] = mapped_column(String(64))
    utility_service: Mapped[str | None] = mapped_column(String(64))
    meter_number: Mapped[str | None] = mapped_column(String(64))
    provider: Mapped[str | None] = mapped_column(String(64))
    provider_circuit: Mapped[str | None] = mapped_column(String(64))
    keys_and_hours: Mapped[str | None] = mapped_column(Text)
    contacts: Mapped[str | None] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(Integer, default=3)
    safety_note: Mapped[str | None] = mapped_column(Text)
    sample: Mapped[bool] = mapped_column(default=False)


class SiteGroup(Base):
    """Sites that an operator put together, because they are known to share something."""

    __tablename__ = "site_group"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"), primary_key=True)


class Device(Base):
    """A position at a site; the unit that fills it is known by its keys."""

    __tablename__ = "device"

    id: Mapped[str] = mapped_column(String(63), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), default="router")
    feed: Mapped[str | None] = mapped_column(String(64))  # mains, ups:<id>, poe:<device>; None: unknown
    modem_feed: Mapped[str | None] = mapped_column(String(64))  # of the modem it hangs on
    uplink: Mapped[str | None] = mapped_column(String(63))
    serial: Mapped[str | None] = mapped_column(String(64))
    assignments: Mapped[list[Assignment]] = relationship(order_by="Assignment.from_ms")
    keys: Mapped[list[Key]] = relationship()


class Assignment(Base):
    """A device is at a site from ``from_ms`` until ``to_ms`` (None: still)."""

    __tablename__ = "assignment"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("device.id"), index=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"), index=True)
    from_ms: Mapped[int] = mapped_column(Milliseconds, default=0)
    to_ms: Mapped[int | None] = mapped_column(Milliseconds)


class Key(Base):
    """A public key that may sign for a device. ``spki`` is the DER SubjectPublicKeyInfo."""

    __tablename__ = "key"

    kid: Mapped[str] = mapped_column(String(16), primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("device.id"), index=True)
    spki: Mapped[bytes] = mapped_column()
    from_ms: Mapped[int] = mapped_column(Milliseconds, default=0)
    revoked_ms: Mapped[int | None] = mapped_column(Milliseconds)


# --- reception ----------------------------------------------------------------------------------


class Incarnation(Base):
    """One start of an agent: its clock anchor and the seqs received, as intervals ``[[lo, hi], ...]``."""

    __tablename__ = "incarnation"

    kid: Mapped[str] = mapped_column(String(16), primary_key=True)
    incarnation: Mapped[str] = mapped_column(String(16), primary_key=True)
    device_id: Mapped[str] = mapped_column(String(63), index=True)
    boot: Mapped[int] = mapped_column(BigInteger)
    kernel_boot: Mapped[str] = mapped_column(String(32))
    order: Mapped[int] = mapped_column(BigInteger)  # of a device's incarnations: by key, boot, first seen
    anchor_ms: Mapped[int | None] = mapped_column(Milliseconds)  # wall minus uptime
    anchor_source: Mapped[str | None] = mapped_column(String(10))  # a Quality
    clock_trusted: Mapped[bool] = mapped_column(default=True)
    fault_seq: Mapped[int | None] = mapped_column(BigInteger)  # from this seq on the device's wall is ignored
    fault_anchor_ms: Mapped[int | None] = mapped_column(Milliseconds)  # and this anchor used
    fault_source: Mapped[str | None] = mapped_column(String(10))  # a Quality
    judged_seq: Mapped[int] = mapped_column(BigInteger, default=-1)  # of births: whose clock was looked at
    floor: Mapped[int] = mapped_column(BigInteger, default=0)  # seqs below are too old to judge
    stored_below: Mapped[int] = mapped_column(BigInteger, default=0)  # how many of them were stored
    stored: Mapped[list[Any]] = mapped_column(default=list)
    refused: Mapped[list[Any]] = mapped_column(default=list)  # [[lo, hi, reason], ...]
    dropped: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the device's own account
    first_ms: Mapped[int] = mapped_column(Milliseconds)
    last_ms: Mapped[int] = mapped_column(Milliseconds)
    live_first_ms: Mapped[int | None] = mapped_column(Milliseconds)  # arrival of frames just sealed
    live_last_ms: Mapped[int | None] = mapped_column(Milliseconds)
    tail: Mapped[bytes] = mapped_column(default=b"")  # what the newest seqs held (ingest/tail)


class KeyFloor(Base):
    """Up to which boot counter a key's incarnations may have been forgotten."""

    __tablename__ = "key_floor"

    kid: Mapped[str] = mapped_column(String(16), primary_key=True)
    boot: Mapped[int] = mapped_column(BigInteger)


class DeviceName(Base):
    """An instance or an unknown field that was taken of a device: what its limits count."""

    __tablename__ = "device_name"

    device_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    measurement: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # instance, field
    name: Mapped[str] = mapped_column(String(128), primary_key=True)


class DeviceState(Base):
    """What is current of a device: its newest frame, its session, what it said of itself."""

    __tablename__ = "device_state"

    device_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    incarnation: Mapped[str | None] = mapped_column(String(16))
    incarnation_order: Mapped[int] = mapped_column(BigInteger, default=-1)
    seq: Mapped[int] = mapped_column(BigInteger, default=-1)
    sample_ms: Mapped[int | None] = mapped_column(Milliseconds)  # time of its newest sample
    arrival_ms: Mapped[int | None] = mapped_column(Milliseconds)
    session_order: Mapped[int] = mapped_column(BigInteger, default=-1)
    session: Mapped[int] = mapped_column(BigInteger, default=-1)
    session_phase: Mapped[str] = mapped_column(String(8), default="none")  # none, birth, death
    hello: Mapped[dict[str, Any]] = mapped_column(default=dict)
    speaker: Mapped[str | None] = mapped_column(String(16))  # the incarnation last heard live


class LateHour(Base):
    """An hour of a site for which readings came after its means were made; see ``means``."""

    __tablename__ = "late_hour"

    site_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    hour_ms: Mapped[int] = mapped_column(Milliseconds, primary_key=True)
    first_ms: Mapped[int] = mapped_column(Milliseconds)  # arrival of the first reading not in the means
    last_ms: Mapped[int] = mapped_column(Milliseconds)  # and of the last one


class Lease(Base):
    """Who may write for a shard: the epoch is checked in every transaction."""

    __tablename__ = "lease"

    shard: Mapped[str] = mapped_column(String(1), primary_key=True)
    owner: Mapped[str] = mapped_column(String(100))
    epoch: Mapped[int] = mapped_column(BigInteger)
    expires_ms: Mapped[int] = mapped_column(Milliseconds)


class Quarantined(Base):
    """A frame or table that was not accepted, with its reason; ``held`` ones wait for requeue."""

    __tablename__ = "quarantined"
    __table_args__ = (Index("ix_quarantined_device", "device_id", "held", "id"),)

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    at_ms: Mapped[int] = mapped_column(Milliseconds, index=True)
    reason: Mapped[str] = mapped_column(String(40))
    device_id: Mapped[str | None] = mapped_column(String(63))
    topic: Mapped[str] = mapped_column(String(200))
    payload: Mapped[bytes] = mapped_column()
    size: Mapped[int] = mapped_column(Integer)
    held: Mapped[bool] = mapped_column(default=False)
    detail: Mapped[str] = mapped_column(String(300), default="")  # of held ones: the measurements
    sealed_ms: Mapped[int | None] = mapped_column(Milliseconds)  # of held ones: when it was sealed
    quality: Mapped[str | None] = mapped_column(String(10))  # and how that is known


# --- rules, incidents, notifications ------------------------------------------------------------


class RuleState(Base):
    """The rules' memory of a site, as JSON; written in the transaction that used it."""

    __tablename__ = "rule_state"

    site_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    status: Mapped[str] = mapped_column(String(16), default="waiting")  # waiting, ok, degraded, dark, hazard
    since_ms: Mapped[int] = mapped_column(Milliseconds, default=0)
    state: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_ms: Mapped[int] = mapped_column(Milliseconds)
    # what neighbours ask of a site, so that nobody reads its memory for it
    heard_ms: Mapped[int] = mapped_column(Milliseconds, default=0)  # its last word
    mains: Mapped[bool | None] = mapped_column()  # whether it has supply; None: it cannot tell


class Fall(Base):
    """A site lost its supply or its voice: from ``fell_ms`` until ``back_ms`` (None: still)."""

    __tablename__ = "fall"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    site_id: Mapped[str] = mapped_column(String(64), index=True)
    condition: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(160), default="")
    fell_ms: Mapped[int] = mapped_column(Milliseconds)
    back_ms: Mapped[int | None] = mapped_column(Milliseconds)
    changed_ms: Mapped[int] = mapped_column(Milliseconds, index=True)  # by the collector's clock


class Fallen(Base):
    """How often a site fell, as far as it was counted; see ``around/learned``."""

    __tablename__ = "fallen"

    site_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    times: Mapped[int] = mapped_column(Integer, default=0)


class FellTogether(Base):
    """How often two sites near each other fell together; ``site_id`` < ``other_id``."""

    __tablename__ = "fell_together"

    site_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    other_id: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    times: Mapped[int] = mapped_column(Integer, default=0)


class WorkWindow(Base):
    """Announced work (``planned``), or work of our own in which nobody is told (``maintenance``).

    Its scope is one of site, group, circuit, provider, a circle, or everything when all are None.
    """

    __tablename__ = "work_window"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), default="planned")
    from_ms: Mapped[int] = mapped_column(Milliseconds)
    to_ms: Mapped[int] = mapped_column(Milliseconds, index=True)
    site_id: Mapped[str | None] = mapped_column(String(64))
    group_name: Mapped[str | None] = mapped_column(String(64))
    circuit: Mapped[str | None] = mapped_column(String(64))
    provider: Mapped[str | None] = mapped_column(String(64))
    lat: Mapped[float | None] = mapped_column(Float)
    lon: Mapped[float | None] = mapped_column(Float)
    radius_m: Mapped[float | None] = mapped_column(Float)
    what: Mapped[str] = mapped_column(String(200), default="")
    by: Mapped[str] = mapped_column(String(64), default="")
    created_ms: Mapped[int] = mapped_column(Milliseconds)
    cancelled_ms: Mapped[int | None] = mapped_column(Milliseconds)


class Probe(Base):
    """What a probe of the centre saw last. ``ok`` None: it was never asked, or nobody knows."""

    __tablename__ = "probe"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)  # broker, store, uplink
    ok: Mapped[bool | None] = mapped_column()
    since_ms: Mapped[int] = mapped_column(Milliseconds)  # since when it is so
    checked_ms: Mapped[int] = mapped_column(Milliseconds)
    good_ms: Mapped[int | None] = mapped_column(Milliseconds)  # its last success
    failures: Mapped[int] = mapped_column(Integer, default=0)  # in a row
    latency_ms: Mapped[float | None] = mapped_column(Float)
    detail: Mapped[str] = mapped_column(String(300), default="")


class CentreSpan(Base):
    """A time in which the centre itself was at fault, or (``ingest``) did not listen: unobserved."""

    __tablename__ = "centre_span"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    what: Mapped[str] = mapped_column(String(16))  # broker, store, uplink, ingest
    since_ms: Mapped[int] = mapped_column(Milliseconds)
    until_ms: Mapped[int | None] = mapped_column(Milliseconds, index=True)
    refuted: Mapped[bool] = mapped_column(default=False)  # somebody was heard all the same


class Incident(Base):
    """A condition of a site with a life of its own. ``status`` moves by the table in alerts/lifecycle."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_key", "site_id", "condition", "subject", "closed_ms"),
        Index("ix_incident_open", "cleared_ms", "cause"),
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"))
    condition: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(160), default="")
    status: Mapped[str] = mapped_column(String(16), default="open")
    severity: Mapped[str] = mapped_column(String(10))
    cause: Mapped[str | None] = mapped_column(String(20))
    confidence: Mapped[float | None] = mapped_column(Float)
    facts: Mapped[list[Any]] = mapped_column(default=list)  # [{"code": str, "params": {...}}, ...]
    final: Mapped[bool] = mapped_column(default=False)
    found_on_return: Mapped[bool] = mapped_column(default=False)
    started_ms: Mapped[int] = mapped_column(Milliseconds)  # when it happened
    opened_ms: Mapped[int] = mapped_column(Milliseconds, index=True)  # when it was noticed
    cleared_ms: Mapped[int | None] = mapped_column(Milliseconds)  # when data said it was over
    closed_ms: Mapped[int | None] = mapped_column(Milliseconds)  # nothing more is expected
    owner: Mapped[str | None] = mapped_column(String(64))
    cause_code: Mapped[str | None] = mapped_column(String(40))  # what the crew found
    changes: Mapped[list[IncidentChange]] = relationship(order_by="IncidentChange.id")


class Area(Base):
    """What the incident of an area has besides: which cause, and since when most of it is back."""

    __tablename__ = "area"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True, autoincrement=False)
    cause: Mapped[str] = mapped_column(String(20))
    back_ms: Mapped[int | None] = mapped_column(Milliseconds)


class AreaMember(Base):
    """An incident of one site while it belongs to the incident of an area."""

    __tablename__ = "area_member"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    site_id: Mapped[str] = mapped_column(String(64))
    joined_ms: Mapped[int] = mapped_column(Milliseconds)
    left_ms: Mapped[int | None] = mapped_column(Milliseconds, index=True)
    reason: Mapped[str] = mapped_column(String(20), default="")  # why it left: back, cause, left_behind


class IncidentChange(Base):
    """One step of an incident's history; the live feed follows ``id``."""

    __tablename__ = "incident_change"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    at_ms: Mapped[int] = mapped_column(Milliseconds)
    kind: Mapped[str] = mapped_column(String(16))  # opened, revised, cleared, reopened, acknowledged, ...
    by: Mapped[str] = mapped_column(String(64), default="rules")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Outbox(Base):
    """One message to one channel. Claimed and delivered are apart, so a crash between loses nothing."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("incident_id", "change_id", "channel"),)

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    change_id: Mapped[int] = mapped_column(ForeignKey("incident_change.id"))
    kind: Mapped[str] = mapped_column(String(10))  # alert, update, recovery
    channel: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(12), default="pending", index=True)
    due_ms: Mapped[int] = mapped_column(Milliseconds)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    claimed_by: Mapped[str | None] = mapped_column(String(100))
    claimed_ms: Mapped[int | None] = mapped_column(Milliseconds)
    delivered_ms: Mapped[int | None] = mapped_column(Milliseconds)
    reason: Mapped[str | None] = mapped_column(String(300))  # why cancelled, deferred or failed


class Cursor(Base):
    """How far a follower of a serial number has come."""

    __tablename__ = "cursor"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, default=0)


# --- people -------------------------------------------------------------------------------------


class User(Base):
    """Somebody who may sign in: viewer, crew or admin."""

    __tablename__ = "user"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(300))
    role: Mapped[str] = mapped_column(String(10), default="viewer")


class ApiToken(Base):
    """A bearer token, kept as its SHA-256."""

    __tablename__ = "api_token"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    label: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(10), default="viewer")
    created_ms: Mapped[int] = mapped_column(Milliseconds)


def open_engine(url: str) -> Engine:
    """Open the state database. SQLite gets WAL, foreign keys and a 10 s busy wait."""
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """WAL lets web and ingest share one file; FULL, because an acked frame must survive a power cut."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
