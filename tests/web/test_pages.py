"""What pages show, in both languages, without scripts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.orm import Session

from collector.errors import StoreUnavailableError
from collector.storage.embedded import EmbeddedStore
from collector.storage.state import Incident, IncidentChange, Site
from tests.web.conftest import NOW_MS, csrf

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.web.conftest import Web


def words(client: FlaskClient, path: str) -> str:
    """The visible text of a page, spaces collapsed."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    text = re.sub(r"<(script|title|option)[^>]*>.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def token(client: FlaskClient) -> str:
    client.get("/")
    with client.session_transaction() as session:
        return str(session["csrf"])


def test_the_overview_counts_and_sorts_worst_first(web: Web):
    text = words(web.client("vera"), "/")
    assert "1 Sin servicio 1 Con problemas 1 Sin datos aún 1 Funcionando" in text
    names = ["Mercado Olivar", "Constituyente", "Ah Dzac", "Plateros"]
    listed = text[
        text.index("Nombre o dirección") if "Nombre o dirección" in text else text.index("Mostrar") :
    ]
    assert sorted(names, key=listed.index) == names


def test_the_overview_says_why_and_since_when(web: Web):
    text = words(web.client("vera"), "/")
    assert "Sin suministro eléctrico #3 Mercado Olivar del Conde" in text
    assert "Falta de luz en el inmueble, certeza de 84 % (por ahora)" in text
    assert "hace 12 min · Cuadrilla avisada" in text
    assert "Hay que cambiar la batería #2" in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?q=olivar", ["mercado-olivar-del-conde"]),
        ("?q=PÚBLICA+mexicano", ["biblioteca-constituyente-mexicano"]),
        ("?q=library", ["biblioteca-constituyente-mexicano"]),
        ("?status=ok", ["centro-deportivo-plateros"]),
        ("?q=nada&status=ok", []),
        ("?q=santa+luc%C3%ADa", ["mercado-olivar-del-conde"]),
    ],
)
def test_the_filter_works_without_scripts(web: Web, query, shown):
    text = web.client("vera").get(f"/{query}").text
    rows = re.findall(r'<li data-site="([^"]+)"[^>]*?( hidden)?>', text)
    assert [site for site, hidden in rows if not hidden] == shown
    assert ('id="nothing" class="calm" hidden' in text) == bool(shown)


def test_a_city_is_not_listed_whole(web: Web, monkeypatch):
    monkeypatch.setattr("collector.web.pages.overview.ROWS", 2)
    client = web.client("vera")
    text = client.get("/").text
    assert text.count("<li data-site=") == 2
    assert "2 más coinciden: afine la búsqueda." in text
    assert 'id="filter"' not in text
    assert client.get("/?q=plateros").text.count("<li data-site=") == 1


def test_a_name_is_shown_as_text_never_as_markup(web: Web):
    with Session(web.engine) as session:
        session.get_one(Site, "clinica-ah-dzac").name_es = "<script>alert('x')</script>\"'&"
        session.commit()
    client = web.client("vera")
    for path in ("/", "/sites/clinica-ah-dzac"):
        assert "<script>alert" not in client.get(path).text


def test_a_facility_shows_readings_with_units_and_age(web: Web):
    text = words(web.client("vera"), "/sites/mercado-olivar-del-conde")
    for part in (
        "UPS ups1 hace 20 s",
        "En batería (no siempre significa que no hay luz)",
        "Voltaje de entrada 0.4 V",
        "Carga de la batería 71 %",
        "23 min",
        "Bytes recibidos 48.2 GB",
        "Clientes conectados 14",
        "Encendido desde hace 9 días",
        "Memoria en uso 41.7 %",
        "zram_ratio".replace("z", "Z", 1) + " 3.5",
        "Tablero eléctrico abierto",
        "mercado-r1 Router",
        "118 · falta 1",
        "datos de muestra",
    ):
        assert part in text, part


def test_a_facility_without_devices_or_readings(web: Web):
    text = words(web.client("vera"), "/sites/clinica-ah-dzac")
    assert "Sin lecturas en los últimos siete días." in text
    assert "Ningún equipo está asignado aquí." in text


class DownStore(EmbeddedStore):
    """The real store, whose file cannot be reached."""

    def latest(self, site=None, since_ms=0):
        raise StoreUnavailableError("the disk is gone")

    def series(self, query):
        raise StoreUnavailableError("the disk is gone")

    def check(self):
        raise StoreUnavailableError("the disk is gone")


def test_without_the_store_the_rest_is_still_there(web: Web):
    web.store.__class__ = DownStore
    client = web.client("vera")
    text = words(client, "/sites/mercado-olivar-del-conde")
    assert "El almacén de lecturas no responde por el momento." in text
    assert "Sin suministro eléctrico" in text
    answer = client.get("/api/v1/sites/mercado-olivar-del-conde/readings")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert "disk" not in answer.text
    ready: Any = client.get("/readyz")
    assert (ready.status_code, ready.json["checks"]) == (503, {"state": "ok", "store": "failed"})
    assert client.get("/healthz").status_code == 200


def test_an_incident_tells_its_story(web: Web):
    text = words(web.client("carla"), "/incidents/3")
    for part in (
        "Sin suministro eléctrico #3",
        "Urgente Cuadrilla avisada",
        "Desde el 2 mar 10:48",
        "Falta de luz en el inmueble, certeza de 84 %",
        "0.4 V",
        "Qué hacer",
        "Alerta → telegram: Enviado 2 mar 10:49",
        "Yo lo atiendo",
    ):
        assert part in text, part
    assert "Yo lo atiendo" not in words(web.client("vera"), "/incidents/3")


def test_the_list_of_incidents_goes_back_in_pages(web: Web):
    with Session(web.engine) as session:
        session.add_all(
            Incident(
                site_id="clinica-ah-dzac",
                condition="outage",
                subject=str(at),
                severity="warning",
                started_ms=NOW_MS,
                opened_ms=NOW_MS,
            )
            for at in range(40)
        )
        session.commit()
    client = web.client("vera")
    first = client.get("/incidents").text
    assert first.count("data-incident=") == 30
    older = re.search(r'href="(/incidents\?[^"]*before=\d+)"', first)
    assert older is not None
    assert client.get(older[1].replace("&amp;", "&")).text.count("data-incident=") == 12
    assert client.get("/incidents?state=closed").text.count("data-incident=") == 1
    assert client.get("/incidents?state=wrong").status_code == 404


def test_taking_on_going_resolving(web: Web):
    client = web.client("carla")
    form = {"csrf_token": token(client)}
    assert client.post("/incidents/3/acknowledge", data=form | {"note": "  salgo ya \n"}).status_code == 303
    text = words(client, "/incidents/3")
    assert "En atención : carla" in text
    assert "salgo ya" in text
    assert "Yo lo atiendo" not in text
    assert client.post("/incidents/3/start", data=form).status_code == 303
    assert client.post("/incidents/3/resolve", data=form).status_code == 400
    assert client.post("/incidents/3/resolve", data=form | {"cause_code": "breaker"}).status_code == 303
    text = words(client, "/incidents/3")
    assert "Resuelto, por confirmar" in text
    assert "Pastilla o fusible" in text
    with Session(web.engine) as session:
        kinds = [row.kind for row in session.query(IncidentChange).filter_by(incident_id=3)]
    assert kinds == ["opened", "acknowledged", "note", "under_way", "resolved"]


def test_of_two_people_one_is_told(web: Web):
    carla, ada = web.client("carla"), web.client("ada")
    tokens = {"carla": token(carla), "ada": token(ada)}
    assert carla.post("/incidents/3/acknowledge", data={"csrf_token": tokens["carla"]}).status_code == 303
    late = ada.post("/incidents/3/acknowledge", data={"csrf_token": tokens["ada"], "note": "voy"})
    assert late.status_code == 409
    assert "Entretanto lo tomó otra persona o ya terminó." in late.text
    with Session(web.engine) as session:
        assert session.get_one(Incident, 3).owner == "carla"
        assert session.query(IncidentChange).filter_by(kind="note").count() == 0


def test_an_empty_note_is_refused(web: Web):
    client = web.client("carla")
    answer = client.post("/incidents/3/note", data={"csrf_token": token(client), "note": "  "})
    assert answer.status_code == 400
    assert "La nota está vacía." in answer.text


def test_english_on_request(web: Web):
    client = web.client("vera")
    answer = client.post(
        "/language", data={"csrf_token": token(client), "language": "en", "next": "/incidents/3"}
    )
    assert answer.location == "/incidents/3"
    text = words(client, "/")
    assert "1 No service 1 With problems" in text
    assert "Olivar del Conde Market" in text
    assert "12 min. ago" in text
    assert '<html lang="en">' in client.get("/").text


def test_the_language_outlives_signing_in(web: Web):
    client = web.client()
    client.post("/language", data={"csrf_token": csrf(client), "language": "en"})
    assert "Sign in" in words(client, "/login")


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("/nope", 404, "Esta página no existe"),
        ("/sites/nope", 404, "Esta página no existe"),
        ("/incidents/999", 404, "Esta página no existe"),
        ("/incidents/99999999999999999999", 404, "Esta página no existe"),
        ("/logout", 405, "No se entendió la solicitud"),
    ],
)
def test_errors_are_pages_with_a_way_on(web: Web, path, code, text):
    answer = web.client("vera").get(path)
    assert (answer.status_code, answer.mimetype) == (code, "text/html")
    assert text in answer.text
    assert "Ir a los sitios" in answer.text


def test_a_failure_of_ours_is_a_page_without_details(web: Web, monkeypatch):
    monkeypatch.setattr("collector.web.queries.sites", lambda *_a, **_k: 1 / 0)
    answer = web.client("vera").get("/")
    assert answer.status_code == 500
    assert "Algo falló de nuestro lado" in answer.text
    assert "ZeroDivision" not in answer.text


def test_what_is_too_long_is_refused(web: Web):
    client = web.client("carla")
    answer = client.post("/incidents/3/note", data={"csrf_token": token(client), "note": "x" * 70_000})
    assert answer.status_code == 413
