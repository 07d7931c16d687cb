from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.readers.ups_state import CONTACTS, FLAGS
from agent.readers.wan import ERRORS, OTHER
from agent.readers.words import LANGUAGES, STATES, explain

if TYPE_CHECKING:
    from agent.readers.words import Given


def test_a_ups_on_line_in_spanish_and_english():
    fields = {"ol": 1, "ob": 0, "battery_charge_percent": 100.0, "input_voltage": 127.3, "bad_values": 0}
    assert explain("upsd", "sai", fields, "es") == ["UPS sai: en línea, batería 100 %, entrada 127.3 V"]
    assert explain("upsd", "sai", fields, "en") == ["UPS sai: on line, battery 100 %, input 127.3 V"]


def test_a_lost_ups_says_how_old_its_state_is():
    fields = {
        "driver_lost": 1,
        "ob": 1,
        "age_status_ms": 61_000,
        "age_input_ms": 32_000,
        "input_voltage": 0.0,
    }
    lost = "NUT perdió el controlador del UPS, con batería, entrada 0 V, último estado conocido hace 61 s"
    assert explain("upsd", "sai", fields) == ["UPS sai: " + lost]


def test_a_ups_that_says_nothing_is_unknown():
    assert explain("upsd", "sai", {"ol": 0, "ob": 0}, "en") == ["UPS sai: status unknown"]


def test_ports_and_the_way_out():
    assert explain("net", "eth0", {"carrier": 0, "err_in": 0}) == ["Puerto eth0: sin enlace"]
    assert explain("net", "eth0", {"carrier": 1, "speed": 1000}, "en") == ["Port eth0: link, 1000 Mbit/s"]
    assert explain("wan", "eth0", {"up": 1, "uptime": 5}) == ["Salida a Internet eth0: activa"]
    assert explain("clock", None, {"synced": 0}) == ["Reloj: sin sincronizar"]


def test_why_the_way_out_is_down_is_told():
    fields: Given = {
        "up": 0,
        "pending": 1,
        "ipv4": 0,
        "default_route": 0,
        "error": "auth_failed",
        "proto": "pppoe",
    }
    told = "caída, conectando, el proveedor rechaza el usuario o la contraseña, sin dirección IPv4"
    assert explain("wan", "eth1", fields) == [f"Salida a Internet eth1: {told}, sin ruta de salida"]
    fields = {"up": 1, "ipv4": 1, "default_route": 1, "error": "none"}
    assert explain("wan", "eth1", fields, "en") == ["Way out eth1: up"]


@pytest.mark.parametrize("word", [word for word, _ in ERRORS] + [OTHER, "no_carrier", "no_interface"])
def test_every_cause_has_words(word):
    for lang, nothing in (("es", "Salida a Internet: -"), ("en", "Way out: -")):
        assert explain("wan", None, {"error": word}, lang) != [nothing]


def test_the_last_start_in_words():
    fields = {"cold": 0, "watchdog_reset": 1, "power_fault": 0, "crash_dump": 0}
    told = "restart without loss of power, restarted by the watchdog, no crash of the system on record"
    assert explain("restart", None, fields, "en") == [f"Last start: {told}"]
    assert explain("restart", None, {"cold": 1}) == ["Último arranque: después de quedarse sin corriente"]


def test_a_measurement_without_words_shows_its_numbers():
    assert explain("odd", "m1", {"voltage": 126.456, "energy": None}) == ["odd m1: voltage = 126.46"]


@pytest.mark.parametrize("name", [*(flag.lower() for flag in FLAGS), *CONTACTS])
def test_every_state_has_words(name):
    for lang in LANGUAGES:
        assert explain("upsd", "sai", {name: 1}, lang)[0] not in {
            "UPS sai: estado desconocido",
            "UPS sai: -",
        }
    assert name in {state[0] for state in STATES}


def test_ages_are_told_only_beyond_a_slow_drivers_poll():
    fields = {"ol": 1, "age_input_ms": 31_000, "age_battery_ms": 76_000, "age_output_ms": 61_000}
    assert explain("upsd", "sai", fields) == ["UPS sai: en línea, batería medida hace 76 s"]


def test_meters_board_and_contacts_are_said_in_words():
    meter = {"answers": 1, "line_lost": 0, "voltage": 126.4, "power": -80.0, "backwards": 1, "timeouts": 0}
    assert explain("mains", "indoor", meter, "es") == [
        "Medidor indoor: contesta, transformador al revés, 126.4 V, -80 W"
    ]
    assert explain("mains", "indoor", {"answers": 0, "timeouts": 9}, "en") == [
        "Meter indoor: does not answer, no answer: 9"
    ]
    assert explain("mains", "indoor", {"line_lost": 1}, "en") == [
        "Meter indoor: serial port or gateway not there"
    ]
    assert explain("pi_power", None, {"undervoltage": 0, "undervoltage_seen": 1}, "es") == [
        "Alimentación del equipo: voltaje suficiente, tuvo bajo voltaje antes"
    ]
    assert explain("tamper", "door", {"unread": 0, "open": 1}, "es") == ["Contacto door: abierto"]
    assert explain("tamper", "door", {"unread": 1}, "en") == ["Contact door: cannot be read"]
