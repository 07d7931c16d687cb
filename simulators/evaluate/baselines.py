"""Two other ways to watch the same facilities, fed with the very messages that our rules get.

``updown``: a device that is silent for longer than 2.5 report intervals is down; why is not asked, so every
outage is called ``device``. ``threshold``: rules per device as one writes them for Prometheus or Zabbix, with
the last values of the device itself as the reason. Both look at one device at a time. In their favour, a
site is reported once, when its last device is down; who was told is told after the hold-off that ours has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from collector.model import Arrival, Cause, Readings
from simulators.evaluate.score import Notice, Saying, What, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Observation
    from simulators.scenario.model import Scenario

TIMEOUT_MS: Final = 75_000  # 2.5 report intervals
HOLD_MS: Final = 60_000  # "for: 1m"
PAUSE_MS: Final = 10_000  # who did not look for so long begins anew
LOW_PU: Final = 0.9
HIGH_PU: Final = 1.1


@dataclass(slots=True)
class Alarm:
    """Something that fires for a while."""

    site: str
    name: str
    subject: str
    started_ms: int
    fired_ms: int
    cause: Cause | None = None
    ended_ms: int | None = None


@dataclass(slots=True)
class _Seen:
    """What is known of one device."""

    last_ms: int
    row_ms: int = 0  # when the newest row of its UPS was taken
    ups: str | None = None
    line: str | None = None  # "ob" or "ol"
    wan_up: bool | None = None
    beyond: bool | None = None  # whether the provider's gateway answered
    since: dict[str, int] = field(default_factory=dict)  # rule -> since when it holds


class Baseline:
    """Hears what the rules hear."""

    def __init__(self, scenario: Scenario, *, thresholds: bool) -> None:
        self._thresholds = thresholds
        self._sites = {site.id: [part.id for part in site.device if part.has_agent] for site in scenario.site}
        self._nominal = {site.id: site.nominal_v for site in scenario.site}
        self._seen: dict[str, _Seen] = {}
        self._watched: dict[str, tuple[int, int]] = {}
        self._firing: dict[tuple[str, str, str], Alarm] = {}
        self.alarms: list[Alarm] = []

    def heard(self, site: str, observations: Sequence[Observation], now_ms: int) -> None:
        """Take what came of a site."""
        for item in observations:
            if isinstance(item, Arrival):
                seen = self._seen.setdefault(item.device, _Seen(now_ms))
                seen.last_ms = max(seen.last_ms, now_ms)
            elif isinstance(item, Readings) and item.current and item.device in self._seen:
                self._take(site, self._seen[item.device], item)

    def tick(self, sites: Sequence[str], now_ms: int) -> None:
        """Let time pass for these sites."""
        for site in sites:
            since_ms, looked_ms = self._watched.get(site, (now_ms, now_ms))
            if now_ms - looked_ms > PAUSE_MS:
                since_ms = now_ms
            self._watched[site] = (since_ms, now_ms)
            known = {name: self._seen[name] for name in self._sites[site] if name in self._seen}
            down = {name for name, seen in known.items() if now_ms - max(seen.last_ms, since_ms) > TIMEOUT_MS}
            whole = bool(known) and len(down) == len(known)
            started_ms = max((seen.last_ms for seen in known.values()), default=now_ms)
            last = max(known.values(), key=lambda seen: seen.last_ms, default=None)
            self._set(site, "outage", "", now_ms, on=whole, since_ms=started_ms, cause=self._why(last))
            for name in sorted(known):
                alone = name in down and not whole
                self._set(site, "device_silent", name, now_ms, on=alone, since_ms=known[name].last_ms)
                if self._thresholds and name not in down:
                    self._rules(site, name, known[name], now_ms)

    def sayings(self, zero_ms: int) -> tuple[Saying, ...]:
        """Return what was said of outages."""
        what = {"outage": What.SERVICE, "mains": What.MAINS}
        return tuple(_saying(one, what[one.name], zero_ms) for one in self.alarms if one.name in what)

    def notices(self, zero_ms: int) -> list[tuple[str, str, str, float]]:
        """Return what else a person was told: site, condition, subject, seconds."""
        return [
            (one.site, one.name, one.subject, (one.fired_ms + HOLD_MS - zero_ms) / 1000.0)
            for one in self.alarms
            if one.name not in {"outage", "mains"} and _told(one) and one.fired_ms + HOLD_MS >= zero_ms
        ]

    def _take(self, site: str, seen: _Seen, row: Readings) -> None:
        fields: dict[str, Any] = row.fields
        if row.measurement == "upsd" and "ob" in fields and row.time_ms >= seen.row_ms:
            seen.row_ms = row.time_ms
            seen.ups = row.instance
            seen.line = "ob" if fields["ob"] else "ol"
            volts = fields.get("input_voltage")
            pu = volts / self._nominal[site] if isinstance(volts, int | float) else 1.0
            rules = {
                "mains": bool(fields["ob"]),
                "undervoltage": pu < LOW_PU,
                "overvoltage": pu > HIGH_PU,
                "battery_low": bool(fields.get("lb")),
                "battery_replace": bool(fields.get("rb")),
            }
            for name, on in rules.items():
                if on:
                    seen.since.setdefault(name, row.time_ms)
                else:
                    seen.since.pop(name, None)
        elif row.measurement == "wan":
            seen.wan_up = bool(fields.get("up"))
        elif row.measurement == "ping" and row.instance == "192.0.2.1":
            seen.beyond = not fields.get("result_code")

    def _rules(self, site: str, device: str, seen: _Seen, now_ms: int) -> None:
        subject = f"{device}/{seen.ups or ''}"
        for name in ("mains", "undervoltage", "overvoltage", "battery_low", "battery_replace"):
            since_ms = seen.since.get(name)
            cause = Cause.MAINS_SITE if name == "mains" else None
            self._set(site, name, subject, now_ms, on=since_ms is not None, since_ms=since_ms, cause=cause)

    def _why(self, seen: _Seen | None) -> Cause:
        """Say why a site is down: by what its last device said last."""
        if not self._thresholds or seen is None:
            return Cause.DEVICE
        if seen.line == "ob":
            return Cause.MAINS_SITE
        if seen.wan_up is False:
            return Cause.BACKHAUL_SITE
        return Cause.BACKHAUL_PROVIDER if seen.beyond is False else Cause.DEVICE

    def _set(  # noqa: PLR0913 - an alarm is all of these
        self,
        site: str,
        name: str,
        subject: str,
        now_ms: int,
        *,
        on: bool,
        since_ms: int | None = None,
        cause: Cause | None = None,
    ) -> None:
        key = (site, name, subject)
        firing = self._firing.get(key)
        if on and firing is None:
            begun_ms = now_ms if since_ms is None else since_ms
            alarm = Alarm(site, name, subject, begun_ms, now_ms, cause)
            self._firing[key] = alarm
            self.alarms.append(alarm)
        elif not on and firing is not None:
            firing.ended_ms = now_ms
            del self._firing[key]


def notices(baseline: Baseline, zero_ms: int, judge: Any) -> tuple[Notice, ...]:
    """Return a baseline's other notifications; ``judge`` says of each whether it was justified."""
    return tuple(
        Notice(site, name, at_s, judge(site, name, subject, at_s))
        for site, name, subject, at_s in baseline.notices(zero_ms)
    )


def _told(alarm: Alarm) -> bool:
    return alarm.ended_ms is None or alarm.ended_ms - alarm.fired_ms >= HOLD_MS


def _saying(alarm: Alarm, what: What, zero_ms: int) -> Saying:
    opened_s = (alarm.fired_ms - zero_ms) / 1000.0
    words = [Word(opened_s, alarm.cause or Cause.UNKNOWN)]
    ended_s = None if alarm.ended_ms is None else (alarm.ended_ms - zero_ms) / 1000.0
    if ended_s is not None:
        words.append(Word(ended_s, words[0].cause, final=True))
    told = _told(alarm) and opened_s + HOLD_MS / 1000.0 >= 0
    started_s = (alarm.started_ms - zero_ms) / 1000.0
    return Saying(alarm.site, what, started_s, opened_s, ended_s, tuple(words), notified=told)
