"""The HTTP API under /api/v1, described in OpenAPI 3 at /api/v1/openapi.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask_smorest  # type: ignore[import-untyped] # no type information published

from collector.web.api import incidents, live, sites, status, windows
from collector.web.problems import MEDIA_TYPE, ProblemSchema, answer

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Response

PREFIX = "/api/v1"
SETTINGS = {
    "API_TITLE": "Vigía",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": PREFIX,
    "OPENAPI_JSON_PATH": "openapi.json",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": "Facilities, their readings and incidents. Times are milliseconds since 1970 UTC."
        },
        "security": [{"bearer": []}, {"session": []}],
    },
}


class VigiaApi(flask_smorest.Api):  # type: ignore[misc] # its base has no types
    """flask-smorest with our errors: problem documents instead of its own form."""

    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer as everywhere else."""
        return answer(error)

    def _register_responses(self) -> None:
        """Describe errors under their own media type; flask-smorest would say application/json."""
        self.DEFAULT_RESPONSE_CONTENT_TYPE = MEDIA_TYPE
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE


def init_app(app: Flask) -> None:
    """Register the API's parts and describe how to sign in."""
    app.config.update(SETTINGS)
    api = VigiaApi(app)
    schemes: dict[str, dict[str, Any]] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "vigia"},
    }
    for name, scheme in schemes.items():
        api.spec.components.security_scheme(name, scheme)
    for part in (status, sites, incidents, windows, live):
        api.register_blueprint(part.blueprint, url_prefix=PREFIX)
