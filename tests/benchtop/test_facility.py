"""Switches and sliders do to the facility what they say, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simulators.bench import controls
from simulators.bench.facility import FAULTS, UPS, Facility
from simulators.bench.instruments import readers
from simulators.bench.sources import FacilityMeter, FacilityUps
from simulators.protocols.knobs import KnobError
from tests.benchtop.pace import FAST

T0 = 1_772_470_800_000


class Hand:
    """A facility at a time that the test moves."""

    def __init__(self, *broken: str) -> None:
        self.ms = T0
        self.facility = Facility("bench", "router-1", FAST, lambda: self.ms, frozenset(broken))

    def turn(self, name: str, text: str, wait_s: float = 5.0) -> None:
        self.facility.turn(name, text)
        self.later(wait_s)

    def later(self, seconds: float) -> None:
        self.ms += round(1000 * seconds)
        self.facility.settle()

    def rows(self) -> dict[tuple[str, str | None], dict[str, Any]]:
        async def read():
            every = readers(self.facility, FAST, lambda: self.ms, lambda: self.ms - T0)
            return [row for reader in every for row in await reader.read()]

        return {(name, unit): fields for name, unit, fields in asyncio.run(read())}


def ups(hand: Hand) -> dict[str, Any]:
    return hand.rows()["upsd", UPS]


def test_at_rest_everything_is_well():
    hand = Hand()
    hand.later(5)
    rows = hand.rows()
    assert (rows["upsd", UPS]["ol"], rows["upsd", UPS]["lb"]) == (1, 0)
    assert rows["mains", "table"]["voltage"] == pytest.approx(127, rel=0.03)
    assert [rows["wifi_ap", name]["up"] for name in controls.RADIOS] == [1, 1]
    assert rows["tamper", "box"]["open"] == 0
    assert (hand.facility.powered(), hand.facility.connected()) == (True, True)


def test_mains_load_battery_and_plug_of_the_ups():
    hand = Hand()
    hand.turn("mains", "0")
    assert (ups(hand)["ob"], ups(hand)["input_voltage"]) == (1, 0.0)
    assert ("mains", "table") not in hand.rows()  # the meter lives on what it measures
    hand.turn("battery_low", "1")
    assert ups(hand)["lb"] == 1
    hand.turn("battery_low", "off")
    hand.turn("mains", "on")
    assert (ups(hand)["ol"], ups(hand)["lb"]) == (1, 0)
    hand.turn("mains_v", "100")
    assert (ups(hand)["boost"], ups(hand)["input_voltage"]) == (1, pytest.approx(100, rel=0.03))
    hand.turn("mains_v", "160")
    assert ups(hand)["ob"] == 1
    hand.turn("mains_v", "127")
    hand.turn("ups_load", "80")
    assert ups(hand)["load_percent"] == pytest.approx(80, abs=0.5)
    hand.turn("battery", "40")
    assert ups(hand)["battery_charge_percent"] == pytest.approx(40, abs=1)
    hand.turn("ups_plug", "off")
    assert ups(hand)["ob"] == 1
    assert hand.rows()["mains", "table"]["voltage"] > 110  # the mains are there


def test_an_empty_battery_takes_device_and_modem_with_it():
    hand = Hand()
    hand.turn("battery", "1")
    hand.turn("ups_load", "100")
    hand.turn("mains", "off", wait_s=120)
    assert not hand.facility.powered()


def test_contact_and_self_test():
    hand = Hand()
    shown = FacilityUps(hand.facility)
    reader = next(one for one in readers(hand.facility, FAST, lambda: hand.ms, int) if one.name == "ups")

    def stale() -> int:
        return int(asyncio.run(reader.read())[0][2]["data_stale"])

    assert (stale(), shown.condition().value) == (0, "ok")
    hand.turn("usb", "off", wait_s=0)
    assert stale() == 0  # the driver has to miss it first
    hand.later(1.5)
    assert (stale(), shown.condition().value) == (1, "stale")
    hand.turn("usb", "on")
    assert stale() == 0
    hand.turn("self_test", "on", wait_s=2)
    assert shown.variables()["ups.status"].startswith("OB")
    hand.turn("self_test", "off")
    assert shown.variables()["ups.status"].startswith("OL")


def test_the_way_out_radios_contact_and_plug():
    hand = Hand()
    for name in ("modem", "wan", "link"):
        hand.turn(name, "off")
        assert not hand.facility.connected(), name
        hand.turn(name, "on")
        assert hand.facility.connected(), name
    hand.turn("wan", "off")
    assert hand.rows()["wan", "wan"]["up"] == 0
    hand.turn(controls.radio("phy1-ap0"), "off")
    assert [hand.rows()["wifi_ap", name]["up"] for name in controls.RADIOS] == [1, 0]
    hand.turn("tamper", "on")
    assert hand.rows()["tamper", "box"]["open"] == 1
    hand.turn("plug", "off", wait_s=0)
    assert not hand.facility.powered()
    hand.turn("plug", "on", wait_s=0.2)
    assert not hand.facility.powered()  # it boots
    hand.later(FAST.boot_s)
    assert hand.facility.powered()


def test_the_meter_shows_what_the_sliders_say():
    hand = Hand()
    hand.turn("meter_v", "118.5")
    hand.turn("meter_a", "7")
    row = hand.rows()["mains", "table"]
    assert (row["voltage"], row["current"], row["power"]) == (118.5, 7.0, 829.5)
    assert FacilityMeter(hand.facility).reading().voltage == 118.5
    hand.turn("meter_v", "auto")
    assert hand.rows()["mains", "table"]["voltage"] > 120


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nonsense", "1"), ("mains", "2"), ("mains", ""), ("mains_v", "181"), ("mains_v", "nan"),
        ("clock", "late"), ("meter_v", "-1"), ("meter_a", "1e9"), ("battery", "0"),
    ],
)  # fmt: skip
def test_what_a_switch_does_not_take_is_said_in_one_line_and_changes_nothing(name, text):
    hand = Hand()
    before = {knob.name: hand.facility.panel.text(knob.name) for knob in hand.facility.panel}
    with pytest.raises(KnobError) as raised:
        hand.facility.turn(name, text)
    assert "\n" not in str(raised.value)
    assert before == {knob.name: hand.facility.panel.text(knob.name) for knob in hand.facility.panel}


def test_each_fault_changes_something_that_is_read_or_done():
    """Those of clock, spool, link and signature are the device's own; test_sequence shows them."""
    sound = Hand()
    assert FAULTS
    for fault, name, value in (("ups", "battery_low", "on"), ("radio", "wan", "on"), ("meter", "wan", "on")):
        hand, good = Hand(fault), Hand()
        for one in (hand, good):
            one.turn("mains", "off" if fault == "ups" else "on")
            one.turn(name, value)
        assert hand.rows() != good.rows(), fault
    hand = Hand("tamper")
    hand.turn("tamper", "on")
    assert hand.rows()["tamper", "box"]["open"] == 0
    hand = Hand("modem")
    hand.turn("modem", "off")
    sound.turn("modem", "off")
    assert (hand.facility.powered(), sound.facility.powered()) == (False, True)
