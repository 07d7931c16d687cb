"""What hostapd, iwinfo and netifd of OpenWrt 22.03 answer over ubus, as files. Pure.

A file is named after the question: object, method and, where iwinfo is asked, device. Shapes are those of
recorded answers; of what nobody reads here only a few keys are left.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from simulators.protocols.sources import Radio, Router, WayOut

SSID: Final = "Biblioteca CDMX"
NOISE_DBM: Final = -95
_TX_DBM: Final = 20
_SPREAD_DB: Final = (0, -9, 6, -4, 11, -13, 3)  # of the clients' signals around their median
_MBIT: Final = ((72_200, 65_000), (144_400, 86_700), (57_800, 52_000))  # sent, received; kbit/s, 802.11n
_FIRST_MHZ: Final = 2407
_LAST_LOW: Final = 13
_JAPAN: Final = 14


def answers(router: Router) -> dict[str, str]:
    """Return the content of every file; ``list.txt`` has the objects."""
    radios = [radio for radio in router.radios if radio.up]
    files: dict[str, Any] = {
        "iwinfo.devices.json": {"devices": [radio.name for radio in radios]},
        "network.interface.dump.json": {"interface": [*_own(), *map(_way, router.ways)]},
    }
    for way in router.ways:
        files[f"network.interface.{way.name}.status.json"] = _way(way)
    for radio in radios:
        files |= _radio(radio)
    objects = [f"hostapd.{radio.name}" for radio in radios]
    objects += ["iwinfo", "network.interface", *(f"network.interface.{way.name}" for way in router.ways)]
    found = {name: json.dumps(answer, indent="\t") + "\n" for name, answer in files.items()}
    return found | {"list.txt": "".join(f"{name}\n" for name in sorted(objects))}


def megahertz(channel: int) -> int:
    """Return the middle of a channel of 2.4 or 5 GHz."""
    if channel == _JAPAN:
        return 2484
    return _FIRST_MHZ + 5 * channel if channel <= _LAST_LOW else 5000 + 5 * channel


def _radio(radio: Radio) -> dict[str, Any]:
    name, mhz = radio.name, megahertz(radio.channel)
    phy = name.split("-", maxsplit=1)[0]
    busy = radio.busy_ms / radio.active_ms if radio.active_ms else 0.0
    status = {
        "status": "ENABLED",
        "bssid": _mac(name, 0),
        "ssid": SSID,
        "freq": mhz,
        "channel": radio.channel,
        "beacon_interval": 100,
        "phy": phy,
        "airtime": {
            "time": radio.active_ms,
            "time_busy": radio.busy_ms,
            "utilization": min(255, round(255 * busy)),
        },
        "dfs": {"cac_seconds": 0, "cac_active": False, "cac_seconds_left": 0},
    }
    info = {
        "phy": phy,
        "ssid": SSID,
        "bssid": _mac(name, 0).upper(),
        "country": "MX",
        "mode": "Master",
        "channel": radio.channel,
        "frequency": mhz,
        "txpower": _TX_DBM,
        "quality": 60,
        "quality_max": 70,
        "signal": radio.signal_dbm,
        "noise": NOISE_DBM,
        "encryption": {"enabled": False},
        "hwmode": "n",
        "htmode": "HT20",
        "hardware": {"name": "vigia-sim"},
    }
    survey = {
        "mhz": mhz,
        "noise": NOISE_DBM,
        "active_time": radio.active_ms,
        "busy_time": radio.busy_ms,
        "busy_time_ext": 0,
        "rx_time": radio.busy_ms // 4,
        "tx_time": radio.busy_ms // 2,
    }
    clients = {_mac(name, n + 1): _client(radio, n) for n in range(radio.clients)}
    return {
        f"hostapd.{name}.get_status.json": status,
        f"hostapd.{name}.get_clients.json": {"freq": mhz, "clients": clients},
        f"iwinfo.info.{name}.json": info,
        f"iwinfo.survey.{name}.json": {"results": [survey]},
        f"iwinfo.assoclist.{name}.json": {
            "results": [{"mac": mac.upper(), "signal": each["signal"]} for mac, each in clients.items()]
        },
    }


def _client(radio: Radio, number: int) -> dict[str, Any]:
    sent, received = _MBIT[number % len(_MBIT)]
    return {
        "auth": True,
        "assoc": True,
        "authorized": True,
        "preauth": False,
        "wds": False,
        "wmm": True,
        "ht": True,
        "vht": False,
        "aid": number + 1,
        "bytes": {"rx": 18_340 * (number + 1), "tx": 921_144 * (number + 1)},
        "packets": {"rx": 201 * (number + 1), "tx": 877 * (number + 1)},
        "rate": {"rx": received, "tx": sent},
        "signal": max(-95, min(-20, radio.signal_dbm + _SPREAD_DB[number % len(_SPREAD_DB)])),
    }


def _mac(radio: str, number: int) -> str:
    """Return an address that nobody was given: locally administered."""
    digit = sum(radio.encode()) % 256
    return f"5a:56:49:{digit:02x}:{number >> 8:02x}:{number & 255:02x}"


def _own() -> list[dict[str, Any]]:
    """Return the networks of the router's own side."""
    return [
        _network("lan", "br-lan", "static", "192.168.40.1", 24, 90_000),
        _network("loopback", "lo", "static", "127.0.0.1", 8, 90_000),
    ]


def _way(way: WayOut) -> dict[str, Any]:
    if way.up:
        found = _network(way.name, way.device, "dhcp", "203.0.113.9", 24, way.uptime_s)  # RFC 5737
        found["route"] = [
            {"target": "0.0.0.0", "mask": 0, "nexthop": "203.0.113.1", "source": "203.0.113.9/32"}  # noqa: S104 - the default route
        ]
        return found
    down: dict[str, Any] = {
        "interface": way.name,
        "up": False,
        "pending": False,
        "available": True,
        "autostart": True,
        "dynamic": False,
        "proto": "dhcp",
        "device": way.device,
        "data": {},
    }
    return down | ({"errors": [{"subsystem": "dhcp", "code": way.error}]} if way.error else {})


def _network(name: str, device: str, proto: str, address: str, mask: int, uptime_s: int) -> dict[str, Any]:
    return {
        "interface": name,
        "up": True,
        "pending": False,
        "available": True,
        "autostart": True,
        "dynamic": False,
        "uptime": uptime_s,
        "l3_device": device,
        "proto": proto,
        "device": device,
        "ipv4-address": [{"address": address, "mask": mask}],
        "ipv6-address": [],
        "route": [],
        "dns-server": [],
        "data": {},
    }
