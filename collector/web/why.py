"""Why an incident is called what it is called: what the rules said, step by step, fact by fact.

Each step is one that the rules took, as it was written down then. What each fact weighs for and against
each cause comes from the table of the verdicts as it is today; a step that it would judge otherwise says so.
A fact that tells of the beginning only, for another fault made most of the outage, weighs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from collector.alerts import texts
from collector.model import Cause, Fact
from collector.rules import verdict
from collector.web import incidents, queries

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from collector.storage.state import Incident, IncidentChange

Known = dict[str, dict[str, Any]]  # fact by its code
NEW, CHANGED, SAME, GONE = "new", "changed", "same", "gone"
LEAST_SHARE: Final = 0.005


def answer(session: Session, row: Incident, lang: str) -> dict[str, Any]:
    """Return how the verdict of an incident came about."""
    steps: list[dict[str, Any]] = []
    known: Known = {}
    for change in queries.history(session, row.id):
        found = (change.data or {}).get("facts")
        if isinstance(found, list):
            steps.append(_step(change, found, known, lang))
            known = {item["code"]: item for item in found}
    return {
        "incident": row.id,
        "what": texts.condition(row.condition, lang),
        "cause": row.cause,
        "why": incidents.first_upper(texts.cause(row.cause, lang)) if row.cause else None,
        "confidence": row.confidence,
        "final": row.final,
        "steps": steps,
    }


def _step(change: IncidentChange, found: list[dict[str, Any]], known: Known, lang: str) -> dict[str, Any]:
    data = change.data
    now = {item["code"]: item for item in found}
    facts = [Fact(item["code"], item.get("params") or {}) for item in found]
    spent = verdict.outlasted(facts)
    shown = [_fact(item, _change(item, known), lang, spent.get(item["code"])) for item in found]
    shown += [_fact(item, GONE, lang) for code, item in known.items() if code not in now]
    causes = _causes(facts, lang)
    cause = data.get("cause")
    return {
        "at_ms": change.at_ms,
        "kind": change.kind,
        "reason": data.get("reason") or None,
        "cause": cause,
        "why": texts.cause(cause, lang) if cause else None,
        "confidence": data.get("confidence"),
        "final": bool(data.get("final")),
        "facts": shown,
        "causes": causes,
        "table_changed": bool(causes and cause and causes[0]["cause"] != cause),
    }


def _change(item: dict[str, Any], known: Known) -> str:
    before = known.get(item["code"])
    if before is None:
        return NEW
    return SAME if before == item else CHANGED


def _fact(item: dict[str, Any], change: str, lang: str, outlasted_by: Fact | None = None) -> dict[str, Any]:
    """Put a fact into words beside what it weighs, the heaviest first; nothing once it does not count."""
    clue = verdict.CLUES.get(item["code"])
    weights = sorted(clue.weights.items(), key=lambda entry: -abs(entry[1])) if clue else []
    spent = outlasted_by and texts.fact_text(outlasted_by.code, outlasted_by.params, lang)
    return {
        **incidents.fact(item, lang),
        "change": change,
        "weights": [
            {"cause": cause.value, "why": texts.cause(cause.value, lang), "weight": 0.0 if spent else weight}
            for cause, weight in weights
        ],
        "because": clue.why if clue else None,
        "no_longer_counts": spent,
    }


def _causes(facts: list[Fact], lang: str) -> list[dict[str, Any]]:
    """Return the causes that these facts leave possible, the likeliest first; none when no fact weighs."""
    if not any(fact.code in verdict.CLUES for fact in facts):
        return []
    scores = verdict.scores(facts)
    shares = verdict.shares(scores, verdict.TEMPERATURE)
    order = sorted(scores, key=lambda cause: (-scores[cause], cause != Cause.UNKNOWN))
    return [
        {
            "cause": cause.value,
            "why": texts.cause(cause.value, lang),
            "score": round(scores[cause], 2),
            "share": round(shares[cause], 3),
        }
        for cause in order
        if shares[cause] >= LEAST_SHARE or cause == order[0]
    ]
