"""The publisher on both interpreters, with a link that always works: birth, ack, planned stop."""

import asyncio

from agent.acks import AckReader
from agent.identity import Identity
from agent.log import Log
from agent.ports.clock import SystemClock
from agent.ports.files import Files
from agent.publisher import Publisher, Timers
from agent.sealer import Envelope, Sealer
from agent.spool import Spool
from agent.timing import wait_for_event
from agent.wire import cbor, cose, frame, topics
from tests.portable.test_spool import folder

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

KEY = bytes(range(32))
KID = b"kidkidki"
CONFIG = {"device": "mx-001", "site": "sitio-1"}


class PlainSigner:
    """Proves nothing: signatures have their own tests."""

    kid = KID

    async def sign(self, message: bytes) -> bytes:
        """Return 64 bytes."""
        assert message
        return bytes(64)


class Loopback:
    """A transport whose other end acknowledges every frame with a real ack."""

    def __init__(self) -> None:
        """Begin without a connection."""
        self.kinds: list[str] = []
        self.all_acked = asyncio.Event()
        self.open = False
        self.on_message: "Callable[[str, bytes], None]" = print
        self.on_puback: "Callable[[int], None]" = print
        self.on_lost: "Callable[[str], None]" = print
        self.on_room: "Callable[[], None]" = print

    async def connect(self, will_topic: str, will_payload: bytes) -> None:
        """Accept at once."""
        assert topics.parse(will_topic)[2] == "death"
        assert cose.parse_sign1(will_payload)[0] == KID
        self.open = True

    async def subscribe(self, subscriptions: list[tuple[str, int]]) -> None:
        """Grant at once."""
        assert subscriptions[0] == ("vigia/v1/+/mx-001/ack", 1)

    def publish(self, topic: str, payload: bytes) -> int:
        """Take a frame; PUBACK and ack follow in the next turn of the loop."""
        shard, device, kind = topics.parse(topic)
        self.kinds.append(kind)
        asyncio.create_task(self._answer(topics.make(shard, device, "ack"), payload, len(self.kinds)))  # noqa: RUF006 - done in the next turn
        return len(self.kinds)

    def room(self) -> bool:
        """Take everything."""
        return True

    async def disconnect(self) -> None:
        """End in good order."""
        self.open = False

    def close(self) -> None:
        """End without a word."""
        self.open = False

    async def _answer(self, topic: str, message: bytes, mid: int) -> None:
        payload = cbor.decode(cose.parse_sign1(message)[2])
        seq = payload[frame.SEQ]
        ack = frame.encode_ack(KID, payload[frame.INCARNATION], [[seq, seq]], [], 1)
        self.on_puback(mid)
        self.on_message(topic, cose.mac0(KEY, KID, topic.encode(), ack))
        self.all_acked.set()


async def test_birth_data_and_stop_are_sent_and_settled() -> None:
    """Everything sealed is sent, acked and leaves the spool; the link ends in good order."""
    clock = SystemClock()
    log = Log(clock.uptime_ms, len)
    path = folder()
    spool = Spool(Files(), (path + "/ram", None), 1 << 19, log)
    spool.recover("mx-001")
    identity = Identity(CONFIG, clock, 1, {"agent": "test"})
    sealer = Sealer(identity, Envelope(identity, clock, PlainSigner()), spool)
    transport = Loopback()
    acks = AckReader(KEY, KID, identity.incarnation, spool)
    publisher = Publisher(clock, transport, spool, sealer, acks, Timers(60_000, 30_000), log)
    running = asyncio.create_task(publisher.run())
    await sealer.data([])
    while publisher.counts["acked"] < 2:
        transport.all_acked.clear()
        assert await wait_for_event(clock, transport.all_acked, 30_000)
    publisher.stop(await sealer.event([], stop=True))
    await running
    assert sorted(transport.kinds) == ["birth", "data", "event"]
    assert publisher.link.state == "closed"
    assert not transport.open
    assert spool.frames() == 0
