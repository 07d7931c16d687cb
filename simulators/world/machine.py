"""A machine with power or without: off, booting, up, away, taken away. What runs on it is not here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from simulators.world.happenings import NEVER

if TYPE_CHECKING:
    from simulators.scenario.model import Constants, DevicePart

WATTS: Final = {"router": 9.0, "pi": 6.0, "ap": 8.0, "switch": 12.0, "modem": 11.0}


class State(StrEnum):
    """Where a machine stands."""

    OFF = "off"
    BOOTING = "booting"
    UP = "up"
    AWAY = "away"  # restarts by itself
    GONE = "gone"  # somebody took it


class Push(StrEnum):
    """What acts on a machine; the first that holds counts."""

    TAKEN = "taken"
    DARK = "dark"
    RESTARTED = "restarted"
    POWERED = "powered"


# what a push makes of each state; a machine that is powered boots, and is up when it has booted
TABLE: Final[dict[Push, dict[State, State]]] = {
    Push.TAKEN: dict.fromkeys(State, State.GONE),
    Push.DARK: dict.fromkeys(State, State.OFF),
    Push.RESTARTED: dict.fromkeys(State, State.AWAY),
    Push.POWERED: {
        State.OFF: State.BOOTING,
        State.GONE: State.BOOTING,
        State.AWAY: State.UP,  # the time away holds its boot
        State.BOOTING: State.BOOTING,
        State.UP: State.UP,
    },
}


@dataclass(frozen=True, slots=True)
class Forces:
    """What acts on a machine at one moment."""

    powered: bool
    taken: bool = False
    restarted: bool = False


class Machine:
    """One device, at a time that only goes forward. It begins up: the world is older than its scenario."""

    def __init__(self, part: DevicePart, constants: Constants, t_ms: int) -> None:
        self.part = part
        self.state = State.UP
        self.boots = 1  # kernel boots so far
        self.unit = 1  # which piece of hardware fills the position
        self.cold = True  # whether the last boot followed a loss of power
        self.since_ms = t_ms
        self._hold_up_ms = round(constants.hold_up_s * 1000)
        self._dark_ms: int | None = None
        boot_s = {
            "modem": constants.modem_boot_s,
            "switch": constants.switch_boot_s,
            "ap": constants.switch_boot_s,
        }
        self._boot_ms = round(boot_s.get(part.kind, constants.boot_s) * 1000)

    @property
    def watts(self) -> float:
        """Power that it takes from its feed."""
        return 0.0 if self.state is State.GONE else WATTS[self.part.kind]

    @property
    def lit(self) -> bool:
        """Tell whether its ports have a link for what is at their other end."""
        return self.state in {State.UP, State.BOOTING}

    def next_turn_ms(self) -> int:
        """Return when something turns if nothing else happens."""
        if self._dark_ms is not None and self.state not in {State.OFF, State.GONE}:
            return self._dark_ms + self._hold_up_ms
        return self.since_ms + self._boot_ms if self.state is State.BOOTING else NEVER

    def update(self, t_ms: int, forces: Forces) -> None:
        """Take what acts at this moment."""
        if forces.powered:
            self._dark_ms = None
        elif self._dark_ms is None:
            self._dark_ms = t_ms
        if self.state is State.BOOTING and t_ms >= self.since_ms + self._boot_ms:
            self._become(State.UP, t_ms)
        self._become(TABLE[self._push(t_ms, forces)][self.state], t_ms)

    def _push(self, t_ms: int, forces: Forces) -> Push:
        if forces.taken:
            return Push.TAKEN
        held = self._dark_ms is None or t_ms < self._dark_ms + self._hold_up_ms
        if not forces.powered and not (held and self.state not in {State.OFF, State.GONE}):
            return Push.DARK
        return Push.RESTARTED if forces.restarted else Push.POWERED

    def _become(self, state: State, t_ms: int) -> None:
        if state is self.state:
            return
        if state is State.BOOTING or (self.state is State.AWAY and state is State.UP):
            self.boots += 1
            self.cold = state is State.BOOTING
            self.unit += self.state is State.GONE
        self.state, self.since_ms = state, t_ms
