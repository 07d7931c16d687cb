"""Battery and supply as the kernel's power_supply class knows them: measurement ``upsd``, as of any UPS.

The instance is the battery's name in sysfs. What the kernel tells (its Documentation/ABI, sysfs-class-power)
is put into NUT's words and goes through what a UPS's values go through: to the centre it is any other UPS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agent.errors import ReaderError
from agent.readers.files import listing, read_int, read_text
from agent.readers.ups_state import WATCHED, UpsState

if TYPE_CHECKING:
    from agent.readers.port import Reader, Row
    from agent.timing import Clock

LOW_PERCENT: Final = 10
_BATTERIES: Final = ("Battery", "UPS")
# attribute -> NUT's variable, what it has to be divided by
NUMBERS: Final = (
    ("capacity", "battery.charge", 1),
    ("voltage_now", "battery.voltage", 1_000_000),
    ("time_to_empty_now", "battery.runtime", 1),
    ("temp", "ups.temperature", 10),
)
_WORDS: Final = {"Charging": "CHRG", "Discharging": "DISCHRG"}
_BAD_HEALTH: Final = {"Dead": "RB", "Unspecified failure": "RB", "Overheat": "ALARM", "Over voltage": "ALARM"}


def line_word(online: list[int], status: str | None) -> str:
    """Return OL or OB, empty when nothing tells: by the supplies, without one by the battery's own status."""
    if online:
        return "OL" if any(online) else "OB"
    return {"Discharging": "OB", "Charging": "OL", "Full": "OL"}.get(status or "", "")


def low_word(line: str, percent: int | None, level: str | None) -> str:
    """Return LB where the battery is all but empty."""
    low = level == "Critical" or (line == "OB" and percent is not None and percent <= LOW_PERCENT)
    return "LB" if low else ""


class Supply:
    """Reads the batteries ``names`` (None: all that feed the machine); ``root`` as in Host."""

    name = "supply"
    watched = WATCHED

    def __init__(
        self, clock: Clock, interval_ms: int, watch_ms: int, names: list[str] | None = None, root: str = "/"
    ) -> None:
        self.interval_ms = interval_ms
        self.watch_ms = watch_ms
        self._clock = clock
        self._names = names
        self._folder = root + "sys/class/power_supply/"
        self._states: dict[str, UpsState] = {}

    async def read(self) -> list[Row]:
        """Return a row for each battery; ReaderError ``nothing_readable`` where none was ever seen."""
        there = [name for name in listing(self._folder) if self._feeds(name)]
        online = [read_int(f"{self._folder}{name}/online") for name in there if not self._is_battery(name)]
        batteries = [name for name in there if self._is_battery(name)]
        for name in batteries if self._names is None else self._names:
            self._states.setdefault(name, UpsState())
        if not self._states:
            raise ReaderError("nothing_readable", "no battery in " + self._folder)
        now_ms = self._clock.uptime_ms()
        rows: list[Row] = []
        for name, state in self._states.items():
            texts = self._texts(name, [value for value in online if value is not None])
            if name in batteries and texts:
                state.hear(texts, now_ms)
            else:
                state.lose("data_stale")
            rows.append(("upsd", name, state.fields(now_ms)))
        return rows

    def _feeds(self, name: str) -> bool:
        """Tell a supply of this machine from the battery of a mouse, which has the scope Device."""
        return read_text(f"{self._folder}{name}/scope") != "Device"

    def _is_battery(self, name: str) -> bool:
        return read_text(f"{self._folder}{name}/type") in _BATTERIES

    def _texts(self, name: str, online: list[int]) -> dict[str, str]:
        """Return NUT's variables; none of a battery that was taken out."""
        folder = f"{self._folder}{name}/"
        if read_text(folder + "present") == "0":
            return {}
        status = read_text(folder + "status")
        line = line_word(online, status)
        low = low_word(line, read_int(folder + "capacity"), read_text(folder + "capacity_level"))
        health = _BAD_HEALTH.get(read_text(folder + "health") or "", "")
        words = (line, low, _WORDS.get(status or "", ""), health)
        texts = {"ups.status": " ".join(word for word in words if word), **_AT_ONCE}
        for attribute, variable, divisor in NUMBERS:
            value = read_int(folder + attribute)
            if value is not None:
                texts[variable] = str(value / divisor)
        return texts


_AT_ONCE: Final = {"driver.parameter.pollinterval": "1"}  # the kernel asks the battery when it is read


def make_supply(options: dict[str, Any], clock: Clock, sample_ms: int, watch_ms: int) -> Reader:
    """Build the reader; option ``names``."""
    return Supply(clock, sample_ms, watch_ms, options.get("names"))
