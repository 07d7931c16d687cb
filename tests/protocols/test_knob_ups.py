"""A UPS behind its knobs, by hand-computed physics and the age of what its driver shows."""

from __future__ import annotations

import pytest

from simulators.protocols.knobs import KnobError
from simulators.protocols.ups_source import KnobUps

HOUR_MS = 3_600_000


class Clock:
    ms = 1_000_000_010_000  # 20 s after a refresh of values, as a refresh is every 30 s

    def __call__(self) -> int:
        return self.ms

    def pass_s(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ups(clock):
    return KnobUps(clock=clock)


def shown(ups, *names):
    found = ups.variables()
    return tuple(found[name] for name in names)


def test_status_turns_within_two_seconds_and_the_voltage_within_thirty(ups, clock):
    assert shown(ups, "ups.status", "input.voltage") == ("OL", "127.0")
    clock.pass_s(0.5)
    ups.turn("input.voltage", "0")
    assert shown(ups, "ups.status", "input.voltage") == ("OL", "127.0")
    clock.pass_s(1.5)
    assert shown(ups, "ups.status", "input.voltage", "output.voltage") == ("OB DISCHRG", "127.0", "127.0")
    clock.pass_s(8)
    assert shown(ups, "ups.status", "input.voltage", "input.frequency") == ("OB DISCHRG", "0.0", "0.00")


def test_a_driver_that_starts_looks_at_everything(ups, clock):
    ups.turn("input.voltage", "93")
    ups.turn("ups.load", "50")
    ups.turn("battery.charge", "80")
    ups.look()
    found = shown(ups, "ups.status", "input.voltage", "ups.load", "battery.charge")
    assert found == ("OL BOOST CHRG", "93.0", "50.0", "80.0")


def test_a_battery_lasts_as_long_as_its_energy(ups, clock):
    # 7 Ah at 12 V; a quarter of 360 W through an inverter of 0.85: 84 Wh * 0.85 / 90 W = 2,856 s
    assert shown(ups, "battery.runtime", "battery.charge") == ("2856", "100.0")
    ups.turn("input.voltage", "0")
    clock.pass_s(0.8 * 2856 - 4)
    assert "LB" not in shown(ups, "ups.status")[0]
    clock.pass_s(8)
    assert shown(ups, "ups.status") == ("OB DISCHRG LB",)
    clock.pass_s(0.2 * 2856)
    assert shown(ups, "ups.status") == ("OFF",)
    ups.turn("input.voltage", "127")
    clock.pass_s(8.4 * 3600)  # the charger gives 10 W
    assert shown(ups, "ups.status", "battery.charge")[0] == "OL"
    assert float(shown(ups, "battery.charge")[0]) == 100.0


@pytest.mark.parametrize(
    ("volts", "status"),
    [
        ("91", "OB DISCHRG"),  # transfer at 92 and 147 V, boost below 106, trim above 139
        ("93", "OL BOOST"),
        ("110", "OL"),
        ("145", "OL TRIM"),
        ("148", "OB DISCHRG"),
    ],
)
def test_the_status_follows_the_mains(ups, clock, volts, status):
    ups.turn("input.voltage", volts)
    clock.pass_s(4)
    assert shown(ups, "ups.status") == (status,)


def test_transfer_points_that_were_set_hold(ups, clock):
    assert ups.set("input.transfer.low", "80")
    ups.turn("input.voltage", "91")
    clock.pass_s(4)
    assert shown(ups, "ups.status", "input.transfer.low") == ("OL BOOST", "80")


def test_the_line_has_to_be_good_for_a_while_before_the_load_goes_back(ups, clock):
    ups.turn("input.voltage", "0")
    clock.pass_s(10)
    ups.turn("input.voltage", "127")
    clock.pass_s(2)
    assert shown(ups, "ups.status") == ("OB DISCHRG",)
    clock.pass_s(4)
    assert shown(ups, "ups.status") == ("OL CHRG",)


def test_a_charge_that_is_set_is_where_the_battery_goes_on_from(ups, clock):
    ups.turn("battery.charge", "50")
    ups.turn("input.voltage", "0")
    clock.pass_s(0.25 * 2856)
    assert float(ups.value("battery.charge")) == pytest.approx(25, abs=0.2)


def test_a_battery_test_ends_by_itself_and_tells_how_it_went(ups, clock):
    assert ups.command("test.battery.start")
    assert not ups.command("test.battery.start.quick")
    clock.pass_s(4)
    assert shown(ups, "ups.status", "ups.test.result") == ("OB DISCHRG", "In progress")
    clock.pass_s(20)
    assert shown(ups, "ups.test.result") == ("Done and passed",)
    assert shown(ups, "ups.status")[0].startswith("OL")


def test_a_worn_battery_fails_its_test_and_asks_to_be_replaced(ups, clock):
    ups.turn("battery.health", "5")
    assert ups.command("test.battery.start")
    clock.pass_s(30)
    assert shown(ups, "ups.test.result") == ("Done and error",)
    assert "RB" in shown(ups, "ups.status")[0].split()


def test_without_mains_there_is_nothing_to_test_with(ups, clock):
    ups.turn("input.voltage", "0")
    clock.pass_s(2)
    assert not ups.command("test.battery.start")


def test_an_overload_shows(ups, clock):
    ups.turn("ups.load", "120")
    clock.pass_s(30)
    assert shown(ups, "ups.status", "ups.load") == ("OL OVER", "120.0")


def test_the_load_is_switched_off_and_on(ups, clock):
    assert ups.command("load.off")
    assert shown(ups, "ups.status") == ("OFF",)
    assert ups.command("load.on")
    assert shown(ups, "ups.status") == ("OL",)


def test_a_pinned_variable_shows_until_it_is_released(ups):
    ups.turn("ups.status", "OL BYPASS")
    ups.turn("ambient.temperature", "31")
    assert shown(ups, "ups.status", "ambient.temperature") == ("OL BYPASS", "31")
    ups.turn("ups.status", "")
    ups.turn("ambient.temperature", "")
    assert shown(ups, "ups.status") == ("OL",)
    assert "ambient.temperature" not in ups.variables()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("input.voltage", "301"),
        ("input.voltage", "-1"),
        ("input.voltage", "nan"),
        ("input.voltage", "high"),
        ("contact", "gone"),
        ("nonsense", "1"),
        ("ups.status", "OL\nOB"),
    ],
)
def test_what_is_no_value_changes_nothing_and_is_told_in_a_line(ups, name, text):
    before = dict(ups.variables())
    with pytest.raises(KnobError) as caught:
        ups.turn(name, text)
    assert "\n" not in str(caught.value)
    assert dict(ups.variables()) == before
