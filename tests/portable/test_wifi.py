"""Access points within a router's heap: a crowd of clients, the sketch of a day, and its restart."""

import asyncio
import hashlib

from agent.readers.hyperloglog import HyperLogLog
from agent.readers.wifi import Wifi
from agent.readers.wifi_day import Day
from agent.readers.wifi_ubus import UbusWifi
from tests.cases.still import Clock

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

CLIENTS = 300  # some 600 KB of what hostapd says of them: more than twice a router's heap
CAPABILITIES = ",\n".join(['\t\t\t\t"capability_' + str(n) + '": true' for n in range(60)])
CLIENT = (
    '\n\t\t"5a:3e:11:07:%02x:%02x": {\n\t\t\t"auth": true,\n\t\t\t"assoc": true,\n\t\t\t"ht": true,'
    '\n\t\t\t"aid": %d,\n\t\t\t"rate": {\n\t\t\t\t"rx": 6000,\n\t\t\t\t"tx": %d\n\t\t\t},'
    '\n\t\t\t"signal": %d,\n\t\t\t"capabilities": {\n' + CAPABILITIES + "\n\t\t\t}\n\t\t}"
)


class Bus:
    """A ubus that says more than fits, part by part."""

    async def run(self, argv: "list[str]", _limit_ms: int, _most: int = 65536, take: "Any" = None) -> bytes:
        if argv[1] == "list":
            return b"hostapd.wlan0\n"
        if argv[-1] != "get_clients":
            return b'{"status": "ENABLED", "freq": 2437}'
        take(b'{\n\t"freq": 2437,\n\t"clients": {')
        for n in range(CLIENTS):
            comma = "," if n + 1 < CLIENTS else ""
            text = CLIENT % (n >> 8, n & 255, n + 1, 6500 + 100 * n, -30 - n % 60)
            take((text + comma).encode())
        take(b"\n\t}\n}\n")
        return b""


class Shelf:
    """Keeps in this object."""

    data: "bytes | None" = None

    def load(self) -> "bytes | None":
        return self.data

    def save(self, data: bytes) -> None:
        self.data = data


def _total(rows: "list[Any]") -> "dict[str, Any]":
    return dict(rows[-1][2])


def test_a_crowd_is_read_within_the_heap():
    assert len(CLIENT) > 1500
    shelf = Shelf()
    reader = Wifi(Clock(), 10000, UbusWifi(Bus().run), Day(Clock(), -6, shelf))
    rows = asyncio.run(reader.read())
    fields: "dict[str, Any]" = dict(rows[0][2])
    assert fields["clients"] == CLIENTS, fields
    assert (fields["signal_p10"], fields["signal_p50"], fields["signal_p90"]) == (-84.0, -60.0, -36.0), fields
    assert abs(fields["rate_p50"] - (6500 + 100 * 149) / 1000) < 0.1, fields
    assert abs(fields["clients_day"] - CLIENTS) < 40, fields
    assert _total(rows)["bad_values"] == 0


def test_a_restart_takes_the_day_up():
    shelf = Shelf()
    counts = []
    for _ in range(2):
        reader = Wifi(Clock(), 10000, UbusWifi(Bus().run), Day(Clock(), -6, shelf))
        counts.append(_total(asyncio.run(reader.read()))["clients_day"])
    assert counts[0] == counts[1], counts
    assert shelf.data is not None
    assert len(shelf.data) < 1200


def test_the_sketch_estimates_alike_on_both_interpreters():
    found = []
    for count in (1, 10, 100, 1000):
        sketch = HyperLogLog()
        for n in range(count):
            sketch.add(hashlib.sha256(str(n).encode()).digest())
        found.append(sketch.count())
    assert found == FOUND, found


# of the very numbers above; computed once, on CPython
FOUND = [1, 10, 103, 974]
