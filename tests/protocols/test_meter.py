"""Modbus meters: bytes by hand, and pymodbus's own clients over TCP and a serial line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerType

from simulators.protocols.meter import Bus, Ear, Meter, MeterLine, MeterServer
from simulators.protocols.meter_map import PZEM, SDM120
from simulators.protocols.meter_source import KnobMeter
from simulators.protocols.place_source import PlaceMeter
from simulators.protocols.sources import MeterReading
from simulators.scenario import load
from simulators.world import happenings
from simulators.world.place import Place
from tests.protocols.test_knob_ups import Clock

LIMIT_S = 20
SILENT_S = 0.3  # how long a client here waits for an answer that does not come


class Fixed:
    """A meter that reads what a test says."""

    def __init__(self, **values):
        self.panel = KnobMeter()
        self.values = {"voltage": 127.3, "current": 70.001, "power": 8911.1, "energy": 70_000.0} | values

    def reading(self):
        return MeterReading(frequency=59.9, power_factor=0.97, **self.values)

    def fault(self):
        return self.panel.fault()


def words(*registers):
    return b"".join(register.to_bytes(2, "big") for register in registers)


def crc(frame):
    """The check sum of Modbus over serial line V1.02, bit by bit."""
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def test_a_pzem_answers_as_its_manual_says():
    ear = Ear(Bus({1: Meter(PZEM, Fixed())}), rtu=True)
    question = bytes.fromhex("01 04 0000 000a")
    # 127.3 V; 70,001 mA = 0x0001_1171; 89,111 tenths of a watt = 0x0001_5c17; 70,000 Wh = 0x0001_1170
    values = words(1273, 0x1171, 1, 0x5C17, 1, 0x1170, 1, 599, 97, 0)
    answer = bytes.fromhex("01 04 14") + values
    assert ear.hear(question + crc(question)) == answer + crc(answer)


def test_an_sdm120_answers_in_floats_high_word_first():
    ear = Ear(Bus({2: Meter(SDM120, Fixed(voltage=127.5, energy=1500.0))}), rtu=False)
    heading = bytes.fromhex("0007 0000 0006 02 04")
    # IEEE 754 by hand: 127.5 = 1.9921875 * 2^6 -> 0x42ff0000; 1.5 kWh -> 0x3fc00000
    assert ear.hear(heading + words(0, 2)) == bytes.fromhex("0007 0000 0007 02 04 04 42ff 0000")
    assert ear.hear(heading + words(72, 2)) == bytes.fromhex("0007 0000 0007 02 04 04 3fc0 0000")
    assert ear.hear(heading + words(342, 2)) == bytes.fromhex("0007 0000 0007 02 04 04 3fc0 0000")


def test_noise_costs_no_more_than_the_frame_it_is_in():
    now = [0.0]
    ear = Ear(Bus({1: Meter(PZEM, Fixed())}), rtu=True, clock=lambda: now[0])
    question = bytes.fromhex("01 04 0000 0001")
    good = question + crc(question)
    expected = len(bytes.fromhex("01 04 02 0000")) + 2
    assert ear.hear(b"\xff\x00\x7f") == b""
    now[0] += 1
    assert len(ear.hear(good)) == expected
    assert ear.hear(good[:-1] + b"\x00") == b""  # a wrong check sum
    now[0] += 1
    assert ear.hear(good[:5]) == b""  # a frame that stops half way
    now[0] += 1
    assert len(ear.hear(good)) == expected
    now[0] += 1
    assert ear.hear(good[:3]) == b""  # and one that comes in two parts
    now[0] += 0.01
    assert len(ear.hear(good[3:])) == expected


async def asked(client, address, count, unit):
    """Return registers, the code of an exception, or None for silence."""
    try:
        answer = await client.read_input_registers(address, count=count, device_id=unit)
    except ModbusIOException:
        return None
    return answer.exception_code if answer.isError() else answer.registers


@contextlib.asynccontextmanager
async def bus(how, units):
    """A bus and a client of it, over TCP, RTU over TCP, or a serial line."""
    made = Bus(units)
    waits: dict[str, Any] = {"timeout": SILENT_S, "retries": 0}
    async with asyncio.timeout(LIMIT_S), contextlib.AsyncExitStack() as stack:
        if how == "serial":
            line = await stack.enter_async_context(MeterLine(made))
            client: AsyncModbusSerialClient | AsyncModbusTcpClient
            client = AsyncModbusSerialClient(line.path, baudrate=9600, **waits)
        else:
            server = await stack.enter_async_context(MeterServer(made, rtu=how == "rtu"))
            framer = FramerType.RTU if how == "rtu" else FramerType.SOCKET
            client = AsyncModbusTcpClient("127.0.0.1", port=server.port, framer=framer, **waits)
        assert await client.connect()
        stack.callback(client.close)
        yield client


WAYS = pytest.mark.parametrize("how", ["tcp", "rtu", "serial"])


@WAYS
def test_a_real_client_reads_several_meters_of_one_bus(how):
    pzem, sdm = KnobMeter(), KnobMeter()
    sdm.turn("voltage", "115")

    async def main():
        async with bus(how, {1: Meter(PZEM, pzem), 7: Meter(SDM120, sdm)}) as client:
            assert (await asked(client, 0, 10, 1))[:3] == [1270, 2000, 0]
            block = await asked(client, 0, 38, 7)
            as_float = client.DATATYPE.FLOAT32
            assert client.convert_from_registers(block[0:2], as_float) == 115.0
            assert client.convert_from_registers(block[12:14], as_float) == pytest.approx(218.5)
            assert await asked(client, 8, 10, 1) == 2  # ILLEGAL DATA ADDRESS: two beyond the end
            assert (await client.read_coils(0, count=1, device_id=1)).exception_code == 1
            assert (await client.read_holding_registers(2, count=1, device_id=1)).registers == [1]
            assert await asked(client, 0, 10, 3) is None  # nobody has this address

    asyncio.run(main())


@WAYS
def test_each_fault_shows_as_it_would_and_costs_the_others_nothing(how):
    bad, good = KnobMeter(), KnobMeter()

    async def main():
        async with bus(how, {1: Meter(SDM120, bad), 2: Meter(PZEM, good)}) as client:
            found = {}
            for fault in ("none", "silent", "crc", "exception"):
                bad.turn("fault", fault)
                found[fault] = await asked(client, 0, 2, 1)
                assert (await asked(client, 0, 1, 2)) == [1270]
            assert found == {"none": [0x42FE, 0], "silent": None, "crc": None, "exception": 4}

    asyncio.run(main())


def test_a_wrong_check_sum_is_one_on_the_wire():
    source = Fixed()
    source.panel.turn("fault", "crc")
    question = bytes.fromhex("01 04 0000 0001")
    said = Ear(Bus({1: Meter(PZEM, source)}), rtu=True).hear(question + crc(question))
    assert said[:-2] == bytes.fromhex("01 04 02") + words(1273)
    assert said[-2:] != crc(said[:-2])


def test_a_meter_without_its_line_is_silent():
    source = KnobMeter()
    meter = Meter(PZEM, source)
    assert meter.fault.value == "none"
    source.turn("voltage", "60")
    assert meter.fault.value == "silent"


def test_a_transformer_put_on_backwards_turns_power_and_counts_as_export():
    clock, heading = Clock(), bytes.fromhex("0001 0000 0006 01 04")
    source = KnobMeter(clock)
    for knob, text in (("voltage", "100"), ("current", "10"), ("power_factor", "1")):
        source.turn(knob, text)
    ear = Ear(Bus({1: Meter(SDM120, source)}), rtu=False)

    def value(address):
        return struct.unpack(">f", ear.hear(heading + words(address, 2))[9:])[0]

    clock.pass_s(3600)
    assert (value(12), value(72), value(74)) == (1000.0, 1.0, 0.0)  # 1 kW for an hour
    source.turn("fault", "swapped")
    clock.pass_s(1800)
    assert (value(12), value(30), value(6)) == (-1000.0, -1.0, 10.0)
    assert (value(72), value(74), value(342)) == (1.0, 0.5, 1.5)
    source.turn("fault", "none")
    clock.pass_s(1800)
    assert (value(72), value(74)) == (1.5, 0.5)


def test_a_real_serial_port_is_opened_as_a_meter_speaks(tmp_path):
    """A pseudo-terminal stands for the adapter; its far end is the router."""
    far, near = os.openpty()
    try:
        name = os.ttyname(near)

        async def main():
            question = bytes.fromhex("01 04 0000 0001")
            async with asyncio.timeout(LIMIT_S), MeterLine(Bus({1: Meter(PZEM, Fixed())}), port=Path(name)):
                os.write(far, question + crc(question))
                return await asyncio.to_thread(os.read, far, 100)

        answer = bytes.fromhex("01 04 02") + words(1273)
        assert asyncio.run(main()) == answer + crc(answer)
    finally:
        os.close(far)
        os.close(near)


def test_a_meter_of_a_simulated_place_measures_its_leg():
    scenario = load.parse(
        """
[scenario]
name = "meter"
start = "2026-03-02T10:00:00-06:00"
warmup_s = 0
duration_s = 4000
[[provider]]
id = "cable"
[[site]]
id = "library"
provider = "cable"
service = "2f3h"
[[site.device]]
id = "router"
kind = "router"
feed = "mains:1"
uplink = "provider"
[[site.meter]]
leg = 2
[[event]]
at_s = 3700
for_s = 100
kind = "mains_off"
scope = { site = "library" }
"""
    )
    zero_ms = happenings.start_ms(scenario)
    place = Place(scenario.site[0], scenario.world, 1, happenings.of_scenario(scenario), zero_ms)
    now = [zero_ms]
    source = PlaceMeter(place, scenario.site[0].meter[0], lambda: now[0])
    watt_s = 0.0
    for _ in range(60):
        now[0] += 60_000
        watt_s += 60 * source.reading().power
    seen = source.reading()
    assert 110 < seen.voltage < 140
    assert seen.power == pytest.approx(seen.voltage * seen.current)
    assert seen.energy == pytest.approx(watt_s / 3600)
    now[0] += 110_000
    assert source.reading().voltage == 0.0
    assert Meter(PZEM, source).fault.value == "silent"
