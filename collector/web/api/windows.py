"""/windows: announced work, and our own in which nobody is told. /centre: what the probes see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import abort
from marshmallow import Schema, fields, validate

from collector.around import windows
from collector.web import centre
from collector.web.api.blueprint import Blueprint
from collector.web.api.schemas import Asked, listed, time
from collector.web.auth import needs, signed_in
from collector.web.database import sql
from collector.web.services import services

if TYPE_CHECKING:
    from collector.storage.state import WorkWindow

blueprint = Blueprint("Windows", __name__, description="Announced work, and the centre itself")
NAME = validate.Length(1, 64)
FIELDS = (
    "id", "kind", "from_ms", "to_ms", "site_id", "group_name", "circuit", "provider", "lat", "lon",
    "radius_m", "what", "by", "created_ms", "cancelled_ms",
)  # fmt: skip


class WindowsAsked(Asked):
    """Which windows."""

    past = fields.Boolean(load_default=False, metadata={"description": "Those that are over as well"})


class WindowGiven(Schema):
    """A window: its time, what it is about, and at most one scope (none: everything)."""

    kind = fields.String(load_default=windows.PLANNED, validate=validate.OneOf(windows.KINDS))
    from_ms = time(required=True)
    to_ms = time(required=True)
    site_id = fields.String(data_key="site", validate=NAME)
    group_name = fields.String(data_key="group", validate=NAME)
    circuit = fields.String(validate=NAME)
    provider = fields.String(validate=NAME)
    lat = fields.Float(validate=validate.Range(-90, 90))
    lon = fields.Float(validate=validate.Range(-180, 180))
    radius_m = fields.Float(validate=validate.Range(1, 1_000_000))
    what = fields.String(load_default="", validate=validate.Length(0, 200))


class WindowSchema(Schema):
    """A window as it stands."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    from_ms = fields.Integer(required=True)
    to_ms = fields.Integer(required=True)
    site_id = fields.String(required=True, allow_none=True, data_key="site")
    group_name = fields.String(required=True, allow_none=True, data_key="group")
    circuit = fields.String(required=True, allow_none=True)
    provider = fields.String(required=True, allow_none=True)
    lat = fields.Float(required=True, allow_none=True)
    lon = fields.Float(required=True, allow_none=True)
    radius_m = fields.Float(required=True, allow_none=True)
    what = fields.String(required=True)
    by = fields.String(required=True)
    created_ms = fields.Integer(required=True)
    cancelled_ms = fields.Integer(required=True, allow_none=True)


class ProbeSchema(Schema):
    """A probe of the centre."""

    name = fields.String(required=True)
    health = fields.String(required=True, validate=validate.OneOf(centre.HEALTHS))
    since_ms = fields.Integer(required=True, allow_none=True)
    checked_ms = fields.Integer(required=True, allow_none=True)
    latency_ms = fields.Float(required=True, allow_none=True)
    detail = fields.String(required=True)


class CentreSpanSchema(Schema):
    """A time in which the centre was at fault, or (``ingest``) did not listen: unobserved."""

    what = fields.String(required=True)
    since_ms = fields.Integer(required=True)
    until_ms = fields.Integer(required=True, allow_none=True)


class CentreSchema(Schema):
    """The centre itself."""

    probes = fields.List(fields.Nested(ProbeSchema), required=True)
    faults = fields.List(fields.Nested(CentreSpanSchema), required=True)


def _shown(row: WorkWindow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS}


@blueprint.route("/windows")
@blueprint.arguments(WindowsAsked, location="query")
@blueprint.response(200, listed(WindowSchema))
def search(asked: dict[str, Any]) -> dict[str, Any]:
    """List windows that are to come or on."""
    rows = windows.listed(sql(), services().clock.now_ms(), past=asked["past"])
    return {"items": [_shown(row) for row in rows]}


@blueprint.route("/windows", methods=["POST"])
@blueprint.arguments(WindowGiven)
@blueprint.response(201, WindowSchema)
@needs("crew")
def add(given: dict[str, Any]) -> dict[str, Any]:
    """Announce a window. 409 when it cannot be: it ends before it begins, nothing is on that circuit."""
    session = sql()
    try:
        row = windows.add(session, given, signed_in().name, services().clock.now_ms())
    except windows.WindowError as error:
        session.rollback()
        abort(409, str(error))
    shown = _shown(row)
    session.commit()
    return shown


@blueprint.route("/windows/<int:window_id>", methods=["DELETE"])
@blueprint.response(200, WindowSchema)
@needs("crew")
def cancel(window_id: int) -> dict[str, Any]:
    """Take a window back; what it has explained stays said."""
    session = sql()
    try:
        row = windows.cancel(session, min(window_id, 2**63 - 1), services().clock.now_ms())
    except windows.WindowError as error:
        abort(404, str(error))
    shown = _shown(row)
    session.commit()
    return shown


@blueprint.route("/centre")
@blueprint.arguments(Asked, location="query")
@blueprint.response(200, CentreSchema)
def show(_asked: dict[str, Any]) -> dict[str, Any]:
    """Say what the centre's probes see, and its faults of the last week."""
    now_ms = services().clock.now_ms()
    return {"probes": centre.probes(sql(), now_ms), "faults": centre.faults(sql(), now_ms)}
