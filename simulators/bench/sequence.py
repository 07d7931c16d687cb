"""The guided sequence as a table: in each step what is done and what must be seen. Texts are in `words`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.bench import checks, controls
from simulators.bench.steps import Phase, Step

if TYPE_CHECKING:
    from simulators.bench.pace import Pace
    from simulators.bench.seen import Seen


def _cut(pace: Pace) -> float:
    return pace.cut_s + pace.see_s


def _keep(pace: Pace) -> float:
    return pace.keep_s + pace.see_s


def _boot(pace: Pace) -> float:
    return pace.boot_s + 1.5 * pace.see_s


def _ask(pace: Pace) -> float:
    return pace.hands_s + pace.look_s + pace.see_s


def _drain(_pace: Pace) -> float:
    return 5_400.0  # a real battery is not to be hurried


SIGNATURE: Final = (Phase("signature", checks.signature),)
CLOCK: Final = (Phase("clock", checks.clock),)
UPS: Final = (
    Phase("line", checks.on_line),
    Phase("battery", checks.on_battery, {"mains": "off"}),
    Phase("low", checks.battery_low, {"battery_low": "on"}, by_hand=_drain, optional=True),
    Phase("line_again", checks.on_line, {"battery_low": "off", "mains": "on"}),
)
USB: Final = (
    Phase("battery", checks.on_battery, {"mains": "off"}),
    Phase("contact_lost", checks.contact_lost, {"usb": "off"}),
    Phase("contact_back", checks.contact_back, {"usb": "on"}),
    Phase("line_again", checks.on_line, {"mains": "on"}),
)
# on battery and without a link the spool goes to flash; then the plug
PLUG: Final = (
    Phase("no_way_out", checks.waited("keep_s"), {"link": "off", "mains": "off"}, _keep),
    Phase("pulled", checks.waited("off_s"), {"plug": "off"}, confirm=True),
    Phase("restart", checks.restarted, {"plug": "on", "mains": "on", "link": "on"}, _boot),
)
MODEM: Final = (
    Phase("modem_off", checks.silence, {"modem": "off"}),
    Phase("modem_back", checks.modem_back, {"modem": "on"}, _boot),
)
METER: Final = (Phase("meter", checks.meter, limit=_ask, ask=("volts", "amperes")),)
LINK: Final = (
    Phase("cut", checks.waited("cut_s"), {"link": "off"}, _cut),
    Phase("backlog", checks.backlog, {"link": "on"}, _boot),
)


def _radios(seen: Seen) -> tuple[Phase, ...]:
    """Return for each radio: it sends, it does not, it sends again."""
    return tuple(
        Phase(name, checks.flag("wifi_ap", "up", radio, up), do, subject=radio)
        for radio in seen.instances("wifi_ap")
        for name, up, do in (
            ("radio_on", 1, {}),
            ("radio_off", 0, {controls.radio(radio): "off"}),
            ("radio_again", 1, {controls.radio(radio): "on"}),
        )
    )


def _tamper(seen: Seen) -> tuple[Phase, ...]:
    """Return for each contact: closed, open, closed."""
    return tuple(
        Phase(name, checks.flag("tamper", "open", contact, is_open), do, subject=contact)
        for contact in seen.instances("tamper")
        for name, is_open, do in (
            ("closed", 0, {}),
            ("opened", 1, {"tamper": "on"}),
            ("closed_again", 0, {"tamper": "off"}),
        )
    )


SEQUENCE: Final = (
    Step("signature", lambda _seen: SIGNATURE, gate=True),
    Step("clock", lambda _seen: CLOCK),
    Step("ups", lambda _seen: UPS, needs="upsd"),
    Step("usb", lambda _seen: USB, needs="upsd"),
    Step("plug", lambda _seen: PLUG),
    Step("modem", lambda _seen: MODEM),
    Step("radios", _radios, needs="wifi_ap"),
    Step("tamper", _tamper, needs="tamper"),
    Step("meter", lambda _seen: METER, needs="mains"),
    Step("link", lambda _seen: LINK),
)
