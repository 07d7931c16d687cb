"""Drawn scenarios: the same by seed, right, half of them without known circuits, quiet ones included."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from simulators.__main__ import cli
from simulators.generate import awkward, write
from simulators.scenario import load
from simulators.scenario.kinds import KINDS


def test_a_seed_gives_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    for folder, seed in (("a", 5), ("b", 5), ("c", 6)):
        args = ["generate", "--seed", str(seed), "--count", "4", str(tmp_path / folder)]
        assert CliRunner().invoke(cli, args).exit_code == 0

    a, b, c = (
        [path.read_text(encoding="utf-8") for path in sorted((tmp_path / folder).iterdir())]
        for folder in ("a", "b", "c")
    )
    assert a == b
    assert all(one != other for one, other in zip(a, c, strict=True))


def test_what_is_drawn_is_a_scenario_and_half_of_it_knows_no_circuits() -> None:
    drawn = [load.parse(write.drawn(3, number).text()) for number in range(120)]

    assert sum(one.known.circuit for one in drawn) == 60
    sorts = [one.scenario.name.split()[0] for one in drawn]
    assert {sort: sorts.count(sort) for sort in write.SORTS} == dict.fromkeys(write.SORTS, 40)
    kinds = {event.kind for one in drawn for event in one.event}
    assert {"mains_off", "backhaul_down", "ups_self_test", "upgrade", "planned_work"} <= kinds <= set(KINDS)


def test_every_awkward_coincidence_can_be_drawn() -> None:
    for happens in awkward.AWKWARD:
        draft = write.drawn(1, 4)  # a quiet one has time for all of them
        draft.events.clear()
        happens(draft, 3600.0)
        assert load.parse(draft.text()).event, happens.__name__
