"""What is to be simulated: devices, their intervals, where their files and their broker are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.instruments.base import Intervals

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Timing:
    """The agent's intervals in seconds; the defaults are the agent's own."""

    sample_s: float = 10
    watch_s: float = 2
    frame_s: float = 30
    keepalive_s: int = 20
    resend_s: float = 60
    reconnect_s: float = 30

    def table(self) -> dict[str, float]:
        """Return the section ``intervals`` of an agent's configuration."""
        return {name: getattr(self, name) for name in self.__slots__}

    def readers(self) -> Intervals:
        """Return what the readers need of it."""
        return Intervals(round(1000 * self.sample_s), round(1000 * self.watch_s))


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """A device to simulate: its name, and the site of the world where it is found under that name."""

    name: str
    site: str


@dataclass(frozen=True, slots=True)
class Bench:
    """What all devices of a run share: issued devices, scratch folder, broker, intervals."""

    pki: Path
    scratch: Path
    host: str
    port: int
    timing: Timing = field(default_factory=Timing)
