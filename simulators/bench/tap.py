"""Listens to the bench's broker beside the collector: how far a device's clock is off, frame by frame.

The collector corrects a clock and says only whether it trusts it; a technician wants seconds. A frame on a
link that stands is sealed some milliseconds before it comes: of the last few the smallest delay counts.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Final, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent.wire import cbor, cose, frame, topics
from agent.wire.errors import WireError
from simulators.bench.failure import BenchError
from simulators.clock import now_ms

if TYPE_CHECKING:
    from pathlib import Path

_FRAMES: Final = 4
_WAIT_S: Final = 15.0


class Tap:
    """Hears every device while ``with`` lasts, with the collector's own certificate."""

    def __init__(self, pki: Path, port: int) -> None:
        self._port = port
        self._clocks: dict[str, deque[int | None]] = defaultdict(lambda: deque(maxlen=_FRAMES))
        self._at_ms: dict[str, int] = {}
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "vigia-bench", protocol=mqtt.MQTTv311)
        collector = pki / "collector"
        self._client.tls_set(str(pki / "ca.pem"), str(collector / "cert.pem"), str(collector / "key.pem"))
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._heard

    def __enter__(self) -> Self:
        """Listen."""
        self._client.connect("localhost", self._port)
        self._client.loop_start()
        if not self._subscribed.wait(_WAIT_S):
            raise BenchError("the bench's broker does not let the bench listen")
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop listening."""
        self._client.disconnect()
        self._client.loop_stop()

    def clock(self, device: str) -> tuple[int | None, int | None]:
        """Return the device's clock minus ours in ms (None: it claims none) and when that was measured."""
        found = tuple(self._clocks[device])
        known = [one for one in found if one is not None]
        if not found or found[-1] is None or not known:
            return None, self._at_ms.get(device)
        return min(known, key=abs), self._at_ms.get(device)

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe("vigia/v1/#", qos=0)

    def _heard(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        """Take a frame; what is none is the collector's to refuse."""
        arrival_ms = now_ms()
        try:
            _, device, kind = topics.parse(message.topic)
            payload = frame.check_payload(kind, cbor.decode(cose.parse_sign1(bytes(message.payload))[2]))
        except WireError:
            return
        if payload.seq is None or kind == "ack":
            return
        self._clocks[device].append(None if payload.wall_ms is None else payload.wall_ms - arrival_ms)
        self._at_ms[device] = arrival_ms
