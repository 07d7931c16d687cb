"""What a small heap has to hold, run by MicroPython beside the compiled agent (``-X heapsize=256k``).

Usage: micropython -X heapsize=256k soak.py FOLDER CONFIG WHAT NUMBER

FOLDER is what tools/agent_bytecode.py made. WHAT is ``samples`` (so many samples through sampler, sealer,
spool and publisher with a link that works), ``offline`` (so many frames sealed without a link, then moved to
flash) or ``return`` (what an ``offline`` run left is sent and acked; NUMBER is not used). The last line is
JSON: what is left in the spool, and the smallest and last live heap after a collection.
"""

import asyncio
import gc
import json
import sys

sys.path.insert(0, sys.argv[1])
__import__("vigia-agent")

from agent import config as configuration  # noqa: E402 - the path first
from agent.build import ack_key, build, device_signer  # noqa: E402 - same
from agent.log import Log  # noqa: E402 - same
from agent.ports.clock import SystemClock  # noqa: E402 - same
from agent.wire import cbor, cose, frame, topics  # noqa: E402 - same


class Answering:
    """A transport whose other end acks every frame, or one that has no other end."""

    def __init__(self, key, *, answers):
        """Ack with ``key``."""
        self.key = key
        self.answers = answers
        self.on_message = self.on_puback = self.on_lost = self.on_room = None
        self.mid = 0
        self.acked = 0
        self.waiting = []

    async def connect(self, will_topic, will_payload):
        """Accept, or wait for ever."""
        while not self.answers:
            await asyncio.sleep(3600)

    async def subscribe(self, subscriptions):
        """Grant."""

    def room(self):
        """Take a few at a time, as a real one does."""
        return len(self.waiting) < 8

    def publish(self, topic, payload):
        """Answer in the next turn of the loop."""
        self.mid += 1
        self.waiting.append((self.mid, topic, payload))
        if len(self.waiting) == 1:
            asyncio.create_task(self.answer())
        return self.mid

    async def answer(self):
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

    async def disconnect(self):
        """End in good order."""

    def close(self):
        """End."""


class Quick:
    """A reader that is read without a pause."""

    name = "quick"
    interval_ms = 1
    watch_ms = 0

    def __init__(self, rows):
        """Return so many rows each time."""
        self.rows = rows
        self.given = 0

    async def read(self):
        """Return rows as the interfaces of a router do."""
        self.given += self.rows
        return [
            ("net", "eth" + str(n), {"bytes_recv": self.given + n, "bytes_sent": self.given, "up": 1, "speed": 1000})
            for n in range(self.rows)
        ]


def live():
    """Return the bytes that are in use after a collection."""
    gc.collect()
    return gc.mem_alloc()


async def samples(agent, quick, number):
    """Seal whenever a reading's worth has come, until so many samples went through."""
    lows = []
    while quick.given < number:
        for watch in agent.sampler._watches:
            found, error = await agent.sampler._read(watch)
            assert not error, error
            agent.sampler._keep(found)
        await agent._seal()
        while agent.parts.spool.frames() > 20:
            await asyncio.sleep(0)
        if quick.given % (number // 10) < quick.rows:
            lows.append(live())
    return lows


async def offline(agent, quick, number):
    """Seal so many frames that nobody takes; flash them now and then."""
    for count in range(number):
        found, _ = await agent.sampler._read(agent.sampler._watches[0])
        agent.sampler._keep(found)
        await agent._seal()
        if count % 50 == 49:
            agent.parts.spool.flush()
    return [live()]


async def back(agent, quick, _number):
    """Wait until everything is acked."""
    highest = [live()]
    while agent.parts.spool.frames():
        await asyncio.sleep(0)
    return highest + [live()]


async def run(config, what, number):
    """Build the agent as it is, with this transport and reader."""
    clock = SystemClock()
    key = ack_key(config)
    quick = Quick(10)
    transport = Answering(key, answers=what != "offline")
    agent = build(config, clock=clock, readers=[quick], transport=transport, signer=device_signer(config), log=Log(clock.uptime_ms))
    # without the spread over 30 s: at 20 backlog frames/s the limits of the outbox are what is waited for
    publishing = asyncio.create_task(agent.parts.publisher.run())
    await asyncio.sleep(0)
    lows = await {"samples": samples, "offline": offline, "return": back}[what](agent, quick, number)
    agent.parts.publisher.stop(None)
    publishing.cancel()
    status = agent.status()
    print(json.dumps({"low": lows[0], "last": lows[-1], "all": lows, "spooled": status["spooled"], "dropped": status["dropped"], "sealed": status["sealed"], "acked": transport.acked, "boot": status["boot"], "troubles": agent.parts.spool.troubles}))


asyncio.run(run(configuration.load(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
