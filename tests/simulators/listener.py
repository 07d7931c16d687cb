"""The centre's end of the broker in a test: hears everything, verifies it, acks nothing."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from paho.mqtt.enums import CallbackAPIVersion

from agent.wire import cbor, cose, frame, topics

if TYPE_CHECKING:
    from certs.authority import Authority

WAIT_S = 30.0


@dataclass(frozen=True)
class Heard:
    """A verified frame."""

    kind: str
    payload: frame.Payload

    def values(self, measurement, field):
        """All values of a field in this frame, in order."""
        found = []
        for name, _instance, fields, rows in self.payload.tables:
            if name == measurement and field in fields:
                at = fields.index(field) + 1
                found += [row[at] for row in rows]
        return found


class Listener:
    """Hears devices through the collector's listener."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._heard: list[Heard] = []
        self._turned = threading.Condition()
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "vigia-test", protocol=mqtt.MQTTv5)
        pki = authority.folder
        self._client.tls_set(
            str(pki / "ca.pem"), str(pki / "collector" / "cert.pem"), str(pki / "collector" / "key.pem")
        )
        self._client.on_connect = lambda client, *_: client.subscribe("vigia/v1/#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect("localhost", self._authority.settings.collector_port)
        self._client.loop_start()
        assert self._subscribed.wait(WAIT_S), "no subscription"
        return self

    def __exit__(self, *_exception: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait(self, kind: str, wanted=lambda _heard: True, *, after: int = 0) -> Heard:
        """The first frame of a kind that is as wanted, among those after the first ``after``."""

        def find() -> Heard | None:
            return next((one for one in self._heard[after:] if one.kind == kind and wanted(one)), None)

        with self._turned:
            found = self._turned.wait_for(find, WAIT_S)
        assert found is not None, f"no such {kind}; heard: {[one.kind for one in self._heard]}"
        return found

    def count(self, kind: str | None = None) -> int:
        """How many frames were heard."""
        return sum(kind in {None, one.kind} for one in tuple(self._heard))

    def _on_message(self, _client, _userdata, message) -> None:
        _, device, kind = topics.parse(message.topic)
        heard = Heard(kind, self._verified(device, kind, message.topic, message.payload))
        with self._turned:
            self._heard.append(heard)
            self._turned.notify_all()

    def _verified(self, device: str, kind: str, topic: str, data: bytes) -> frame.Payload:
        """Check the signature with the enrolled key, as the collector does."""
        enrolment = json.loads((self._authority.folder / "enrolments" / f"{device}.json").read_text())
        kid, header, payload, signature = cose.parse_sign1(data)
        [key] = [key for key in enrolment["keys"] if key["kid"] == kid.hex()]
        public = load_der_public_key(base64.b64decode(key["spki"]))
        assert isinstance(public, ec.EllipticCurvePublicKey)
        r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
        der = utils.encode_dss_signature(r, s)
        public.verify(der, cose.to_sign(header, topic.encode(), payload), ec.ECDSA(SHA256()))
        return frame.check_payload(kind, cbor.decode(payload))
