"""The enrolment desk: a device's folder (what is carried to it) and its enrolment (what the collector reads).

A folder is built aside and swapped in whole; the enrolment with a new key is written before the folder that
uses it, so that a crash between the two leaves a key that nobody uses, never a device that nobody knows.

After a rotation the folder also holds the ack key of each earlier key (``ack.<kid>.key``): frames that were
sealed under it and still wait in the device's spool are acked under it.
"""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.wire import mac
from certs import enrolment, files, issuing, keys, names
from certs.enrolment import EnrolledKey, Enrolment, Place
from certs.errors import CertsError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Issued:
    """A device's folder and its enrolment."""

    folder: Path
    enrolment: Enrolment


class Desk:
    """Issues, renews and rotates at one moment (``now_ms``)."""

    def __init__(self, root: Path, issuer: issuing.Issuer, ack_secret: bytes, now_ms: int, days: int) -> None:
        self._root = root
        self._issuer = issuer
        self._ack_secret = ack_secret
        self._now_ms = now_ms
        self._until = issuing.expiry(now_ms, days)

    def issue(self, device: str, site: str, address: tuple[str, int], place: Place | None) -> Issued:
        """Enrol a new device that reaches the broker at ``address`` (host, port)."""
        names.device(device)
        names.site(site)
        place = _checked(place or Place())
        if self._enrolment_path(device).exists() or self._folder(device).exists():
            raise CertsError(f"{device}: already issued; --renew keeps its key, --rotate gives it a new one")
        key = keys.new()
        entry = Enrolment(
            device, site, place, self._now_ms, (EnrolledKey.of(key.public_key(), self._now_ms),)
        )
        config = json.dumps(agent_config(device, site, address, place.kind), indent=2).encode() + b"\n"
        return self._save(entry, key, config)

    def renew(self, device: str) -> Issued:
        """Certify the same key anew."""
        entry = self._enrolled(device)
        return self._save(entry, keys.load(self._folder(device) / "key.pem"), self._config(device))

    def rotate(self, device: str) -> Issued:
        """Put a new key next to the enrolled ones."""
        key = keys.new()
        before = self._enrolled(device)
        entry = before.with_key(EnrolledKey.of(key.public_key(), self._now_ms))
        return self._save(entry, key, with_old_keys(self._config(device), before, device))

    def _save(self, entry: Enrolment, key: keys.PrivateKey, config: bytes) -> Issued:
        """Write enrolment and folder."""
        folder = self._folder(entry.device)
        aside = folder.with_name(f".{entry.device}.{secrets.token_hex(4)}")
        try:
            files.make_folder(aside, 0o700)
            self._fill(aside, entry, key, config)
            files.write(self._enrolment_path(entry.device), enrolment.to_json(entry))
            _swap(aside, folder)
        except OSError as error:
            raise CertsError(f"{folder}: cannot be written: {error.strerror}") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return Issued(folder, entry)

    def _fill(self, folder: Path, entry: Enrolment, key: keys.PrivateKey, config: bytes) -> None:
        """Put a device's files into its folder."""
        certificate = issuing.leaf(self._issuer, key.public_key(), entry.device, self._until, issuing.CLIENT)
        files.write(folder / "ca.der", issuing.der(self._issuer.certificate))
        files.write(folder / "cert.der", issuing.der(certificate))
        files.write(folder / "cert.pem", issuing.pem(certificate))
        files.write(folder / "key.der", keys.private_der(key), private=True)
        files.write(folder / "key.pem", keys.private_pem(key), private=True)
        own = keys.kid(key.public_key())
        files.write(folder / "ack.key", mac.ack_key(self._ack_secret, own), private=True)
        for old in entry.keys:
            if old.kid != own.hex():
                secret = mac.ack_key(self._ack_secret, bytes.fromhex(old.kid))
                files.write(folder / old_ack_key(old.kid), secret, private=True)
        files.write(folder / "agent.json", config)

    def _enrolled(self, device: str) -> Enrolment:
        path = self._enrolment_path(names.device(device))
        if not path.exists():
            raise CertsError(f"{device}: was never issued, so there is nothing to renew")
        return enrolment.from_json(files.read(path), str(path))

    def _config(self, device: str) -> bytes:
        """Read the agent's configuration as it is: people edit it."""
        return files.read(self._folder(device) / "agent.json")

    def _folder(self, device: str) -> Path:
        return self._root / "devices" / device

    def _enrolment_path(self, device: str) -> Path:
        return self._root / "enrolments" / f"{device}.json"


# Where each kind of device keeps what it could not send: its tmpfs, and what outlives a power cut (which on a
# router the package's UCI configuration names).
FOLDERS: dict[str, dict[str, str | None]] = {
    "router": {"ram_dir": "/tmp/vigia", "flash_dir": None},  # noqa: S108 - OpenWrt's tmpfs
    "pi": {"ram_dir": "/run/vigia", "flash_dir": "/var/lib/vigia"},
}


def agent_config(device: str, site: str, address: tuple[str, int], kind: str) -> dict[str, object]:
    """Return a complete configuration of the agent, with paths relative to the device's folder."""
    host, port = address
    return {
        "device": device,
        "site": site,
        "broker": {
            "host": host,
            "port": port,
            "ca": "ca.der",
            "cert": "cert.der",
            "key": "key.der",
            "ack_key": "ack.key",
        },
        "spool": {**FOLDERS[kind], "limit_kib": 512},
        "intervals": {"sample_s": 10, "watch_s": 2, "frame_s": 30, "keepalive_s": 20, "resend_s": 60},
        "readers": {"host": {}, "interfaces": {}},
    }


def old_ack_key(kid: str) -> str:
    """Return the name of the file with the ack key of an earlier key."""
    return f"ack.{kid}.key"


def with_old_keys(config: bytes, entry: Enrolment, device: str) -> bytes:
    """Return an agent's configuration that knows the ack keys of all of an enrolment's keys as earlier ones.

    What people have put into it stays. CertsError when it cannot be read: a device that does not know its
    earlier ack keys would send its backlog for ever.
    """
    try:
        value = json.loads(config)
        broker = value["broker"]
        broker["old_ack_keys"] = {
            **broker.get("old_ack_keys", {}), **{key.kid: old_ack_key(key.kid) for key in entry.keys}
        }  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CertsError(f"{device}: agent.json is not a configuration of the agent: {error!r}") from error
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def _checked(place: Place) -> Place:
    """Refuse a place that the registry could not read."""
    if place.kind not in enrolment.KINDS:
        raise CertsError(f"{place.kind!r} is not a kind of device: {' or '.join(enrolment.KINDS)}")
    names.feed(place.feed)
    names.feed(place.modem_feed)
    if place.uplink is not None:
        names.device(place.uplink)
    return place


def _swap(new: Path, target: Path) -> None:
    """Put a folder in the place of another."""
    old = new.with_name(new.name + ".old")
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)
