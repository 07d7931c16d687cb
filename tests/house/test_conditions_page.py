"""The page of conditions is true: made from the catalogue, and naming only thresholds that there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from collector.rules import catalogue
from collector.rules.uses import USES

ROOT = Path(__file__).parents[2]


def test_the_page_is_made_from_the_catalogue(tmp_path: Path) -> None:
    made = tmp_path / "page.md"
    program = str(ROOT / "tools" / "conditions_table.py")
    subprocess.run([sys.executable, program, str(made)], check=True, timeout=60)
    shipped = (ROOT / "docs" / "conditions.md").read_text(encoding="utf-8")
    assert made.read_text(encoding="utf-8") == shipped, "run: make tables"


def test_uses_name_conditions_and_thresholds_that_there_are() -> None:
    assert set(USES) <= set(catalogue.CONDITIONS)
    assert {name for names in USES.values() for name in names} <= set(catalogue.DEFAULTS)


def test_every_threshold_that_a_subject_of_power_asks_for_belongs_to_a_condition() -> None:
    asked = set()
    for path in (ROOT / "collector" / "rules" / "power").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        asked |= {name for name in catalogue.DEFAULTS if f'"{name}"' in text}
    used = {name for names in USES.values() for name in names}
    assert asked - used <= {"clock_step_ms"}
