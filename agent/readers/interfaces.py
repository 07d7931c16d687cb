"""Network interfaces: counters from /proc/net/dev, link from sysfs, and whether the way out (``wan``) is up.

Counters are raw and in the machine's own direction (received means received by this machine). An interface
that is named in the configuration and not there (an unplugged adapter) still has a row, with ``carrier`` 0:
its absence is news. ``parse_*`` are pure functions of text.
"""

from agent.errors import ReaderError
from agent.readers.files import listing, read_int, read_text

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.readers.port import Fields, Row
    from agent.timing import Clock

# A container host can have hundreds of interfaces; the wire contract allows 64 instances of a measurement.
MOST = 32

_LINK = ("carrier", "speed", "duplex")  # files of sysfs

# column of /proc/net/dev -> field; the columns between are fifo, frame, compressed, multicast, colls, carrier
COLUMNS = (
    (0, "bytes_recv"),
    (1, "packets_recv"),
    (2, "err_in"),
    (3, "drop_in"),
    (8, "bytes_sent"),
    (9, "packets_sent"),
    (10, "err_out"),
    (11, "drop_out"),
)


def parse_net_dev(text: str) -> dict[str, dict[str, int]]:
    """``/proc/net/dev``: the raw counters of each interface; lines that are not such lines are skipped."""
    found = {}
    for line in text.split("\n"):
        name, colon, rest = line.partition(":")
        words = rest.split()
        if colon and len(words) > COLUMNS[-1][0] and all(word.isdigit() for word in words):
            found[name.strip()] = {field: int(words[column]) for column, field in COLUMNS}
    return found


def parse_link(carrier: int | None, speed: int | None, duplex: str | None) -> dict[str, int]:
    """Files of sysfs: carrier (None while the interface is down), speed in Mbit/s (-1: unknown), duplex."""
    fields = {"carrier": 1 if carrier == 1 else 0}
    if speed is not None and 0 < speed < 2**31:
        fields["speed"] = speed
    if duplex in ("full", "half"):
        fields["full_duplex"] = 1 if duplex == "full" else 0
    return fields


def parse_up(operstate: str | None, carrier: int | None) -> bool:
    """Tell whether an interface carries traffic; PPP and tunnels never leave ``unknown`` (RFC 2863)."""
    return operstate == "up" or (operstate == "unknown" and carrier == 1)


class Interfaces:
    """Reads the interfaces ``names`` (None: all but lo); ``wan`` names the one that leads out, or is None."""

    name = "interfaces"
    # a port that negotiated 1000 Mbit/s and now does 100, or half duplex, is news: a bad cable or plug
    watched = ("carrier", "up", "speed", "full_duplex")

    def __init__(
        self,
        clock: "Clock",
        interval_ms: int,
        watch_ms: int,
        names: list[str] | None = None,
        wan: str | None = None,
        root: str = "/",
    ) -> None:
        self.interval_ms = interval_ms
        self.watch_ms = watch_ms
        self._clock = clock
        self._names = names
        self._wan = wan
        self._root = root
        self._wan_up_since_ms: int | None = None
        self._read: list[str] = []
        self._seen: "list[str | None]" = []

    async def look(self) -> bool:
        """Tell whether a link or the list of interfaces differs from the read before; counters always do."""
        return self._signs() != self._seen

    async def read(self) -> "list[Row]":
        """Return a ``net`` row per interface and, when it is configured, the ``wan`` row."""
        counters = self._counters()
        if not counters:
            raise ReaderError("no_interfaces", "/proc/net/dev could not be read")
        rows: "list[Row]" = []
        self._read = self._wanted(counters)
        self._seen = self._signs()
        for name in self._read:
            fields: "Fields" = dict(counters.get(name, {}))
            fields.update(self._link(name))
            rows.append(("net", name, fields))
        if self._wan:
            rows.append(("wan", self._wan, self._wan_state(self._is_up(self._wan))))
        return rows

    def _wanted(self, counters: dict[str, dict[str, int]]) -> list[str]:
        if self._names is not None:
            return self._names
        return sorted(name for name in counters if name != "lo")[:MOST]

    def _counters(self) -> dict[str, dict[str, int]]:
        return parse_net_dev(read_text(self._root + "proc/net/dev") or "")

    def _signs(self) -> "list[str | None]":
        """Return what turns whenever a watched field does."""
        folder = self._root + "sys/class/net/"
        signs: "list[str | None]" = [
            read_text(folder + name + "/" + file) for name in self._read for file in _LINK
        ]
        if self._wan:
            signs += [
                read_text(folder + self._wan + "/operstate"),
                read_text(folder + self._wan + "/carrier"),
            ]
        if self._names is None:
            signs += listing(folder)
        return signs

    def _link(self, name: str) -> dict[str, int]:
        folder = self._root + "sys/class/net/" + name + "/"
        return parse_link(
            read_int(folder + "carrier"), read_int(folder + "speed"), read_text(folder + "duplex")
        )

    def _is_up(self, name: str) -> bool:
        folder = self._root + "sys/class/net/" + name + "/"
        return parse_up(read_text(folder + "operstate"), read_int(folder + "carrier"))

    def _wan_state(self, up: bool) -> "Fields":  # noqa: FBT001 (the state itself)
        """``uptime`` counts from when this reader first saw it up: nothing older can be known here."""
        now_ms = self._clock.uptime_ms()
        if not up:
            self._wan_up_since_ms = None
            return {"up": 0, "uptime": 0}
        if self._wan_up_since_ms is None:
            self._wan_up_since_ms = now_ms
        return {"up": 1, "uptime": (now_ms - self._wan_up_since_ms) // 1000}
