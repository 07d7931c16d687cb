"""What a small heap has to hold, run by MicroPython beside the compiled agent (``-X heapsize=256k``).

Usage: micropython -X heapsize=256k start.py FOLDER CONFIG WHAT NUMBER

FOLDER is what tools/agent_bytecode.py made of the agent with this file beside it. WHAT is ``samples`` (so
many samples through sampler, sealer, spool and publisher with a link that works), ``offline`` (so many
frames sealed without a link, then moved to flash) or ``return`` (what an ``offline`` run left is sent and
acked; NUMBER is not used). The last line is JSON: what is left in the spool, and the smallest and last live
heap after a collection.
"""

import asyncio
import gc
import json
import sys

from agent import config as configuration
from agent.build import ack_key, build, device_signer
from agent.log import Log
from agent.ports.clock import SystemClock
from agent.wire import cbor, cose, frame, topics

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any


class Answering:
    """A transport whose other end acks every frame, or one that has no other end."""

    def __init__(self, key: bytes, *, answers: bool) -> None:
        """Ack with ``key``."""
        self.key = key
        self.answers = answers
        self.on_message: Any = None
        self.on_puback: Any = None
        self.on_lost: Any = None
        self.on_room: Any = None
        self.mid = 0
        self.acked = 0
        self.waiting: list[tuple[int, str, bytes]] = []

    async def connect(self, will_topic: str, will_payload: bytes) -> None:
        """Accept, or wait for ever."""
        if not self.answers:
            await asyncio.Event().wait()

    async def subscribe(self, subscriptions: list[tuple[str, int]]) -> None:
        """Grant."""

    def room(self) -> bool:
        """Take a few at a time, as a real one does."""
        return len(self.waiting) < 8

    def publish(self, topic: str, payload: bytes) -> int:
        """Answer in the next turn of the loop."""
        self.mid += 1
        self.waiting.append((self.mid, topic, payload))
        if len(self.waiting) == 1:
            asyncio.create_task(self.answer())  # noqa: RUF006 - done in the next turns
        return self.mid

    async def answer(self) -> None:
        """PUBACK, and the ack of a centre that has stored it."""
        await asyncio.sleep(0)
        while self.waiting:
            mid, topic, payload = self.waiting.pop(0)
            shard, device, _ = topics.parse(topic)
            kid, _, body, _ = cose.parse_sign1(payload)
            values = cbor.decode(body)
            seq = values[frame.SEQ]
            ack = frame.encode_ack(kid, values[frame.INCARNATION], [[seq, seq]], [], 1)
            to = topics.make(shard, device, "ack")
            self.on_puback(mid)
            self.on_message(to, cose.mac0(self.key, kid, to.encode(), ack))
            self.acked += 1
        self.on_room()

    async def disconnect(self) -> None:
        """End in good order."""

    def close(self) -> None:
        """End."""


class Quick:
    """A reader that is read without a pause."""

    name = "quick"
    interval_ms = 1
    watch_ms = 0

    def __init__(self, rows: int) -> None:
        """Return so many rows each time."""
        self.rows = rows
        self.given = 0

    async def read(self) -> "list[Any]":
        """Return rows as the interfaces of a router do."""
        self.given += self.rows
        names = ["eth" + str(number) for number in range(self.rows)]
        fields = {"bytes_recv": self.given, "bytes_sent": self.given, "up": 1, "speed": 1000}
        return [("net", name, dict(fields)) for name in names]


def live() -> int:
    """Return the bytes that are in use after a collection."""
    gc.collect()
    return int(gc.mem_alloc())  # type: ignore[attr-defined]  # MicroPython's


async def samples(agent: "Any", quick: Quick, number: int) -> list[int]:
    """Seal whenever a reading's worth has come, until so many samples went through."""
    lows = []
    while quick.given < number:
        for watch in agent.sampler._watches:
            found, error = await agent.sampler._read(watch)
            assert not error, error
            agent.sampler.keep(found)
        await agent._seal()
        while agent.parts.spool.frames() > 20:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        if quick.given % (number // 10) < quick.rows:
            lows.append(live())
    return lows


async def offline(agent: "Any", quick: Quick, number: int) -> list[int]:
    """Seal so many frames that nobody takes; flash them now and then."""
    for count in range(number):
        found, _ = await agent.sampler._read(agent.sampler._watches[0])
        agent.sampler.keep(found)
        await agent._seal()
        if count % 50 == 49:
            agent.parts.spool.flush()
    return [live()]


async def back(agent: "Any", _quick: Quick, _number: int) -> list[int]:
    """Wait until everything is acked."""
    highest = [live()]
    while agent.parts.spool.frames():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    return highest + [live()]  # noqa: RUF005 - MicroPython does not unpack in lists


async def run(config: "Any", what: str, number: int) -> None:
    """Build the agent as it is, with this transport and reader."""
    clock = SystemClock()
    quick = Quick(10)
    transport = Answering(ack_key(config), answers=what != "offline")
    signer = device_signer(config)
    agent = build(
        config, clock=clock, readers=[quick], transport=transport, signer=signer, log=Log(clock.uptime_ms)
    )
    publishing = asyncio.create_task(agent.parts.publisher.run())
    await asyncio.sleep(0)
    works = {"samples": samples, "offline": offline, "return": back}
    lows = await works[what](agent, quick, number)
    publishing.cancel()
    said = agent.status()
    said["acked"] = transport.acked
    said["low"], said["last"] = lows[0], lows[-1]
    said["troubles"] = agent.parts.spool.troubles
    sys.stdout.write(json.dumps(said) + "\n")


def main() -> None:
    """Do what the command line says."""
    asyncio.run(run(configuration.load(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
