"""Incidents as pages and API show them: codes beside words, history, messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.alerts import texts
from collector.web import queries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from collector.storage.state import AreaMember, Incident, IncidentChange, Outbox, Site

FIELDS = (
    "id",
    "condition",
    "subject",
    "status",
    "severity",
    "cause",
    "confidence",
    "final",
    "found_on_return",
    "started_ms",
    "opened_ms",
    "cleared_ms",
    "closed_ms",
    "owner",
    "cause_code",
)
STEP_FIELDS = ("id", "at_ms", "kind", "by")
DELIVERY_FIELDS = ("id", "kind", "channel", "status", "due_ms", "attempts", "delivered_ms", "reason")


def site_name(site: Site | None, lang: str) -> str:
    """Return the name in the reader's language."""
    if site is None:
        return ""
    return site.name_en if lang == "en" else site.name_es


def views(session: Session, found: Iterable[Incident], lang: str) -> list[dict[str, Any]]:
    """Describe incidents, with the names of their facilities."""
    rows = list(found)
    sites = queries.names(session, (row.site_id for row in rows))
    return [view(row, sites[row.site_id], lang) for row in rows]


def first_upper(text: str) -> str:
    """Begin with a capital letter; the rest as it is (``capitalize`` would lower names)."""
    return text[:1].upper() + text[1:]


def view(row: Incident, site: Site, lang: str) -> dict[str, Any]:
    """Describe one incident: its columns, its title and its facts in words."""
    shown: dict[str, Any] = {name: getattr(row, name) for name in FIELDS}
    shown["site"], shown["site_name"] = row.site_id, site_name(site, lang)
    shown["title"] = texts.title(row, site, lang)
    shown["what"] = texts.condition(row.condition, lang)
    shown["why"] = first_upper(texts.cause(row.cause, lang)) if row.cause else None
    shown["facts"] = [fact(item, lang) for item in row.facts]
    return shown


def fact(item: dict[str, Any], lang: str) -> dict[str, Any]:
    """Put one piece of evidence into words, beside its code and parameters."""
    code, params = item["code"], item.get("params") or {}
    return {"code": code, "params": params, "text": texts.fact_text(code, params, lang)}


def detail(session: Session, row: Incident, lang: str) -> dict[str, Any]:
    """Describe one incident with its history and messages."""
    shown = view(row, queries.names(session, [row.site_id])[row.site_id], lang)
    shown["advice"] = texts.advice(row, lang)
    shown["history"] = [_step(change, lang) for change in queries.history(session, row.id)]
    shown["area"] = queries.area_of(session, row.id)
    shown["members"] = [
        _member(one, site, lang) for one, site in queries.members(session, row.id) if row.condition == "area"
    ]
    shown["deliveries"] = [_delivery(sent) for sent in queries.deliveries(session, row.id)]
    return shown


def _step(change: IncidentChange, lang: str) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(change, name) for name in STEP_FIELDS}
    data = change.data or {}
    shown["note"] = data.get("note")
    shown["cause"], shown["cause_code"] = data.get("cause"), data.get("cause_code")
    shown["why"] = texts.cause(shown["cause"], lang) if shown["cause"] else None
    facts = data.get("facts")
    shown["facts"] = [fact(item, lang) for item in facts] if isinstance(facts, list) else []
    return shown


def _member(one: AreaMember, site: Site, lang: str) -> dict[str, Any]:
    return {
        "site": one.site_id,
        "site_name": site_name(site, lang),
        "incident": one.incident_id,
        "joined_ms": one.joined_ms,
        "left_ms": one.left_ms,
        "reason": one.reason,
    }


def _delivery(sent: Outbox) -> dict[str, Any]:
    return {name: getattr(sent, name) for name in DELIVERY_FIELDS}
