"""The page of figures: what is measured is in its tables, and a second time nothing is run again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulators.evaluate import campaign
from simulators.evaluate import run as runs
from simulators.scenario import load
from tests.evaluate.test_keep import SCENARIO


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> campaign.Campaign:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "park.toml").write_text(SCENARIO.format(name="park", for_s=500), encoding="utf-8")
    monkeypatch.setattr(campaign, "SHIPPED", shipped)
    size = campaign.Size(mixed=2, each_cause=1, quiet_days=30, few=1)
    return campaign.Campaign(tmp_path, 8, size, jobs=1)


def test_a_set_is_a_row_for_each_way_to_watch_and_one_for_each_cause(
    small: campaign.Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [*campaign.table(small, ["hand"])]

    cells = {name: [cell.strip() for cell in line.split("|")[1:-1]] for line in lines
             if (name := line.split("|")[1].strip() if line else "")}  # fmt: skip
    for way in (runs.RULES, *runs.BASELINES):
        assert cells[f"shipped, written by hand: {way}"][1:3] == ["1", "100.0 % (21 to 100)"]
    # a lone router on the mains: nobody can say at once why it is silent
    assert cells["hand"] == ["hand", "device", "1", "1", "100.0 % (21 to 100)", "0.0 % (0 to 79)"]
    assert len(json.loads((small.folder / "hand.json").read_text(encoding="utf-8"))["outages"]) == 1
    assert "hand: " in (small.folder / "durations.txt").read_text(encoding="utf-8")

    monkeypatch.setattr(runs, "played", None)  # it would break
    assert [*campaign.table(small, ["hand"])] == lines


def test_sets_are_drawn_anew_into_their_folders(small: campaign.Campaign) -> None:
    stale = small.folder / "mixed" / "old.toml"
    stale.parent.mkdir()
    stale.write_text("", encoding="utf-8")

    names = {name: sorted(small.drawn(name).glob("*.toml")) for name in ("mixed", "quiet", "tuned")}

    assert {name: len(found) for name, found in names.items()} == {"mixed": 2, "quiet": 1, "tuned": 24}
    assert load.scenario(names["tuned"][12]).scenario.name == "ordinary 9002-0"
    assert not stale.exists()
