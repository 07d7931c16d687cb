"""The way out to the Internet: what netifd says of it (OpenWrt), else routes and link of the kernel.

netifd knows what files do not: whether the provider gave an address and why not. Its answer costs much,
so that it is asked at every interval, and between two only when the kernel's routes or the link turned.
Addresses stay here: only whether there is one leaves the device. ``parse_*`` are pure.
"""

from agent.errors import ReaderError
from agent.readers import ubus
from agent.readers.files import read_int, read_text
from agent.readers.interfaces import parse_up

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.readers.port import Fields, Row
    from agent.readers.ubus import Run
    from agent.timing import Clock

MOST = 8
_LINK_LOCAL = ("0000FEA9", "A9FE0000")  # 169.254.0.0 as little and as big endian machines print it
_DEFAULT = "00000000"
_MAX_NAME = 32
# what is read of an interface
_READ = (
    "interface", "up", "uptime", "pending", "proto", "device", "l3_device", "errors", "route", "ipv4-address",
)  # fmt: skip

# why the way out is down: word -> codes of netifd and its protocol scripts
ERRORS = (
    ("auth_failed", ("AUTH_FAILED", "AUTH_TOPEER_FAILED", "PEER_AUTH_FAILED", "CNID_AUTH_FAILED")),
    ("no_device", ("NO_DEVICE", "NO_DEVICE_FOUND", "NO_IFACE", "DEVICE_CLAIM_FAILED", "NO_PORT_FOUND")),
    ("no_answer", ("CONNECT_FAILED", "CALL_FAILED", "NEGOTIATION_FAILED", "NO_LEASE", "PPP_CONNECT_FAILED")),
    ("peer_lost", ("PEER_DEAD", "HANGUP", "LOOPBACK", "CONNECT_TIME", "IDLE_TIMEOUT")),
    ("bad_settings", ("INVALID_OPTIONS", "OPTION_ERROR", "MISSING_ADDRESS", "NO_APN", "INVALID_ADDRESS")),
    ("modem", ("PIN_FAILED", "PUK_REQUIRED", "SIM_NOT_READY", "GETINFO_FAILED", "MODEM_FAILED")),
)
NO_ERROR = "none"
OTHER = "other"


def parse_error(errors: "Any") -> str:
    """Return the word of the first known code in netifd's list ``errors``; else other, or none."""
    found = [error.get("code") for error in _list(errors) if isinstance(error, dict)]
    for word, codes in ERRORS:
        if any(code in codes for code in found):
            return word
    return OTHER if found else NO_ERROR


def parse_interface(entry: "dict[str, Any]") -> "Fields":
    """One interface of ``network.interface dump``; what is not of its type is left out."""
    up = entry.get("up") is True
    leads_out = [route for route in _list(entry.get("route")) if _is_default(route)]
    uptime = entry.get("uptime")
    fields: "Fields" = {
        "up": int(up),
        "uptime": uptime if up and type(uptime) is int and uptime >= 0 else 0,
        "pending": int(entry.get("pending") is True),
        "ipv4": int(bool(_list(entry.get("ipv4-address")))),
        "default_route": int(bool(leads_out)),
        "error": parse_error(entry.get("errors")),
    }
    for key, field in (("interface", "network"), ("proto", "proto"), ("l3_device", "l3_device")):
        if _is_name(entry.get(key)):
            fields[field] = entry[key]
    return fields


def parse_dump(dump: "dict[str, Any]") -> "dict[str, dict[str, Any]]":
    """``network.interface dump``: the entries by name."""
    entries = dump.get("interface")
    if not isinstance(entries, list):
        raise ReaderError("ubus_garbage", "network.interface dump: no list of interfaces")
    found = [entry for entry in entries if isinstance(entry, dict) and _is_name(entry.get("interface"))]
    return {entry["interface"]: entry for entry in found}


def parse_route(text: str) -> "tuple[list[str], list[str]]":
    """``/proc/net/route``: devices of default routes, and devices that have an address."""
    leading: list[str] = []
    addressed: list[str] = []
    for line in text.split("\n")[1:]:
        words = line.split()
        if len(words) < 8 or not _is_up(words[3]):  # noqa: PLR2004 (Iface Destination ... Mask)
            continue
        device, destination, mask = words[0], words[1], words[7]
        if destination == mask == _DEFAULT:
            leading.append(device)
        elif destination not in _LINK_LOCAL:
            addressed.append(device)
    return sorted(set(leading)), sorted(set(addressed))


def _is_up(flags: str) -> bool:
    try:
        return bool(int(flags, 16) & 1)
    except ValueError:
        return False


def _is_default(route: "Any") -> bool:
    return isinstance(route, dict) and route.get("target") == "0.0.0.0" and route.get("mask") == 0  # noqa: S104


def _list(value: "Any") -> "list[Any]":
    return value if isinstance(value, list) else []


def _is_name(value: "Any") -> bool:
    good = isinstance(value, str) and 0 < len(value) <= _MAX_NAME
    return good and all(c.isalpha() or c.isdigit() or c in "-_.@:" for c in value)


class Wan:
    """Reads the ways out ``names``: netifd's names on OpenWrt, else devices.

    Without names: ``wan`` when netifd has it, else whatever has led out since the start.
    """

    name = "wan"
    watched = ("up", "ipv4", "default_route", "error")

    def __init__(
        self,
        clock: "Clock",
        interval_ms: int,
        watch_ms: int,
        run: "Run",
        names: "list[str] | None" = None,
        root: str = "/",
    ) -> None:
        self.interval_ms = interval_ms
        self.watch_ms = watch_ms
        self._clock = clock
        self._run = run
        self._names = names
        self._root = root
        self._known: list[str] = []
        self._netifd = True
        self._seen: "list[str | None]" = []
        self._asked_ms: int | None = None
        self._rows: "list[Row]" = []
        self._error: ReaderError | None = None
        self._devices: dict[str, str] = {}
        self._up_since_ms: dict[str, int] = {}

    async def look(self) -> bool:
        """Tell whether the kernel's routes or the link differ from the read before."""
        return self._signs() != self._seen

    async def read(self) -> "list[Row]":
        """Return a ``wan`` row for each way out; its instance is the device that has the link."""
        now_ms = self._clock.uptime_ms()
        seen = self._signs()
        due = self._asked_ms is None or now_ms - self._asked_ms >= self.interval_ms - self.watch_ms // 2
        if due or seen != self._seen:
            self._asked_ms, self._seen = now_ms, seen
            try:
                self._rows, self._error = await self._ask(), None
            except ReaderError as error:
                self._error = error
        if self._error is not None:
            raise self._error
        return self._rows

    def _signs(self) -> "list[str | None]":
        """Return what turns in the kernel whenever a way out does."""
        leading, addressed = parse_route(read_text(self._root + "proc/net/route") or "")
        signs: "list[str | None]" = [" ".join(leading), " ".join(addressed)]
        for device in sorted(self._devices.values()):
            signs.append(self._text(device, "operstate"))
            signs.append(self._text(device, "carrier"))
        return signs

    async def _ask(self) -> "list[Row]":
        if self._netifd:
            try:
                return self._of_netifd(await self._dumped())
            except ReaderError as error:
                if error.reason != "command_missing":
                    raise
                self._netifd = False
        return self._of_kernel()

    async def _dumped(self) -> "dict[str, dict[str, Any]]":
        """Ask netifd; from ubusd itself the interfaces come one by one, and little of each is kept."""
        found: "dict[str, dict[str, Any]]" = {}

        def take(_key: "str | None", entry: "Any") -> None:
            if isinstance(entry, dict) and _is_name(entry.get("interface")):
                found[entry["interface"]] = {key: entry[key] for key in _READ if key in entry}

        if await ubus.asked(self._run, "network.interface", "dump", {}, ubus.LIMIT_MS, take, deep=True):
            return found
        return parse_dump(await ubus.call(self._run, "network.interface", "dump"))

    def _of_netifd(self, entries: "dict[str, dict[str, Any]]") -> "list[Row]":
        rows: "list[Row]" = []
        for name in self._chosen(entries):
            entry = entries.get(name)
            fields: "Fields" = {"up": 0, "uptime": 0, "error": "no_interface"}
            if entry:
                fields = parse_interface(entry)
            if entry and _is_name(entry.get("device")):
                self._devices[name] = entry["device"]
            device = self._devices.get(name)
            if not fields["up"] and fields["error"] == NO_ERROR and device and not self._carrier(device):
                fields["error"] = "no_carrier"
            rows.append(("wan", device or name, fields))
        return rows

    def _chosen(self, entries: "dict[str, dict[str, Any]]") -> list[str]:
        if self._names is not None:
            return self._names[:MOST]
        if "wan" in entries:
            return ["wan"]
        leading = [name for name in sorted(entries) if parse_interface(entries[name])["default_route"]]
        return self._remembered(leading)

    def _remembered(self, leading: list[str]) -> list[str]:
        self._known += [name for name in leading if name not in self._known]
        if not self._known:
            raise ReaderError("no_way_out", "nothing leads out; name it in readers.wan.names")
        return self._known[:MOST]

    def _of_kernel(self) -> "list[Row]":
        leading, addressed = parse_route(read_text(self._root + "proc/net/route") or "")
        names = self._names[:MOST] if self._names is not None else self._remembered(leading)
        self._devices = {name: name for name in names}
        rows: "list[Row]" = []
        for name in names:
            link = parse_up(self._text(name, "operstate"), self._carrier(name))
            up = link and name in leading
            fields: "Fields" = {"up": int(up), "uptime": self._uptime(name, up=up)}
            fields["ipv4"] = int(name in addressed)
            fields["default_route"] = int(name in leading)
            fields["error"] = NO_ERROR if link else "no_carrier"
            rows.append(("wan", name, fields))
        return rows

    def _uptime(self, name: str, *, up: bool) -> int:
        """Count from when this reader first saw it up: nothing older can be known here."""
        now_ms = self._clock.uptime_ms()
        if not up:
            self._up_since_ms.pop(name, None)
            return 0
        return (now_ms - self._up_since_ms.setdefault(name, now_ms)) // 1000

    def _carrier(self, device: str) -> "int | None":
        return read_int(self._root + "sys/class/net/" + device + "/carrier")

    def _text(self, device: str, file: str) -> "str | None":
        return read_text(self._root + "sys/class/net/" + device + "/" + file)
