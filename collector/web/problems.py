"""Errors: a problem document (RFC 9457) for programs, a page with a way on for people."""

from __future__ import annotations

import json
import logging
from typing import Any

from flask import Flask, Response, render_template
from marshmallow import Schema, fields
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from collector.errors import TemporaryError
from collector.web.auth import is_api

LOG = logging.getLogger("vigia.web")
MEDIA_TYPE = "application/problem+json"


class ProblemSchema(Schema):
    """A problem as RFC 9457 has it; ``errors`` names the offending parameters."""

    type = fields.String(required=True, metadata={"description": "Always about:blank"})
    title = fields.String(required=True, metadata={"description": "The status in words"})
    status = fields.Integer(required=True)
    detail = fields.String()
    errors = fields.Dict()


def init_app(app: Flask) -> None:
    """Answer every error, our own faults included, in the form that the asker reads."""
    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(TemporaryError, _unavailable)
    app.register_error_handler(SQLAlchemyError, _broken)


def answer(error: HTTPException) -> Response:
    """Turn an HTTP error into its document."""
    original = error.get_response()
    if error.code is None or error.code < 400:  # noqa: PLR2004 - redirects of the router pass unchanged
        return Response(original.get_data(), original.status_code, headers=original.headers)
    response = _problem(error) if is_api() else Response(render_template("error.html", error=error))
    response.status_code = error.code
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        if name in original.headers:
            response.headers[name] = original.headers[name]
    if error.code == 401:  # noqa: PLR2004 - RFC 9110, 15.5.2: must name a scheme
        response.headers["WWW-Authenticate"] = 'Bearer realm="vigia"'
    return response


def _problem(error: HTTPException) -> Response:
    data: dict[str, Any] = getattr(error, "data", None) or {}
    body: dict[str, Any] = {"type": "about:blank", "title": error.name, "status": error.code}
    if detail := data.get("message") or error.description:
        body["detail"] = detail
    if errors := data.get("errors") or data.get("messages"):
        body["errors"] = errors
    return Response(json.dumps(body, ensure_ascii=False), mimetype=MEDIA_TYPE)


def _unavailable(error: TemporaryError) -> Response:
    LOG.warning("store_unavailable: %s", error)
    return answer(ServiceUnavailable("the store of readings does not answer", retry_after=5))


def _broken(error: SQLAlchemyError) -> Response:
    LOG.error("state_failed: %s", error)
    return answer(InternalServerError("the state database failed"))
