"""The API: shapes, filters, errors as problem documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import text

from tests.web.conftest import MINUTE, NOW_MS

if TYPE_CHECKING:
    from tests.web.conftest import Web

SITE = "/api/v1/sites/mercado-olivar-del-conde"


def get(web: Web, path: str, role: str = "viewer") -> Any:
    return web.client().get(path, headers=web.bearer(role))


def test_status_counts(web: Web):
    body = get(web, "/api/v1/status").json
    assert body["sites"] == {"hazard": 0, "dark": 1, "degraded": 1, "waiting": 1, "ok": 1}
    assert (body["devices"], body["open_incidents"], body["now_ms"]) == (3, 2, NOW_MS)


def test_sites_worst_first(web: Web):
    items = get(web, "/api/v1/sites").json["items"]
    assert [(item["id"].split("-")[0], item["status"]) for item in items] == [
        ("mercado", "dark"),
        ("biblioteca", "degraded"),
        ("clinica", "waiting"),
        ("centro", "ok"),
    ]
    assert (
        items[0]
        | {
            "name": "Mercado Olivar del Conde",
            "since_ms": NOW_MS - 12 * MINUTE,
            "open_incidents": 1,
            "devices": 1,
            "lat": 19.3745,
        }
        == items[0]
    )
    assert items[2]["since_ms"] is None


def test_one_site(web: Web):
    body = get(web, SITE, "crew").json
    assert body["nominal_v"] == 127.0
    assert [device["id"] for device in body["device_list"]] == ["mercado-r1"]
    assert [incident["id"] for incident in body["incidents"]] == [3]


def test_devices_say_what_came_in_and_what_is_missing(web: Web):
    item = get(web, "/api/v1/devices").json["items"][2]
    assert item == {
        "id": "mercado-r1",
        "site": "mercado-olivar-del-conde",
        "kind": "router",
        "feed": "ups:ups1",
        "last_arrival_ms": NOW_MS - 15_000,
        "sample_ms": NOW_MS - 20_000,
        "session": "birth",
        "frames_stored": 118,
        "seq": 119,
        "missing": 1,
        "clock_trusted": True,
        "hello": {"agent": "0.1.0", "hardware": "GL-AR300M", "os": "OpenWrt 23.05"},
    }


def test_readings_have_units(web: Web):
    items = {(row["measurement"], row["instance"]): row for row in get(web, f"{SITE}/readings").json["items"]}
    ups = items["upsd", "ups1"]
    assert (ups["fields"]["input_voltage"], ups["units"]["input_voltage"]) == (0.4, "V")
    assert ups["time_ms"] == NOW_MS - 20_000
    assert "ob" not in ups["units"]


def test_series_default_to_a_day(web: Web):
    body = get(web, f"{SITE}/series?measurement=upsd&fields=input_voltage,battery_charge_percent").json
    lines = {item["field"]: item for item in body["items"]}
    assert lines["input_voltage"]["unit"] == "V"
    assert len(lines["battery_charge_percent"]["points"]) > 280
    time_ms, value = lines["input_voltage"]["points"][0]
    assert isinstance(time_ms, int)
    assert value == 124.0


def test_series_are_averaged_on_request(web: Web):
    path = f"{SITE}/series?measurement=upsd&fields=input_voltage&instance=ups1&device=mercado-r1"
    points = get(web, f"{path}&every_ms=3600000").json["items"][0]["points"]
    assert 24 <= len(points) <= 26


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [3, 2]),
        ("?state=closed", [1]),
        ("?state=all", [3, 2, 1]),
        ("?state=all&limit=2", [3, 2]),
        ("?state=all&before=3", [2, 1]),
        ("?state=all&site=centro-deportivo-plateros", [1]),
        ("?site=nowhere", []),
    ],
)
def test_incidents_are_filtered(web: Web, query, ids):
    assert [item["id"] for item in get(web, f"/api/v1/incidents{query}").json["items"]] == ids


def test_an_incident_in_words_of_both_languages(web: Web):
    spanish = get(web, "/api/v1/incidents/3").json
    english = get(web, "/api/v1/incidents/3?lang=en").json
    accepted: Any = web.client().get(
        "/api/v1/incidents/3", headers=web.bearer("viewer") | {"Accept-Language": "en-US,en;q=0.9"}
    )
    assert spanish["site_name"] == "Mercado Olivar del Conde"
    assert english["site_name"] == accepted.json["site_name"] == "Olivar del Conde Market"
    fact = spanish["facts"][0]
    assert (fact["code"], fact["params"]) == ("input_measured", {"volts": 0.4, "pu": 0.003})
    assert "0.4 V" in fact["text"]
    assert fact["text"] != english["facts"][0]["text"]
    assert spanish["history"][0]["kind"] == "opened"
    assert (
        spanish["deliveries"][0] | {"channel": "telegram", "status": "delivered"} == spanish["deliveries"][0]
    )
    assert spanish["advice"]


def test_steps_of_a_person(web: Web):
    client, headers = web.client(), web.bearer("crew")

    def post(action: str, body: dict[str, str]):
        return client.post(f"/api/v1/incidents/3/{action}", json=body, headers=headers)

    taken = post("acknowledge", {"note": "salgo ya"})
    assert (taken.json["status"], taken.json["owner"]) == ("acknowledged", "programa carla")
    assert [step["kind"] for step in taken.json["history"]] == ["opened", "acknowledged", "note"]
    assert taken.json["history"][2]["note"] == "salgo ya"
    again = post("acknowledge", {})
    assert (again.status_code, again.mimetype) == (409, "application/problem+json")
    assert post("start", {}).json["status"] == "under_way"
    assert post("resolve", {"cause_code": "nothing"}).status_code == 422
    assert post("resolve", {"cause_code": "breaker"}).json["cause_code"] == "breaker"


@pytest.mark.parametrize("note", ["", "  \n ", "x" * 2001])
def test_notes_that_are_none(web: Web, note):
    answer = web.client().post("/api/v1/incidents/3/note", json={"note": note}, headers=web.bearer("crew"))
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/nope", 404),
        ("/api/v1/sites/nope", 404),
        ("/api/v1/sites/nope/readings", 404),
        ("/api/v1/incidents/99999999999999999999", 404),
        ("/api/v1/incidents?limit=0", 422),
        ("/api/v1/incidents?limt=5", 422),
        ("/api/v1/incidents?before=9223372036854775808", 422),
        (f"{SITE}/series", 422),
        (f"{SITE}/series?measurement=upsd&fields=Bad", 422),
        (f"{SITE}/series?measurement=upsd&fields=ol&start_ms=5&stop_ms=5", 422),
        (f"{SITE}/series?measurement=up%22sd&fields=ol", 422),
        ("/api/v1/incidents/3/note", 405),
    ],
)
def test_errors_are_problem_documents(web: Web, path, code):
    answer = get(web, path)
    assert (answer.status_code, answer.mimetype) == (code, "application/problem+json")
    assert answer.json["status"] == code
    assert answer.json["title"]


@pytest.mark.parametrize(("body", "kind"), [("{", "application/json"), ("note=x", "text/plain")])
def test_bodies_that_are_no_json(web: Web, body, kind):
    headers = web.bearer("crew") | {"Content-Type": kind}
    answer = web.client().post("/api/v1/incidents/3/note", data=body, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.mimetype == "application/problem+json"


def test_a_failure_of_ours_tells_nothing(web: Web, monkeypatch):
    monkeypatch.setattr("collector.web.queries.devices", lambda *_a: 1 / 0)
    answer = get(web, "/api/v1/devices")
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert "division" not in answer.text


def test_a_broken_state_is_said_without_details(web: Web):
    with web.engine.begin() as connection:
        connection.execute(text("DROP TABLE device_state"))
    answer = get(web, "/api/v1/devices")
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert "SELECT" not in answer.text


def test_the_document_describes_every_path(web: Web):
    body = get(web, "/api/v1/openapi.json").json
    assert body["openapi"].startswith("3.")
    described = set(body["paths"])
    routed = {
        rule.rule.replace("<", "{").replace(">", "}").replace("int:", "")
        for rule in web.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("openapi.json")
    }
    assert described == routed
    assert {"bearer", "session"} == set(body["components"]["securitySchemes"])


def test_health_readiness_and_metrics(make_web, tmp_path):
    web = make_web()
    client = web.client()
    assert client.get("/healthz").json == {"status": "ok"}
    unasked = {"broker": "unknown", "store": "unknown", "uplink": "unknown"}
    assert client.get("/readyz").json == {
        "status": "ok", "checks": {"state": "ok", "store": "ok"}, "probes": unasked,
    }  # fmt: skip
    registry = CollectorRegistry()
    Counter("vigia_test", "A counter", registry=registry).inc()
    object.__setattr__(web.services, "metrics_registry", lambda: registry)
    assert "vigia_test_total 1.0" in client.get("/metrics").text
