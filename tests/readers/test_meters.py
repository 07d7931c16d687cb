"""Mains meters: the simulator's bus (pymodbus) over TCP and pseudo-terminals, and lines that go wrong."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.errors import ConfigError, ReaderError
from agent.readers import meter_spec, modbus
from agent.readers.meters import make_meters
from simulators.protocols.meter import Bus, Meter, MeterLine, MeterServer
from simulators.protocols.meter_map import PZEM, SDM120
from simulators.protocols.meter_source import KnobMeter
from tests.readers.standin import RealClock
from tests.servers import programs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ONCE = Path(__file__).with_name("meters_once.py")
LIMIT_S = 60
THINK_MS = 700  # for a simulated meter on a machine that is busy with other tests

INTERPRETERS = pytest.mark.parametrize(
    "interpreter", ["cpython", pytest.param("micropython", marks=pytest.mark.server)]
)
WAYS = pytest.mark.parametrize("how", ["tcp", "rtu", "serial"])


def turned(**knobs: object) -> KnobMeter:
    source = KnobMeter()
    for name, value in knobs.items():
        source.turn(name, str(value))
    return source


async def where(stack: AsyncExitStack, how: str, bus: Bus) -> str:
    """Serve a bus; return how the configuration names the way to it."""
    if how == "serial":
        return (await stack.enter_async_context(MeterLine(bus))).path
    server = await stack.enter_async_context(MeterServer(bus, rtu=how == "rtu"))
    return f"{how}://127.0.0.1:{server.port}"


class Agent:
    """The reader in an interpreter of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def read(self) -> Any:
        """Read once; return the fields by meter, or the reason why there are none."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), LIMIT_S)
        rows = json.loads(line)
        if isinstance(rows, str):
            return rows
        assert {row[0] for row in rows} <= {"mains"}
        return {row[1]: row[2] for row in rows}


@asynccontextmanager
async def agent(interpreter: str, meters: dict[str, str]) -> AsyncIterator[Agent]:
    name = sys.executable if interpreter == "cpython" else programs.built("micropython", "micropython")
    process = await asyncio.create_subprocess_exec(
        name,
        str(ONCE),
        json.dumps(meters),
        str(THINK_MS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Agent(process)
        assert process.stdin
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), LIMIT_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@WAYS
@INTERPRETERS
def test_meters_of_one_line_are_read_with_leg_and_place(interpreter, how):
    pzem = turned(voltage=127.3, current=70.001, power_factor=0.97, frequency=59.9)
    sdm = turned(voltage=118.25, current=2, power_factor=0.5, frequency=60.1)

    async def main() -> Any:
        async with AsyncExitStack() as stack:
            way = await where(stack, how, Bus({1: Meter(PZEM, pzem), 7: Meter(SDM120, sdm)}))
            meters = {
                "indoor": f"pzem004t:{way},unit=1,leg=1,place=indoor",
                "outdoor": f"sdm120:{way},unit=7,leg=2,place=outdoor,baud=9600",
            }
            return await (await stack.enter_async_context(agent(interpreter, meters))).read()

    found = asyncio.run(main())
    assert [found[name].pop("energy") < 1000 for name in ("indoor", "outdoor")] == [True, True]
    quiet = {"answers": 1, "line_lost": 0, "timeouts": 0, "frame_errors": 0}
    indoor = {"voltage": 127.3, "current": 70.001, "power": 8643.8, "frequency": 59.9, "power_factor": 0.97}
    outdoor = {"voltage": 118.25, "current": 2.0, "power": 118.25, "frequency": 60.1, "power_factor": 0.5}
    assert found == {
        "indoor": approximately({**quiet, **indoor, "leg": 1, "place": "indoor"}),
        "outdoor": approximately({**quiet, **outdoor, "backwards": 0, "leg": 2, "place": "outdoor"}),
    }


def approximately(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with numbers that differ in the last digits, as those of 32 bits do."""
    return {
        name: pytest.approx(value) if isinstance(value, float) else value for name, value in fields.items()
    }


@WAYS
@INTERPRETERS
def test_each_fault_is_counted_alone_and_costs_the_other_meter_nothing(interpreter, how):
    bad, good = turned(), turned(voltage=120)

    async def main() -> list[Any]:
        async with AsyncExitStack() as stack:
            way = await where(stack, how, Bus({1: Meter(SDM120, bad), 2: Meter(PZEM, good)}))
            meters = {"a": f"sdm120:{way},baud=38400", "b": f"pzem004t:{way},unit=2,baud=38400"}
            reader = await stack.enter_async_context(agent(interpreter, meters))
            found = []
            for fault in ("none", "crc", "none", "silent", "silent", "exception", "swapped"):
                bad.turn("fault", fault)
                rows = await reader.read()
                assert (rows["b"]["voltage"], rows["b"]["answers"]) == (120.0, 1), (fault, rows)
                assert rows["b"]["timeouts"] == rows["b"]["frame_errors"] == 0
                found.append(rows["a"])
            return found

    whole, crc, again, silent, gone, refused, swapped = asyncio.run(main())
    assert whole["voltage"] == again["voltage"] == 127.0
    # a gateway to Modbus TCP keeps to itself what arrives wrong
    counted = "timeouts" if how == "tcp" else "frame_errors"
    assert (crc[counted], crc["answers"], "voltage" in crc) == (1, 1, False)
    assert (silent["timeouts"] - again["timeouts"], silent["answers"], "voltage" in silent) == (1, 1, False)
    assert (gone["timeouts"] - again["timeouts"], gone["answers"]) == (2, 0)
    assert (refused["exceptions"], refused["answers"], "voltage" in refused) == (1, 0, False)
    assert (swapped["answers"], swapped["backwards"], whole["backwards"]) == (1, 1, 0)
    assert swapped["power"] == pytest.approx(-127 * 2 * 0.95)
    assert swapped["voltage"] == 127.0


@INTERPRETERS
def test_a_port_that_is_pulled_out_is_no_loss_of_the_supply(interpreter):
    async def main() -> None:
        async with AsyncExitStack() as stack:
            stays = await where(stack, "serial", Bus({1: Meter(PZEM, turned())}))
            goes, far = pseudo_terminal()
            meters = {"a": f"pzem004t:{stays},leg=1", "b": f"pzem004t:{goes}"}
            reader = await stack.enter_async_context(agent(interpreter, meters))
            assert (await reader.read())["b"]["timeouts"] == 1
            os.close(far)
            rows = await reader.read()
            assert rows["a"]["answers"] == 1
            assert rows["b"]["line_lost"] == 1
            assert "answers" not in rows["b"]

    asyncio.run(main())


def pseudo_terminal() -> tuple[str, int]:
    """Return a port's path and the other end; nobody else holds the near one."""
    far, near = os.openpty()
    path = os.ttyname(near)
    os.close(near)
    return path, far


@pytest.mark.parametrize("way", ["/dev/vigia-no-such-port", "/dev/null", "tcp://127.0.0.1:1"])
@INTERPRETERS
def test_a_line_that_is_not_there_fails_alone_and_by_its_name(interpreter, way):
    async def main() -> None:
        async with agent(interpreter, {"a": f"pzem004t:{way}"}) as reader:
            assert await reader.read() == "line_lost"
            assert await reader.read() == "line_lost"

    asyncio.run(main())


@INTERPRETERS
def test_a_gateway_that_comes_back_is_used_again(interpreter):
    async def main() -> None:
        async with AsyncExitStack() as stack:
            server = MeterServer(Bus({1: Meter(PZEM, turned())}))
            async with server:
                meters = {"a": f"pzem004t:tcp://127.0.0.1:{server.port}"}
                reader = await stack.enter_async_context(agent(interpreter, meters))
                assert (await reader.read())["a"]["answers"] == 1
            assert await reader.read() == "line_lost"
            async with MeterServer(Bus({1: Meter(PZEM, turned())}), port=server.port):
                async with asyncio.timeout(LIMIT_S):
                    while (rows := await reader.read()) == "line_lost":  # noqa: ASYNC110 - it tries again by itself
                        await asyncio.sleep(0.2)
                assert rows["a"]["voltage"] == 127.0

    asyncio.run(main())


# --- what comes on a line that goes wrong, byte by byte ---


def framed(frame: bytes) -> bytes:
    return frame + modbus.crc(frame)


VALUES = bytes.fromhex("04f6 07d0 0000 0968 0000 0064 0000 0258 005f 0000")  # 127.0 V, 2 A, 240.8 W, 100 Wh
ANSWER = framed(bytes.fromhex("01 04 14") + VALUES)
OTHER = framed(bytes.fromhex("02 04 14") + VALUES)
QUESTION = framed(bytes.fromhex("01 04 0000 000a"))

# what comes after each question -> what counts, whether there is a value
LINES: dict[str, tuple[bytes, dict[str, int], bool]] = {
    "whole": (ANSWER, {}, True),
    "echo": (QUESTION + ANSWER, {"echoes": 1}, True),
    "echo alone": (QUESTION, {"echoes": 1, "timeouts": 1}, False),
    "another unit": (OTHER, {"strangers": 1, "timeouts": 1}, False),
    "another unit before": (OTHER + ANSWER, {"strangers": 1}, True),
    "short": (ANSWER[:9], {"frame_errors": 1}, False),
    "one byte": (ANSWER[:1], {"frame_errors": 1}, False),
    "a bit": (ANSWER[:7] + bytes([ANSWER[7] ^ 1]) + ANSWER[8:], {"frame_errors": 1}, False),
    "fewer registers": (framed(bytes.fromhex("01 04 02 04f6")), {"frame_errors": 1}, False),
    "another function": (framed(bytes.fromhex("01 03 14") + VALUES), {"frame_errors": 1}, False),
    "refused": (framed(bytes.fromhex("01 84 02")), {"exceptions": 1}, False),
    "gateway without answer": (framed(bytes.fromhex("01 84 0b")), {"timeouts": 1}, False),
    "noise": (bytes(range(1, 200)), {"frame_errors": 1}, False),
    "silence": (b"", {"timeouts": 1}, False),
}


async def spoken(path_of: Callable[[AsyncExitStack, bytes], Any], said: bytes) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        way = await path_of(stack, said)
        reader = make_meters({"a": f"pzem004t:{way}"}, RealClock(), 10_000, 2000)
        try:
            ((_, _, fields),) = await reader.read()
            return dict(fields)
        finally:
            await reader.close()


async def serial_line(stack: AsyncExitStack, said: bytes) -> str:
    return (await talking(stack, said))[0]


async def talking(stack: AsyncExitStack, said: bytes) -> tuple[str, int]:
    """Say the same after each question, in two parts, on a pseudo-terminal; return it and its far end."""
    path, far = pseudo_terminal()
    near = os.open(path, os.O_RDWR | os.O_NOCTTY)
    os.set_blocking(far, False)
    loop = asyncio.get_running_loop()

    def answer() -> None:
        assert os.read(far, 100) == QUESTION
        os.write(far, said[:4])
        loop.call_later(0.02, os.write, far, said[4:])

    loop.add_reader(far, answer)
    stack.callback(os.close, near)
    stack.callback(os.close, far)
    stack.callback(loop.remove_reader, far)
    return path, far


def judged(fields: dict[str, Any], name: str) -> None:
    _, counts, valued = LINES[name]
    names = ("timeouts", "frame_errors", "exceptions", "strangers", "echoes")
    assert {each: fields.get(each, 0) for each in names} == {each: counts.get(each, 0) for each in names}
    assert (fields.get("voltage") == 127.0) is valued


@pytest.mark.parametrize("name", LINES)
def test_what_comes_on_a_serial_line_is_judged(name):
    judged(asyncio.run(spoken(serial_line, LINES[name][0])), name)


def test_a_port_that_goes_while_an_answer_is_waited_for_is_lost_at_once():
    async def main() -> str:
        path, far = pseudo_terminal()
        loop = asyncio.get_running_loop()

        def go() -> None:
            loop.remove_reader(far)
            os.close(far)

        reader = make_meters({"a": f"pzem004t:{path}"}, RealClock(), 10_000, 2000)
        loop.add_reader(far, go)  # when the question comes
        with pytest.raises(ReaderError) as error:
            await reader.read()
        await reader.close()
        return error.value.reason

    assert asyncio.run(main()) == "line_lost"


def test_what_was_left_over_does_not_pass_for_the_next_answer():
    stale = framed(bytes.fromhex("01 04 14 0064") + VALUES[2:])

    async def main() -> Any:
        async with AsyncExitStack() as stack:
            path, far = await talking(stack, ANSWER)
            reader = make_meters({"a": f"pzem004t:{path}"}, RealClock(), 10_000, 2000)
            await reader.read()
            os.write(far, stale)
            ((_, _, fields),) = await reader.read()
            await reader.close()
            return fields["voltage"]

    assert asyncio.run(main()) == 127.0


# --- Modbus TCP ---


def over_tcp(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, 1 + len(pdu), unit) + pdu


def test_a_late_answer_of_tcp_is_passed_over():
    ear = modbus.TcpEar(1, 0, 1, transaction=9)
    old, new = b"\x04\x02\x00\x01", b"\x04\x02\x00\x02"
    assert ear.take(over_tcp(8, 1, old) + over_tcp(9, 1, new)[:5]) is None
    assert ear.take(over_tcp(9, 1, new)[5:]) == [2]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes.fromhex("0009 0001 0005 01 04 02 0001"), "frame_errors"),  # another protocol
        (bytes.fromhex("0009 0000 0002 01 04"), "frame_errors"),  # too short for an answer
        (bytes.fromhex("0009 0000 ffff 01 04"), "frame_errors"),  # longer than any
        (over_tcp(9, 1, b"\x84\x04"), "exceptions"),
        (over_tcp(9, 1, b"\x84\x0b"), "timeouts"),
        (over_tcp(9, 1, b"\x04\x04\x00\x01"), "frame_errors"),  # says four bytes, has two
    ],
)
def test_what_no_answer_over_tcp_can_be(data, reason):
    with pytest.raises(ReaderError) as error:
        modbus.TcpEar(1, 0, 1, transaction=9).take(data)
    assert error.value.reason == reason


def test_the_check_sum_is_the_published_one():
    # Modbus over Serial Line V1.02, and the usual check string of CRC catalogues
    assert modbus.crc(b"123456789") == bytes.fromhex("374b")
    assert modbus.crc(bytes.fromhex("02 07")) == bytes.fromhex("4112")


# --- configuration ---


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pzem:/dev/ttyUSB0", "unknown kind pzem; known are pzem004t, sdm120"),
        ("pzem004t:ttyUSB0", "has to hang on a port such as /dev/ttyUSB0, tcp://"),
        ("pzem004t:tcp://gateway:502", "needs an IPv4 address"),
        ("pzem004t:tcp://192.0.2.7:70000", "has a port that is none: 70000"),
        ("pzem004t:/dev/ttyUSB0,unit=0", "unit has to be a number from 1 to 247"),
        ("pzem004t:/dev/ttyUSB0,leg=4", "leg has to be a number from 1 to 3"),
        ("pzem004t:/dev/ttyUSB0,place=", "place has to be a name"),
        ("pzem004t:/dev/ttyUSB0,baud=9601", "baud has to be 1200 or"),
        ("pzem004t:/dev/ttyUSB0,units=1", "unknown option units; known are baud, leg, parity, place, unit"),
        ("pzem004t:/dev/ttyUSB0,unit=1,unit=2", "unit is given twice"),
    ],
)
def test_what_is_wrong_with_a_meter_is_said_in_a_line(text, said):
    found = meter_spec.wrong({"indoor": text})
    assert found.startswith("indoor: ")
    assert said in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("meters", "said"),
    [
        ({}, "has to be an object of 1 to 16 names"),
        (None, "has to be an object of 1 to 16 names"),
        ({"a b": "pzem004t:/dev/ttyUSB0"}, "has a name that is none: a b"),
        ({"a": 1}, "a has to be a text"),
        ({"a": "pzem004t:/dev/ttyUSB0", "b": "sdm120:/dev/ttyUSB0,baud=9600"}, "the same unit of one line"),
        ({"a": "pzem004t:/dev/ttyUSB0", "b": "sdm120:/dev/ttyUSB0,unit=2"}, "one baud and parity"),
        ({f"m{n}": f"sdm120:/dev/ttyUSB0,unit={n}" for n in range(1, 17)}, "more meters than its baud lets"),
    ],
)
def test_meters_that_cannot_be_together_are_refused(meters, said):
    assert said in meter_spec.wrong(meters)


def test_the_configuration_says_which_meter_is_wrong():
    from agent.config import check

    raw = {
        "device": "mx-001",
        "site": "s",
        "broker": {"host": "h"},
        "readers": {"meters": {"meters": {"indoor": "pzem004t:/dev/ttyUSB0,unit=300"}}},
    }
    with pytest.raises(ConfigError) as error:
        check(raw)
    assert str(error.value) == "readers.meters.meters indoor: unit has to be a number from 1 to 247"
    raw["readers"] = {
        "meters": {
            "meters": {
                "indoor": "pzem004t:/dev/ttyUSB0,unit=1,leg=1,place=indoor",
                "outdoor": "sdm120:tcp://192.0.2.7:502,unit=2,leg=1,place=outdoor,baud=2400",
            }
        }
    }
    assert check(raw)["readers"] == raw["readers"]
