"""Sets for one question each: enough outages of every cause, and days on which nobody is to be told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.model import Cause
from simulators.__main__ import cli
from simulators.generate import habits, nuisance, strata
from simulators.generate.draft import Draft
from simulators.scenario import load

EVERY = {
    Cause.PLANNED, Cause.REMOVED, Cause.DEVICE, Cause.BACKHAUL_SITE, Cause.BACKHAUL_PROVIDER,
    Cause.MAINS_SITE, Cause.MAINS_AREA, Cause.COLLECTOR,
}  # fmt: skip


@pytest.fixture(scope="module")
def drafts() -> list[Draft]:
    return list(strata.each_cause(11, 2))


def test_a_set_holds_so_many_outages_of_every_cause_that_a_verdict_can_have(drafts: list[Draft]) -> None:
    counted: Counter[Cause] = Counter()
    for draft in drafts:
        counted.update(strata.causes_of(draft))

    assert set(strata.CAUSES) == EVERY
    assert all(counted[cause] >= 2 for cause in EVERY), counted


def test_it_is_as_hard_as_the_ordinary_mix() -> None:
    drawn = [load.parse(strata.aimed(11, number, strata.CAUSES).text()) for number in range(12)]
    kinds = {event.kind for one in drawn for event in one.event}

    assert [one.known.circuit for one in drawn] == [number % 2 == 0 for number in range(len(drawn))]
    assert {"ups_self_test", "upgrade", "clock_reset", "closed_building"} <= kinds, "no nuisances"
    assert {ups.battery for one in drawn for site in one.site for ups in site.ups} == {"new", "aged", "dead"}
    assert any(len({event.kind for event in one.event}) > 6 for one in drawn), "nothing comes together"


def test_a_seed_gives_the_same_set(drafts: list[Draft]) -> None:
    again = strata.each_cause(11, 2)

    assert [next(again).text(), next(again).text()] == [draft.text() for draft in drafts[:2]]
    assert next(strata.each_cause(12, 2)).text() != drafts[0].text()


def test_a_cause_that_never_comes_up_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row for row in habits.INCIDENTS if row[2] is not Cause.REMOVED]
    monkeypatch.setattr(habits, "INCIDENTS", (*rows, (1, lambda _draft, _at_s: None, Cause.REMOVED)))
    monkeypatch.setattr(
        strata, "causes_of", lambda _draft: Counter(dict.fromkeys(EVERY - {Cause.REMOVED}, 9))
    )

    with pytest.raises(strata.ShortError, match="still too few of: removed"):
        list(strata.each_cause(11, 1))


def test_a_quiet_day_has_every_nuisance_and_no_incident() -> None:
    draft = strata.quiet(11, 0)
    causes = strata.causes_of(draft)

    assert len(draft.sites) == strata.QUIET_SITES
    # a machine that restarts, a modem on the mains that a blink restarts: real, short, and nobody's incident
    assert set(causes) <= {Cause.PLANNED, Cause.DEVICE, Cause.MAINS_SITE}
    assert sum(causes.values()) < strata.QUIET_SITES / 2
    kinds = {event["kind"] for event in draft.events}
    assert {"ups_self_test", "device_reboot", "upgrade", "mains_off", "sag", "backhaul_degraded"} <= kinds
    assert len(draft.events) > 1.5 * strata.QUIET_SITES


def test_every_nuisance_can_be_drawn() -> None:
    for happens in nuisance.KINDS:
        draft = strata.quiet(11, 0)
        draft.events.clear()
        for number, there in enumerate(draft.sites):  # one may have nothing that it befalls
            happens(draft, there, 3600.0 + 600.0 * number)
        assert load.parse(draft.text()).event, happens.__name__


@pytest.mark.parametrize(
    "given",
    [[], ["--count", "1", "--each-cause", "1"], ["--mix", "quiet"], ["--each-cause", "1", "--mix", "quiet"]],
)
def test_what_is_to_be_drawn_has_to_be_said_once(given: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["generate", "--seed", "1", *given, str(tmp_path)])

    assert done.exit_code == 2
    assert "--each-cause" in done.output
    assert not [*tmp_path.iterdir()]
