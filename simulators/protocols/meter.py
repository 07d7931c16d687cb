"""Meters on a Modbus bus: over TCP, as RTU over TCP, on a pseudo-terminal or a real serial port.

Frames and check sums are pymodbus's. Every unit has its own fault; a silent one costs the others nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import time
import tty
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException
from pymodbus.framer.rtu import FramerRTU
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
)

from simulators.protocols.meter_map import LEAST_V, Energy, Kind, read
from simulators.protocols.sources import MeterFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from simulators.protocols.sources import MeterReading, MeterSource

SILENCE_S: Final = 0.1  # between two frames of RTU; 3.5 letters at 1200 baud are 0.03
_MOST_BYTES: Final = 1024


class Meter:
    """One unit: a kind of meter at an address of the bus."""

    def __init__(self, kind: Kind, source: MeterSource) -> None:
        self._kind = kind
        self._source = source
        self._counted: float | None = None
        self._energy = Energy()

    @property
    def fault(self) -> MeterFault:
        """What is wrong with it; what has no line is silent."""
        if self._source.reading().voltage < LEAST_V:
            return MeterFault.SILENT
        return self._source.fault()

    def registers(self, request: ModbusPDU) -> list[int] | None:
        """Return what is asked for; None: no such registers."""
        if isinstance(request, ReadInputRegistersRequest):
            reading = self._seen()
            return read(self._kind.inputs(reading, self._energy), request.address, request.count)
        return read(self._kind.holding(request.dev_id), request.address, request.count)

    def _seen(self) -> MeterReading:
        """Return what it measures; what was used since the last time is counted in the present direction."""
        reading = self._source.reading()
        swapped = self._source.fault() is MeterFault.SWAPPED
        if swapped:
            reading = replace(reading, power=-reading.power, power_factor=-reading.power_factor)
        used = reading.energy - (self._counted if self._counted is not None else 0.0)
        self._counted = reading.energy
        if used < 0.0:  # set back
            self._energy = Energy(reading.energy)
        elif swapped:
            self._energy = replace(self._energy, exported=self._energy.exported + used)
        else:
            self._energy = replace(self._energy, imported=self._energy.imported + used)
        return reading


class Bus:
    """What answers the frames of one bus."""

    def __init__(self, units: Mapping[int, Meter]) -> None:
        self._units = units
        self.asked = 0

    def answer(self, request: ModbusPDU) -> tuple[ModbusPDU | None, MeterFault]:
        """Return the answer (None: silence) and what is wrong with its unit."""
        self.asked += 1
        unit = self._units.get(request.dev_id)
        fault = unit.fault if unit is not None else MeterFault.SILENT
        if unit is None or fault is MeterFault.SILENT:
            return None, MeterFault.SILENT
        said = _said(unit, request, fault)
        said.dev_id, said.transaction_id = request.dev_id, request.transaction_id
        return said, fault


_ANSWERS: Final = {
    ReadInputRegistersRequest.function_code: ReadInputRegistersResponse,
    ReadHoldingRegistersRequest.function_code: ReadHoldingRegistersResponse,
}


def _said(unit: Meter, request: ModbusPDU, fault: MeterFault) -> ModbusPDU:
    made = _ANSWERS.get(request.function_code)
    if made is None:
        return ExceptionResponse(request.function_code, ExcCodes.ILLEGAL_FUNCTION)
    if fault is MeterFault.EXCEPTION:
        return ExceptionResponse(request.function_code, ExcCodes.DEVICE_FAILURE)
    found = unit.registers(request)
    if found is None:
        return ExceptionResponse(request.function_code, ExcCodes.ILLEGAL_ADDRESS)
    return made(registers=found)


class Ear:
    """Bytes of one connection or line in, bytes out."""

    def __init__(self, bus: Bus, *, rtu: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._rtu = rtu
        decoder = DecodePDU(is_server=True)
        self._framer = FramerRTU(decoder) if rtu else FramerSocket(decoder)
        self._clock = clock
        self._held = b""
        self._heard_s = 0.0

    def hear(self, data: bytes) -> bytes:
        """Return the answers to what is complete by now."""
        now = self._clock()
        if self._rtu and now - self._heard_s > SILENCE_S:
            self._held = b""  # silence ends a frame; what was left of one is noise
        self._heard_s = now
        self._held = (self._held + data)[-_MOST_BYTES:]
        said = b""
        while True:
            try:
                used, request = self._framer.handleFrame(self._held, 0, 0)
            except ModbusException:  # a whole frame that is no request
                self._held = b""
                break
            self._held = self._held[used:]
            if request is None:
                break
            said += self._frame(*self._bus.answer(request))
        return said

    def _frame(self, answer: ModbusPDU | None, fault: MeterFault) -> bytes:
        if answer is None:
            return b""
        frame: bytes = self._framer.buildFrame(answer)
        if fault is not MeterFault.CRC:
            return frame
        # a gateway to Modbus TCP keeps to itself what arrives wrong
        return frame[:-1] + bytes([frame[-1] ^ 0xFF]) if self._rtu else b""


class MeterServer:
    """A bus on a TCP port; ``rtu``: frames as on the wire, as a plain serial gateway passes them."""

    def __init__(self, bus: Bus, *, host: str = "127.0.0.1", port: int = 0, rtu: bool = False) -> None:
        self.host, self.port = host, port
        self._bus = bus
        self._rtu = rtu
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Stop and end every connection."""
        if self._server is not None:
            self._server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ear = Ear(self._bus, rtu=self._rtu)
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(_MOST_BYTES):
                    writer.write(ear.hear(data))
                    await writer.drain()
        finally:
            writer.close()


class MeterLine:
    """A bus as RTU on a serial line: a new pseudo-terminal whose other end is ``path``, or a real port."""

    def __init__(self, bus: Bus, *, port: Path | None = None, baud: int = 9600) -> None:
        self.path = str(port) if port is not None else ""
        self._ear = Ear(bus, rtu=True)
        self._baud = baud
        self._fds: list[int] = []

    async def __aenter__(self) -> Self:
        """Open."""
        if self.path:
            self._fds = [os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)]
            _set_speed(self._fds[0], self._baud)
        else:
            # the far end stays open here as well: a reader that closes it must not end the line
            self._fds = list(os.openpty())
            self.path = os.ttyname(self._fds[1])
            tty.setraw(self._fds[1])
            os.set_blocking(self._fds[0], False)
        asyncio.get_running_loop().add_reader(self._fds[0], self._read)
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Close."""
        asyncio.get_running_loop().remove_reader(self._fds[0])
        for each in self._fds:
            os.close(each)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._fds[0], _MOST_BYTES)
            if not data:  # a real port that was pulled out
                asyncio.get_running_loop().remove_reader(self._fds[0])
                return
            said = self._ear.hear(data)
            if said:
                os.write(self._fds[0], said)  # at most 260 bytes, for which a terminal has room


def _set_speed(port: int, baud: int) -> None:
    """Let a serial port be raw, 8N1, at a speed that it has a name for."""
    tty.setraw(port)
    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        raise OSError(f"{baud} baud is no speed of a serial port")
    attributes = termios.tcgetattr(port)
    attributes[2] &= ~(termios.PARENB | termios.CSTOPB)
    attributes[4] = attributes[5] = speed
    termios.tcsetattr(port, termios.TCSANOW, attributes)
