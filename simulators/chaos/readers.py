"""Readers of a chaos device: a counter unique per sample, UPS that leave the line, large frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.instruments.ups import CONTACT, FLAGS

if TYPE_CHECKING:
    from simulators.chaos.clock import ChaosClock

    Row = tuple[str, str | None, dict[str, int | float]]

MEASUREMENT, FIELD = "net", "packets_recv"
CONFLICT = ("mains", "energy")  # an integer in the store before the run begins, a float from the device
CONFLICT_AT = 4  # the sample that carries it
_PAD_INSTANCES = 30
_PAD_FIELDS = ("bytes_recv", "bytes_sent", "packets_sent", "err_in", "err_out", "drop_in", "drop_out")
_PAD_VALUE = 1 << 50
_LINE_V = 127.0


class CounterReader:
    """One row of ``net`` per read, with the next counter.

    The instance names life and clock phase: samples of two phases of a clock could otherwise fall on the same
    millisecond of the same series, where the store keeps the later one only.
    """

    name = "counter"
    watch_ms = 0
    watched: tuple[str, ...] = ()

    def __init__(self, interval_ms: int, first: int, life: int, clock: ChaosClock) -> None:
        self.interval_ms = interval_ms
        self._next = first
        self._life = life
        self._clock = clock

    async def read(self) -> list[Row]:
        """Return the next sample."""
        self._next += 1
        return [counted(self._next, f"l{self._life}p{self._clock.phase}")]


def counted(counter: int, instance: str) -> Row:
    """Return a sample's row."""
    return (MEASUREMENT, instance, {FIELD: counter})


class ConflictReader:
    """Once, after a while, a field whose type the store has otherwise."""

    name = "conflict"
    watch_ms = 0
    watched: tuple[str, ...] = ()

    def __init__(self, interval_ms: int) -> None:
        self.interval_ms = interval_ms
        self._reads = 0

    async def read(self) -> list[Row]:
        """Return a row at the one read, nothing at the others."""
        self._reads += 1
        return [(CONFLICT[0], "m0", {CONFLICT[1]: 1.5})] if self._reads == CONFLICT_AT else []


class PadReader:
    """Large rows, so that a small spool fills within a run."""

    name = "pad"
    watch_ms = 0
    watched: tuple[str, ...] = ()

    def __init__(self, interval_ms: int) -> None:
        self.interval_ms = interval_ms

    async def read(self) -> list[Row]:
        """Return rows of many interfaces, without the counter's field."""
        fields: dict[str, int | float] = {name: _PAD_VALUE + n for n, name in enumerate(_PAD_FIELDS)}
        return [("net", f"pad{n}", fields) for n in range(_PAD_INSTANCES)]


class UpsReader:
    """UPS by name; those in ``on_battery`` have left the line and measure no input."""

    name = "ups"
    watched = (*FLAGS, *CONTACT)

    def __init__(self, interval_ms: int, names: list[str], on_battery: set[str]) -> None:
        self.interval_ms = interval_ms
        self.watch_ms = interval_ms
        self._names = names
        self._on_battery = on_battery

    async def read(self) -> list[Row]:
        """Return a row of ``upsd`` for each."""
        return [("upsd", name, _ups(ob=name in self._on_battery)) for name in self._names]


def _ups(*, ob: bool) -> dict[str, int | float]:
    flags: dict[str, int | float] = dict.fromkeys((*FLAGS, *CONTACT), 0)
    return flags | {
        "ob": int(ob),
        "ol": int(not ob),
        "input_voltage": 0.0 if ob else _LINE_V,
        "age_input_ms": 0,
        "age_status_ms": 0,
        "battery_charge_percent": 90.0,
        "unknown_tokens": 0,
        "bad_values": 0,
    }
