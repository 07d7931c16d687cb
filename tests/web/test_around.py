"""Announced work, the centre itself and the members of an area, by API and on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from collector.probes import record
from collector.probes.record import Seen
from collector.storage.state import Area, AreaMember, Incident
from tests.web.conftest import NOW_MS

if TYPE_CHECKING:
    from tests.web.conftest import Web

HOUR = 3_600_000
WORK = {"from_ms": NOW_MS + HOUR, "to_ms": NOW_MS + 2 * HOUR, "what": "CFE", "provider": "Telmex"}


def get(web: Web, path: str) -> Any:
    """What the API answers to a viewer."""
    return web.client().get(f"/api/v1{path}", headers=web.bearer("viewer")).json


def items(web: Web, query: str = "") -> Any:
    return get(web, f"/windows{query}")["items"]


def test_a_window_is_announced_listed_and_taken_back(web: Web) -> None:
    client, crew = web.client(), web.bearer("crew")
    made: Any = client.post("/api/v1/windows", json=WORK, headers=crew)
    assert made.status_code == 201
    assert (made.json["kind"], made.json["provider"], made.json["site"]) == ("planned", "Telmex", None)

    assert items(web) == [made.json]
    gone: Any = client.delete(f"/api/v1/windows/{made.json['id']}", headers=crew)
    assert gone.json["cancelled_ms"] == NOW_MS
    assert items(web) == []
    assert len(items(web, "?past=true")) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to_ms": NOW_MS + HOUR}, 409),
        ({"provider": "Nobody"}, 409),
        ({"site": "clinica-ah-dzac"}, 409),
        ({"lat": 19.3}, 409),
        ({"kind": "holiday"}, 422),
        ({"from_ms": -1}, 422),
    ],
)
def test_windows_that_cannot_be(web: Web, change: dict[str, object], code: int) -> None:
    client, crew = web.client(), web.bearer("crew")
    assert client.post("/api/v1/windows", json=WORK | change, headers=crew).status_code == code
    assert items(web) == []


def test_a_viewer_announces_nothing(web: Web) -> None:
    assert web.client().post("/api/v1/windows", json=WORK, headers=web.bearer("viewer")).status_code == 403


def test_the_centre_says_what_its_probes_see(web: Web) -> None:
    with Session(web.engine) as session, session.begin():
        for at_ms, good in ((NOW_MS - 20_000, True), (NOW_MS - 10_000, False), (NOW_MS - 5_000, False)):
            record.saw(session, "broker", Seen(good=good, detail="" if good else "no session"), at_ms)
    seen = get(web, "/centre")

    assert {one["name"]: one["health"] for one in seen["probes"]} == {
        "broker": "bad", "store": "unknown", "uplink": "unknown",
    }  # fmt: skip
    assert seen["faults"] == [{"what": "broker", "since_ms": NOW_MS - 20_000, "until_ms": None}]
    ready: Any = web.client().get("/readyz")
    assert ready.json["probes"]["broker"] == "bad"


def test_an_area_shows_its_members_and_a_member_its_area(web: Web) -> None:
    with Session(web.engine) as session, session.begin():
        member = session.scalars(select(Incident).where(Incident.id == 3)).one()
        area = Incident(
            site_id=member.site_id, condition="area", subject="mains-area/3", severity="critical",
            cause="mains-area", started_ms=NOW_MS, opened_ms=NOW_MS,
            facts=[{"code": "area_members", "params": {"count": 2, "names": "A, B"}}],
        )  # fmt: skip
        session.add(area)
        session.flush()
        number = area.id
        session.add(Area(incident_id=number, cause="mains-area"))
        session.add(AreaMember(area_id=number, incident_id=3, site_id=member.site_id, joined_ms=NOW_MS))
    (one,) = get(web, f"/incidents/{number}")["members"]
    assert (one["incident"], one["joined_ms"], one["left_ms"]) == (3, NOW_MS, None)
    assert get(web, "/incidents/3")["area"] == number
    page, part = (web.client("vera").get(f"/incidents/{name}").text for name in (number, 3))
    assert 'href="/incidents/3"' in page
    assert f'href="/incidents/{number}"' in part
