"""/sites: facilities, their readings and series."""

from __future__ import annotations

from typing import Any

from flask import abort

from collector.storage.port import SeriesQuery
from collector.web import incidents, queries, readings
from collector.web.api.blueprint import Blueprint
from collector.web.api.schemas import (
    Asked,
    RowSchema,
    SeriesAsked,
    SeriesSchema,
    SiteDetailSchema,
    SiteSchema,
    listed,
)
from collector.web.auth import signed_in
from collector.web.database import sql
from collector.web.i18n import language
from collector.web.services import services

blueprint = Blueprint("Sites", __name__, description="Facilities")


def _named(site: dict[str, Any]) -> dict[str, Any]:
    return site | {"name": site["name_en"] if language() == "en" else site["name_es"]}


def _site(site_id: str) -> dict[str, Any]:
    found = queries.sites(sql(), services().clock.now_ms(), only=[site_id])
    if not found:
        abort(404, "no such facility")
    return _named(found[0])


@blueprint.route("/sites")
@blueprint.arguments(Asked, location="query")
@blueprint.response(200, listed(SiteSchema))
def sites(_asked: dict[str, Any]) -> dict[str, Any]:
    """All facilities with their status, worst first."""
    return {"items": [_named(site) for site in queries.sites(sql(), services().clock.now_ms())]}


@blueprint.route("/sites/<site_id>")
@blueprint.arguments(Asked, location="query")
@blueprint.response(200, SiteDetailSchema)
def site(_asked: dict[str, Any], site_id: str) -> dict[str, Any]:
    """Everything known of one facility. Contacts and keys are for the roles crew and admin."""
    found = _site(site_id)
    details = queries.site_details(sql(), site_id, crew=signed_in().may("crew")) or {}
    recent = queries.incidents(sql(), state="all", site=site_id)
    return (
        found
        | details
        | {
            "device_list": queries.devices(sql(), services().clock.now_ms(), site_id),
            "incidents": incidents.views(sql(), recent, language()),
        }
    )


@blueprint.route("/sites/<site_id>/readings")
@blueprint.arguments(Asked, location="query")
@blueprint.response(200, listed(RowSchema))
def newest(_asked: dict[str, Any], site_id: str) -> dict[str, Any]:
    """List the newest row of every series of the last 7 days."""
    _site(site_id)
    rows = services().store.latest(site_id, services().clock.now_ms() - readings.KEEP_MS)
    return {
        "items": [
            {
                "device": row.device,
                "measurement": row.measurement,
                "instance": row.instance,
                "time_ms": row.time_ms,
                "fields": row.fields,
                "units": {
                    name: unit for name in row.fields if (unit := readings.unit_of(row.measurement, name))
                },
            }
            for row in rows
        ]
    }


@blueprint.route("/sites/<site_id>/series")
@blueprint.arguments(SeriesAsked, location="query")
@blueprint.response(200, listed(SeriesSchema))
def series(asked: dict[str, Any], site_id: str) -> dict[str, Any]:
    """Numbers over time, at most 10,000 points a series. Counters are raw."""
    _site(site_id)
    found = services().store.series(_query(asked, site_id))
    return {
        "items": [
            {
                "device": one.device,
                "measurement": one.measurement,
                "instance": one.instance,
                "field": one.name,
                "unit": readings.unit_of(one.measurement, one.name),
                "points": one.points,
            }
            for one in found
        ]
    }


def _query(asked: dict[str, Any], site_id: str) -> SeriesQuery:
    stop_ms = asked.get("stop_ms", services().clock.now_ms())
    return SeriesQuery(
        site=site_id,
        measurement=asked["measurement"],
        fields=tuple(asked["fields_"].split(",")),
        start_ms=asked.get("start_ms", max(0, stop_ms - readings.DAY_MS)),
        stop_ms=stop_ms,
        device=asked.get("device"),
        instance=asked.get("instance"),
        every_ms=asked.get("every_ms"),
    )
