from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.readers.ups_bounds import BOUNDS
from agent.readers.ups_relations import CONTRADICTIONS, STATUS
from agent.readers.ups_sane import Heard, sanitise
from agent.readers.ups_scale import AIDS
from agent.readers.ups_state import CONTACTS, FLAGS, NUMBERS, UpsState, refresh_ms
from agent.wire.fields import MEASUREMENTS

HID = {"driver.name": "usbhid-ups", "driver.parameter.pollfreq": "30"}


QUICK = {"driver.name": "nutdrv_qx", "driver.parameter.pollinterval": "2"}


def ups(status: str, volts: str = "127.0", **more: str) -> dict[str, str]:
    return {"ups.status": status, "input.voltage": volts, **HID, **more}


def test_names_are_those_of_the_register():
    fields = MEASUREMENTS["upsd"].fields
    state = UpsState()
    state.hear(dict.fromkeys(NUMBERS, "60") | {"ups.status": "OL", "input.transfer.reason": "x"}, 0)
    assert set(state.fields(0)) <= set(fields)
    assert {flag.lower() for flag in FLAGS} | set(CONTACTS) <= set(fields)
    assert set(NUMBERS) <= set(BOUNDS)


def test_flags_are_always_there():
    fields = UpsState().fields(0)
    assert {name: fields[name] for name in [flag.lower() for flag in FLAGS]} == dict.fromkeys(
        (flag.lower() for flag in FLAGS), 0
    )
    assert "age_status_ms" not in fields


def test_ages_grow_between_reads():
    state = UpsState()
    state.hear(ups("OL"), 1000)
    state.hear_status(3000)
    fields = state.fields(4000)
    # the status by the driver's poll, the voltage as old as its slow poll lets it be
    assert (fields["age_status_ms"], fields["age_input_ms"]) == (1000, 31_000 + 3000)


def test_a_stale_ups_keeps_its_last_flags_and_input_ageing():
    state = UpsState()
    state.hear(ups("OB LB", "0.0", **{"battery.charge": "12"}), 0)
    state.lose("data_stale")
    fields = state.fields(60_000)
    assert (fields["ob"], fields["lb"], fields["data_stale"], fields["server_lost"]) == (1, 1, 1, 0)
    assert (fields["input_voltage"], fields["age_input_ms"], fields["age_status_ms"]) == (0.0, 91_000, 60_000)
    assert "battery_charge_percent" not in fields


def test_a_ups_that_comes_back_is_read_whole():
    state = UpsState()
    state.hear(ups("OL"), 0)
    assert state.same_status("OL")
    state.lose("driver_lost")
    assert not state.same_status("OL")
    state.hear(ups("OL"), 9000)
    assert state.fields(9000)["driver_lost"] == 0


def test_waiting_for_the_driver_does_not_end_what_was_known():
    state = UpsState()
    state.hear(ups("OB", "0.0"), 0)
    state.hear({"ups.status": "WAIT"}, 5000)
    fields = state.fields(5000)
    assert (fields["ob"], fields["waiting"], fields["age_status_ms"]) == (1, 1, 5000)
    state.hear(ups("OB", "0.0"), 6000)
    assert state.fields(6000)["waiting"] == 0


def test_the_voltage_before_a_transfer_is_not_taken_for_one_after_it():
    state = UpsState()
    state.hear(ups("OL"), 0)
    state.hear(ups("OB"), 10_000)  # the driver knows the new status, its voltage is still the old one
    assert state.fields(10_000)["age_input_ms"] == 41_000
    state.hear(ups("OB"), 20_000)
    assert state.fields(20_000)["age_input_ms"] == 51_000
    state.hear(ups("OB", "0.0"), 30_000)
    assert state.fields(30_000)["age_input_ms"] == 0


def test_a_voltage_that_stays_is_measured_once_the_driver_has_polled():
    state = UpsState()
    state.hear(ups("OL"), 0)
    state.hear(ups("OB"), 10_000)
    state.hear(ups("OB"), 41_000)  # pollfreq of 30 s and one to spare: measured since the transfer
    assert state.fields(41_000)["age_input_ms"] == 31_000


def test_each_group_of_values_has_an_age_of_its_own():
    state = UpsState()
    load = {"ups.load": "20", "battery.charge": "100"}
    state.hear(ups("OL", **load), 0)
    for now_ms in (10_000, 20_000):
        state.hear(ups("OL", "127.5", **load, **QUICK), now_ms)
    state.hear(ups("OL", "127.5", **(load | {"ups.load": "21"}), **QUICK), 30_000)
    fields = state.fields(31_000)
    assert fields["age_output_ms"] == 1000  # new with the last read
    assert fields["age_battery_ms"] == 4000  # the driver polls every 2 s, one to spare
    assert fields["age_input_ms"] == 4000
    assert "age_battery_ms" not in _after_loss(state)


def _after_loss(state: UpsState) -> dict[str, object]:
    state.lose("data_stale")
    return dict(state.fields(31_000))


def test_an_age_that_the_server_tells_is_taken():
    state, heard = UpsState(), Heard()
    for name, text in ups("OL").items():
        heard.take(name, text)
    state.take(heard, 10_000, age_ms=4000)
    assert state.fields(11_000)["age_input_ms"] == 5000


def test_unknown_words_of_a_status_are_kept_and_counted():
    state = UpsState()
    state.hear(ups("OL ECO \x07TEST"), 0)
    fields = state.fields(0)
    assert (fields["unknown_tokens"], fields["unknown_status"]) == (2, "?TEST ECO")


def test_a_new_voltage_with_the_transfer_is_measured():
    state = UpsState()
    state.hear(ups("OL"), 0)
    state.hear(ups("OB", "3.2"), 10_000)
    assert state.fields(10_000)["age_input_ms"] == 0


def test_an_input_that_cannot_be_has_no_age():
    state = UpsState()
    state.hear(ups("OL", "-6000"), 0)
    fields = state.fields(0)
    assert "input_voltage" not in fields
    assert "age_input_ms" not in fields
    assert fields["bad_values"] == 1


def test_how_long_drivers_take_to_measure():
    assert refresh_ms({}) == 3000
    assert refresh_ms({"driver.name": "snmp-ups"}) == 31_000
    assert refresh_ms({"driver.name": "nutdrv_qx", "driver.parameter.pollinterval": "5"}) == 6000
    assert refresh_ms({"driver.name": "nutdrv_qx", "driver.parameter.pollinterval": "x"}) == 3000
    assert refresh_ms({"driver.name": "usbhid-ups", "driver.parameter.pollfreq": "1e9"}) == 121_000


def test_the_tables_name_known_variables():
    for _, _, names in CONTRADICTIONS:
        assert set(names) <= set(BOUNDS) | {STATUS}


ODD_BUT_TRUE = {
    "a step-down transformer": {"input.voltage": "230", "output.voltage": "101"},
    "direct current at the output": {
        "input.voltage": "127",
        "output.voltage": "12.1",
        "output.voltage.nominal": "12",
    },
    "direct current on both sides": {"input.voltage": "24.0", "output.voltage": "12.0"},
    "four blocks told by one": {
        "battery.voltage": "54.6",
        "battery.voltage.nominal": "12",
        "battery.charge": "100",
    },
    "an empty battery": {"battery.voltage": "1.78", "battery.voltage.nominal": "48", "battery.charge": "0"},
    "a double conversion in a sag": {
        "input.voltage": "98",
        "output.voltage": "127",
        "output.voltage.nominal": "120",
    },
    "an input that is not measured": {"input.voltage": "0.0", "input.voltage.nominal": "120"},
    "a battery that collapses": {
        "battery.voltage": "9.7",
        "battery.voltage.nominal": "12",
        "battery.charge": "81",
    },
    "a calibration": {"input.voltage": "126", "ups.status": "OL CAL DISCHRG"},
    "a maximum of a sag": {
        "input.voltage": "90",
        "input.voltage.minimum": "0",
        "input.voltage.maximum": "131",
    },
    "a line beyond its limits on bypass": {
        "input.voltage": "131",
        "input.voltage.nominal": "127",
        "input.transfer.high": "115",
        "input.transfer.low": "90",
        "ups.status": "OL BYPASS",
    },
    "a date": {"battery.mfr.date": "2024/12/31", "battery.date": "01/31/99", "ups.mfr.date": "2024-2-9"},
}


@pytest.mark.parametrize("what", ODD_BUT_TRUE)
def test_what_is_odd_but_can_be_is_believed(what):
    assert sanitise({"ups.status": "OL", **ODD_BUT_TRUE[what]})[1] == {}


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*sorted(BOUNDS), *AIDS, "ups.mfr.date"]),
        st.one_of(st.floats().map(str), st.text(max_size=8)),
    ),
    st.lists(st.sampled_from([*FLAGS, "WAIT", "ECO"]), max_size=6),
    st.sampled_from([None, 127.0]),
)
def test_what_is_published_can_be(numbers, tokens, nominal_v):
    clean, bad, kept = sanitise({**numbers, "ups.status": " ".join(tokens)}, nominal_v)
    assert not set(clean) & set(bad)
    assert not {"OL", "OB"} <= kept
    assert all(math.isfinite(value) for value in clean.values())
    for name, value in clean.items():
        low, high = BOUNDS[name]
        assert low <= value <= high or value == 0


def test_a_wiring_fault_is_told_from_the_words_of_the_alarm_and_while_it_stands():
    state = UpsState()
    state.hear(ups("ALARM OL", **{"ups.alarm": "[Line] Site Wiring Fault!"}), 0)
    assert state.fields(0)["wiring_fault"] == 1
    state.hear(ups("ALARM OL", **{"ups.alarm": "Fan failure!"}), 10_000)
    assert "wiring_fault" not in state.fields(10_000)
