"""A UPS's transfers and energy, against answers computed by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.world.line_interactive import FED_BY_LINE, Inputs, Model, Source, Ups

# 84 Wh at 60 W and 0.9: 84 * 0.9 / 60 h = 4,536 s
MODEL = Model(capacity_wh=84.0, efficiency=0.9, nominal_w=480.0)
LOAD = 60.0


def ups(volts: float = 127.0, model: Model = MODEL) -> Ups:
    return Ups(model, 0, Inputs(volts, LOAD))


def run(unit: Ups, until_ms: int, volts: float, *, load: float = LOAD, testing: bool = False) -> Source:
    unit.advance(until_ms, Inputs(volts, load, testing))
    return unit.source


def test_a_battery_lasts_as_long_as_its_energy_says_to_the_millisecond() -> None:
    unit = ups()

    assert run(unit, 4_536_000 - 1, 0.0) is Source.BATTERY
    assert run(unit, 4_536_000 + 2, 0.0) is Source.NOTHING
    assert unit.energy_wh(4_536_002) == 0.0


def test_one_step_and_many_steps_give_the_same_energy() -> None:
    one, many = ups(), ups()
    run(one, 1_000_000, 0.0)
    for t_ms in range(0, 1_000_001, 777):
        run(many, t_ms, 0.0)
    run(many, 1_000_000, 0.0)

    assert many.energy_wh(1_000_000) == pytest.approx(one.energy_wh(1_000_000), abs=1e-6)


@pytest.mark.parametrize(
    ("model", "low_s"),
    [
        # 80 % of 84 Wh at 60 W / 0.9: 67.2 Wh / 66.67 W = 3,628.8 s
        (MODEL, 3_628.8),
        # 4.2 Wh of a battery of 5 % last 226.8 s: what is left lasts 120 s after 106.8 s
        (Model(capacity_wh=84.0, efficiency=0.9, nominal_w=480.0, health=0.05), 106.8),
    ],
)
def test_the_battery_is_low_by_charge_or_by_runtime_and_that_is_a_turn(model: Model, low_s: float) -> None:
    unit = ups(model=model)
    run(unit, 1_000, 0.0)
    low_ms = round(1000 * low_s)

    assert unit.next_turn_ms(Inputs(0.0, LOAD)) == pytest.approx(low_ms, abs=2)
    run(unit, low_ms + 4_000, 0.0)
    assert not unit.picture(low_ms - 2_000, lambda _: 0.0).low
    assert unit.picture(low_ms + 4_000, lambda _: 0.0).low


def test_half_the_battery_takes_its_time_to_come_back() -> None:
    # 42 Wh at 10 W: 4.2 h
    unit = ups()
    run(unit, 2_268_000, 0.0)
    back_ms = 2_268_000 + 3_000

    run(unit, back_ms + int(4.2 * 3_600_000) - 60_000, 127.0)
    assert unit.energy_wh(back_ms + int(4.2 * 3_600_000) - 60_000) < 84.0
    run(unit, back_ms + int(4.2 * 3_600_000) + 60_000, 127.0)
    assert unit.energy_wh(back_ms + int(4.2 * 3_600_000) + 60_000) == pytest.approx(84.0)


@pytest.mark.parametrize(
    ("volts", "source"),
    [
        (127.0, Source.LINE), (106.0, Source.LINE), (105.9, Source.BOOST), (92.0, Source.BOOST),
        (91.9, Source.BATTERY), (139.0, Source.LINE), (139.1, Source.TRIM), (147.0, Source.TRIM),
        (147.1, Source.BATTERY), (0.0, Source.BATTERY),
    ],
)  # fmt: skip
def test_it_transfers_at_its_points(volts: float, source: Source) -> None:
    assert run(ups(), 1000, volts) is source


def test_it_returns_after_the_line_was_good_for_three_seconds_and_some_volts_inside() -> None:
    unit = ups()
    run(unit, 10_000, 0.0)

    assert run(unit, 60_000, 93.0) is Source.BATTERY  # above the point, not yet by the hysteresis
    assert run(unit, 62_999, 127.0) is Source.BATTERY
    assert run(unit, 63_000, 127.0) is Source.LINE
    assert unit.transfers == 1


def test_a_line_that_flickers_is_not_taken_back() -> None:
    unit = ups()
    for second in range(0, 20, 4):
        run(unit, second * 1000 + 2000, 0.0)
        assert run(unit, second * 1000 + 4000, 127.0) is Source.BATTERY


def test_an_empty_one_comes_back_with_the_line() -> None:
    unit = ups()
    run(unit, 5_000_000, 0.0)

    assert run(unit, 5_000_001, 127.0) is Source.LINE


def test_a_self_test_runs_on_battery_with_the_line_good_and_a_dead_battery_falls_back() -> None:
    unit, dead = ups(), ups(model=Model(health=0.0))

    assert run(unit, 10_000, 127.0, testing=True) is Source.BATTERY
    assert run(unit, 20_000, 127.0) is Source.LINE
    assert run(dead, 10_000, 127.0, testing=True) is Source.LINE
    assert run(dead, 20_000, 0.0) is Source.NOTHING


def test_an_overload_is_dropped_on_battery_not_on_line() -> None:
    unit = ups()

    assert run(unit, 60_000, 127.0, load=600.0) is Source.LINE
    assert run(unit, 64_000, 0.0, load=600.0) is Source.BATTERY
    assert run(unit, 65_000, 0.0, load=600.0) is Source.NOTHING


def test_what_is_shown_is_what_was_refreshed_last() -> None:
    unit = ups()
    run(unit, 30_500, 127.0)
    run(unit, 31_999, 0.0)
    shown = unit.picture(31_999, lambda t_ms: 127.0 if t_ms <= 30_500 else 0.0)

    assert (shown.source, shown.status_at_ms) == (Source.LINE, 30_000)  # not yet polled
    run(unit, 40_000, 0.0)
    shown = unit.picture(40_000, lambda t_ms: 127.0 if t_ms <= 30_500 else 0.0)
    assert (shown.source, shown.input_v, shown.values_at_ms) == (Source.BATTERY, 127.0, 30_000)
    run(unit, 60_000, 0.0)
    shown = unit.picture(60_000, lambda t_ms: 127.0 if t_ms <= 30_500 else 0.0)
    assert (shown.input_v, shown.values_at_ms) == (0.0, 60_000)


@given(st.lists(st.tuples(st.integers(1, 2_000_000), st.floats(0, 200), st.booleans()), max_size=20))
def test_energy_stays_within_the_battery_and_a_load_is_never_carried_by_nothing(
    steps: list[tuple[int, float, bool]],
) -> None:
    unit, t_ms = ups(), 0
    for wait_ms, volts, testing in steps:
        t_ms += wait_ms
        run(unit, t_ms, volts, testing=testing)
        assert 0.0 <= unit.energy_wh(t_ms) <= 84.0
        if unit.source is Source.BATTERY:
            assert unit.energy_wh(t_ms) > 0.0
        if unit.source in FED_BY_LINE:
            assert 89.0 <= volts <= 150.0
