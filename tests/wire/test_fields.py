"""The register of fields is sound, and its page is made from it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.wire.fields import MEASUREMENTS, RESERVED, Field, Measurement

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# symbols of the SenML registry (RFC 8428 section 12.1, RFC 8798 and IANA's additions) that are in use
UNITS = {
    "",
    "%",
    "/",
    "A",
    "B",
    "Cel",
    "Hz",
    "MHz",
    "Mbit/s",
    "V",
    "VA",
    "W",
    "Wh",
    "count",
    "dBm",
    "ms",
    "s",
}
FIELDS = [(name, field) for name in MEASUREMENTS for field in MEASUREMENTS[name].fields]


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_measurements(name: str) -> None:
    measurement = MEASUREMENTS[name]
    assert isinstance(measurement, Measurement)
    assert NAME.fullmatch(name)
    assert measurement.tag is None or NAME.fullmatch(measurement.tag)
    assert measurement.tag not in {"site", "device"}
    assert measurement.origin in {"device", "centre"}
    assert 0 < len(measurement.fields) <= 64


@pytest.mark.parametrize(("name", "key"), FIELDS)
def test_fields(name: str, key: str) -> None:
    field = MEASUREMENTS[name].fields[key]
    assert isinstance(field, Field)
    assert NAME.fullmatch(key)
    assert key not in {*RESERVED, MEASUREMENTS[name].tag}
    assert field.type in {"float", "int", "bool", "str"}
    assert field.unit in UNITS
    assert field.low is None or field.high is None or field.low < field.high
    assert field.meaning
    assert not field.meaning.endswith(".")


def test_a_name_ends_in_its_unit_of_time() -> None:
    for name, key in FIELDS:
        field = MEASUREMENTS[name].fields[key]
        assert (field.unit == "ms") == key.endswith("_ms"), key


def test_what_must_be_there() -> None:
    """Names that rules and pages rely on; leaving one out of the register breaks them silently."""
    flags = [
        "ol",
        "ob",
        "lb",
        "rb",
        "hb",
        "chrg",
        "dischrg",
        "bypass",
        "cal",
        "off",
        "over",
        "trim",
        "boost",
        "fsd",
        "alarm",
    ]
    contact = ["data_stale", "driver_lost", "unknown_ups", "waiting", "server_lost"]
    for flag in flags + contact:
        field = MEASUREMENTS["upsd"].fields[flag]
        assert (field.type, field.low, field.high) == ("int", 0, 1)
    assert {"carrier", "bytes_recv", "bytes_sent"} <= MEASUREMENTS["net"].fields.keys()
    assert {"reader_ok", "reader_ms", "boot_unsaved"} <= MEASUREMENTS["agent"].fields.keys()


def test_the_page_is_made_from_the_register(tmp_path: Path) -> None:
    made = tmp_path / "page.md"
    subprocess.run(
        [sys.executable, str(ROOT / "tools" / "fields_table.py"), str(made)], check=True, timeout=60
    )
    shipped = (ROOT / "docs" / "wire-fields.md").read_text(encoding="utf-8")
    assert made.read_text(encoding="utf-8") == shipped, "run: python tools/fields_table.py"
