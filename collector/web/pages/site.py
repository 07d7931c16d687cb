"""One facility: how it is, how to get there, its devices, readings, drawings and history."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template

from collector.errors import StoreUnavailableError
from collector.web import incidents, queries, readings
from collector.web.auth import signed_in
from collector.web.database import sql
from collector.web.i18n import language
from collector.web.services import services

if TYPE_CHECKING:
    from collector.storage.port import Latest

LOG = logging.getLogger("vigia.web")
blueprint = Blueprint("site", __name__)
SHOWN = 20


@blueprint.get("/sites/<site_id>")
def show(site_id: str) -> str:
    """Everything on one page; without the store the rest is still there."""
    now_ms = services().clock.now_ms()
    found = queries.sites(sql(), now_ms, only=[site_id])
    if not found:
        abort(404)
    site = found[0] | {"name": found[0]["name_en"] if language() == "en" else found[0]["name_es"]}
    history = incidents.views(
        sql(), queries.incidents(sql(), state="all", site=site_id, limit=SHOWN), language()
    )
    rows = _latest(site_id, now_ms)
    return render_template(
        "site.html",
        site=site | (queries.site_details(sql(), site_id, crew=signed_in().may("crew")) or {}),
        devices=queries.devices(sql(), now_ms, site_id),
        now=[one for one in history if one["closed_ms"] is None],
        past=[one for one in history if one["closed_ms"] is not None],
        groups=None if rows is None else readings.groups(rows),
        charts=readings.charts(rows or []),
        zone=services().config.web.timezone,
    )


def _latest(site_id: str, now_ms: int) -> list[Latest] | None:
    try:
        return services().store.latest(site_id, now_ms - readings.KEEP_MS)
    except StoreUnavailableError as error:
        LOG.warning("store_unavailable: %s", error)
        return None
