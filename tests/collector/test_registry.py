from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from collector.config import RegistryConfig
from collector.errors import ConfigError
from collector.log import Reporter
from collector.metrics import Metrics
from collector.registry import REFRESH_S, Registry, import_sites
from collector.storage import migrate
from collector.storage.state import Site, open_engine

SITES = """# sample values
id,name_es,name_en,kind,lat,lon,priority,sample
cdc-el-cuernito,CDC El Cuernito,El Cuernito,community-center,19.37,-99.24,2,true
mercado-santa-fe,Mercado Santa Fe,Santa Fe Market,market,,,,
"""


class Clock:
    def __init__(self) -> None:
        self.s = 1_000.0

    def now_ms(self) -> int:
        return int(self.s * 1000)

    def mono(self) -> float:
        return self.s


def spki() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_of(der: bytes, **more: Any) -> dict[str, Any]:
    return {"kid": hashlib.sha256(der).hexdigest()[:16], "spki": base64.b64encode(der).decode()} | more


def enrolment(device: str, site: str, *keys: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "device": device,
        "site": site,
        "keys": list(keys),
        "issued_ms": 500_000,
        "feed": "ups:main",
    } | more


class House:
    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "enrolments"
        self.folder.mkdir()
        self.engine: Engine = open_engine(f"sqlite:///{tmp_path}/state.db")
        migrate.upgrade(self.engine)
        sites = tmp_path / "sites.csv"
        sites.write_text(SITES, encoding="utf-8")
        with Session(self.engine) as session, session.begin():
            assert import_sites(session, sites) == 2
        self.clock = Clock()
        self.metrics = CollectorRegistry()
        reporter = Reporter("test", Metrics(self.metrics), self.clock.mono)
        self.registry = Registry(
            self.engine, RegistryConfig(enrolments_dir=self.folder), reporter, self.clock
        )

    def enrol(self, name: str, data: object) -> None:
        (self.folder / name).write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
        self.clock.s += REFRESH_S + 1

    def problems(self) -> float:
        labels = {"part": "test", "reason": "bad_enrolment"}
        return self.metrics.get_sample_value("vigia_problems_total", labels) or 0.0


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_device_enrolled_while_the_collector_runs_is_heard_without_a_restart(house: House) -> None:
    der = spki()
    kid = key_of(der)["kid"]
    assert house.registry.key(kid) is None
    house.enrol("r1.json", enrolment("cuernito-r1", "cdc-el-cuernito", key_of(der)))
    entry = house.registry.key(kid)
    assert entry is not None
    assert (entry.device, entry.revoked_ms) == ("cuernito-r1", None)
    assert house.registry.site_of("cuernito-r1", 0) == "cdc-el-cuernito"
    assert [device.feed for device in house.registry.devices_of("cdc-el-cuernito")] == ["ups:main"]


def test_asking_for_unknown_keys_does_not_read_the_database_each_time(house: House) -> None:
    der = spki()
    house.enrol("r1.json", enrolment("cuernito-r1", "cdc-el-cuernito", key_of(der)))
    house.registry.refresh()
    other = spki()
    (house.folder / "r2.json").write_text(
        json.dumps(enrolment("cuernito-r2", "cdc-el-cuernito", key_of(other))), encoding="utf-8"
    )
    assert house.registry.key(key_of(other)["kid"]) is None
    house.clock.s += REFRESH_S
    assert house.registry.key(key_of(other)["kid"]) is not None


def test_a_moved_device_has_been_where_it_was(house: House) -> None:
    key = key_of(spki())
    house.enrol("r1.json", enrolment("r1", "cdc-el-cuernito", key))
    house.registry.refresh()
    house.enrol("r1.json", enrolment("r1", "mercado-santa-fe", key, issued_ms=900_000))
    house.registry.refresh()
    assert house.registry.site_of("r1", 899_999) == "cdc-el-cuernito"
    assert house.registry.site_of("r1", 900_000) == "mercado-santa-fe"
    assert house.registry.devices_of("cdc-el-cuernito") == ()


def test_rotation_keeps_both_keys_and_revocation_is_kept(house: House) -> None:
    old, new = key_of(spki()), key_of(spki(), from_ms=800_000)
    house.enrol("r1.json", enrolment("r1", "cdc-el-cuernito", old | {"revoked_ms": 850_000}, new))
    first, second = house.registry.key(old["kid"]), house.registry.key(new["kid"])
    assert first is not None
    assert second is not None
    assert (first.revoked_ms, second.from_ms) == (850_000, 800_000)


BAD = {
    "not JSON": "{",
    "not an object": "[]",
    "unknown site": enrolment("r9", "nowhere", key_of(spki())),
    "bad device name": enrolment("R 9", "cdc-el-cuernito", key_of(spki())),
    "wrong key id": enrolment("r9", "cdc-el-cuernito", key_of(spki()) | {"kid": "0" * 16}),
    "not a key": enrolment("r9", "cdc-el-cuernito", key_of(b"nonsense")),
    "not base64": enrolment("r9", "cdc-el-cuernito", {"kid": "0" * 16, "spki": "!"}),
    "key of another device": None,
    "no keys": {"device": "r9", "site": "cdc-el-cuernito", "issued_ms": 1},
}


@pytest.mark.parametrize("fault", sorted(BAD))
def test_a_bad_enrolment_is_reported_and_takes_nothing_away(house: House, fault: str) -> None:
    key = key_of(spki())
    house.enrol("good.json", enrolment("r1", "cdc-el-cuernito", key))
    house.registry.refresh()
    house.enrol("bad.json", BAD[fault] or enrolment("r9", "cdc-el-cuernito", key))
    house.registry.refresh()
    assert house.problems() == 1
    entry = house.registry.key(key["kid"])
    assert entry is not None
    assert entry.device == "r1"
    assert house.registry.device("r9") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,name_es,name_en,kind,colour\n", "unknown column 'colour'"),
        ("id,name_es,name_en,kind,lat\na,b,c,d,north\n", "facility 'a'"),
        ("id,name_es,name_en,kind\nA b,b,c,d\n", "facility 'A b'"),
    ],
)
def test_a_bad_table_of_facilities_changes_nothing(
    house: House, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with Session(house.engine) as session:
        with pytest.raises(ConfigError, match=message):
            import_sites(session, path)
        assert session.scalar(select(func.count()).select_from(Site)) == 2
