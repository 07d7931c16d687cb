"""Incidents in words: titles, facts and messages, in Spanish (``es``) and English (``en``).

Pure: takes anything that has an incident's and a site's attributes. Unknown codes, as an older database may
hold them, are shown as they are rather than hidden.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from collector.alerts import phrases_en, phrases_es
from collector.alerts.routes import LOCAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

PHRASES: Final[dict[str, ModuleType]] = {"es": phrases_es, "en": phrases_en}
_SPANS: Final = ((172_800, 86_400, "d"), (7_200, 3_600, "h"), (120, 60, "min"), (0, 1, "s"))


class IncidentLike(Protocol):
    """What is asked of an incident; ``collector.storage.state.Incident`` has it."""

    id: Any
    condition: Any
    subject: Any
    cause: Any
    confidence: Any
    final: Any
    found_on_return: Any
    facts: Any
    started_ms: Any
    cleared_ms: Any


class SiteLike(Protocol):
    """What is asked of a site. ``address`` and the like are looked up when there are any."""

    name_es: Any
    name_en: Any


def title(incident: IncidentLike, site: SiteLike, lang: str) -> str:
    """Return one line: ``#12 Place: condition (cause in words)``."""
    text = f"#{incident.id} {_where(incident, site, lang)}: {condition(incident.condition, lang)}"
    return f"{text} ({cause(incident.cause, lang)})" if incident.cause else text


def _where(incident: IncidentLike, site: SiteLike, lang: str) -> str:
    """Return the place; of an area the first one and how many more."""
    place = _place(site, lang)
    counts = [fact["params"].get("count", 1) for fact in incident.facts if fact["code"] == "area_members"]
    if incident.condition != "area" or not counts or counts[0] < 2:  # noqa: PLR2004 - one more
        return place
    return str(PHRASES[lang].AREA_PLACE.format(place=place, more=counts[0] - 1))


def condition(name: str, lang: str) -> str:
    """Return a condition in words."""
    return str(PHRASES[lang].CONDITIONS.get(name, name))


def cause(name: str, lang: str) -> str:
    """Return a cause in words."""
    return str(PHRASES[lang].CAUSES.get(name, name))


def advice(incident: IncidentLike, lang: str) -> str:
    """Return what to do and what to bring; empty for a condition without advice."""
    phrases = PHRASES[lang]
    if incident.condition in {"outage", "area"} and incident.cause in phrases.OUTAGE_ADVICE:
        return str(phrases.OUTAGE_ADVICE[incident.cause])
    return str(phrases.ADVICE.get(incident.condition, ""))


def fact_text(code: str, params: Mapping[str, Any], lang: str) -> str:
    """Return a fact in a sentence. A code or parameter that is not known shows as code and parameters."""
    phrase = PHRASES[lang].FACTS.get(code)
    if phrase is None:
        return _raw(code, params)
    try:
        return str(phrase).format(**_words(params, lang))
    except (KeyError, IndexError, ValueError):
        return _raw(code, params)


def _words(params: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """Put parameters into words: ages in units, reasons in phrases, per unit as per cent."""
    words = dict(params)
    if isinstance(params.get("age_s"), int | float):
        words["age"] = duration(max(1, int(params["age_s"])), lang)
    if isinstance(params.get("pu"), int | float):
        words["pu"] = f"{round(params['pu'] * 100)} %"
    if "why" in params:
        words["why"] = PHRASES[lang].REASONS.get(params["why"], params["why"])
    return words


def _raw(code: str, params: Mapping[str, Any]) -> str:
    shown = ", ".join(f"{name}={value}" for name, value in params.items())
    return f"{code} ({shown})" if shown else code


def duration(seconds: int, lang: str) -> str:
    """Return a span of time as people say it: ``90 s``, ``5 min``, ``2 h 5 min``, ``3 d``."""
    units = PHRASES[lang].UNITS
    seconds = max(0, seconds)
    _, size, unit = next(span for span in _SPANS if seconds >= span[0])
    text = str(units[unit].format(n=seconds // size))
    if unit == "h" and (rest := seconds % size // 60):
        text += " " + units["min"].format(n=rest)
    return text


def moment(at_ms: int, lang: str) -> str:
    """Return a moment in the local time of Mexico City."""
    phrases = PHRASES[lang]
    local = datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(LOCAL)
    month, clock = phrases.MONTHS[local.month - 1], f"{local:%H:%M}"
    return str(phrases.TIME.format(day=local.day, month=month, year=local.year, clock=clock))


def message(
    kind: str, incident: IncidentLike, site: SiteLike, lang: str, public_url: str = ""
) -> tuple[str, str]:
    """Return title and body of an ``alert``, ``update`` or ``recovery``, plain text."""
    phrases = PHRASES[lang]
    head = f"{phrases.KINDS[kind]} {title(incident, site, lang)}"
    parts = [_what(incident, lang), _when(incident, lang, over=kind == "recovery"), _facts(incident, lang)]
    parts.append(phrases.WORDS["closing"] if kind == "recovery" else _help(incident, site, lang))
    if public_url:
        parts.append(f"{phrases.WORDS['link']}: {public_url.rstrip('/')}/incidents/{incident.id}")
    return head, "\n\n".join(part for part in parts if part)


def _place(site: SiteLike, lang: str) -> str:
    return str(site.name_en if lang == "en" else site.name_es)


def _what(incident: IncidentLike, lang: str) -> str:
    words = PHRASES[lang].WORDS
    lines = [condition(incident.condition, lang) + "."]
    if incident.cause:
        state = words["final"] if incident.final else words["provisional"]
        sure = words["confidence"].format(percent=round((incident.confidence or 0) * 100))
        lines.append(f"{words['cause']}: {cause(incident.cause, lang)} [{incident.cause}], {state}, {sure}.")
    if incident.subject and incident.condition != "area":
        lines.append(f"{words['device']}: {incident.subject}")
    return "\n".join(lines)


def _when(incident: IncidentLike, lang: str, *, over: bool) -> str:
    words = PHRASES[lang].WORDS
    lines = [f"{words['since']}: {moment(incident.started_ms, lang)}"]
    if over and incident.cleared_ms is not None:
        lasted = duration((incident.cleared_ms - incident.started_ms) // 1000, lang)
        lines += [f"{words['until']}: {moment(incident.cleared_ms, lang)}", f"{words['lasted']}: {lasted}"]
    if incident.found_on_return:
        lines.append(words["late"])
    return "\n".join(lines)


def _facts(incident: IncidentLike, lang: str) -> str:
    texts = [fact_text(fact["code"], fact.get("params") or {}, lang) for fact in incident.facts]
    if not texts:
        return ""
    return "\n".join([f"{PHRASES[lang].WORDS['facts']}:", *(f"- {text}" for text in texts)])


def _help(incident: IncidentLike, site: SiteLike, lang: str) -> str:
    """Say what to do, and what a crew needs to know of the place, as far as it is known."""
    words = PHRASES[lang].WORDS
    if incident.condition == "area":
        return f"{words['advice']}: {advice(incident, lang)}"
    known = (
        ("advice", advice(incident, lang)),
        ("address", getattr(site, "address", None)),
        ("keys", getattr(site, "keys_and_hours", None)),
        ("contacts", getattr(site, "contacts", None)),
        ("safety", getattr(site, "safety_note", None)),
    )
    return "\n".join(f"{words[name]}: {value}" for name, value in known if value)
