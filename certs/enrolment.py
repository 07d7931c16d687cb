"""The enrolment of a device: what the collector must know to verify it and to place it. One JSON file each.

``keys`` is always a list, oldest first: after a rotation frames sealed with the earlier key still verify.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from certs import keys
from certs.errors import CertsError

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("router", "pi")


@dataclass(frozen=True, slots=True)
class EnrolledKey:
    """A public key (SPKI, DER) with its name and the time from which it counts."""

    kid: str
    spki: bytes
    from_ms: int

    @classmethod
    def of(cls, key: keys.PublicKey, from_ms: int) -> EnrolledKey:
        """Enrol a public key."""
        return cls(keys.kid(key).hex(), keys.spki(key), from_ms)


@dataclass(frozen=True, slots=True)
class Place:
    """What feeds a device and what it hangs on; None: unknown. ``serial`` is of the unit in the position."""

    kind: str = "router"
    feed: str | None = None
    modem_feed: str | None = None
    uplink: str | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One device's enrolment."""

    device: str
    site: str
    place: Place
    issued_ms: int
    keys: tuple[EnrolledKey, ...]

    def with_key(self, key: EnrolledKey) -> Enrolment:
        """Return the same device with one more key."""
        return replace(self, keys=(*self.keys, key))


def to_json(enrolment: Enrolment) -> bytes:
    """Return the file's content."""
    place = enrolment.place
    value = {
        "device": enrolment.device,
        "site": enrolment.site,
        "kind": place.kind,
        "feed": place.feed,
        "modem_feed": place.modem_feed,
        "uplink": place.uplink,
        "serial": place.serial,
        "issued_ms": enrolment.issued_ms,
        "keys": [
            {"kid": key.kid, "spki": base64.b64encode(key.spki).decode(), "from_ms": key.from_ms}
            for key in enrolment.keys
        ],
    }
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def from_json(data: bytes, name: str) -> Enrolment:
    """Read a file's content; ``name`` is for the error message."""
    try:
        return _parse(json.loads(data))
    except (ValueError, KeyError, TypeError) as error:
        raise CertsError(f"{name}: not an enrolment: {error!r}") from error


def _parse(value: Mapping[str, Any]) -> Enrolment:
    place = Place(value["kind"], value["feed"], value["modem_feed"], value["uplink"], value["serial"])
    enrolled = tuple(
        EnrolledKey(key["kid"], base64.b64decode(key["spki"], validate=True), key["from_ms"])
        for key in value["keys"]
    )
    return Enrolment(value["device"], value["site"], place, value["issued_ms"], enrolled)
