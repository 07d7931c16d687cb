"""The list of incidents, one incident, and what a person does about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for

from collector.storage.state import Incident
from collector.web import actions, incidents, queries, why
from collector.web.auth import needs, signed_in
from collector.web.database import sql
from collector.web.i18n import language

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("incidents", __name__)
PAGE = 30
MAX_NOTE = 2000


@blueprint.get("/incidents")
def search() -> str:
    """Open ones first; closed ones and all on request, page by page."""
    state = request.args.get("state", "open")
    if state not in queries.STATES:
        abort(404)
    before = request.args.get("before", type=int)
    rows = queries.incidents(sql(), state=state, limit=PAGE + 1, before=before)
    shown = incidents.views(sql(), rows[:PAGE], language())
    older = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template("incidents.html", state=state, incidents=shown, older=older)


def _incident(incident_id: int) -> Incident:
    found = sql().get(Incident, incident_id) if incident_id < 2**63 else None
    if found is None:
        abort(404)
    return found


@blueprint.get("/incidents/<int:incident_id>/why")
def explain(incident_id: int) -> str:
    """Follow a verdict's history fact by fact."""
    row = _incident(incident_id)
    shown = incidents.view(row, queries.names(sql(), [row.site_id])[row.site_id], language())
    return render_template("why.html", incident=shown, why=why.answer(sql(), row, language()))


@blueprint.get("/incidents/<int:incident_id>")
def show(incident_id: int) -> str:
    """Verdict, facts, history, messages; for crews the buttons and the note."""
    return _page(_incident(incident_id))


def _page(row: Incident, refused: str | None = None) -> str:
    may_act = signed_in().may("crew")
    return render_template(
        "incident.html",
        incident=incidents.detail(sql(), row, language()),
        site=queries.site_details(sql(), row.site_id, crew=may_act),
        possible=actions.possible(row) if may_act else None,
        cause_codes=actions.CAUSE_CODES,
        refused=refused,
        max_note=MAX_NOTE,
    )


def _after(incident_id: int, act: Callable[[Incident], None]) -> ResponseReturnValue:
    """Do something to an incident and show it again, with a word when it was not possible."""
    row = _incident(incident_id)
    try:
        act(row)
    except actions.NotPossibleError:
        return _page(row, refused="state"), 409
    return redirect(url_for("incidents.show", incident_id=incident_id), 303)


@blueprint.post("/incidents/<int:incident_id>/acknowledge")
@needs("crew")
def acknowledge(incident_id: int) -> ResponseReturnValue:
    """Take it on, with a note when one was written."""
    return _after(incident_id, lambda row: actions.acknowledge(sql(), row, signed_in().name, _note()))


@blueprint.post("/incidents/<int:incident_id>/start")
@needs("crew")
def start(incident_id: int) -> ResponseReturnValue:
    """Be on the way."""
    return _after(incident_id, lambda row: actions.start(sql(), row, signed_in().name, _note()))


@blueprint.post("/incidents/<int:incident_id>/resolve")
@needs("crew")
def resolve(incident_id: int) -> ResponseReturnValue:
    """Say what was found and repaired."""
    code = request.form.get("cause_code", "")
    if code not in actions.CAUSE_CODES:
        return _page(_incident(incident_id), refused="cause"), 400
    return _after(incident_id, lambda row: actions.resolve(sql(), row, signed_in().name, code, _note()))


@blueprint.post("/incidents/<int:incident_id>/note")
@needs("crew")
def note(incident_id: int) -> ResponseReturnValue:
    """Write a note."""
    text = _note()
    if not text:
        return _page(_incident(incident_id), refused="empty"), 400
    return _after(incident_id, lambda row: actions.note(sql(), row, signed_in().name, text))


def _note() -> str:
    return request.form.get("note", "").strip()[:MAX_NOTE]
