"""What can be seen of the device on the bench at one moment: plain values that the checks judge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.wire import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.model import Value


@dataclass(frozen=True, slots=True)
class Row:
    """The newest row of a measurement and instance, with the time of its sample."""

    time_ms: int
    fields: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the device's agent: what came in of it. ``dropped`` is its own account of losses."""

    incarnation: str
    kernel_boot: str
    boot: int
    order: int
    kid: str
    stored: tuple[tuple[int, int], ...]
    dropped: Mapping[str, int]

    @property
    def frames(self) -> int:
        """Frames that were stored."""
        return intervals.count([list(pair) for pair in self.stored])

    @property
    def last(self) -> int:
        """The highest seq that was stored, -1 when none was."""
        return self.stored[-1][1] if self.stored else -1

    @property
    def missing(self) -> int:
        """Frames that must exist and did not come in."""
        return self.last + 1 - self.frames


@dataclass(frozen=True, slots=True)
class Concluded:
    """An incident as the collector has it. ``told`` are messages that went out about it."""

    number: int
    condition: str
    cause: str | None
    final: bool
    opened_ms: int
    cleared_ms: int | None
    told: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything, at ``at_ms``. ``clock_ms`` is the device's clock minus ours, None: it claims none.

    ``clock_at_ms`` is when that was measured last, ``refused`` counts frames in the device's name that were
    not taken, by reason.
    """

    at_ms: int
    arrival_ms: int | None = None
    hello: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[tuple[str, str | None], Row] = field(default_factory=dict)
    starts: tuple[Start, ...] = ()
    concluded: tuple[Concluded, ...] = ()
    refused: Mapping[str, int] = field(default_factory=dict)
    clock_ms: int | None = None
    clock_at_ms: int | None = None
    clock_trusted: bool | None = None

    @property
    def start(self) -> Start | None:
        """The newest start of the agent."""
        return self.starts[-1] if self.starts else None

    @property
    def frames(self) -> int:
        """Frames stored, of all starts."""
        return sum(start.frames for start in self.starts)

    def value(self, measurement: str, name: str, instance: str | None = None) -> Value:
        """Return the newest value of a field; without ``instance`` that of the first one there is."""
        row = self.row(measurement, instance)
        return row.fields.get(name) if row else None

    def row(self, measurement: str, instance: str | None = None) -> Row | None:
        """Return the newest row; without ``instance`` that of the first one there is."""
        found = [name for name in self.rows if name[0] == measurement and instance in {None, name[1]}]
        return self.rows[min(found, key=str)] if found else None

    def instances(self, measurement: str) -> list[str]:
        """Return the instances of a measurement."""
        return sorted(name for found, name in self.rows if found == measurement and name is not None)

    def open(self, *conditions: str) -> tuple[Concluded, ...]:
        """Return the incidents that are not over, of these conditions or of any."""
        return tuple(
            one
            for one in self.concluded
            if one.cleared_ms is None and (not conditions or one.condition in conditions)
        )

    def newly_open(self, before: Seen, *conditions: str) -> Concluded | None:
        """Return an incident that is open now and was not then; one that relapsed keeps its number."""
        known = {one.number for one in before.open()}
        return next((one for one in self.open(*conditions) if one.number not in known), None)

    def ended(self, since_ms: int, *conditions: str) -> Concluded | None:
        """Return the newest incident of these conditions that ended since a time."""
        found = [
            one
            for one in self.concluded
            if one.condition in conditions and one.cleared_ms is not None and one.cleared_ms >= since_ms
        ]
        return found[-1] if found else None
