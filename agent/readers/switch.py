"""Ports of a built-in switch that are no interfaces of the kernel: OpenWrt's ``swconfig``.

Newer drivers (DSA) make an interface of every port, which agent.readers.interfaces reads. Rows are of
``net``, the instance is ``switch0:3``. The processor's port is one like the others. ``parse_*`` are pure.
"""

from agent.errors import ReaderError
from agent.readers.interfaces import parse_link

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.readers.port import Row
    from agent.readers.ubus import Run

LIMIT_MS = 5000
MOST_BYTES = 49152
MOST = 32
EVERY_MS = 30_000  # the driver reads every counter of every port over a slow bus

# counters of the drivers (ar8xxx, mt7530, b53, rtl8366) -> field; what has several names is added up
COUNTERS = {
    "RxGoodByte": "bytes_recv",
    "RxByte": "bytes_recv",
    "TxByte": "bytes_sent",
    "RxFcsErr": "err_in",
    "RxCRC": "err_in",
    "RxAlignErr": "err_in",
    "TxCRC": "err_out",
    "TxLateCol": "err_out",  # a late collision: one end runs half duplex, the other full
}


def parse_list(text: str) -> list[str]:
    """``swconfig list``: lines like ``Found: switch0 - ag71xx-mdio.0``."""
    lines = [line.split() for line in text.split("\n")]
    return [words[1] for words in lines if len(words) > 1 and words[0] == "Found:"]


def parse_show(text: str) -> "dict[int, dict[str, int]]":
    """``swconfig dev switch0 show``: the fields of each port that says whether it has a link."""
    found: "dict[int, dict[str, int]]" = {}
    counted: "dict[str, int]" = {}
    for line in text.split("\n"):
        name, colon, rest = line.strip().partition(":")
        words = rest.split()
        if not colon or not words:
            if line.startswith("Port "):
                counted = {}
        elif name == "link":
            port, fields = parse_port(words)
            if port is not None and len(found) < MOST:
                fields.update(counted)
                found[port] = fields
            counted = {}
        elif name.strip() in COUNTERS and words[0].isdigit():
            field = COUNTERS[name.strip()]
            counted[field] = counted.get(field, 0) + int(words[0])
    return found


def parse_port(words: list[str]) -> "tuple[int | None, dict[str, int]]":
    """Words like ``port:1 link:up speed:1000baseT full-duplex auto``: the port's number and its fields."""
    said = dict([word.split(":", 1) for word in words if ":" in word])
    number = said.get("port", "")
    if not number.isdigit() or said.get("link") not in ("up", "down"):
        return None, {}
    digits = said.get("speed", "").split("base")[0]
    speed = int(digits) if digits.isdigit() else None
    duplex = [word[:4] for word in words if word in ("full-duplex", "half-duplex")]
    return int(number), parse_link(int(said["link"] == "up"), speed, duplex[0] if duplex else None)


class Switch:
    """Reads the switches ``names`` (None: all there are)."""

    name = "switch"
    watch_ms = 0
    watched = ("carrier", "speed", "full_duplex")

    def __init__(self, interval_ms: int, run: "Run", names: "list[str] | None" = None) -> None:
        self.interval_ms = max(interval_ms, EVERY_MS)
        self._run = run
        self._names = names

    async def read(self) -> "list[Row]":
        """Return a ``net`` row for each port."""
        if self._names is None:
            self._names = parse_list(await self._say(["list"]))
        rows: "list[Row]" = []
        for name in self._names:
            ports = parse_show(await self._say(["dev", name, "show"]))
            rows += [("net", name + ":" + str(port), ports[port]) for port in sorted(ports)]
        return rows[:MOST]

    async def _say(self, words: list[str]) -> str:
        argv = ["swconfig"]
        argv += words
        try:
            return (await self._run(argv, LIMIT_MS, MOST_BYTES)).decode()
        except UnicodeError:
            raise ReaderError("garbage", "swconfig: not text")
