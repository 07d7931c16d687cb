"""The borough's 40 facilities, as sample data (see README.md here for what is real and what is invented)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

_FILE = "sites.csv"


@dataclass(frozen=True, slots=True)
class SampleSite:
    """What the simulators need of a facility."""

    id: str
    name_es: str
    name_en: str
    kind: str
    premises: str
    circuit: str
    provider: str
    nominal_v: float


def sites_file() -> AbstractContextManager[Path]:
    """Return a context that gives the path of ``sites.csv``."""
    return as_file(files(__name__) / _FILE)


def sites() -> list[SampleSite]:
    """All 40 facilities, in the order of the file."""
    text = (files(__name__) / _FILE).read_text(encoding="utf-8")
    return [_site(row) for row in csv.DictReader(text.splitlines())]


def _site(row: dict[str, str]) -> SampleSite:
    """Take what we need from a line."""
    names = ("id", "name_es", "name_en", "kind", "premises", "circuit", "provider")
    return SampleSite(**{name: row[name] for name in names}, nominal_v=float(row["nominal_v"]))
