"""Random questions to every operation of the OpenAPI document: no failure of ours, answers as described."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from tests.web.conftest import Web

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = {
    "GET /api/v1/status",
    "GET /api/v1/devices",
    "GET /api/v1/sites",
    "GET /api/v1/sites/{site_id}",
    "GET /api/v1/sites/{site_id}/readings",
    "GET /api/v1/sites/{site_id}/series",
    "GET /api/v1/incidents",
    "GET /api/v1/incidents/{incident_id}",
    "GET /api/v1/incidents/{incident_id}/why",
    "GET /api/v1/windows",
    "POST /api/v1/windows",
    "DELETE /api/v1/windows/{window_id}",
    "GET /api/v1/centre",
    "POST /api/v1/incidents/{incident_id}/acknowledge",
    "POST /api/v1/incidents/{incident_id}/start",
    "POST /api/v1/incidents/{incident_id}/resolve",
    "POST /api/v1/incidents/{incident_id}/note",
}


ASKED = {"GET /api/v1/incidents", "GET /api/v1/windows", "POST /api/v1/windows"}  # more than a language


def operations(web: Web):
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", web.app, headers=web.bearer("viewer"))
    made = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    found = {f"{one.method.upper()} {one.path}": one for one in made}
    found.pop("GET /api/v1/live")  # it never ends; tests/web/test_live.py reads it
    return found


def test_every_operation_is_tried(web: Web):
    assert set(operations(web)) == OPERATIONS


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_any_question_gets_a_described_answer(web: Web, label, mode):
    operation = operations(web)[label]
    wrong = mode == GenerationMode.NEGATIVE
    if wrong and "{" not in label and label not in ASKED:
        return  # nothing to get wrong: schemathesis has no case to offer

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case) -> None:
        checks = [*CHECKS, negative_data_rejection] if wrong else CHECKS
        case.call_and_validate(headers=web.bearer("crew"), checks=checks)

    ask()
