"""The sample file: the borough's 40 facilities, and nothing invented without a mark."""

from __future__ import annotations

import csv

from collector.storage.state import Site
from simulators import sample
from simulators.demo import layout

IDS = [
    "alcaldia",
    "biblioteca-san-patricio",
    "cav-centenario",
    "cdc-el-cuernito",
    "biblioteca-el-cuernito",
    "gimnasio-g3",
    "mercado-olivar-del-conde",
    "cdc-olivar-del-conde",
    "casa-adulto-mayor-ahuehuete",
    "centro-deportivo-plateros",
    "biblioteca-constituyente-mexicano",
    "alberca-cristopher-tronco",
    "cav-plateros",
    "casa-adulto-mayor-presidentes",
    "centro-cultural-san-angel",
    "casa-cultura-jaime-sabines",
    "mercado-santa-fe",
    "parque-alfonso-xiii",
    "cdc-molino-de-rosas",
    "biblioteca-molino-de-rosas",
    "cdc-jalalpa-el-grande",
    "direccion-territorial-norte",
    "biblioteca-jalalpa-el-grande",
    "cdc-la-conchita",
    "biblioteca-la-conchita",
    "parque-ecologico-aguilas-japon",
    "parque-acuatico-las-aguilas",
    "mercado-melchor-muzquiz",
    "cao-palmas",
    "biblioteca-adolfo-lopez-mateos",
    "cdc-tezontla",
    "biblioteca-tezontla",
    "salon-usos-multiples",
    "clinica-ah-dzac",
    "teatro-juventud",
    "dg-juridica",
    "dg-gobierno",
    "dg-prevencion-adicciones",
    "dir-proteccion-civil",
    "casa-adulto-mayor-tolteca",
]

REAL = {"id", "name_es", "name_en", "kind"}
# numbers cannot carry a mark of their own, and an empty text says nothing
UNMARKED = {"lat", "lon", "nominal_v", "priority", "service", "safety_note", "sample"}


def rows():
    with sample.sites_file() as path:
        return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_the_40_facilities():
    assert [site.id for site in sample.sites()] == IDS


def test_every_line_says_that_it_is_sample_data():
    assert {"true"} == {row["sample"] for row in rows()}


def test_invented_texts_are_marked():
    for row in rows():
        for name in row.keys() - REAL - UNMARKED:
            assert row[name].startswith(("(muestra)", "sample-", "SAMPLE-")), (row["id"], name)


def test_positions_lie_in_the_borough():
    for row in rows():
        assert 19.25 < float(row["lat"]) < 19.41
        assert -99.35 < float(row["lon"]) < -99.17


def test_columns_are_those_of_the_registry():
    assert rows()[0].keys() == {column.key for column in Site.__mapper__.columns}


def test_every_facility_has_a_router_and_ten_a_ups():
    places, plans = layout.places(), layout.devices()
    kinds = [part.kind for place in places for part in place.device if part.has_agent]

    assert [place.id for place in places] == IDS
    assert all(place.part(f"{place.id}-router").has_agent for place in places)
    assert sum(bool(place.ups) for place in places) == 10
    assert (kinds.count("router"), kinds.count("pi")) == (40, 5)
    assert len(plans) == len({plan.name for plan in plans}) == 45
