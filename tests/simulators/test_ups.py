"""The UPS against hand-computed answers: 84 Wh, 60 W, efficiency 0.9, charger 10 W."""

from __future__ import annotations

import itertools

import pytest

from simulators.world.ups import TRANSFERS, Source, Ups, UpsModel

HOUR = 3_600_000


def source_of(ups):
    """A function, for the type checker: the source changes between two looks."""
    return ups.source


MODEL = UpsModel()


def test_runtime_when_full():
    # 84 Wh * 0.9 / 60 W = 1.26 h
    assert Ups(MODEL, 0, 127.0).runtime_s == pytest.approx(4_536.0)


def test_energy_on_battery_and_back():
    ups = Ups(MODEL, 0, 127.0)
    ups.advance(1, 0.0)
    assert source_of(ups) is Source.BATTERY

    ups.advance(1 + HOUR // 2, 0.0)
    # half an hour at 60 W / 0.9 = 66.67 W takes 33.33 Wh of 84
    assert ups.energy_wh == pytest.approx(84.0 - 100.0 / 3.0, abs=1e-3)
    assert ups.charge == pytest.approx(1.0 - 100.0 / 3.0 / 84.0, abs=1e-4)

    ups.advance(2 + HOUR // 2, 127.0)
    ups.advance(2 + HOUR // 2 + HOUR, 127.0)
    # an hour of charging puts 10 Wh back
    assert ups.energy_wh == pytest.approx(84.0 - 100.0 / 3.0 + 10.0, abs=1e-3)
    assert source_of(ups) is Source.LINE


def test_the_battery_ends_and_the_load_stays_off_until_the_line_is_back():
    ups = Ups(MODEL, 0, 127.0, charge=0.01)  # 0.84 Wh last 45.36 s
    ups.advance(1, 0.0)
    ups.advance(45_000, 0.0)
    assert source_of(ups) is Source.BATTERY
    ups.advance(45_400, 0.0)
    assert source_of(ups) is Source.NOTHING
    ups.advance(100_000, 0.0)
    assert source_of(ups) is Source.NOTHING
    ups.advance(100_001, 127.0)
    assert source_of(ups) is Source.LINE
    assert ups.feeds


def test_an_aged_battery_holds_less():
    assert Ups(MODEL, 0, 127.0, health=0.5).runtime_s == pytest.approx(4_536.0 / 2)
    assert Ups(MODEL, 0, 127.0, health=0.5).charge == 1.0


@pytest.mark.parametrize(
    ("volts", "source"),
    [
        (0.0, Source.BATTERY),
        (91.9, Source.BATTERY),
        (92.0, Source.LINE),
        (127.0, Source.LINE),
        (147.0, Source.LINE),
        (147.1, Source.BATTERY),
    ],
)
def test_transfer_points(volts, source):
    ups = Ups(MODEL, 0, 127.0)
    ups.advance(1, volts)

    assert source is ups.source
    assert (source is Source.BATTERY) == (ups.transfers == 1)


def test_the_table_of_transfers_is_complete():
    assert set(itertools.product(Source, (True, False), (True, False))) == TRANSFERS.keys()


def test_status_is_refreshed_every_2_s_and_values_every_30_s():
    ups = Ups(MODEL, 0, 127.0)
    ups.advance(1_000, 0.0)
    assert (ups.status.source, ups.values.input_v) == (Source.LINE, 127.0)  # the old picture

    ups.advance(2_000, 0.0)
    assert ups.status.source == Source.BATTERY
    assert ups.status.at_ms == 2_000
    assert ups.values.input_v == 127.0
    ups.advance(30_000, 0.0)
    assert (ups.values.input_v, ups.values.at_ms) == (0.0, 30_000)


def test_low_battery_by_charge_or_by_runtime():
    assert Ups(MODEL, 0, 127.0, charge=0.19).status.low
    assert not Ups(MODEL, 0, 127.0, charge=0.21).status.low
    # 40 % of a battery of 5 % health: 0.4 * 4.2 Wh * 0.9 / 60 W = 90.7 s
    assert Ups(MODEL, 0, 127.0, charge=0.4, health=0.05).status.low


def test_what_the_values_say():
    values = Ups(MODEL, 0, 127.0).values

    assert values.load == 0.125  # 60 of 480 W
    assert values.battery_v == 13.6
    assert values.output_v == 127.0
