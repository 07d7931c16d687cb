"""Values that the collector's parts hand to each other.

Plain, immutable, without I/O; what there are dozens of in a frame is a named tuple, which is made three times
as fast as a frozen dataclass. Times are integers in milliseconds since 1970 UTC and end in ``_ms``;
times of the collector's monotonic clock end in ``_mono``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

Value = int | float | str | bool | None
Instance = str | None


class Outcome(StrEnum):
    """What became of a frame. All but DEFERRED and INVALID are told to the device."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    DEFERRED = "deferred"
    INVALID = "invalid"


class Reason(StrEnum):
    """Why a frame, or a table of it, was not stored. One name for log, metric, quarantine and test."""

    # not a frame, or not of this device: INVALID
    OVERSIZED = "oversized"
    BAD_TOPIC = "bad_topic"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    REVOKED_KEY = "revoked_key"
    WRONG_DEVICE = "wrong_device"
    BAD_SIGNATURE = "bad_signature"
    BAD_PAYLOAD = "bad_payload"
    WRONG_KIND = "wrong_kind"
    # verified, yet not to be stored: REFUSED
    NO_ASSIGNMENT = "no_assignment"
    SEQ_REUSED = "seq_reused"
    TOO_OLD_TO_JUDGE = "too_old_to_judge"
    NO_CLOCK = "no_clock"
    FUTURE = "future"
    BEYOND_RETENTION = "beyond_retention"
    TYPE_CONFLICT = "type_conflict"
    STORE_REFUSED = "store_refused"
    # comes again: DEFERRED
    RATE_LIMITED = "rate_limited"
    # of one table or field, the rest is stored
    UNKNOWN_MEASUREMENT = "unknown_measurement"
    UNKNOWN_FIELD = "unknown_field"
    OUT_OF_RANGE = "out_of_range"
    WRONG_TYPE = "wrong_type"
    TOO_MANY_INSTANCES = "too_many_instances"


class Table(NamedTuple):
    """One measurement of one instance: rows of ``(offset_ms, value, ...)`` under ``fields``."""

    measurement: str
    instance: Instance
    fields: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


class Kind(NamedTuple):
    """A kind of table: its measurement, its fields and how many rows it has."""

    measurement: str
    fields: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The kinds of tables of a frame; devices that run the same readers share it. It equals itself alone."""

    kinds: tuple[Kind, ...]


class Usual(NamedTuple):
    """Tables that hold legal numbers only, none missing, and all their values, row by row, in one list."""

    shape: Shape
    tables: tuple[Table, ...]
    values: list[Any]


class Received(NamedTuple):
    """A message as the broker delivered it. ``mid`` is only valid on connection ``generation``."""

    shard: str
    topic: str
    payload: bytes
    mid: int
    generation: int
    arrival_ms: int
    live: bool = True  # false while the broker hands out what it had queued: arrival then says nothing


class Frame(NamedTuple):
    """A frame whose signature was verified and whose payload has the shape that WIRE.md gives.

    ``seq`` is None for a death. ``wall_ms`` is None when the device's clock was not synchronised.
    ``hello`` is what a birth says of identity, readers and intervals; ``dropped`` the cumulative account.
    ``stop`` marks the event before a planned stop. ``usual``: all its tables, when they all are.
    """

    kid: str
    device: str
    topic: str
    shard: str
    kind: str
    incarnation: str
    boot: int
    kernel_boot: str
    seq: int | None
    uptime_ms: int
    wall_ms: int | None
    tables: tuple[Table, ...]
    dropped: dict[str, int]
    session: int | None
    hello: dict[str, Any]
    arrival_ms: int
    digest: bytes
    stop: bool = False
    usual: Usual | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One point for the store, under the names of ``agent/wire/fields.py``. Tags hold no None."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, Value], ...]
    time_ms: int


class Quality(StrEnum):
    """How a time came about; stored as a field, never as a tag."""

    SYNCED = "synced"  # the device's own synchronised clock
    ANCHORED = "anchored"  # wall minus uptime, learned from another frame of the incarnation
    ARRIVAL = "arrival"  # anchored on the arrival of a live frame
    BOUNDED = "bounded"  # between its neighbours, no reference of its own


# --- what the rules are given -------------------------------------------------------------------


class Readings(NamedTuple):
    """One row of one table of one device. ``current`` is false for history: it never sets live state."""

    device: str
    time_ms: int
    measurement: str
    instance: Instance
    fields: dict[str, Value]
    current: bool = True


class Rows(NamedTuple):
    """Rows of one table of one device, oldest first: ``Readings`` that are made when somebody looks."""

    device: str
    times_ms: Sequence[int]
    measurement: str
    instance: Instance
    names: tuple[str, ...]
    rows: Sequence[Sequence[Any]]  # an offset, and a value for each name
    current: bool = True

    def readings(self) -> list[Readings]:
        """Return each row, without the values that are missing."""
        return [self._reading(at, row) for at, row in zip(self.times_ms, self.rows, strict=True)]

    def is_whole(self) -> bool:
        """Say whether no value is missing."""
        return not any([None in row for row in self.rows])  # noqa: C419 - a list is faster

    def newest(self) -> Readings:
        """Return the last row."""
        return self._reading(self.times_ms[-1], self.rows[-1])

    def _reading(self, at_ms: int, row: Sequence[Any]) -> Readings:
        fields = dict(zip(self.names, row[1:], strict=True))
        if None in row:
            fields = {name: value for name, value in fields.items() if value is not None}
        return Readings(self.device, at_ms, self.measurement, self.instance, fields, self.current)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified frame with a new seq came in: the device speaks, however old its news is."""

    device: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Born:
    """A session began. ``hello`` carries the announced intervals (ms) under ``intervals``.

    ``key`` is the id of the key that signed it: another key in the same position is another unit.
    """

    device: str
    at_ms: int
    kernel_boot: str
    hello: dict[str, Any] = field(default_factory=dict)
    incarnation: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Died:
    """The current session's will arrived, or a planned stop (``planned``)."""

    device: str
    at_ms: int
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Suspect:
    """Messages in a device's name that put its identity in doubt; ``reason``: see ``rules/security``.

    Only of keys that are enrolled: a stranger's messages are counted and quarantined, no more.
    """

    device: str
    at_ms: int
    reason: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class ClockFault:
    """A current frame's own time was not believed: it was off by ``off_ms`` (positive: ahead)."""

    device: str
    at_ms: int
    off_ms: int


Observation = Readings | Rows | Arrival | Born | Died | Suspect | ClockFault


# --- what the rules say -------------------------------------------------------------------------


class Severity(StrEnum):
    """How soon a person must act."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    HAZARD = "hazard"


class Cause(StrEnum):
    """Why a place is dark (design: the nine verdicts)."""

    MAINS_AREA = "mains-area"
    MAINS_SITE = "mains-site"
    BACKHAUL_PROVIDER = "backhaul-provider"
    BACKHAUL_SITE = "backhaul-site"
    DEVICE = "device"
    REMOVED = "removed"
    COLLECTOR = "collector"
    PLANNED = "planned"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fact:
    """One piece of evidence: a code that ``alerts/texts.py`` puts into words, and its parameters."""

    code: str
    params: dict[str, Value] = field(default_factory=dict)


class Change(StrEnum):
    """What a transition does to a condition."""

    RAISED = "raised"
    REVISED = "revised"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Transition:
    """A condition of a site was raised, revised or cleared.

    ``condition`` is a name of the catalogue, ``subject`` what it is about ("" for the whole site, else
    a device, or ``device/instance``). ``cause`` is set for outages. ``at_ms`` is when it happened,
    not when it was noticed; ``reason`` says why this changed now.
    """

    change: Change
    site: str
    condition: str
    subject: str
    at_ms: int
    severity: Severity
    cause: Cause | None = None
    confidence: float | None = None
    facts: tuple[Fact, ...] = ()
    reason: str = ""
    final: bool = False
    found_on_return: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the condition: site, condition, subject."""
        return (self.site, self.condition, self.subject)
