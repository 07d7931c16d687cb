"""Outages that nobody saw, and streets that come back one after another: who is told, and who is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.model import Born
from tests.around.town import Town
from tests.rules.timeline import ms, row

if TYPE_CHECKING:
    from pathlib import Path

    from collector.model import Readings

STREET = {"a": 0, "b": 300, "c": 600}
OFF = (400, 900)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path, STREET).born()


def samples(device: str, first: int, last: int) -> list[Readings]:
    return [row(at, "system", None, device, current=False, uptime=at) for at in range(first, last, 30)]


def tell(town: Town, name: str) -> None:
    """A device is heard again: it was off for a while in which nobody listened."""
    device = f"{name}-r"
    birth = Born(device, ms(town.second), "k2", {"intervals": {"frame": 30_000}}, "i2")
    town.hear(name, birth, *samples(device, 70, OFF[0]), *samples(device, OFF[1], town.second))


def test_an_outage_that_nobody_saw_is_written_with_its_times_and_calls_nobody(town):
    town.until(60)
    town.second = 1300  # the centre stood still for twenty minutes
    for name in town.names:
        tell(town, name)
    town.until(1600)

    for incident in town.incidents().values():
        assert OFF[0] - 60 <= (incident.started_ms - ms(0)) / 1000 <= OFF[0]
        assert (incident.cleared_ms, incident.cause) == (ms(OFF[1]), "mains-area")
        assert (incident.found_on_return, incident.final, incident.status) == (True, True, "closed")
    assert sorted(town.incidents()) == ["a", "b", "c"]
    assert (town.waiting(), town.incidents("area")) == ([], {}), "nobody is called for what is over"


def test_a_silence_after_it_is_told_of_like_any_other(town):
    town.until(60)
    town.second = 1300
    for name in town.names:
        tell(town, name)
    town.until(1600)
    town.silent.add("a")
    town.until(1700)
    assert town.incidents()["a"].found_on_return is False
    assert ("a", "alert", "crew") in town.waiting()


def test_while_streets_come_back_one_by_one_nobody_is_said_to_have_stayed_behind(tmp_path):
    """Five, five minutes between one and the next: the last has as long as those before it took."""
    town = Town(tmp_path, {name: 600.0 * number for number, name in enumerate("abcde")}, feed="ups:u").born()
    for name in town.names:
        town.ups(name, "OB", input_voltage=0.0, age_input_ms=0)
    for number, name in enumerate("abcd"):
        for second in (900 + 300 * number, 930 + 300 * number):
            town.until(second, step=30)
            town.ups(name, "OL", input_voltage=127.0, age_input_ms=0)
    town.until(1800 + 870, step=30)
    assert town.members()[4] == ("e", True, ""), "900 s lie between the first and the fourth"
    assert ("e", "alert", "crew") not in town.waiting()
    town.until(1800 + 1000, step=30)
    assert town.members()[4] == ("e", False, "left_behind")
    assert ("e", "alert", "crew") in town.waiting()
