"""Voltages in a building, against answers computed by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.world.service import Service, Wiring, legs

IDEAL = Service(legs=2, source_ohm=0.0, neutral_ohm=0.0001)


def volts(service: Service, loads: tuple[float, ...], wiring: Wiring, pu: float = 1.0) -> list[float]:
    return [leg.volts for leg in legs(service, pu, loads, wiring)]


def test_a_sound_connection_loses_what_its_resistance_takes() -> None:
    # 1,270 W at 127 V is 12.7 ohm; with 0.08 and 0.05 ohm: 127 / 12.83 = 9.899 A, times 12.7 = 125.71 V
    (leg,) = legs(Service(), 1.0, (1270.0,))

    assert leg.amperes == pytest.approx(9.8987, abs=1e-3)
    assert leg.volts == pytest.approx(125.713, abs=1e-3)


def test_an_open_neutral_lets_the_smaller_load_have_the_higher_voltage() -> None:
    # in series across 127 * sqrt(3) = 219.97 V: 300 W is 53.76 ohm, 900 W is 17.92 ohm; three to one
    small, large = volts(IDEAL, (300.0, 900.0), Wiring(neutral_open=True))

    assert small == pytest.approx(164.98, abs=0.02)
    assert large == pytest.approx(54.99, abs=0.02)


def test_with_its_neutral_the_same_loads_have_nominal_voltage() -> None:
    assert volts(IDEAL, (300.0, 900.0), Wiring()) == pytest.approx([127.0, 127.0], abs=0.01)


def test_equal_loads_hide_an_open_neutral_on_three_legs() -> None:
    service = Service(legs=3, source_ohm=0.0)

    assert volts(service, (500.0,) * 3, Wiring(neutral_open=True)) == pytest.approx([127.0] * 3, abs=0.01)


def test_a_bad_connection_drops_voltage_with_the_current_of_its_leg_alone() -> None:
    # 16.129 ohm (1,000 W) behind 1.5 ohm: 127 * 16.129 / 17.629 = 116.19 V, 7.204 A
    wiring = Wiring(extra_ohm={1: 1.5})
    loaded, idle = legs(IDEAL, 1.0, (1000.0, 1.0), wiring)
    unloaded, _ = legs(IDEAL, 1.0, (1.0, 1.0), wiring)

    assert loaded.volts == pytest.approx(116.19, abs=0.02)
    assert loaded.amperes == pytest.approx(7.204, abs=0.002)
    assert idle.volts == pytest.approx(127.0, abs=0.05)
    assert unloaded.volts == pytest.approx(127.0, abs=0.05)
    # what a meter computes from two moments: the resistance that was put in
    assert (unloaded.volts - loaded.volts) / (loaded.amperes - unloaded.amperes) == pytest.approx(
        1.5, rel=0.01
    )


def test_an_open_breaker_kills_its_leg_alone() -> None:
    dead, live = legs(IDEAL, 1.0, (500.0, 500.0), Wiring(open_legs=frozenset({1})))

    assert (dead.volts, dead.amperes) == (0.0, 0.0)
    assert live.volts == pytest.approx(127.0, abs=0.01)


def test_all_breakers_open_is_dark_and_no_division_by_zero() -> None:
    assert volts(Service(), (500.0,), Wiring(open_legs=frozenset({1}))) == [0.0]


@given(
    st.integers(1, 3), st.floats(0.0, 1.5),
    st.tuples(*[st.floats(0.0, 20_000.0)] * 3), st.booleans(),
)  # fmt: skip
def test_no_socket_has_more_than_two_legs_can_give_and_power_is_volts_times_amperes(
    count: int,
    pu: float,
    loads: tuple[float, float, float],
    neutral_open: bool,  # noqa: FBT001
) -> None:
    service = Service(legs=count)
    found = legs(service, pu, loads[:count], Wiring(neutral_open=neutral_open))

    assert len(found) == count
    for leg in found:
        assert 0.0 <= leg.volts <= pu * 127.0 * math.sqrt(3.0) + 1e-6
        assert leg.watts == pytest.approx(leg.volts * leg.amperes)
