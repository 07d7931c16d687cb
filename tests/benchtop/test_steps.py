"""Steps move by their table, end by their limit, and leave the bench as it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import product

import pytest

from simulators.bench.failure import BenchError
from simulators.bench.runner import Runner
from simulators.bench.seen import Concluded, Row, Seen
from simulators.bench.steps import TABLE, Look, Note, NotNowError, Phase, Sight, State, Step, Turn, after
from simulators.clock import now_ms
from tests.benchtop.pace import FAST
from tests.benchtop.wait import until

PACE = replace(FAST, see_s=0.6, hands_s=0.8)
LEGAL = {
    (State.TODO, Turn.START): State.RUNNING,
    (State.TODO, Turn.SKIP): State.SKIPPED,
    (State.RUNNING, Turn.NEXT): State.RUNNING,
    (State.RUNNING, Turn.DONE): State.PASSED,
    (State.RUNNING, Turn.WRONG): State.FAILED,
    (State.RUNNING, Turn.LIMIT): State.FAILED,
    (State.RUNNING, Turn.SKIP): State.SKIPPED,
    (State.RUNNING, Turn.STOP): State.TODO,
    **{
        (state, turn): to
        for state in (State.PASSED, State.FAILED, State.SKIPPED)
        for turn, to in ((Turn.START, State.RUNNING), (Turn.SKIP, State.SKIPPED))
    },
}


@pytest.mark.parametrize(("state", "turn"), list(product(State, Turn)))
def test_every_turn_of_every_state(state, turn):
    if (state, turn) in LEGAL:
        assert after(state, turn) is LEGAL[state, turn]
    else:
        with pytest.raises(NotNowError):
            after(state, turn)
    assert set(TABLE) == set(State)


class Desk:
    """A table on which nothing happens but what the runner turns; the device is always heard."""

    def __init__(self, *, real: tuple[str, ...] = (), multimeter: dict[str, float] | None = None) -> None:
        self.knobs = {"mains": "on", "link": "on"}
        self.turned: list[tuple[str, str]] = []
        self.real = real
        self.multimeter = multimeter
        self.open: tuple[Concluded, ...] = ()

    def look(self) -> Seen:
        rows: dict[tuple[str, str | None], Row] = {
            ("upsd", "ups"): Row(now_ms(), {"ol": int(self.knobs["mains"] == "on")})
        }
        return Seen(now_ms(), arrival_ms=now_ms(), rows=rows, concluded=self.open)

    def knob(self, name: str) -> str:
        return self.knobs[name]

    def turn(self, name: str, text: str) -> None:
        assert name not in self.real, "a person has to do this"
        self.knobs[name] = text
        self.turned.append((name, text))

    def by_hand(self, name: str) -> bool:
        return name in self.real

    def measure(self) -> dict[str, float] | None:
        return self.multimeter


def on_line(view):
    return Look(Sight.GOOD if view.now.value("upsd", "ol") == 1 else Sight.WAIT)


def off_line(view):
    return Look(
        Sight.GOOD if view.now.value("upsd", "ol") == 0 else Sight.WAIT, (Note("after", {"seconds": 1.0}),)
    )


def never(_view):
    return Look(Sight.WAIT, (Note("not_concluded"),))


def wrong(_view):
    return Look(Sight.BAD, (Note("agent_only"),))


def entered(view):
    return Look(Sight.GOOD if view.entered.get("volts") == 127.5 else Sight.WAIT)


def confirmed(view):
    return Look(Sight.GOOD if view.confirmed else Sight.WAIT)


def step(name: str, *phases: Phase, needs: str | None = None, gate: bool = False) -> Step:
    return Step(name, lambda _seen: phases, needs, gate)


CUT = Phase("battery", off_line, {"mains": "off"})


def taken(desk: Desk, *steps: Step, meanwhile=None, hands: bool = True) -> Runner:
    async def main() -> Runner:
        runner = Runner(steps, desk, PACE, now_ms, hands=hands)
        runner.start()
        if meanwhile is not None:
            await meanwhile(runner)
        async with asyncio.timeout(20):
            await runner.finished()
        return runner

    return asyncio.run(main())


def test_what_was_turned_is_put_back_however_the_step_ends():
    for last, state in ((on_line, State.FAILED), (never, State.FAILED), (wrong, State.FAILED)):
        desk = Desk()
        runner = taken(desk, step("ups", CUT, Phase("line", last)))
        assert runner.records["ups"].state is state
        assert desk.turned == [("mains", "off"), ("mains", "on")]


def test_a_step_ends_by_its_limit_and_says_in_which_phase():
    runner = taken(Desk(), step("ups", CUT, Phase("low", never)))
    record = runner.records["ups"]
    assert (record.state, record.reason) == (State.FAILED, Note("limit", {"phase": "low", "seconds": 1}))
    assert [note.code for _, note in record.notes] == ["after", "not_concluded"]


def test_what_must_not_be_seen_ends_it_at_once():
    record = taken(Desk(), step("plug", Phase("restart", wrong, limit=lambda _pace: 60.0))).records["plug"]
    assert (record.state, record.reason) == (State.FAILED, Note("wrong", {"phase": "restart", "seconds": 60}))


def test_behind_a_gate_that_failed_nothing_is_tested():
    steps = step("signature", Phase("signature", wrong), gate=True), step("ups", Phase("line", on_line))
    found = taken(Desk(), *steps).records
    assert (found["ups"].state, found["ups"].reason) == (State.SKIPPED, Note("behind_gate"))


def test_a_step_is_repeated_from_a_clean_sheet():
    async def main():
        desk = Desk()
        desk.knobs["mains"] = "off"
        runner = Runner([step("ups", Phase("line", on_line))], desk, PACE, now_ms)
        for state in (State.FAILED, State.PASSED):
            runner.start(["ups"])
            await runner.finished()
            assert runner.records["ups"].state is state
            desk.knobs["mains"] = "on"
        assert (runner.records["ups"].reason, runner.records["ups"].runs) == (None, 2)

    asyncio.run(main())


def test_a_part_that_is_not_reported_is_skipped_and_named(monkeypatch):
    monkeypatch.setattr("simulators.bench.runner.NEEDS_S", 0.3)
    record = taken(Desk(), step("radios", Phase("radio_on", on_line), needs="wifi_ap")).records["radios"]
    assert (record.state, record.reason) == (State.SKIPPED, Note("lacks", {"part": "wifi_ap"}))


def test_a_person_is_asked_for_what_is_real_and_has_more_time():
    desk = Desk(real=("mains",))
    asked = []

    async def meanwhile(runner):
        await until(lambda: bool(runner.ask.do), "it to move on")
        asked.append((runner.ask.do, runner.deadline_ms - runner.records["ups"].phase_ms))
        desk.knobs["mains"] = "off"

    record = taken(desk, step("ups", CUT), meanwhile=meanwhile).records["ups"]
    assert (record.state, desk.turned) == (State.PASSED, [])
    assert asked == [((("mains", "off"),), 1400)]


def test_where_nobody_is_a_step_that_needs_somebody_is_skipped():
    meter = step("meter", Phase("meter", entered, ask=("volts",)))
    found = taken(Desk(real=("mains",)), step("ups", CUT), meter, hands=False).records
    assert [(one.state, one.reason) for one in found.values()] == [(State.SKIPPED, Note("needs_hands"))] * 2


def test_a_confirmation_is_waited_for_and_not_for_ever():
    pulled = step("plug", Phase("pulled", confirmed, {"mains": "off"}, confirm=True))

    async def meanwhile(runner):
        await until(lambda: bool(runner.ask.confirm), "confirm")
        runner.confirm()

    assert taken(Desk(real=("mains",)), pulled, meanwhile=meanwhile).records["plug"].state is State.PASSED
    assert taken(Desk(real=("mains",)), pulled).records["plug"].state is State.FAILED
    assert taken(Desk(), pulled).records["plug"].state is State.PASSED  # nobody to ask


def test_numbers_are_measured_where_they_can_be_and_asked_for_elsewhere():
    meter = step("meter", Phase("meter", entered, ask=("volts", "amperes")))
    assert taken(Desk(multimeter={"volts": 127.5}), meter).records["meter"].state is State.PASSED
    assert taken(Desk(), meter).records["meter"].state is State.FAILED

    async def meanwhile(runner):
        await until(lambda: bool(runner.ask.numbers), "numbers")
        with pytest.raises(BenchError):
            runner.enter({"ohms": 3.0})
        runner.enter({"volts": 127.5})

    assert taken(Desk(), meter, meanwhile=meanwhile).records["meter"].state is State.PASSED


def test_a_part_of_a_step_is_left_out_only_where_it_may_be():
    async def meanwhile(runner):
        with pytest.raises(BenchError):
            runner.leave_out()
        await until(lambda: bool(runner.ask.optional), "optional")
        runner.leave_out()

    low = Phase("low", never, {"mains": "off"}, optional=True)
    record = taken(Desk(real=("mains",)), step("ups", low), meanwhile=meanwhile).records["ups"]
    assert (record.state, [note.code for _, note in record.notes]) == (State.PASSED, ["part_left_out"])


def test_stopped_it_is_to_do_again_and_one_runs_at_a_time():
    desk = Desk()

    async def main():
        runner = Runner([step("ups", CUT, Phase("low", never, limit=lambda _pace: 60.0))], desk, PACE, now_ms)
        runner.start()
        await until(lambda: runner.records["ups"].at > 0, "it to move on")
        with pytest.raises(BenchError):
            runner.start()
        await runner.stop()
        assert (runner.records["ups"].state, runner.busy) == (State.TODO, False)
        with pytest.raises(BenchError):
            runner.start(["nonsense"])

    asyncio.run(main())
    assert desk.knobs["mains"] == "on"


def test_the_next_step_waits_until_what_the_last_one_stirred_up_is_over():
    desk = Desk()
    stirred = Concluded(1, "on_battery", None, final=False, opened_ms=now_ms(), cleared_ms=None, told=0)

    async def meanwhile(runner):
        await until(lambda: bool(desk.turned), "turned")
        desk.open = (stirred,)
        await until(lambda: runner.records["ups"].state is not State.RUNNING, "it to move on")
        assert runner.records["clock"].state is State.TODO
        desk.open = (replace(stirred, cleared_ms=now_ms()),)

    found = taken(desk, step("ups", CUT), step("clock", Phase("clock", on_line)), meanwhile=meanwhile).records
    assert found["clock"].state is State.PASSED
    assert found["clock"].began_ms >= found["ups"].ended_ms


def test_a_knob_that_is_not_there_ends_the_step_and_is_told():
    async def main():
        runner = Runner([step("ups", Phase("line", on_line, {"nonsense": "on"}))], Desk(), PACE, now_ms)
        runner.start()
        with pytest.raises(KeyError):
            await runner.finished()
        assert (runner.records["ups"].state, runner.busy) == (State.TODO, False)

    asyncio.run(main())
