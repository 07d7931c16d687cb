"""What a transport does. Types only; the publisher and every implementation are checked against them.

One transport makes one connection after the other. The rules every implementation keeps:

- ``connect`` makes a new MQTT 3.1.1 session (clean) whose will is given, QoS 1, not retained; it returns
  after CONNACK, raises LinkError otherwise, and leaves nothing open when it raises or is cancelled.
- callbacks run in the event loop. ``on_lost`` is called once for a connection that ended without
  ``disconnect`` or ``close``; after it, after those two and after a failed ``connect`` nothing more comes
  from that connection.
- ``publish`` sends with QoS 1 and never waits; LinkError when there is no connection. What cannot leave at
  once is held in memory: who asks ``room()`` before each frame keeps that bounded. When there is room again
  ``on_room`` is called.
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Transport(Protocol):
        """One connection to the broker at a time."""

        on_message: "Callable[[str, bytes], None]"
        on_puback: "Callable[[int], None]"
        on_lost: "Callable[[str], None]"
        on_room: "Callable[[], None]"

        async def connect(self, will_topic: str, will_payload: bytes) -> None:
            """Return once the broker has accepted this device."""

        async def subscribe(self, subscriptions: list[tuple[str, int]]) -> None:
            """Return once the broker has granted all (topic, QoS); LinkError ``refused`` when it has not."""

        def publish(self, topic: str, payload: bytes) -> int:
            """Send with QoS 1; return the message id that ``on_puback`` will name."""

        def room(self) -> bool:
            """Tell whether another frame may be handed over now."""

        async def disconnect(self) -> None:
            """Send DISCONNECT, so that the broker discards the will, and close."""

        def close(self) -> None:
            """Drop what is open without a word: the broker publishes the will. Nothing open is fine."""
