"""Working hours and hold-offs."""

from __future__ import annotations

from datetime import datetime

import pytest

from collector.alerts.routes import LOCAL, Routing, WorkingHours
from collector.config import AlertsConfig


def local(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=LOCAL).timestamp() * 1000)


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-02-25T07:59", "2026-02-25T08:00"),
        ("2026-02-25T08:00", "2026-02-25T08:00"),
        ("2026-02-25T17:59", "2026-02-25T17:59"),
        ("2026-02-25T18:00", "2026-02-26T08:00"),
        ("2026-02-27T18:00", "2026-03-02T08:00"),  # Friday evening
        ("2026-02-28T12:00", "2026-03-02T08:00"),
        ("2026-03-01T23:59", "2026-03-02T08:00"),
    ],
)
def test_working_hours(at, due):
    assert WorkingHours().next_ms(local(at)) == local(due)


@pytest.mark.parametrize(
    ("hours", "at", "due"),
    [
        ({"opens": "00:00", "closes": "00:00", "weekend": True}, "2026-03-01T03:00", "2026-03-01T03:00"),
        ({"weekend": True}, "2026-02-28T18:00", "2026-03-01T08:00"),
        ({"opens": "10:30", "closes": "12:00"}, "2026-02-25T12:00", "2026-02-26T10:30"),
    ],
)
def test_working_hours_are_configured(hours, at, due):
    routing = Routing.of(AlertsConfig(hold_off_ms=0, **hours))
    assert routing.alert_due_ms("battery_replace", "warning", local(at)) == local(due)
    assert routing.alert_due_ms("outage", "critical", local(at)) == local(at)


def test_hold_offs():
    routing = Routing.of(AlertsConfig())
    assert routing.alert_due_ms("outage", "critical", 0) == 60_000
    assert routing.alert_due_ms("battery_low", "critical", 0) == 45_000
    assert routing.alert_due_ms("outage", "hazard", 0) == 0
    short = Routing.of(AlertsConfig(hold_off_ms=1000))
    assert short.alert_due_ms("battery_low", "critical", 0) == 1000
