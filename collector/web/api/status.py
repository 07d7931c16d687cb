"""/status and /devices."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from collector.web import queries
from collector.web.api.blueprint import Blueprint
from collector.web.api.schemas import Asked, DeviceSchema, StatusSchema, listed
from collector.web.database import sql
from collector.web.services import services

blueprint = Blueprint("Status", __name__, description="The whole")


@blueprint.route("/status")
@blueprint.arguments(Asked, location="query")
@blueprint.response(200, StatusSchema)
def status(_asked: dict[str, Any]) -> dict[str, Any]:
    """Facilities by status, devices, open incidents."""
    return {
        "title": services().config.web.title,
        "version": version("vigia"),
        "now_ms": services().clock.now_ms(),
        "sites": queries.status_counts(sql()),
        "devices": queries.count_devices(sql()),
        "open_incidents": queries.count_open(sql()),
    }


@blueprint.route("/devices")
@blueprint.arguments(Asked, location="query")
@blueprint.response(200, listed(DeviceSchema))
def devices(_asked: dict[str, Any]) -> dict[str, Any]:
    """All devices with their reception: what came in, what is missing, what they said of themselves."""
    return {"items": queries.devices(sql(), services().clock.now_ms())}
