"""One transport under remote control, on whichever interpreter runs this file.

Usage: python|micropython tests/transport/driver.py KIND CONTROL_PORT HOST PORT CLIENT_ID KEEPALIVE_S FOLDER

KIND is ``paho`` or ``ours``; FOLDER has ca.der, cert.der and key.der. The test listens on CONTROL_PORT of
loopback; commands and happenings are JSON lists, one a line.
"""

import asyncio
import json
import os
import sys

_HERE = __file__.rsplit("/", 1)[0]
sys.path.insert(0, _HERE + "/../..")

from agent.build import portable_transport, secret  # noqa: E402 - the path first
from agent.errors import AgentError  # noqa: E402 - same
from agent.ports.clock import SystemClock  # noqa: E402 - same
from agent.timing import within  # noqa: E402 - same
from agent.transport.address import Address  # noqa: E402 - same

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any


class Driver:
    """Runs commands one after the other, in tasks of their own when asked to."""

    def __init__(self, kind: str, address: Address, folder: str) -> None:
        """Make the transport."""
        self.clock = SystemClock()
        self.clock.uptime_ms()  # on MicroPython this opens a file for good
        ca, cert, key = [secret(folder + "/" + name + ".der") for name in ("ca", "cert", "key")]
        if kind == "paho":
            from agent.cpython.paho_transport import PahoTransport
            from agent.cpython.tls import client_context

            self.transport: Any = PahoTransport(address, client_context(ca, cert, key))
        else:
            self.transport = portable_transport(address, self.clock, ca, cert, key)
        self.transport.on_message = lambda topic, payload: self.tell("message", topic, self.text(payload))
        self.transport.on_puback = lambda mid: self.tell("puback", mid)
        self.transport.on_lost = lambda reason: self.tell("lost", reason)
        self.transport.on_room = lambda: self.tell("room")
        self.writer: Any = None

    def text(self, payload: bytes) -> str:
        """Return a payload that JSON can carry."""
        return payload.decode() if len(payload) < 100 else str(len(payload))

    def tell(self, *what: "Any") -> None:
        """Report; at once, whatever else is going on."""
        self.writer.write((json.dumps(what) + "\n").encode())

    async def run(self, port: int) -> None:
        """Serve the test until it closes the connection."""
        reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self.tell("ready")
        await self.writer.drain()
        ticking = asyncio.create_task(self.tick())
        while True:
            line = await reader.readline()
            if not line:
                break
            command = json.loads(line)
            try:
                result = await self.obey(command[0], command[1:])
            except AgentError as error:
                self.tell("failed", error.reason, str(error))
            else:
                self.tell("done", result)
            await self.writer.drain()
        ticking.cancel()

    async def tick(self) -> None:
        """Send what callbacks have told: MicroPython's streams write in ``drain`` alone."""
        while True:
            await asyncio.sleep(0.02)
            await self.writer.drain()

    async def obey(self, name: str, values: "list[Any]") -> "Any":
        """Run one command; return what it gives."""
        if name == "connect":
            await within(self.clock, self.transport.connect(values[0], values[1].encode()), values[2])
        elif name == "subscribe":
            await self.transport.subscribe([(topic, 1) for topic in values])
        elif name == "publish":
            return self.transport.publish(values[0], values[1].encode() * values[2])
        elif name == "flood":
            await asyncio.sleep(0.02)
            return self.flood(values[0], values[1])
        elif name == "disconnect":
            await within(self.clock, self.transport.disconnect(), values[0])
        elif name == "close":
            self.transport.close()
        elif name == "room":
            return self.transport.room()
        elif name == "open_files":
            return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - for MicroPython
        return None

    def flood(self, topic: str, size: int) -> int:
        """Publish while there is room, at most 200 times; return how often."""
        count = 0
        while count < 200 and self.transport.room():
            self.transport.publish(topic, bytes(size))
            count += 1
        return count


def main(arguments: list[str]) -> None:
    """Run the command line."""
    kind, control, host, port, client_id, keepalive_s, folder = arguments
    address = Address(host, int(port), client_id, int(keepalive_s))

    async def work() -> None:
        await Driver(kind, address, folder).run(int(control))

    asyncio.run(work())


if __name__ == "__main__":
    main(sys.argv[1:])
