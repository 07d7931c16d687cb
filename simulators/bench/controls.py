"""The switches and sliders of a bench, as one table: what each is, and which event of the world it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.protocols.knobs import OFF, ON, Knob, Panel, switch
from simulators.scenario.model import ScopePart
from simulators.world.happenings import Happening

if TYPE_CHECKING:
    from collections.abc import Mapping

NOMINAL_V: Final = 127.0
RADIOS: Final = ("phy0-ap0", "phy1-ap0")  # 2.4 and 5 GHz
LOW_PERCENT: Final = 15.0  # below what a UPS calls low
AUTO: Final = "auto"  # as the mains and the loads of the house make it


def radio(name: str) -> str:
    """Name the switch of a radio."""
    return f"radio_{name.replace('-', '_')}"


def is_radio(name: str) -> bool:
    """Tell whether it is the switch of a radio, of whatever name."""
    return name.startswith("radio_")


KNOBS: Final = (
    Knob("mains_v", f"{NOMINAL_V:g}", "voltage of the mains", "V", 0, 180),
    switch("mains", "mains", on=True),
    switch("ups_plug", "plug of the UPS in its socket", on=True),
    Knob("ups_load", "10", "load of the UPS", "%", 1, 130),
    Knob("battery", "100", "charge of the battery", "%", 1, 100),
    switch("battery_low", "low battery"),
    switch("usb", "USB contact between UPS and device", on=True),
    switch("self_test", "self-test of the UPS"),
    switch("plug", "plug of the device in its socket", on=True),
    switch("modem", "modem", on=True),
    switch("wan", "cable between device and modem", on=True),
    switch("link", "link to the centre", on=True),
    Knob("link_delay", "0", "delay of the link, each way", "ms", 0, 10_000),
    Knob("link_rate", "0", "most that the link carries, 0: no limit", "kbit/s", 0, 100_000),
    *(switch(radio(name), f"radio {name}", on=True) for name in RADIOS),
    switch("tamper", "tamper contact open"),
    Knob("meter_v", AUTO, "voltage that the meter shows"),
    Knob("meter_a", AUTO, "current that the meter shows"),
    Knob("clock", "right", "clock of the device", choices=("right", "unset", "wrong")),
    Knob("clock_offset", "600", "by how much a wrong clock is off", "s", -86_400, 86_400),
)
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "supply": ("mains", "mains_v", "ups_plug"),
    "ups": ("ups_load", "battery", "battery_low", "usb", "self_test"),
    "device": ("plug", "tamper", "clock", "clock_offset", *(radio(name) for name in RADIOS)),
    "way": ("modem", "wan", "link", "link_delay", "link_rate"),
    "meter": ("meter_v", "meter_a"),
}
# what a real thing on the table has of its own, so that the bench cannot turn it
OF_DEVICE: Final = ("plug", "tamper", "clock", "clock_offset", "modem", "wan", *(radio(n) for n in RADIOS))
OF_MAINS: Final = ("mains", "mains_v")
OF_UPS: Final = ("ups_plug", "ups_load", "battery", "battery_low", "usb", "self_test")
MEASURED: Final = {"meter_v": ("V", 1000.0), "meter_a": ("A", 100.0)}  # AUTO or a number: unit, highest
_EVENTS: Final[dict[str, tuple[str, str]]] = {  # switch -> position in which the event holds, kind
    "mains": (OFF, "mains_off"),
    "ups_plug": (OFF, "ups_unplugged"),
    "usb": (OFF, "ups_contact_lost"),
    "self_test": (ON, "ups_self_test"),
    "modem": (OFF, "modem_off"),
    "wan": (OFF, "wan_carrier_lost"),
    "link": (OFF, "backhaul_down"),
    "tamper": (ON, "tamper_open"),
}


def panel() -> Panel:
    """Return all of them, as they stand when everything is well."""
    return Panel(KNOBS)


def is_switch(knob: Knob) -> bool:
    """Tell whether it is on or off."""
    return knob.choices == (OFF, ON)


def turn(panel: Panel, name: str, text: str) -> None:
    """Turn one; 0 and 1 mean off and on. KnobError: there is none of that name, or it does not take this."""
    panel.text(name)
    knob = next(one for one in panel if one.name == name)
    if is_switch(knob):
        text = {"0": OFF, "1": ON}.get(text.strip(), text)
    if name in MEASURED and text.strip() != AUTO:
        text = Knob(name, AUTO, knob.meaning, MEASURED[name][0], 0, MEASURED[name][1]).check(text)
    panel.turn(name, text)


def event(panel: Panel, name: str, site: str, now_ms: int) -> Happening | None:
    """Return what a switch or slider makes of the world as it stands now; None: nothing."""
    scope = ScopePart(site=site)
    if name in _EVENTS:
        position, kind = _EVENTS[name]
        return Happening(kind, scope, now_ms) if panel.text(name) == position else None
    if name == "mains_v" and panel.number(name) != NOMINAL_V:
        pu = panel.number(name) / NOMINAL_V
        if pu < 0.01:  # noqa: PLR2004 - less than the world calls voltage
            return Happening("mains_off", scope, now_ms)
        return Happening("sag" if pu < 1.0 else "swell", scope, now_ms, parameters={"pu": pu})
    if name == "ups_load":
        return Happening("overload", scope, now_ms, parameters={"load_pct": panel.number(name)})
    return None


def changed(before: Mapping[str, str], panel: Panel) -> list[str]:
    """Return the names of those that stand otherwise than before."""
    return [knob.name for knob in panel if before.get(knob.name) != panel.text(knob.name)]
