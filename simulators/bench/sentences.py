"""Codes and numbers of the bench in sentences of a language."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from babel.support import NullTranslations, Translations

import collector.web
from agent.wire.fields import MEASUREMENTS
from collector.alerts import texts
from collector.web.readings import FIRST, GROUPS
from simulators.bench import controls
from simulators.bench.words import MEASURED, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulators.bench.pace import Pace
    from simulators.bench.runner import Ask
    from simulators.bench.seen import Row, Seen
    from simulators.bench.steps import Note, Phase, Record

_SYMBOLS: Final = {"Cel": "°C", "count": "", "/": ""}
_SHOWN: Final = 5  # fields of a row beside its flags
_ORDER: Final = tuple(name for _, members in GROUPS.values() for name in members)


def note(item: Note, lang: str, record: Record | None = None) -> str:
    """Put one finding into words."""
    params: dict[str, Any] = dict(item.params)
    if "condition" in params:
        params["condition"] = texts.condition(str(params["condition"]), lang)
    if "cause" in params:
        params["cause"] = texts.cause(str(params["cause"]), lang)
    if "part" in params:
        params["part"] = say("part", str(params["part"]), lang)
    if "phase" in params and record is not None:
        params["phase"] = phase(record.phases[record.at], lang)
    said = say("note", item.code, lang, **params)
    return said.replace("-0.0", "0.0").replace("+0.0", "0.0")


def notes(record: Record, lang: str) -> str:
    """Put all that a step measured into one line, phase by phase."""
    found: dict[str, list[str]] = {}
    for at, item in record.notes:
        one = record.phases[at]
        # which of several parts, then which of the phases
        label = say("short", one.name, lang) if len(record.phases) > 1 else ""
        name = f"{one.subject} {label}".strip()
        found.setdefault(name, []).append(note(item, lang, record))
    return "; ".join(
        f"{name}: {', '.join(said)}" if name else ", ".join(said) for name, said in found.items()
    )


def phase(item: Phase | None, lang: str) -> str:
    """Say what a phase is about."""
    return "-" if item is None else say("phase", item.name, lang, subject=item.subject)


def limit(name: str, pace: Pace, lang: str) -> str:
    """Say what must be seen in a step."""
    return say("limit", name, lang, see_s=pace.see_s, cut_s=pace.cut_s)


def asked(ask: Ask, lang: str) -> list[str]:
    """Say what a person has to do now."""
    said = []
    for name, value in ask.do:
        key = "radio" if controls.is_radio(name) else name
        said.append(say("hand", f"{key}={value}", lang, subject=ask.subject))
    return said


def knob(name: str, lang: str) -> str:
    """Name a switch or slider."""
    for radio in controls.RADIOS:
        if name == controls.radio(radio):
            return say("knob", "radio", lang, subject=radio)
    return say("knob", name, lang)


@lru_cache(maxsize=4)
def _catalogue(lang: str) -> NullTranslations:
    """Return the dashboard's own words; the register's are English."""
    folder = Path(collector.web.__file__).parent / "translations"
    return NullTranslations() if lang == "en" else Translations.load(str(folder), [lang])


def readings(seen: Seen, lang: str) -> Iterator[dict[str, Any]]:
    """Give a card for each measurement that was reported: title, age, flags that are set, values."""
    every = sorted(seen.rows.items(), key=lambda item: (_rank(item[0][0]), item[0][1] or ""))
    for (measurement, instance), row in every:
        if measurement in {"site_state", "power_event"} or (measurement == "agent" and instance):
            continue
        yield _card(measurement, instance, row, seen.at_ms, lang)


def _rank(measurement: str) -> int:
    return _ORDER.index(measurement) if measurement in _ORDER else len(_ORDER)


def _card(measurement: str, instance: str | None, row: Row, now_ms: int, lang: str) -> dict[str, Any]:
    tell = _catalogue(lang).ugettext
    named = say("measured", measurement, lang) if measurement in MEASURED else measurement
    known = MEASUREMENTS[measurement].fields if measurement in MEASUREMENTS else {}
    leading = FIRST.get(measurement, ())
    flags: list[str] = []
    values: list[tuple[str, str]] = []
    for name in sorted(row.fields, key=lambda one: leading.index(one) if one in leading else len(leading)):
        value, about = row.fields[name], known.get(name)
        if about is None or value is None:
            continue
        label = _upper(tell(about.meaning))
        is_flag = about.low == 0 and about.high == 1 and about.type == "int"
        if is_flag and name not in leading:
            flags += [label] if value else []
        elif len(values) < _SHOWN:
            unit = _SYMBOLS.get(about.unit, about.unit)
            shown = say("choice", "on" if value else "off", lang) if is_flag else f"{_number(value)} {unit}"
            values.append((label, shown.strip()))
    age_s = max(0, now_ms - row.time_ms) // 1000
    return {
        "id": f"{measurement}-{instance or ''}",
        "title": f"{named} {instance or ''}".strip(),
        "age": say("ui", "seconds_ago", lang, seconds=age_s),
        "flags": flags,
        "values": values,
    }


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - a tenth matters below
    return f"{value:,}" if isinstance(value, int) else str(value)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def faults(names: frozenset[str], lang: str) -> str:
    """Say what is broken on purpose."""
    return ", ".join(say("fault", name, lang) for name in sorted(names))


def hello(seen: Seen) -> Mapping[str, str]:
    """Return what the device said of itself, as texts; what it does not know is left out."""
    return {
        name: value
        for name, value in seen.hello.items()
        if isinstance(value, str) and value not in {"", "unknown"}
    }
