"""A scenario's facilities and devices in the centre's registry: what ``[known]`` says and no more."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.orm import Session

from agent.wire import mac
from collector.storage.state import Assignment, Device, Key, Site

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from simulators.scenario.model import DevicePart, Scenario, SitePart

SECRET: Final = b"virtual secret of the collector!"
UNITS: Final = 4  # of each position; a device that is taken away comes back as another one


class ZeroSigner:
    """Stands for a device's key: a right kid, a signature that nobody looks at."""

    def __init__(self, device: str, unit: int) -> None:
        self.kid = kid_of(device, unit)

    async def sign(self, message: bytes) -> bytes:  # noqa: ARG002 - the port's shape
        """Return 64 bytes."""
        return bytes(64)


def kid_of(device: str, unit: int) -> bytes:
    """Return the key id of a unit."""
    return hashlib.sha256(f"{device}/{unit}".encode()).digest()[:8]


def ack_key(device: str, unit: int) -> bytes:
    """Return the key of a unit's acks."""
    return mac.ack_key(SECRET, kid_of(device, unit))


def enrol(engine: Engine, scenario: Scenario) -> None:
    """Write facilities, devices and keys."""
    spki = (
        ec.derive_private_key(1, ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with Session(engine) as session, session.begin():
        for site in scenario.site:
            session.add(_site(site, scenario))
            session.flush()
            for part in site.device:
                if part.has_agent:
                    session.add(_device(part, site, known=scenario.known.feed))
                    session.flush()
                    session.add(Assignment(device_id=part.id, site_id=site.id, from_ms=0))
                    for unit in range(1, UNITS + 1):
                        session.add(
                            Key(kid=kid_of(part.id, unit).hex(), device_id=part.id, spki=spki, from_ms=unit)
                        )


def _site(site: SitePart, scenario: Scenario) -> Site:
    known = scenario.known
    return Site(
        id=site.id,
        name_es=site.id,
        name_en=site.id,
        kind=site.kind,
        nominal_v=site.nominal_v,
        service=site.service,
        premises=site.building if known.premises else None,
        circuit=site.circuit if known.circuit else None,
        provider=site.provider if known.provider else None,
        lat=site.lat if known.position else None,
        lon=site.lon if known.position else None,
    )


def _device(part: DevicePart, site: SitePart, *, known: bool) -> Device:
    return Device(
        id=part.id,
        kind=part.kind,
        feed=part.fed_by if known else None,
        modem_feed=site.way_out(part).fed_by if known else None,
        uplink=uplink(part, site),
    )


def uplink(part: DevicePart, site: SitePart) -> str | None:
    """Return the nearest device that the registry knows on the way out: switches and modems are not in it."""
    parts = {other.id: other for other in site.device}
    while part.uplink != "provider":
        part = parts[part.uplink]
        if part.has_agent:
            return part.id
    return None
