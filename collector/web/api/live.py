"""/live: server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Response, current_app, request
from werkzeug.exceptions import ServiceUnavailable

from collector.web.api.blueprint import Blueprint
from collector.web.live import Hub, TooManyClientsError

if TYPE_CHECKING:
    from collections.abc import Iterable

blueprint = Blueprint("Live", __name__, description="What happens")
MAX_DIGITS = 18


@blueprint.route("/live")
@blueprint.response(200, {"type": "string"}, content_type="text/event-stream")
def live() -> Response:
    """Follow incidents and statuses. Resumes behind the header Last-Event-ID; 503 when it is full."""
    given = request.headers.get("Last-Event-ID", "")
    after = int(given) if given.isascii() and given.isdigit() and len(given) <= MAX_DIGITS else None
    hub = cast("Hub", current_app.extensions["vigia.live"])
    try:
        stream = hub.stream(after)
    except TooManyClientsError:
        raise ServiceUnavailable("all live places are taken", retry_after=30) from None
    # the proxy in front must not collect the events (nginx)
    return Response(
        cast("Iterable[bytes]", stream), mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )
