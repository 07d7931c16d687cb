"""Runs a case folder; safe for MicroPython, used by pytest and by the portable runner."""

import asyncio
import json
import os

from agent.errors import ReaderError
from agent.readers import nis
from agent.readers.apcupsd import Status
from agent.readers.host import Host
from agent.readers.interfaces import Interfaces
from agent.readers.ups_sane import sanitise
from agent.readers.ups_state import CONTACTS, FLAGS, GROUPS, UpsState

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

FOLDER = __file__.rsplit("/", 1)[0]
READERS = ("host", "interfaces", "ups", "apcupsd")
AGES = [name for name, _ in GROUPS]  # by the driver's intervals, not by what the file says
FLAG_FIELDS = tuple([flag.lower() for flag in FLAGS]) + CONTACTS


class Clock:
    """Time that stands still, unsynchronised."""

    def uptime_ms(self) -> int:
        return 5000

    def wall_ms(self) -> "int | None":
        return None

    async def sleep_ms(self, duration_ms: int) -> None:
        await asyncio.sleep(duration_ms / 1000)

    def kernel_boot(self) -> bytes:
        return bytes(16)

    def random_bytes(self, count: int) -> bytes:
        return bytes(count)


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
    elif reader == "apcupsd":
        _check_apcupsd(folder, expected)
    else:
        _check_rows(reader, folder, expected)


def _check_rows(reader: str, folder: str, expected: "dict[str, Any]") -> None:
    options = expected.get("options", {})
    root = folder + "/"
    made = (
        Host(Clock(), 10000, root, ())
        if reader == "host"
        else Interfaces(Clock(), 10000, 2000, options.get("names"), options.get("wan"), root)
    )
    reason = None
    rows = []
    try:
        rows = asyncio.run(made.read())
    except ReaderError as error:
        reason = error.reason
    assert reason == expected.get("error"), reason
    found = [[row[0], row[1], dict(row[2])] for row in rows if row[0] != "clock"]
    found.sort(key=_order)
    assert same(found, expected.get("rows", [])), found


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
