"""Which facilities, devices and keys there are: in SQL, filled from a table of sites and enrolment files.

``import_sites`` and ``import_enrolments`` bring files into SQL and say what was wrong with each bad one; a
bad file never takes a known device away. ``Registry`` is what the ingest and the rules ask; it holds an
immutable snapshot and looks anew when an unknown key speaks, so that a device enrolled a minute ago is heard
without a restart. Looking means to read the rows; a snapshot is made of them only when one is another.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import json
import os
import threading
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.wire import topics
from collector.errors import ConfigError
from collector.storage.state import Assignment, Device, Key, Site

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Engine

    from collector.clock import Clock
    from collector.config import RegistryConfig
    from collector.log import Reporter

REFRESH_S = 2.0
_FLOATS = frozenset({"lat", "lon", "nominal_v"})
_SITE_COLUMNS = frozenset(column.key for column in Site.__mapper__.columns)
_Row = tuple[Any, ...]
_COLUMNS: tuple[tuple[Any, ...], ...] = (
    (
        Site.id, Site.name_es, Site.name_en, Site.kind, Site.nominal_v, Site.service, Site.premises,
        Site.circuit, Site.provider, Site.lat, Site.lon, Site.priority,
    ),
    (Device.id, Device.kind, Device.feed, Device.modem_feed, Device.uplink),
    (Assignment.device_id, Assignment.site_id, Assignment.from_ms, Assignment.to_ms),
    (Key.kid, Key.device_id, Key.spki, Key.from_ms, Key.revoked_ms),
)  # fmt: skip
_DEVICE_FIELDS = ("kind", "feed", "modem_feed", "uplink", "serial")


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key that may sign for ``device`` from ``from_ms`` until ``revoked_ms`` (None: still)."""

    kid: str
    device: str
    public_key: ec.EllipticCurvePublicKey
    from_ms: int
    revoked_ms: int | None


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """A device and what feeds it; ``places`` are (site, from_ms, to_ms or None) in order."""

    id: str
    kind: str
    feed: str | None
    modem_feed: str | None
    uplink: str | None
    places: tuple[tuple[str, int, int | None], ...]


@dataclass(frozen=True, slots=True)
class SiteEntry:
    """A facility as the rules and the messages need it."""

    id: str
    name_es: str
    name_en: str
    kind: str
    nominal_v: float
    service: str | None
    premises: str | None
    circuit: str | None
    provider: str | None
    lat: float | None
    lon: float | None
    priority: int


@dataclass(frozen=True, slots=True)
class _Snapshot:
    sites: dict[str, SiteEntry] = field(default_factory=dict)
    devices: dict[str, DeviceEntry] = field(default_factory=dict)
    keys: dict[str, KeyEntry] = field(default_factory=dict)
    at_site: dict[str, tuple[DeviceEntry, ...]] = field(default_factory=dict)


class Registry:
    """Answers from a snapshot; ``refresh`` replaces it, at most once in ``REFRESH_S`` seconds."""

    def __init__(self, engine: Engine, config: RegistryConfig, reporter: Reporter, clock: Clock) -> None:
        self._engine = engine
        self._config = config
        self._reporter = reporter
        self._clock = clock
        self._snapshot = _Snapshot()
        self._found: int | None = None  # what the rows of the snapshot were
        self._public: dict[bytes, ec.EllipticCurvePublicKey] = {}  # keys by DER, which is slow to read
        self._files: dict[str, int] = {}
        self._next_refresh = float("-inf")
        self._refreshing = threading.Lock()  # keys are asked for ahead of everything else, in another thread
        self.refresh()

    def refresh(self) -> None:
        """Bring changed enrolment files in and read SQL anew; does nothing when it was done just now."""
        with self._refreshing:
            self._refresh()

    def _refresh(self) -> None:
        now = self._clock.mono()
        if now < self._next_refresh:
            return
        changed, seen = self._changed_files()
        with Session(self._engine) as session, session.begin():
            for problem in import_enrolments(session, changed):
                self._reporter.problem("bad_enrolment", problem)
            rows = _Rows.read(session)
        if (found := rows.fingerprint()) != self._found:
            self._snapshot, self._found = self._made_of(rows), found
        # only now: what a busy database did not take comes again
        self._files = seen
        self._next_refresh = now + REFRESH_S

    def _changed_files(self) -> tuple[list[Path], dict[str, int]]:
        """Enrolment files that are new or were written since the last look, and the stamps of all."""
        folder = self._config.enrolments_dir
        if folder is None or not folder.is_dir():
            return [], {}
        with os.scandir(folder) as entries:
            seen = {entry.path: entry.stat().st_mtime_ns for entry in entries if entry.name.endswith(".json")}
        return [Path(path) for path in sorted(seen) if self._files.get(path) != seen[path]], seen

    def _made_of(self, rows: _Rows) -> _Snapshot:
        places: dict[str, list[tuple[str, int, int | None]]] = {}
        for device, site, from_ms, to_ms in sorted(rows.places, key=itemgetter(2)):
            places.setdefault(device, []).append((site, from_ms, to_ms))
        devices = {row[0]: DeviceEntry(*(*row, tuple(places.get(row[0], ())))) for row in rows.devices}
        at_site: dict[str, list[DeviceEntry]] = {}
        for _, device in sorted(devices.items()):
            for site, _, to_ms in device.places:
                if to_ms is None:
                    at_site.setdefault(site, []).append(device)
        return _Snapshot(
            sites={row[0]: SiteEntry(*row) for row in rows.sites},
            devices=devices,
            keys=self._keys(rows.keys),
            at_site={site: tuple(entries) for site, entries in at_site.items()},
        )

    def _keys(self, rows: list[_Row]) -> dict[str, KeyEntry]:
        """Return the keys by id; one that is no point of the curve is left out and spoils no other."""
        found: dict[str, KeyEntry] = {}
        known, self._public = self._public, {}
        for kid, device, spki, from_ms, revoked_ms in rows:
            try:
                public = self._public[spki] = known.get(spki) or _public_key(spki)
            except ValueError as error:
                self._reporter.problem("bad_key", f"key {kid} of {device} is left out: {error}")
            else:
                found[kid] = KeyEntry(kid, device, public, from_ms, revoked_ms)
        return found

    def key(self, kid: str) -> KeyEntry | None:
        """Return the key with this id, revoked or not; an unknown one makes the registry look again."""
        entry = self._snapshot.keys.get(kid)
        if entry is None:
            self.refresh()
            entry = self._snapshot.keys.get(kid)
        return entry

    def site_of(self, device: str, time_ms: int) -> str | None:
        """Return the site at which a device was at a time, None when it was at none."""
        entry = self._snapshot.devices.get(device)
        for site, from_ms, to_ms in entry.places if entry else ():
            if from_ms <= time_ms and (to_ms is None or time_ms < to_ms):
                return site
        return None

    def site_of_now(self, device: str) -> str | None:
        """Return the site at which a device is."""
        return self.site_of(device, self._clock.now_ms())

    def site(self, site_id: str) -> SiteEntry | None:
        """Return a facility."""
        return self._snapshot.sites.get(site_id)

    def sites(self) -> Iterable[SiteEntry]:
        """Return all facilities."""
        return self._snapshot.sites.values()

    def device(self, device: str) -> DeviceEntry | None:
        """Return a device."""
        return self._snapshot.devices.get(device)

    def devices_of(self, site_id: str) -> tuple[DeviceEntry, ...]:
        """Return the devices that are at a site now."""
        return self._snapshot.at_site.get(site_id, ())


@dataclass(frozen=True, slots=True)
class _Rows:
    """The registry's tables as they are in SQL."""

    sites: list[_Row]
    devices: list[_Row]
    places: list[_Row]
    keys: list[_Row]

    @classmethod
    def read(cls, session: Session) -> _Rows:
        """Read all rows; as tuples, which costs a tenth of what objects cost."""
        return cls(*(list(map(tuple, session.execute(select(*columns)))) for columns in _COLUMNS))

    def fingerprint(self) -> int:
        """Return a number that is another one when a row is."""
        tables = (self.sites, self.devices, self.places, self.keys)
        return hash(tuple(hash(tuple(map(hash, table))) for table in tables))


def _public_key(spki: bytes) -> ec.EllipticCurvePublicKey:
    """Read a P-256 public key; ValueError for anything else."""
    try:
        key = load_der_public_key(spki)
    except UnsupportedAlgorithm as error:
        raise ValueError("not a P-256 key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a P-256 key")  # noqa: TRY004 - a wrong value of a file, not a wrong argument
    return key


# --- sites from a table ---------------------------------------------------------------------------


def import_sites(session: Session, path: Path) -> int:
    """Add or update facilities from a CSV file with the columns of ``Site``; return how many rows it has.

    Lines that begin with ``#`` are comments. ``ConfigError`` names the line that cannot be used; then
    nothing of the file is taken.
    """
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    reader = csv.DictReader(lines)
    if unknown := set(reader.fieldnames or ()) - _SITE_COLUMNS:
        raise ConfigError(f"{path}: unknown column '{min(unknown)}'")
    rows = []
    for row in reader:
        try:
            rows.append(_site_values(row))
        except (ValueError, KeyError) as error:
            raise ConfigError(f"{path}: facility '{row.get('id')}': {error}") from error
    for values in rows:
        session.merge(Site(**values))
    return len(rows)


def _site_values(row: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {name: text for name, text in row.items() if text}
    if not topics.valid_device(values["id"]):
        raise ValueError("an id is small letters, digits and hyphens")
    for name in _FLOATS & values.keys():
        values[name] = float(values[name])
    if "priority" in values:
        values["priority"] = int(values["priority"])
    values["sample"] = values.get("sample", "").lower() in {"1", "true", "yes"}
    return values


# --- devices from enrolment files -----------------------------------------------------------------


def import_enrolments(session: Session, files: Iterable[Path]) -> list[str]:
    """Bring the files that ``vigia-certs issue`` writes into SQL; return what was wrong with bad ones."""
    problems = []
    for path in files:
        try:
            with session.begin_nested():
                _enrol(session, json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            problems.append(f"{path}: cannot be read: {error.strerror}")
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            problems.append(f"{path}: not an enrolment: {type(error).__name__} {error}")
    return problems


def _enrol(session: Session, data: dict[str, Any]) -> None:
    device_id, site_id = data["device"], data["site"]
    if not topics.valid_device(device_id):
        raise ValueError(f"'{device_id}' is no device name")
    if session.get(Site, site_id) is None:
        raise ValueError(f"site '{site_id}' is not in the registry")
    device = session.get(Device, device_id) or Device(id=device_id)
    for name in _DEVICE_FIELDS:
        if data.get(name):
            setattr(device, name, data[name])
    session.add(device)
    session.flush()
    for key in data["keys"]:
        _add_key(session, device_id, key)
    _assign(session, device_id, site_id, int(data["issued_ms"]))


def _add_key(session: Session, device_id: str, data: dict[str, Any]) -> None:
    spki = base64.b64decode(data["spki"], validate=True)
    _public_key(spki)
    kid = hashlib.sha256(spki).digest()[:8].hex()
    if kid != data["kid"]:
        raise ValueError(f"key id {data['kid']} is not that of its key")
    known = session.get(Key, kid)
    if known is not None and known.device_id != device_id:
        raise ValueError(f"key {kid} belongs to {known.device_id}")
    session.merge(
        Key(
            kid=kid,
            device_id=device_id,
            spki=spki,
            from_ms=int(data.get("from_ms", 0)),
            revoked_ms=data.get("revoked_ms"),
        )
    )


def _assign(session: Session, device_id: str, site_id: str, at_ms: int) -> None:
    """Put a device at a site: from the beginning when it is new, from ``at_ms`` when it moves."""
    places = session.scalars(
        select(Assignment).where(Assignment.device_id == device_id).order_by(Assignment.from_ms)
    ).all()
    current = places[-1] if places else None
    if current is not None and current.site_id == site_id and current.to_ms is None:
        return
    if current is not None and current.to_ms is None:
        current.to_ms = at_ms
    session.add(Assignment(device_id=device_id, site_id=site_id, from_ms=at_ms if places else 0))
