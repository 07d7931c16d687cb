"""/incidents: what happened, why, and who does what about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import abort

from collector.storage.state import Incident
from collector.web import actions, incidents, queries, why
from collector.web.api.blueprint import Blueprint
from collector.web.api.schemas import (
    Asked,
    IncidentDetailSchema,
    IncidentsAsked,
    IncidentSchema,
    NoteGiven,
    ResolveGiven,
    StepGiven,
    WhySchema,
    listed,
)
from collector.web.auth import needs, signed_in
from collector.web.database import sql
from collector.web.i18n import language

if TYPE_CHECKING:
    from collections.abc import Callable

blueprint = Blueprint("Incidents", __name__, description="Incidents")


def _incident(incident_id: int) -> Incident:
    found = sql().get(Incident, incident_id) if incident_id < 2**63 else None
    if found is None:
        abort(404, "no such incident")
    return found


def _after(incident_id: int, act: Callable[[Incident], None]) -> dict[str, Any]:
    """Do something to an incident and show it as it is then; 409 when it stands otherwise."""
    row = _incident(incident_id)
    try:
        act(row)
    except actions.NotPossibleError as error:
        abort(409, str(error))
    return incidents.detail(sql(), row, language())


@blueprint.route("/incidents")
@blueprint.arguments(IncidentsAsked, location="query")
@blueprint.response(200, listed(IncidentSchema))
def search(asked: dict[str, Any]) -> dict[str, Any]:
    """List incidents, newest first."""
    asked.pop("lang", None)
    return {"items": incidents.views(sql(), queries.incidents(sql(), **asked), language())}


@blueprint.route("/incidents/<int:incident_id>")
@blueprint.arguments(Asked, location="query")
@blueprint.response(200, IncidentDetailSchema)
def one(_asked: dict[str, Any], incident_id: int) -> dict[str, Any]:
    """Show one incident with facts in words, history and messages."""
    return incidents.detail(sql(), _incident(incident_id), language())


@blueprint.route("/incidents/<int:incident_id>/why")
@blueprint.arguments(Asked, location="query")
@blueprint.response(200, WhySchema)
def explain(_asked: dict[str, Any], incident_id: int) -> dict[str, Any]:
    """Say how its verdict came about: each step of the rules, fact by fact, with what each fact weighs."""
    return why.answer(sql(), _incident(incident_id), language())


@blueprint.route("/incidents/<int:incident_id>/acknowledge", methods=["POST"])
@blueprint.arguments(StepGiven)
@blueprint.response(200, IncidentDetailSchema)
@needs("crew")
def acknowledge(given: dict[str, Any], incident_id: int) -> dict[str, Any]:
    """Take an incident on. 409 when it is closed or somebody has it."""
    return _after(
        incident_id, lambda row: actions.acknowledge(sql(), row, signed_in().name, given.get("note", ""))
    )


@blueprint.route("/incidents/<int:incident_id>/start", methods=["POST"])
@blueprint.arguments(StepGiven)
@blueprint.response(200, IncidentDetailSchema)
@needs("crew")
def start(given: dict[str, Any], incident_id: int) -> dict[str, Any]:
    """Say that one is on the way. 409 when it is closed or resolved."""
    return _after(incident_id, lambda row: actions.start(sql(), row, signed_in().name, given.get("note", "")))


@blueprint.route("/incidents/<int:incident_id>/resolve", methods=["POST"])
@blueprint.arguments(ResolveGiven)
@blueprint.response(200, IncidentDetailSchema)
@needs("crew")
def resolve(given: dict[str, Any], incident_id: int) -> dict[str, Any]:
    """Say what was found and repaired; data confirm it, or it opens again. 409 when it is closed."""
    return _after(
        incident_id,
        lambda row: actions.resolve(sql(), row, signed_in().name, given["cause_code"], given.get("note", "")),
    )


@blueprint.route("/incidents/<int:incident_id>/note", methods=["POST"])
@blueprint.arguments(NoteGiven)
@blueprint.response(200, IncidentDetailSchema)
@needs("crew")
def note(given: dict[str, Any], incident_id: int) -> dict[str, Any]:
    """Write a note into an incident's history."""
    return _after(incident_id, lambda row: actions.note(sql(), row, signed_in().name, given["note"]))
