"""The first page: how many, which, since when, and why."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from collector.web import incidents, queries
from collector.web.database import sql
from collector.web.i18n import language
from collector.web.services import services

blueprint = Blueprint("overview", __name__)
SHOWN = 20  # incidents
ROWS = 500  # a city's list is looked through by name, not by thumb
PLACES = 2000


@blueprint.get("/")
def show() -> str:
    """All facilities, filtered by words and status when asked, and the open incidents."""
    wanted, status = request.args.get("q", "").strip(), request.args.get("status", "")
    found = queries.sites(sql(), services().clock.now_ms())
    for site in found:
        site["name"] = site["name_en"] if language() == "en" else site["name_es"]
    matching = [site for site in found if _matches(site, wanted, status)]
    whole = len(found) <= ROWS  # then the browser filters by itself, else the server does
    return render_template(
        "overview.html",
        counts=queries.status_counts(sql()),
        sites=found if whole else matching[:ROWS],
        whole=whole,
        left_out=0 if whole else max(0, len(matching) - ROWS),
        matching={site["id"] for site in matching},
        places=[_place(site) for site in found if site["lat"] is not None and site["lon"] is not None][
            :PLACES
        ],
        unplaced=sum(1 for site in found if site["lat"] is None or site["lon"] is None),
        incidents=incidents.views(sql(), queries.incidents(sql(), limit=SHOWN), language()),
        open_incidents=queries.count_open(sql()),
        wanted=wanted,
        status=status,
    )


def _matches(site: dict[str, Any], wanted: str, status: str) -> bool:
    text = f"{site['name_es']} {site['name_en']} {site['id']} {site['address'] or ''}".casefold()
    return (not status or site["status"] == status) and all(
        part in text for part in wanted.casefold().split()
    )


def _place(site: dict[str, Any]) -> dict[str, Any]:
    return {name: site[name] for name in ("id", "name", "status", "lat", "lon")}
