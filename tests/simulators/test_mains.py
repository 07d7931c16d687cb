from __future__ import annotations

import pytest

from simulators.world import calendar, mains, noise
from simulators.world.events import Event, Kind, Schedule, Scope
from simulators.world.mains import Supply

HOUR = 3_600_000
# Monday 2026-03-02 00:00 in Mexico City is 06:00 UTC
MONDAY = 1_772_431_200_000
STILL = Supply(slow_pu=0.0, fast_pu=0.0)


def test_local_time_is_utc_minus_6():
    assert calendar.hour(MONDAY) == 0.0
    assert calendar.weekday(MONDAY) == 0
    assert calendar.weekday(MONDAY - 1) == 6
    assert calendar.hour(MONDAY + 13 * HOUR + HOUR // 2) == 13.5


def test_profile_is_linear_between_hours():
    values = tuple(float(hour) for hour in range(24))

    assert calendar.profile(values, MONDAY + 5 * HOUR + HOUR // 4) == 5.25
    assert calendar.profile(values, MONDAY + 23 * HOUR + HOUR // 2) == 11.5  # between 23 and 0


def test_voltage_by_hour_without_noise():
    # 127 V times 1.025 at 2 h, times 0.965 at 20 h
    assert mains.voltage(STILL, 1, "a", MONDAY + 2 * HOUR) == pytest.approx(130.175)
    assert mains.voltage(STILL, 1, "a", MONDAY + 20 * HOUR) == pytest.approx(122.555)


def test_noise_stays_within_its_size():
    quiet = [mains.voltage(STILL, 7, "a", MONDAY + t) for t in range(0, HOUR, 7_777)]
    noisy = [mains.voltage(Supply(), 7, "a", MONDAY + t) for t in range(0, HOUR, 7_777)]
    away = [abs(a - b) / 127.0 for a, b in zip(quiet, noisy, strict=True)]

    assert max(away) <= 0.011
    assert max(away) > 0.003


def test_events_multiply_and_mains_off_wins():
    sag = Event(Kind.SAG, Scope(site="a"), MONDAY, MONDAY + 10, pu=0.8)
    swell = Event(Kind.SWELL, Scope(site="a"), MONDAY, MONDAY + 10, pu=1.1)
    off = Event(Kind.MAINS_OFF, Scope(site="a"), MONDAY, MONDAY + 10)
    at = MONDAY + 5

    calm = mains.voltage(STILL, 1, "a", at)
    assert mains.voltage(STILL, 1, "a", at, [sag, swell]) == pytest.approx(0.88 * calm)
    assert mains.voltage(STILL, 1, "a", at, [sag, off]) == 0.0
    # [at, until): over at its end
    assert mains.voltage(STILL, 1, "a", MONDAY + 10, [off]) > 100


def test_scopes():
    schedule = Schedule()
    circuit = schedule.add(Event(Kind.MAINS_OFF, Scope(circuit="c1"), 0))
    schedule.add(Event(Kind.BACKHAUL_DOWN, Scope(provider="p1"), 0))
    schedule.add(Event(Kind.SAG, Scope(), 0, pu=0.9))

    assert [event.kind for event in schedule.seen_by("a", "c1", "p2")] == [Kind.MAINS_OFF, Kind.SAG]
    assert [event.kind for event in schedule.seen_by("a", None, "p1")] == [Kind.BACKHAUL_DOWN, Kind.SAG]
    schedule.end(circuit, 100)
    assert not schedule.seen_by("a", "c1", None)[0].holds(100)


def test_noise_is_a_function_of_its_names():
    assert noise.uniform(1, "a", 2) == noise.uniform(1, "a", 2)
    assert noise.uniform(1, "a", 2) != noise.uniform(2, "a", 2)
    values = [noise.wave(1, "a", t, 1_000) for t in range(0, 100_000, 137)]
    assert -1.0 <= min(values) < -0.5
    assert 0.5 < max(values) <= 1.0
    # smooth: no jump at a lattice point
    assert noise.wave(1, "a", 1_000, 1_000) == pytest.approx(noise.wave(1, "a", 999, 1_000), abs=1e-4)
