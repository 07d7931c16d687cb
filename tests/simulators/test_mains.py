from __future__ import annotations

import pytest

from simulators.world import calendar, mains, noise
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
    assert 127.0 * mains.day_pu(MONDAY + 2 * HOUR) == pytest.approx(130.175)
    assert 127.0 * mains.day_pu(MONDAY + 20 * HOUR) == pytest.approx(122.555)


def test_noise_stays_within_its_size():
    away = [abs(mains.noise_pu(Supply(), 7, "a", MONDAY + t)) for t in range(0, HOUR, 7_777)]

    assert max(away) <= 0.011
    assert max(away) > 0.003
    assert mains.noise_pu(STILL, 7, "a", MONDAY) == 0.0


def test_noise_is_a_function_of_its_names():
    assert noise.uniform(1, "a", 2) == noise.uniform(1, "a", 2)
    assert noise.uniform(1, "a", 2) != noise.uniform(2, "a", 2)
    values = [noise.wave(1, "a", t, 1_000) for t in range(0, 100_000, 137)]
    assert -1.0 <= min(values) < -0.5
    assert 0.5 < max(values) <= 1.0
    # smooth: no jump at a lattice point
    assert noise.wave(1, "a", 1_000, 1_000) == pytest.approx(noise.wave(1, "a", 999, 1_000), abs=1e-4)
