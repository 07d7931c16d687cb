"""What the centre has at the end: frames in the state, points in the store, incidents and messages."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from sqlalchemy import select
from sqlalchemy.orm import Session

from collector.storage.state import Incarnation, Incident, Outbox, Quarantined, open_engine
from simulators.chaos import readers
from simulators.chaos.compare import Centre, Place
from simulators.chaos.servers import ORG, TOKEN

if TYPE_CHECKING:
    from collector.config import Config
    from simulators.chaos.journal import Id

CONDITION = "supply_lost"
UNPROCESSABLE = 422  # InfluxDB's answer to a type conflict
_TAGS = ("site", "device", "interface")
_FLUX = """
from(bucket: _bucket) |> range(start: 1970-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z)
  |> filter(fn: (r) => r._measurement == _measurement and r._field == _name)
"""


@dataclass(frozen=True, slots=True)
class State:
    """The state's word: frames, the devices' own accounts, what was set aside, incidents by subject."""

    stored: frozenset[Id]
    refused: dict[Id, str]
    dropped: dict[str, dict[str, int]]  # incarnation: its account
    quarantined: tuple[tuple[str, str], ...]  # reason, digest of the message
    incidents: Counter[str]  # of supply lost, by subject
    messages: Counter[str]  # alerts in the outbox, by subject


def state(config: Config) -> State:
    """Read the state."""
    engine = open_engine(config.state_url())
    with Session(engine) as session:
        stored: set[Id] = set()
        refused: dict[Id, str] = {}
        dropped = {}
        for row in session.scalars(select(Incarnation)):
            stored |= {(row.incarnation, seq) for lo, hi in row.stored for seq in range(lo, hi + 1)}
            for lo, hi, reason in row.refused:
                refused |= {(row.incarnation, seq): reason for seq in range(lo, hi + 1)}
            dropped[row.incarnation] = dict(row.dropped)
        set_aside = tuple(
            (row.reason, hashlib.sha256(row.payload).hexdigest())
            for row in session.scalars(select(Quarantined))
        )
        incidents, messages = _incidents(session)
    engine.dispose()
    return State(frozenset(stored), refused, dropped, set_aside, incidents, messages)


def _incidents(session: Session) -> tuple[Counter[str], Counter[str]]:
    incidents: Counter[str] = Counter()
    messages: Counter[str] = Counter()
    for incident in session.scalars(select(Incident).where(Incident.condition == CONDITION)):
        incidents[incident.subject] += 1
        query = select(Outbox).where(Outbox.incident_id == incident.id, Outbox.kind == "alert")
        messages[incident.subject] += len(session.scalars(query).all())
    return incidents, messages


def open_incidents(config: Config) -> set[str]:
    """Return the subjects that have an incident of supply lost."""
    engine = open_engine(config.state_url())
    with Session(engine) as session:
        found = set(session.scalars(select(Incident.subject).where(Incident.condition == CONDITION)))
    engine.dispose()
    return found


def points(config: Config) -> tuple[tuple[int, Place], ...]:
    """Return every sample in the store with its place, from both buckets."""
    influx = config.store.influx
    found: list[tuple[int, Place]] = []
    with InfluxDBClient(influx.url, TOKEN, org=ORG, timeout=60_000) as client:
        for bucket in (influx.bucket, influx.long_bucket):
            params = {"_bucket": bucket, "_measurement": readers.MEASUREMENT, "_name": readers.FIELD}
            for record in client.query_api().query_stream(_FLUX, params=params):
                series = "/".join([bucket, *(str(record.values.get(tag)) for tag in _TAGS)])
                found.append((int(record.values["_value"]), (series, _ms(record.values["_time"]))))
    return tuple(found)


def centre(state: State, found: tuple[tuple[int, Place], ...]) -> Centre:
    """Put both together for the comparison."""
    return Centre(state.stored, state.refused, found)


def spoil_type(config: Config) -> None:
    """Let the store know a field as an integer, so that the device's float is a type conflict."""
    influx = config.store.influx
    measurement, field = readers.CONFLICT
    line = f"{measurement},site=other,device=other,meter=other {field}=1i"
    with InfluxDBClient(influx.url, TOKEN, org=ORG) as client:
        writer: Any = client.write_api(write_options=SYNCHRONOUS)
        writer.write(influx.bucket, record=line)


def has_forgotten_type(config: Config) -> bool:
    """Say whether the store no longer takes the field as an integer, as which it had acknowledged it.

    InfluxDB that was started on a full disk may have lost the types of fields, values or not
    (``simulators/chaos/full_influx.py``); then the device's float was the first and is no conflict.
    """
    try:
        spoil_type(config)
    except ApiException as answer:
        if answer.status == UNPROCESSABLE:
            return True
        raise
    return False


def _ms(time: datetime) -> int:
    return (time - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
