"""Who is told, and when: channels by route and severity, hold-offs, working hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from collector.model import Cause, Severity
from collector.rules import catalogue
from collector.rules.catalogue import CONDITIONS, Hours, Route

if TYPE_CHECKING:
    from collector.config import AlertsConfig

LOCAL: Final = ZoneInfo("America/Mexico_City")
SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When somebody reads what can wait, in local time; equal times mean at any hour."""

    opens: time = time(8)
    closes: time = time(18)
    weekend: bool = False

    def next_ms(self, at_ms: int) -> int:
        """Return ``at_ms`` when it is in working hours, else when they begin next."""
        local = datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(LOCAL)
        works = self.weekend or local.weekday() < SATURDAY
        if works and (self.opens == self.closes or self.opens <= local.time() < self.closes):
            return at_ms
        day = local.date() + timedelta(days=1 if works and local.time() >= self.closes else 0)
        while not self.weekend and day.weekday() >= SATURDAY:
            day += timedelta(days=1)
        return int(datetime.combine(day, self.opens, tzinfo=LOCAL).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class ChannelRoute:
    """Which messages a channel takes."""

    name: str
    routes: frozenset[str]
    min_rank: int


@dataclass(frozen=True, slots=True)
class Routing:
    """The channels and the hold-offs (ms) of a configuration."""

    channels: tuple[ChannelRoute, ...]
    hold_off_ms: int
    recovery_hold_ms: int
    hours: WorkingHours = WorkingHours()

    @classmethod
    def of(cls, config: AlertsConfig) -> Routing:
        """Read a configuration."""
        channels = tuple(
            ChannelRoute(name, frozenset(channel.routes), catalogue.rank(channel.min_severity))
            for name, channel in config.channels.items()
        )
        hours = WorkingHours(config.opens, config.closes, config.weekend)
        return cls(channels, config.hold_off_ms, config.recovery_hold_ms, hours)

    def names(self, condition: str, severity: str, cause: str | None) -> tuple[str, ...]:
        """Return the channels that hear of this; none for conditions that are only recorded."""
        route = catalogue.route(condition, Cause(cause) if cause else None)
        if route == Route.NOBODY:
            return ()
        grave = catalogue.rank(severity)
        return tuple(item.name for item in self.channels if route in item.routes and grave >= item.min_rank)

    def alert_due_ms(self, condition: str, severity: str, now_ms: int) -> int:
        """Return when people are told: after the hold-off, in working hours where that is enough."""
        if severity == Severity.HAZARD:
            return now_ms
        found = CONDITIONS[condition]
        hold_ms = found.hold_offs * self.hold_off_ms
        if found.hold_off_ms is not None:
            hold_ms = min(found.hold_off_ms, hold_ms)
        return self.in_hours(condition, severity, now_ms + hold_ms)

    def recovery_due_ms(self, condition: str, severity: str, now_ms: int) -> int:
        """Return when people are told that it is over: not before it lasted."""
        return self.in_hours(condition, severity, now_ms + self.recovery_hold_ms)

    def in_hours(self, condition: str, severity: str, at_ms: int) -> int:
        """Move a moment into working hours when the condition can wait for them."""
        if CONDITIONS[condition].hours == Hours.ANY or severity == Severity.HAZARD:
            return at_ms
        return self.hours.next_ms(at_ms)
