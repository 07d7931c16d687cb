"""Runs a case folder; safe for MicroPython, used by pytest and by the portable runner."""

import asyncio
import json
import os
import struct

from agent.errors import ReaderError
from agent.ports.command import CommandFailed
from agent.readers import nis
from agent.readers.apcupsd import Status
from agent.readers.clock import TIMEX, ClockState
from agent.readers.files import read_text
from agent.readers.host import Host
from agent.readers.interfaces import Interfaces
from agent.readers.meter_spec import MeterSpec
from agent.readers.meters import Meter
from agent.readers.modbus import RtuEar
from agent.readers.probes import servers
from agent.readers.probes_addresses import parse_gateway
from agent.readers.restart import Restart
from agent.readers.switch import Switch
from agent.readers.ups_sane import sanitise
from agent.readers.ups_state import CONTACTS, FLAGS, GROUPS, UpsState
from agent.readers.wan import Wan
from agent.readers.wifi import Wifi
from agent.readers.wifi_day import Day
from agent.readers.wifi_ubus import UbusWifi
from tests.cases.still import Clock

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

FOLDER = __file__.rsplit("/", 1)[0]
READERS = (
    "host", "interfaces", "ups", "wan", "switch", "clock", "restart", "probes", "wifi", "apcupsd", "meters",
)  # fmt: skip
AGES = [name for name, _ in GROUPS]  # by the driver's intervals, not by what the file says
FLAG_FIELDS = tuple([flag.lower() for flag in FLAGS]) + CONTACTS


def _devices(reader: str) -> list[str]:
    return sorted(os.listdir(FOLDER + "/" + reader))  # noqa: PTH208 (MicroPython has no pathlib)


def cases() -> "list[tuple[str, str]]":
    """Return (reader, device) of every folder."""
    return [(reader, device) for reader in READERS for device in _devices(reader)]


def check(reader: str, device: str) -> None:
    """Assert that the reader makes of the folder what it should."""
    folder = FOLDER + "/" + reader + "/" + device
    with open(folder + "/expected.json") as file:  # noqa: PTH123 (same)
        expected = json.load(file)
    if reader == "ups":
        _check_ups(folder, expected)
    elif reader == "probes":
        _check_probes(folder, expected)
    elif reader == "wifi":
        _check_wifi(folder, expected)
    elif reader == "apcupsd":
        _check_apcupsd(folder, expected)
    elif reader == "meters":
        _check_meter(folder, expected)
    else:
        _check_rows(reader, folder, expected)


class Recorded:
    """Answers as the device's commands did: the file ``commands/<words joined by _>``, or an exit status.

    A file whose name ends in ``.status`` holds the exit status of a command that failed.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder + "/commands/"

    async def run(self, argv: "list[str]", _limit_ms: int, most_bytes: int = 65536) -> bytes:
        path = self._folder + "_".join(argv)
        try:
            with open(path, "rb") as file:  # noqa: PTH123, ASYNC230 (same; a small file of a test)
                output = file.read()
        except OSError:
            raise self._failure(argv[0], path)  # noqa: B904 (MicroPython drops the cause with a warning)
        assert len(output) <= most_bytes
        return output

    def _failure(self, name: str, path: str) -> ReaderError:
        try:
            with open(path + ".status") as file:  # noqa: PTH123 (same)
                return CommandFailed(name, int(file.read()))
        except OSError:
            return ReaderError("command_missing", name)


class Synced(Clock):
    def wall_ms(self) -> "int | None":
        return 1_700_000_000_000


def _rows_of(reader: str, folder: str, options: "dict[str, Any]") -> "Any":
    """Return the coroutine that reads the folder."""
    root = folder + "/"
    run = Recorded(folder).run
    if reader == "host":
        return Host(Clock(), 10000, root, ()).read()
    if reader == "wan":
        return Wan(Clock(), 10000, 2000, run, options.get("names"), root).read()
    if reader == "switch":
        return Switch(10000, run, options.get("names")).read()
    if reader == "restart":
        return Restart(Clock(), run, root).rows()
    if reader == "clock":
        state, values = options["timex"]
        raw = struct.pack(TIMEX, *values) if values else b""
        return ClockState(Synced() if options["synced"] else Clock(), lambda: (state, raw), run).rows()
    return Interfaces(Clock(), 10000, 2000, options.get("names"), options.get("wan"), root).read()


def _check_rows(reader: str, folder: str, expected: "dict[str, Any]") -> None:
    reason = None
    rows = []
    try:
        rows = asyncio.run(_rows_of(reader, folder, expected.get("options", {})))
    except ReaderError as error:
        reason = error.reason
    assert reason == expected.get("error"), reason
    found = [[row[0], row[1], dict(row[2])] for row in rows]
    found.sort(key=_order)
    assert same(found, expected.get("rows", [])), found


def _check_probes(folder: str, expected: "dict[str, Any]") -> None:
    route = read_text(folder + "/proc/net/route") or ""
    assert parse_gateway(route, expected["byteorder"]) == expected["gateway"]
    assert servers(folder + "/") == expected["servers"], servers(folder + "/")


class Nowhere:
    """Keeps nothing."""

    def load(self) -> "bytes | None":
        return None

    def save(self, data: bytes) -> None:
        pass


class Bus:
    """Answers ``ubus`` from the files of folders, the first that has one; in parts where asked."""

    def __init__(self, folders: "list[str]") -> None:
        self.folders = folders

    async def run(
        self, argv: "list[str]", _limit_ms: int, _most_bytes: int = 65536, take: "Any" = None
    ) -> bytes:
        words = [word for word in argv[1:] if not word.startswith("-")]
        text = self._text("list.txt" if words[0] == "list" else _question(words))
        if take is None:
            return text
        for at in range(0, len(text), 700):
            take(text[at : at + 700])
        return b""

    def _text(self, name: str) -> bytes:
        for folder in self.folders:
            try:
                with open(folder + name, "rb") as file:  # noqa: PTH123 (MicroPython has no pathlib)
                    text = file.read()
            except OSError:
                continue
            if text or name == "list.txt":
                return text
            break
        raise ReaderError("command_missing" if name == "list.txt" else "command_failed", name)


def _question(words: "list[str]") -> str:
    """Return the file of an answer: object, method and device, joined by points."""
    parts = words[1:3]
    if len(words) > 3:
        parts.append(json.loads(words[3])["device"])
    return ".".join(parts) + ".json"


def _check_wifi(folder: str, expected: "dict[str, Any]") -> None:
    asyncio.run(_check_readings(folder, expected))


async def _check_readings(folder: str, expected: "dict[str, Any]") -> None:
    clock = Clock()
    bus = Bus([folder + "/first/"])
    reader = Wifi(clock, 10000, UbusWifi(bus.run), Day(clock, -6, Nowhere()), expected.get("options"))
    await _check_reading(reader, expected, "rows")
    if "then" in expected:
        clock.now_ms += expected["then_ms"]
        bus.folders.insert(0, folder + "/then/")
        await _check_reading(reader, expected, "then")
    await reader.close()


async def _check_reading(reader: "Any", expected: "dict[str, Any]", key: str) -> None:
    reason = None
    rows = []
    try:
        rows = await reader.read()
    except ReaderError as error:
        reason = error.reason
    assert reason == expected.get("error"), reason
    found = [[row[0], row[1], dict(row[2])] for row in rows]
    assert same(found, expected.get(key, [])), (key, found)


def _order(row: "list[Any]") -> str:
    return str(row[0]) + " " + str(row[1] or "")


def _check_ups(folder: str, expected: "dict[str, Any]") -> None:
    texts = read_dump(folder + "/ups.dev")
    nominal_v = expected.get("nominal_v")
    bad = sanitise(texts, nominal_v)[1]
    assert bad == expected["bad"], bad
    state = UpsState(nominal_v)
    state.hear(texts, 5000)
    fields = {name: value for name, value in state.fields(5000).items() if name not in AGES}
    wanted = {name: 0 for name in FLAG_FIELDS}  # noqa: C420 (a comprehension reads the same on MicroPython)
    wanted.update(expected.get("heard", {"unknown_tokens": 0, "bad_values": len(bad), "age_status_ms": 0}))
    wanted.update(expected["fields"])
    assert same(fields, wanted), fields


def _check_apcupsd(folder: str, expected: "dict[str, Any]") -> None:
    status = Status()
    with open(folder + "/status", "rb") as file:  # noqa: PTH123 (same)
        for line in file:
            status.take(*nis.pair(line))
    status.finish()
    bad = status.heard.verdict(expected.get("nominal_v"))[1]
    found = {
        "name": status.name,
        "lost": int(status.lost()),
        "age_ms": status.age_ms(),
        "bad": bad,
    }
    assert found == {name: expected.get(name) for name in found}, found
    state = UpsState(expected.get("nominal_v"))
    if status.lost():
        state.lose("data_stale")
    else:
        state.take(status.heard, 5000, status.age_ms(), status.more)
    fields = {name: value for name, value in state.fields(5000).items() if name not in AGES}
    wanted = {name: 0 for name in FLAG_FIELDS}  # noqa: C420 (same)
    wanted.update(expected.get("heard", {"unknown_tokens": 0, "bad_values": len(bad), "age_status_ms": 0}))
    wanted.update(expected["fields"])
    assert same(fields, wanted), fields


def _check_meter(folder: str, expected: "dict[str, Any]") -> None:
    spec = MeterSpec("meter", expected["meter"])
    meter = Meter(spec)
    with open(folder + "/answers.hex") as file:  # noqa: PTH123 (same)
        answers = file.read().split("\n\n")
    assert len(answers) == len(spec.blocks)
    words = []
    for (address, count), answer in zip(spec.blocks, answers):  # noqa: B905 (MicroPython has no strict)
        found = RtuEar(spec.unit, address, count).take(bytes.fromhex("".join(answer.split())))
        assert found is not None
        words += found
    meter.hear(words)
    assert same(meter.fields(lost=False), expected["fields"]), meter.fields(lost=False)


def read_dump(path: str) -> dict[str, str]:
    """Return the variables of a file in the format of dummy-ups."""
    texts = {}
    with open(path) as file:  # noqa: PTH123 (same)
        for line in file:
            name, _, value = line.partition(":")
            if value:
                texts[name.strip()] = value.strip()
    return texts


def same(a: "Any", b: "Any") -> bool:
    """Tell whether two values of JSON are equal; floats may differ in the last digits, as parsers do."""
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(a[n], b[n]) for n in range(len(a)))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    return bool(a == b)
