"""Answers of hostapd and iwinfo over ubus. Pure: dictionaries in, facts out; what is unknown is left out.

hostapd names clients in lower case and, since OpenWrt 21.02, tells signal and rate of each; iwinfo names
them in upper case. ``get_status`` came with 21.02. Fields after ``aid`` are optional everywhere.
"""

from agent.readers.wifi_values import TOP_LEGACY, TOPS, channel_of, mac_of, noise_of, signal_of, whole

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.readers.wifi_values import Crowd

    Facts = dict[str, Any]

_MOST_MS = 1 << 63


def parse_client(key: str | None, item: "dict[str, Any]", crowd: "Crowd") -> None:
    """Take one entry of ``get_clients`` (named by ``key``) or of ``assoclist`` (with ``mac``)."""
    if item.get("assoc") is False or crowd.full():  # hostapd also lists who has only knocked
        return
    mac = mac_of(item.get("mac") if key is None else key)
    if mac is None:
        crowd.bad += 1
    else:
        crowd.add(mac, item.get("signal"), _rates(item), _top(item))


def parse_measured(item: "dict[str, Any]", crowd: "Crowd") -> None:
    """Take only what ``assoclist`` measures of a client that hostapd has told of."""
    crowd.measure(item.get("signal"), _rates(item), _top(item))


def _rates(item: "dict[str, Any]") -> "tuple[Any, Any]":
    rate = item.get("rate")
    if isinstance(rate, dict):
        return rate.get("tx"), rate.get("rx")
    sides = [item.get(side) for side in ("tx", "rx")]
    sides = [side.get("rate") if isinstance(side, dict) else None for side in sides]
    return sides[0], sides[1]


def _top(item: "dict[str, Any]") -> int:
    """Return the highest rate (kbit/s) that the client's generation allows."""
    if "ht" not in item:  # iwinfo says it of each rate, old releases not at all
        return TOPS[0][1]
    for name, top in TOPS:
        if item.get(name):
            return top
    return TOP_LEGACY


def parse_freq(head: bytes) -> "Facts":
    """Return the frequency that stands before the clients."""
    digits = head.partition(b'"freq":')[2].strip().partition(b",")[0]
    return frequency_of(int(digits) if digits.isdigit() and len(digits) < 6 else None)  # noqa: PLR2004 (MHz)


def parse_status(answer: "dict[str, Any]") -> "Facts":
    """``get_status``: up, dfs_wait, frequency, channel, radio, times (ms), used (percent)."""
    facts: "Facts" = {}
    state = answer.get("status")
    if isinstance(state, str):
        facts["up"] = int(state == "ENABLED")
        facts["dfs_wait"] = int(state == "DFS")
    facts.update(frequency_of(answer.get("freq"), answer.get("channel")))
    if isinstance(answer.get("phy"), str) and answer["phy"]:
        facts["radio"] = answer["phy"]
    airtime = answer.get("airtime")
    if isinstance(airtime, dict):
        times = [whole(airtime.get(name), 0, _MOST_MS) for name in ("time", "time_busy")]
        if times[0] and times[1] is not None:
            facts["times"] = (times[0], times[1], None, None)
            used = whole(airtime.get("utilization"), 0, 255)
            if used is not None and times[1] <= times[0]:
                facts["used"] = round(used * 100 / 255, 1)
    return facts


def parse_info(answer: "dict[str, Any]") -> "Facts":
    """``iwinfo info``: master, frequency, channel, noise, tx_power, radio."""
    facts: "Facts" = {"master": answer.get("mode") == "Master"}
    facts.update(frequency_of(answer.get("frequency"), answer.get("channel")))
    for name, value in (
        ("noise", noise_of(answer.get("noise"))),
        ("tx_power", whole(answer.get("txpower"), -10, 60)),
    ):
        if value is not None:
            facts[name] = float(value)
    if isinstance(answer.get("phy"), str) and answer["phy"]:
        facts["radio"] = answer["phy"]
    return facts


def parse_survey(item: "dict[str, Any]", facts: "Facts") -> None:
    """Put into ``facts`` what an entry of ``iwinfo survey`` tells of the channel in use."""
    if item.get("mhz") != facts.get("frequency"):
        return
    noise = noise_of(item.get("noise"))
    if noise is not None:
        facts["noise"] = float(noise)
    times = [whole(item.get(name + "_time"), 0, _MOST_MS) for name in ("active", "busy", "rx", "tx")]
    if times[0] and times[1] is not None:
        facts["survey"] = tuple(times)


def parse_heard(item: "dict[str, Any]") -> "tuple[bytes, int, int | None] | None":
    """Return (BSSID, signal, MHz or None) of an entry of ``iwinfo scan``."""
    mac, signal = mac_of(item.get("bssid")), signal_of(item.get("signal"))
    return None if mac is None or signal is None else (mac, signal, whole(item.get("mhz"), 2000, 8000))


def frequency_of(mhz: "Any", channel: "Any" = None) -> "Facts":
    """Return frequency (MHz) and channel, the latter by the former where it tells it."""
    facts: "Facts" = {}
    mhz = whole(mhz, 2000, 8000)
    number = None if mhz is None else channel_of(mhz)
    if number is None:
        number = whole(channel, 1, 233)
    if mhz is not None:
        facts["frequency"] = mhz
    if number is not None:
        facts["channel"] = number
    return facts
