"""The authority's folder: who was issued what. The one place that reads and writes it.

``<dir>/ca.{pem,der,key}`` issue the broker's and the devices' certificates; ``<dir>/collector-ca.key`` with
``<dir>/collector/ca.pem`` issue the collector's and nothing else. ``<dir>/pki.json`` names the broker's hosts
and ports. Times are given by the caller's clock, in milliseconds since 1970 UTC.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from certs import devices, files, issuing, keys, mosquitto, names
from certs.errors import CertsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from certs.enrolment import Place

DEVICE_PORT = 8883
COLLECTOR_PORT = 8884
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
DAYS = 3650  # nobody climbs a pole to renew; revocation is the registry's
ACK_SECRET_BYTES = 32


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``pki.json`` holds: where devices and the collector reach the broker."""

    names: tuple[str, ...]
    device_port: int = DEVICE_PORT
    collector_port: int = COLLECTOR_PORT


class Authority:
    """An open authority. ``Authority.create`` makes one, ``Authority.open`` opens one that exists."""

    def __init__(self, folder: Path, settings: Settings, clock: Callable[[], int] = now_ms) -> None:
        self.folder = folder
        self.settings = settings
        self._clock = clock

    @classmethod
    def create(
        cls,
        folder: Path,
        hosts: Sequence[str] = (),
        *,
        device_port: int = DEVICE_PORT,
        collector_port: int = COLLECTOR_PORT,
        clock: Callable[[], int] = now_ms,
    ) -> Authority:
        """Make a new authority in a folder that is empty or not there; ``CertsError`` otherwise."""
        folder = folder.absolute()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CertsError(f"{folder}: is not an empty folder; an authority is made once")
        wanted = tuple(names.host(host) for host in hosts) or ("localhost",)
        self = cls(folder, Settings(wanted, device_port, collector_port), clock)
        self._make_folders()
        self._make_authorities()
        files.write(folder / "collector" / "ack.secret", secrets.token_bytes(ACK_SECRET_BYTES), private=True)
        self.renew()
        self.export_mosquitto()
        self._save_settings()
        return self

    @classmethod
    def open(cls, folder: Path, *, clock: Callable[[], int] = now_ms) -> Authority:
        """Open an authority; ``CertsError`` when there is none."""
        folder = folder.absolute()
        path = folder / "pki.json"
        if not path.exists():
            raise CertsError(f"{folder}: no authority here; make one with `vigia-certs init {folder}`")
        try:
            value = json.loads(files.read(path))
            settings = Settings(tuple(value["names"]), value["device_port"], value["collector_port"])
        except (ValueError, KeyError, TypeError) as error:
            raise CertsError(f"{path}: not written by vigia-certs") from error
        return cls(folder, settings, clock)

    def renew(self, hosts: Sequence[str] = (), *, days: int = DAYS) -> None:
        """Certify the broker and the collector anew, keys kept; ``hosts`` replace the broker's names."""
        if hosts:
            wanted = tuple(names.host(host) for host in hosts)
            self.settings = Settings(wanted, self.settings.device_port, self.settings.collector_port)
            self._save_settings()
        until = issuing.expiry(self._clock(), days)
        server = self._key(self.folder / "server" / "key.pem")
        every = tuple(dict.fromkeys((*self.settings.names, *LOCAL_HOSTS)))
        certificate = issuing.leaf(
            self.issuer(), server.public_key(), self.settings.names[0], until, issuing.SERVER, every
        )
        files.write(self.folder / "server" / "cert.pem", issuing.pem(certificate))
        collector = self._key(self.folder / "collector" / "key.pem")
        certificate = issuing.leaf(
            self.collector_issuer(), collector.public_key(), names.COLLECTOR, until, issuing.CLIENT
        )
        files.write(self.folder / "collector" / "cert.pem", issuing.pem(certificate))

    def issue(
        self,
        device: str,
        site: str,
        *,
        host: str | None = None,
        port: int | None = None,
        place: Place | None = None,
        days: int = DAYS,
    ) -> devices.Issued:
        """Make a device's key, certificate, agent configuration and enrolment; refuses when it has one."""
        address = (names.host(host) if host else self._first_name(), port or self.settings.device_port)
        return self._desk(days).issue(device, site, address, place)

    def renew_device(self, device: str, *, days: int = DAYS) -> devices.Issued:
        """Certify a device anew, key kept."""
        return self._desk(days).renew(device)

    def rotate_device(self, device: str, *, days: int = DAYS) -> devices.Issued:
        """Give a device a new key; the earlier one stays enrolled: spooled frames still verify."""
        return self._desk(days).rotate(device)

    def export_mosquitto(
        self,
        conf: Path | None = None,
        *,
        data: Path | None = None,
        device_bind: str = "",
        collector_bind: str = "127.0.0.1",
    ) -> Path:
        """Write Mosquitto's configuration with ``acl`` next to it, by default in ``mosquitto/``."""
        broker = self.mosquitto(conf, data=data, device_bind=device_bind, collector_bind=collector_bind)
        files.make_folder(broker.conf.parent)
        if data is None:
            files.make_folder(broker.data, 0o700)
        files.write(broker.acl, mosquitto.acl().encode())
        files.write(broker.conf, mosquitto.conf(broker).encode())
        return broker.conf

    def mosquitto(
        self,
        conf: Path | None = None,
        *,
        data: Path | None = None,
        device_bind: str = "",
        collector_bind: str = "127.0.0.1",
    ) -> mosquitto.Broker:
        """Where Mosquitto finds and puts its files."""
        path = (conf or self.folder / "mosquitto" / "mosquitto.conf").absolute()
        return mosquitto.Broker(
            conf=path,
            acl=path.with_name("acl"),
            data=(data or path.parent / "data").absolute(),
            device_ca=self.folder / "ca.pem",
            collector_ca=self.folder / "collector" / "ca.pem",
            cert=self.folder / "server" / "cert.pem",
            key=self.folder / "server" / "key.pem",
            device_port=self.settings.device_port,
            collector_port=self.settings.collector_port,
            device_bind=device_bind,
            collector_bind=collector_bind,
        )

    def issuer(self) -> issuing.Issuer:
        """Return the authority of the broker and the devices."""
        return _issuer(self.folder / "ca.pem", self.folder / "ca.key")

    def collector_issuer(self) -> issuing.Issuer:
        """Return the authority of the collector alone."""
        return _issuer(self.folder / "collector" / "ca.pem", self.folder / "collector-ca.key")

    def _desk(self, days: int) -> devices.Desk:
        secret = files.read(self.folder / "collector" / "ack.secret")
        return devices.Desk(self.folder, self.issuer(), secret, self._clock(), days)

    def _first_name(self) -> str:
        """Prefer a DNS name: MicroPython's TLS cannot check IP addresses in certificates."""
        return next(
            (name for name in self.settings.names if not names.is_address(name)), self.settings.names[0]
        )

    def _make_folders(self) -> None:
        files.make_folder(self.folder)
        for name in ("server", "collector", "enrolments"):
            files.make_folder(self.folder / name)
        files.make_folder(self.folder / "devices", 0o700)

    def _make_authorities(self) -> None:
        main, collector = issuing.authority("Vigia devices"), issuing.authority("Vigia collector")
        files.write(self.folder / "ca.key", keys.private_pem(main.key), private=True)
        files.write(self.folder / "ca.pem", issuing.pem(main.certificate))
        files.write(self.folder / "ca.der", issuing.der(main.certificate))
        files.write(self.folder / "collector-ca.key", keys.private_pem(collector.key), private=True)
        files.write(self.folder / "collector" / "ca.pem", issuing.pem(collector.certificate))

    def _save_settings(self) -> None:
        value = {
            "names": self.settings.names,
            "device_port": self.settings.device_port,
            "collector_port": self.settings.collector_port,
        }
        files.write(self.folder / "pki.json", json.dumps(value, indent=2).encode() + b"\n")

    @staticmethod
    def _key(path: Path) -> keys.PrivateKey:
        """Load a key, or make it."""
        if not path.exists():
            files.write(path, keys.private_pem(keys.new()), private=True)
        return keys.load(path)


def _issuer(certificate: Path, key: Path) -> issuing.Issuer:
    try:
        return issuing.Issuer(x509.load_pem_x509_certificate(files.read(certificate)), keys.load(key))
    except ValueError as error:
        raise CertsError(f"{certificate}: not a certificate in PEM") from error
