"""What the platform knows of the last restart: watchdog, power fault, heat, crash dump, power taken away.

Read once; the row is repeated every ten minutes, as the first may be lost. What is not known is left out:
without ``cold`` nothing says whether the power was gone. Sources, each with what it is sure of:

- /sys/class/watchdog/*/bootstatus (linux/watchdog.h WDIOF_*); many drivers always say 0, so 0 is no proof;
- /sys/fs/pstore: ``dmesg-*`` is a crash; what ramoops kept in memory proves that memory kept its power;
- the Raspberry Pi's reset register PM_RSTS, in the device tree or by ``vcgencmd``: 0x1000 power-on, 0x20 the
  watchdog, which also does every ordinary reboot; both together, as some firmware leaves them, prove nothing;
- the Pi 5's power controller, chosen/power/power_reset, which survives ordinary reboots: believed only when
  this start was none.
"""

from agent.errors import ReaderError
from agent.readers.files import listing, read_bytes, read_text

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.readers.port import Fields, Row
    from agent.readers.ubus import Run
    from agent.timing import Clock

REPEAT_MS = 600_000
_LIMIT_MS = 2000

_OVERHEAT, _POWERUNDER, _CARDRESET, _POWEROVER = 0x0001, 0x0010, 0x0020, 0x0040  # WDIOF_*
_POWER_ON, _WATCHDOG_OR_REBOOT = 0x1000, 0x0020  # PM_RSTS: HADPOR, HADWRF
_PMIC_POWER, _PMIC_HEAT, _PMIC_WATCHDOG = 0x03, 0x04, 0x10  # over or under voltage
_WORD = 4  # bytes of a cell of the device tree, big endian


def parse_bootstatus(text: "str | None") -> "int | None":
    """``bootstatus``: decimal, or hexadecimal since Linux 6.3."""
    try:
        return None if text is None else int(text, 16 if text[:2] == "0x" else 10)
    except ValueError:
        return None


def parse_cell(raw: "bytes | None") -> "int | None":
    """One cell of the device tree."""
    return int.from_bytes(raw, "big") if raw is not None and len(raw) == _WORD else None


def parse_rsts(text: str) -> "int | None":
    """``vcgencmd get_rsts``: ``get_rsts=1000``, hexadecimal."""
    name, _, digits = text.strip().partition("=")
    try:
        return int(digits, 16) if name == "get_rsts" else None
    except ValueError:
        return None


def evidence(
    watchdogs: list[int], pstore: "list[str] | None", rsts: "int | None", pmic: "int | None"
) -> "Fields":
    """Return the fields of ``restart`` from what the sources say; None is a source that is absent."""
    bits = 0
    for status in watchdogs:
        bits |= status
    kept = [name for name in pstore or () if "-ramoops-" in name]
    warm = bool(bits & _CARDRESET or kept or (rsts is not None and rsts & _WATCHDOG_OR_REBOOT))
    cold = rsts is not None and bool(rsts & _POWER_ON)
    pmic_bits = 0 if warm or pmic is None else pmic
    fields: "Fields" = {}
    if warm != cold:
        fields["cold"] = int(cold)
    if watchdogs or pmic is not None:
        fields["watchdog_reset"] = int(bool(bits & _CARDRESET or pmic_bits & _PMIC_WATCHDOG))
        fields["power_fault"] = int(bool(bits & (_POWERUNDER | _POWEROVER) or pmic_bits & _PMIC_POWER))
        fields["over_temp"] = int(bool(bits & _OVERHEAT or pmic_bits & _PMIC_HEAT))
    if pstore is not None:
        fields["crash_dump"] = int(any(name[:6] == "dmesg-" for name in pstore))
    return fields


class Restart:
    """The row ``restart``; ``root`` as in Host."""

    def __init__(self, clock: "Clock", run: "Run", root: str = "/") -> None:
        self._clock = clock
        self._run = run
        self._root = root
        self._fields: "Fields | None" = None
        self._tell_at_ms = 0

    async def rows(self) -> "list[Row]":
        """Return the row when it is time to tell it and there is something to tell."""
        if self._fields is None:
            self._fields = evidence(self._watchdogs(), self._pstore(), await self._rsts(), self._pmic())
        now_ms = self._clock.uptime_ms()
        if not self._fields or now_ms < self._tell_at_ms:
            return []
        self._tell_at_ms = now_ms + REPEAT_MS
        return [("restart", None, self._fields)]

    def _watchdogs(self) -> list[int]:
        folder = self._root + "sys/class/watchdog/"
        found = [parse_bootstatus(read_text(folder + name + "/bootstatus")) for name in listing(folder)]
        return [status for status in found if status is not None]

    def _pstore(self) -> "list[str] | None":
        folder = self._root + "sys/fs/"
        return listing(folder + "pstore") if "pstore" in listing(folder) else None

    async def _rsts(self) -> "int | None":
        chosen = parse_cell(read_bytes(self._root + "proc/device-tree/chosen/bootloader/rsts"))
        model = read_text(self._root + "proc/device-tree/model") or ""
        if chosen is not None or not model.startswith("Raspberry Pi"):
            return chosen
        try:
            output = await self._run(["vcgencmd", "get_rsts"], _LIMIT_MS, _WORD * 64)
            return parse_rsts(output.decode())
        except (ReaderError, UnicodeError):
            return None

    def _pmic(self) -> "int | None":
        return parse_cell(read_bytes(self._root + "proc/device-tree/chosen/power/power_reset"))
