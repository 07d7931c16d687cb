"""What meters hang on: a serial port, or a gateway's TCP port. Who calls bounds the time.

``read`` gives some bytes, and raises OSError when the line is gone; ``write`` throws away what was left over.
"""

import asyncio

from agent.ports.serial import open_port
from agent.ports.sockets import forget, readable
from agent.ports.starttls import abort

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from io import FileIO
    from typing import Any

    from agent.readers.meter_spec import MeterSpec

_MOST_BYTES = 260  # of a frame


class SerialLine:
    """A serial port; frames are apart by a silence of 3.5 letters."""

    def __init__(self, spec: "MeterSpec") -> None:
        """Keep it closed."""
        self._spec = spec
        self._file: "FileIO | None" = None
        self.pause_ms = 2 + 40_000 // spec.baud
        self.fickle = False  # what comes late is thrown away before the next question

    def is_open(self) -> bool:
        """Tell whether it is open."""
        return self._file is not None

    async def open(self) -> None:
        """Open it."""
        self._file = open_port(self._spec.path, self._spec.baud, self._spec.parity)

    async def write(self, data: bytes) -> None:
        """Send a question, for which a serial port always has room."""
        file: "Any" = self._file
        for _ in range(_MOST_BYTES):
            if not file.read(_MOST_BYTES):
                break
        if file.write(data) != len(data):
            raise OSError("the serial port takes nothing")

    async def read(self) -> bytes:
        """Return some bytes."""
        file: "Any" = self._file
        await readable(file)
        data: "bytes | None" = file.read(_MOST_BYTES)
        if not data:
            raise OSError("the serial port is gone")
        return data

    async def close(self) -> None:
        """Close it."""
        file, self._file = self._file, None
        if file is not None:
            forget(file)  # type: ignore[arg-type]  # whatever has a number
            file.close()


class TcpLine:
    """A gateway; ``fickle``: after a miss it is connected anew, which shows whether it is there at all."""

    def __init__(self, spec: "MeterSpec") -> None:
        """Keep it closed."""
        self._spec = spec
        self._streams: "tuple[asyncio.StreamReader, asyncio.StreamWriter] | None" = None
        self.fickle = True
        self.pause_ms = 2 + 40_000 // spec.baud if spec.scheme == "rtu" else 0

    def is_open(self) -> bool:
        """Tell whether there is a connection."""
        return self._streams is not None

    async def open(self) -> None:
        """Connect."""
        self._streams = await asyncio.open_connection(self._spec.host, self._spec.port)

    async def write(self, data: bytes) -> None:
        """Send a question."""
        _, writer = self._open()
        writer.write(data)
        await writer.drain()

    async def read(self) -> bytes:
        """Return some bytes."""
        data = await self._open()[0].read(_MOST_BYTES)
        if not data:
            raise OSError("the gateway closed the connection")
        return data

    async def close(self) -> None:
        """Drop the connection without waiting for the other end."""
        streams, self._streams = self._streams, None
        if streams is not None:
            await abort(streams[1])

    def _open(self) -> "tuple[asyncio.StreamReader, asyncio.StreamWriter]":
        if self._streams is None:
            raise OSError("not connected")
        return self._streams
