"""Codes, numbers and times in words of the reader's language: the filters that templates use."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from babel.dates import format_timedelta
from markupsafe import Markup, escape

from collector.web import speech
from collector.web.services import services
from collector.web.speech import format_datetime, format_decimal, gettext
from collector.web.speech import lazy_gettext as _l

if TYPE_CHECKING:
    from flask import Flask

STATUSES: Final = {
    "dark": _l("No service"),
    "hazard": _l("Danger"),
    "degraded": _l("With problems"),
    "waiting": _l("No data yet"),
    "ok": _l("Working"),
}
# worst first: danger to people, then no service
STATUS_ORDER: Final = ("hazard", "dark", "degraded", "waiting", "ok")
SEVERITIES: Final = {
    "hazard": _l("Danger to people"),
    "critical": _l("Urgent"),
    "warning": _l("Warning"),
    "info": _l("Notice"),
}
STEPS: Final = {
    "open": _l("Open"),
    "notified": _l("Crew told"),
    "acknowledged": _l("Taken on"),
    "under_way": _l("On the way"),
    "resolved": _l("Resolved, to be confirmed"),
    "verified": _l("Confirmed by data"),
    "closed": _l("Closed"),
}
CHANGES: Final = {
    "opened": _l("Opened"),
    "raised": _l("Opened"),
    "revised": _l("New findings"),
    "cleared": _l("Data says it is over"),
    "reopened": _l("Came back"),
    "notified": _l("Crew told"),
    "acknowledged": _l("Taken on"),
    "under_way": _l("On the way"),
    "resolved": _l("Resolved"),
    "verified": _l("Confirmed by data"),
    "unverified": _l("Not confirmed by data"),
    "escalated": _l("Passed on higher up"),
    "closed": _l("Closed"),
    "note": _l("Note"),
    "joined": _l("Taken into an area"),
    "left": _l("Left the area"),
}
LEFT: Final = {
    "back": _l("is back"),
    "cause": _l("has another cause"),
    "left_behind": _l("did not come back with the area"),
}
DELIVERIES: Final = {
    "pending": _l("Waiting"),
    "claimed": _l("Being sent"),
    "delivered": _l("Sent"),
    "deferred": _l("Will be tried again"),
    "failed": _l("Could not be sent"),
    "cancelled": _l("Not needed any more"),
}
UNSENT: Final = {
    "cleared": _l("it was over before"),
    "relapsed": _l("it came back before"),
    "channel is not configured any more": _l("channel is not configured any more"),
}
FOUND: Final = {
    "utility": _l("Cut by the utility"),
    "breaker": _l("Breaker or fuse"),
    "wiring": _l("Wiring of the building"),
    "ups": _l("UPS failed"),
    "battery": _l("UPS battery worn out"),
    "power_supply": _l("Power supply of the device"),
    "device": _l("Device failed"),
    "modem": _l("Modem failed"),
    "provider": _l("Fault at the Internet provider"),
    "cabling": _l("Network cabling"),
    "theft": _l("Theft or vandalism"),
    "by_itself": _l("It came back by itself"),
    "other": _l("Something else"),
}
MESSAGES: Final = {"alert": _l("Alert"), "update": _l("Update"), "recovery": _l("Recovery")}
KINDS: Final = {
    "administration": _l("Offices"),
    "library": _l("Library"),
    "victim-support": _l("Victim support"),
    "community-center": _l("Community centre"),
    "gym": _l("Gym"),
    "market": _l("Market"),
    "elderly-home": _l("House of the elderly"),
    "sports-center": _l("Sports centre"),
    "pool": _l("Pool"),
    "culture": _l("Culture"),
    "park": _l("Park"),
    "arts-and-crafts": _l("Arts and crafts"),
    "multipurpose-room": _l("Multipurpose room"),
    "clinic": _l("Clinic"),
    "theater": _l("Theatre"),
    "router": _l("Router"),
    "pi": _l("Raspberry Pi"),
}
FEEDS: Final = {"mains": _l("mains"), "ups": _l("UPS"), "poe": _l("network cable of")}
ROLES: Final = {"viewer": _l("viewer"), "crew": _l("crew"), "admin": _l("administrator")}
TABLES: Final[dict[str, dict[str, Any]]] = {
    "status": STATUSES,
    "severity": SEVERITIES,
    "step": STEPS,
    "change": CHANGES,
    "delivery": DELIVERIES,
    "left": LEFT,
    "unsent": UNSENT,
    "message": MESSAGES,
    "kind": KINDS,
    "found": FOUND,
    "role": ROLES,
}
# symbols of the SenML registry (RFC 8428) that people write otherwise
SYMBOLS: Final = {"Cel": "°C", "count": "", "/": ""}
UNITS: Final = ((86_400 * 2, 86_400, "day"), (3600, 3600, "hour"), (60, 60, "minute"), (0, 1, "second"))
SCALES: Final = ("", "k", "M", "G", "T")
DASH: Final = "—"
PHONE: Final = re.compile(r"(\+?\d(?:[ ().-]?\d){9,13})")


def init_app(app: Flask) -> None:
    """Offer the functions to templates."""
    for function in (word, clock, ago, duration, number, percent, moment, iso, feed, phones):
        app.jinja_env.filters[function.__name__] = function


def word(code: str | None, table: str) -> str:
    """Return the word for a code; a code that nobody described is shown as it is."""
    return str(TABLES[table].get(code or "", code or DASH))


def feed(code: str | None) -> str:
    """Put what feeds a device into words: ``ups:ups1`` -> "UPS ups1"."""
    if not code:
        return gettext("not known")
    kind, _, name = code.partition(":")
    return f"{FEEDS.get(kind, kind)} {name}".strip()


def phones(text: str) -> Markup:
    """Make telephone numbers of ten digits or more ready to be tapped."""
    parts = PHONE.split(text)
    return Markup("").join(
        Markup('<a href="tel:{}">{}</a>').format(re.sub(r"[^+\d]", "", part), part)
        if at % 2
        else escape(part)
        for at, part in enumerate(parts)
    )


def iso(time_ms: int) -> str:
    """Machine-readable time for ``<time datetime>``."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def moment(time_ms: int) -> str:
    """Day and time of day: "2 mar 14:05"; with the year when it is not this one's."""
    then = datetime.fromtimestamp(time_ms / 1000, UTC)
    now = datetime.fromtimestamp(services().clock.now_ms() / 1000, UTC)
    return format_datetime(then, "d MMM HH:mm" if then.year == now.year else "d MMM y HH:mm")


def clock(time_ms: int) -> str:
    """Time of day to the second."""
    return format_datetime(datetime.fromtimestamp(time_ms / 1000, UTC), "HH:mm:ss")


def _spelled(seconds: float, *, direction: bool) -> str:
    """One unit, rounded down, as people say it; static/live.js does the same."""
    size, unit = next((size, unit) for least, size, unit in UNITS if seconds >= least)
    whole = timedelta(seconds=math.floor(seconds / size) * size)
    return format_timedelta(
        -whole if direction else whole,
        granularity=unit,  # type: ignore[arg-type] # one of the names that Babel lists
        threshold=math.inf,
        add_direction=direction,
        format="short",
        locale=speech.locale(),
    )


def ago(time_ms: int) -> str:
    """Age of a time: "hace 2 min"."""
    seconds = max(0.0, (services().clock.now_ms() - time_ms) / 1000)
    return gettext("now") if seconds < 1 else _spelled(seconds, direction=True)


def duration(milliseconds: float) -> str:
    """Length of time: "12 min"."""
    return _spelled(max(0.0, milliseconds / 1000), direction=False)


def percent(fraction: float) -> str:
    """0.84 -> "84 %"."""
    return f"{format_decimal(round(fraction * 100))} %"


def number(value: Any, unit: str | None = None) -> str:
    """Write a reading with its unit: the digits that matter, times as times, bytes in multiples."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return value if isinstance(value, str) else _measured(value, unit or "")


def _measured(value: float, unit: str) -> str:
    if unit == "ms" and abs(value) < 1000:  # noqa: PLR2004 - a second
        return f"{format_decimal(value, '#,##0.#')} ms"
    if unit in {"s", "ms"}:
        return duration(value * (1000 if unit == "s" else 1))
    if unit == "B":
        return f"{_scaled(value)}B"
    return f"{_digits(value)} {SYMBOLS.get(unit, unit)}".rstrip()


def _digits(value: float) -> str:
    if isinstance(value, int) or value == int(value):
        return format_decimal(int(value))
    size = abs(value)
    pattern = "#,##0" if size >= 1000 else "#,##0.0" if size >= 10 else "#,##0.##"  # noqa: PLR2004 - digits shown
    return format_decimal(value, pattern)


def _scaled(value: float) -> str:
    step = 0
    while abs(value) >= 1000 and step < len(SCALES) - 1:  # noqa: PLR2004 - the SI's step
        value, step = value / 1000, step + 1
    return f"{format_decimal(value, '#,##0.#')} {SCALES[step]}"
