"""Write ``docs/wire-fields.md`` from the register of fields, ``agent/wire/fields.py``.

Usage: python tools/fields_table.py [FILE]. A test holds the page to the register.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.wire.fields import (  # noqa: E402 - run as a script, the repository is not on the path
    MAX_INSTANCES,
    MAX_UNKNOWN_FIELDS,
    MEASUREMENTS,
    TIME_QUALITY,
    Field,
    Measurement,
)

INTRODUCTION = f"""# Measurements and fields

Generated from `agent/wire/fields.py` by `python tools/fields_table.py`; do not edit.

These are the names on the wire and in InfluxDB. Points of devices carry the tags `site` and `device`,
points of the centre `site`; the tag named below, where there is one, tells the instances of a device apart
(at most {MAX_INSTANCES} per device and measurement). Where Telegraf has a name for a thing, it is used.
Counters are raw. Units are those of the SenML registry (RFC 8428, RFC 8798). A value beyond its bounds is set
aside and counted. A field that is not listed is stored when it is a number, as a float, at most
{MAX_UNKNOWN_FIELDS} of them per device and measurement. The centre adds the text field `{TIME_QUALITY}` to
points whose time does not come from the device's own synchronised clock.
"""


def page() -> str:
    """Return the whole page."""
    sections = [_section(name, MEASUREMENTS[name]) for name in sorted(MEASUREMENTS)]
    return "\n".join([INTRODUCTION, *sections])


def _section(name: str, measurement: Measurement) -> str:
    tag = f"one per `{measurement.tag}`" if measurement.tag else "one per device"
    origin = "sent by devices" if measurement.origin == "device" else "made by the centre"
    if measurement.origin == "centre" and not measurement.tag:
        tag = "one per site"
    rows = [_row(field, measurement.fields[field]) for field in measurement.fields]
    head = ["| Field | Type | Unit | From | To | Meaning |", "|---|---|---|---|---|---|"]
    return "\n".join([f"## {name}", "", f"{tag.capitalize()}, {origin}.", "", *head, *rows, ""])


def _row(name: str, field: Field) -> str:
    unit = f"`{field.unit}`" if field.unit else ""
    return (
        f"| `{name}` | {field.type} | {unit} | {_bound(field.low)} | {_bound(field.high)} | {field.meaning} |"
    )


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:,}"


def main() -> None:
    """Write the page to the file named on the command line, else to its place in the tree."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "wire-fields.md"
    target.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
