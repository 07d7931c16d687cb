"""What a technician reads of access points."""

from __future__ import annotations

import pytest

from agent.readers.words import explain

AP: dict[str, int | float | str | None] = {
    "up": 1, "dfs_wait": 0, "clients": 14, "clients_day": 212, "channel": 6, "signal_p50": -61.0,
    "rate_p50": 58.5,
    "airtime_percent": 42.0, "noise": -95.0, "place": "outdoor",
}  # fmt: skip


def test_an_access_point_in_spanish_and_english():
    [spanish] = explain("wifi_ap", "wlan0", AP, "es")
    [english] = explain("wifi_ap", "wlan0", AP, "en")
    assert spanish == (
        "Punto de acceso wlan0: en servicio, en exterior, clientes: 14, dispositivos hoy, aprox.: 212, "
        "canal 6, señal mediana -61 dBm, velocidad mediana 58.5 Mbit/s, canal ocupado 42 %, ruido -95 dBm"
    )
    assert english.startswith("Access point wlan0: on the air, outdoors, clients: 14")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"up": 0}, "fuera de servicio"),
        ({"up": 0, "dfs_wait": 1}, "fuera de servicio, revisa que ningún radar use el canal"),
    ],
)
def test_one_that_is_down_says_why(fields, text):
    assert explain("wifi_ap", "wlan1", fields) == ["Punto de acceso wlan1: " + text]


def test_the_device_and_its_neighbours():
    total = {"access_points": 2, "access_points_up": 1, "clients": 3, "clients_unread": 0, "bad_values": 0}
    assert explain("wifi", None, total) == ["Wi-Fi: puntos de acceso: 2, en servicio: 1, clientes: 3"]
    assert explain("wifi_neighbour", "mx-002", {"heard": 1, "signal": -70.0}) == [
        "Punto de acceso vecino mx-002: se oye, señal -70 dBm"
    ]
    assert explain("wifi_neighbour", "mx-002", {"heard": 0}, "en") == [
        "Neighbouring access point mx-002: not heard"
    ]
