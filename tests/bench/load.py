"""A fleet of signed frames for the benchmarks, and the very same points as unsigned line protocol.

A frame holds three samples of 20 fields in 7 tables, 21 points. Every device has a key of its own.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cbor2
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from sqlalchemy.orm import Session

from agent.wire import cose, topics
from agent.wire import frame as wire
from collector.storage.migrate import MIGRATIONS
from collector.storage.points import instance_tag
from collector.storage.state import Assignment, Base, Device, Key, Site, open_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES_MS = (-20_000, -10_000, 0)
FRAME_MS = 30_000
POINTS = 21
FIELDS = 20
TABLES: list[tuple[str, str | None, list[str]]] = [
    ("upsd", "apc", ["input_voltage", "battery_charge_percent", "load_percent", "ol", "ob", "age_input_ms"]),
    ("net", "eth0", ["bytes_recv", "bytes_sent", "carrier"]),
    ("net", "eth1", ["bytes_recv", "bytes_sent", "carrier"]),
    ("system", None, ["load1", "uptime"]),
    ("mem", None, ["available", "used_percent"]),
    ("ping", "gateway", ["average_response_ms", "percent_packet_loss", "result_code"]),
    ("agent", None, ["spool_frames"]),
]


@dataclass(frozen=True, slots=True)
class Message:
    """One signed frame and, for who takes it unsigned, the same points as line protocol (ms)."""

    device: str
    seq: int
    topic: str
    frame: bytes
    lines: bytes


@dataclass(slots=True)
class BenchDevice:
    """A device with a key; ``seq`` counts the frames sealed so far."""

    name: str
    site: str
    key: ec.EllipticCurvePrivateKey
    incarnation: bytes
    kernel_boot: bytes
    seq: int = 0
    random: random.Random = field(default_factory=random.Random)

    @property
    def spki(self) -> bytes:
        """The public key as DER."""
        form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(*form)


class Fleet:
    """Devices at facilities, two each, over all shards."""

    def __init__(self, size: int, seed: int = 1) -> None:
        dice = random.Random(seed)  # noqa: S311 - the same numbers every time
        self.devices = [
            BenchDevice(
                name=f"bench-{number:05}",
                site=f"site-{number // 2:05}",
                key=ec.generate_private_key(ec.SECP256R1()),
                incarnation=dice.randbytes(8),
                kernel_boot=dice.randbytes(16),
                random=random.Random(dice.random()),  # noqa: S311 - same
            )
            for number in range(size)
        ]

    def enrol(self, url: str) -> None:
        """Put facilities, devices and keys into the state."""
        engine = open_engine(url)
        with engine.begin() as connection:
            Base.metadata.create_all(connection)
            MigrationContext.configure(connection).stamp(ScriptDirectory(str(MIGRATIONS)), "head")
        with Session(engine) as session, session.begin():
            for site in sorted({device.site for device in self.devices}):
                session.add(Site(id=site, name_es=site, name_en=site, kind="bench"))
            session.add_all(Device(id=device.name) for device in self.devices)
            session.flush()
            for device in self.devices:
                session.add(Assignment(device_id=device.name, site_id=device.site, from_ms=0))
                kid = cose.key_id(device.spki).hex()
                session.add(Key(kid=kid, device_id=device.name, spki=device.spki, from_ms=0))
        engine.dispose()

    def births(self) -> Iterator[Message]:
        """Return one birth of each device."""
        hello = {
            "agent": "0.1.0", "runtime": "cpython", "hardware": "bench", "os": "linux",
            "readers": {"host": 10_000}, "intervals": {"sample": 10_000, "watch": 2_000, "frame": FRAME_MS},
        }  # fmt: skip
        for device in self.devices:
            yield seal(device, "birth", time.time_ns() // 1_000_000, hello=hello, session=1)

    def data(self, each: int, start_ms: int) -> Iterator[Message]:
        """Return ``each`` frames of each device in order of time: what a queue holds after an outage."""
        for number in range(each):
            for device in self.devices:
                yield seal(device, "data", start_ms + number * FRAME_MS, tables=sample(device.random))


def sample(dice: random.Random) -> list[list[Any]]:
    """Return the tables of one frame."""
    count = dice.randrange(1 << 40)
    tables = []
    for measurement, instance, names in TABLES:
        rows = [[at, *(_value(name, count, dice) for name in names)] for at in SAMPLES_MS]
        tables.append([measurement, instance, names, rows])
    return tables


def _value(name: str, count: int, dice: random.Random) -> float:
    fixed = {"ol": 1, "ob": 0, "carrier": 1, "result_code": 0, "percent_packet_loss": 0.0}
    if name in fixed:
        return fixed[name]
    if name in {"bytes_recv", "bytes_sent", "available", "uptime"}:
        return count + dice.randrange(1 << 20)
    if name in {"age_input_ms", "spool_frames"}:
        return dice.randrange(2000)
    top = {"input_voltage": 130.0, "average_response_ms": 40.0}.get(name, 100.0)
    return round(dice.uniform(0.9 * top, top), 1)


def seal(device: BenchDevice, kind: str, wall_ms: int, **values: Any) -> Message:
    """Seal as the agent does; only the encoder is a faster one, whose bytes are the same."""
    names = {"device": device.name, "boot": 1, "seq": device.seq, "uptime_ms": wall_ms % 10**9}
    names |= {"incarnation": device.incarnation, "kernel_boot": device.kernel_boot, "wall_ms": wall_ms}
    keys = {row[1]: row[0] for row in wire._KEYS}
    payload = cbor2.dumps(
        {keys[name]: value for name, value in ({"version": 1} | names | values).items()}, canonical=True
    )
    topic = topics.make(topics.shard_of(device.site), device.name, kind)
    header = cose.protected(cose.ES256, cose.key_id(device.spki))
    der = device.key.sign(cose.to_sign(header, topic.encode(), payload), ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(der)
    frame = cose.sign1(header, payload, r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    message = Message(
        device.name, device.seq, topic, frame, _lines(device, wall_ms, values.get("tables", []))
    )
    device.seq += 1
    return message


def _lines(device: BenchDevice, wall_ms: int, tables: list[list[Any]]) -> bytes:
    lines = []
    for measurement, instance, names, rows in tables:
        tags = {"device": device.name, "site": device.site}
        if instance is not None:
            tags[instance_tag(measurement)] = instance
        head = ",".join([measurement, *(f"{name}={tags[name]}" for name in sorted(tags))])
        for at, *row in rows:
            values = ",".join(f"{name}={_text(value)}" for name, value in zip(names, row, strict=True))
            lines.append(f"{head} {values} {wall_ms + at}")
    return "\n".join(lines).encode()


def _text(value: float) -> str:
    return f"{value}i" if isinstance(value, int) else repr(value)
