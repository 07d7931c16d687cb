"""The whole sequence against real broker and collector: a sound table passes, a fault fails its own step."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest

from simulators import ports
from simulators.bench import workdir
from simulators.bench.centre import Centre
from simulators.bench.runner import Runner
from simulators.bench.sequence import SEQUENCE
from simulators.bench.stand import Setup, Stand
from simulators.bench.steps import State
from simulators.clock import now_ms
from tests.benchtop.pace import FAST

# eleven agents at once: on a machine that does much else it takes its time
pytestmark = [pytest.mark.server, pytest.mark.timeout(420)]

# what is broken on purpose -> the one step that has to find it
FAULTS = {
    "clock": "clock",
    "ups": "ups",
    "usb": "usb",
    "spool": "plug",
    "modem": "modem",
    "radio": "radios",
    "tamper": "tamper",
    "meter": "meter",
    "link": "link",
}
STEPS = [step.name for step in SEQUENCE]


async def take(stack: AsyncExitStack, centre: Centre, fault: str) -> Runner:
    name = f"bench-{fault or 'sound'}"
    stand = await stack.enter_async_context(
        Stand(Setup(name, name, broken=frozenset(filter(None, [fault]))), centre, FAST)
    )
    runner = Runner(SEQUENCE, stand, FAST, now_ms)
    until = time.monotonic() + 40
    while stand.seen.arrival_ms is None and fault != "signature":
        assert time.monotonic() < until, f"{name} was never heard"
        await asyncio.sleep(0.1)
    runner.start()
    await runner.finished()
    assert stand.failure == ""
    return runner


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """The sequence on a sound facility and on broken ones, side by side before one collector."""
    faults = ["", "signature", *FAULTS]
    sites = [f"bench-{fault or 'sound'}" for fault in faults]

    async def main() -> dict[str, Runner]:
        folder = workdir.prepare(tmp_path_factory.mktemp("bench") / "table")
        chosen = workdir.Ports(*ports.free(3))
        workdir.issue(folder, ["localhost"], chosen, {site: site for site in sites})
        async with Centre(folder, chosen, FAST, sites) as centre, AsyncExitStack() as stack:
            runners = await asyncio.gather(*(take(stack, centre, fault) for fault in faults))
            return dict(zip(faults, runners, strict=True))

    return asyncio.run(main())


def states(runner: Runner) -> dict[str, State]:
    return {name: record.state for name, record in runner.records.items()}


def said(runner: Runner) -> dict[str, object]:
    return {name: (one.state.value, one.reason, one.notes) for name, one in runner.records.items()}


def test_a_sound_facility_passes_every_step(taken):
    assert states(taken[""]) == dict.fromkeys(STEPS, State.PASSED), said(taken[""])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_its_own_step_and_no_other(taken, fault):
    expected = dict.fromkeys(STEPS, State.PASSED) | {FAULTS[fault]: State.FAILED}
    assert states(taken[fault]) == expected, said(taken[fault])


def test_nothing_else_is_tested_of_a_device_that_signs_with_another_key(taken):
    runner = taken["signature"]
    assert states(runner) == dict.fromkeys(STEPS, State.SKIPPED) | {"signature": State.FAILED}
    assert {one.reason.code for one in runner.records.values() if one.reason} >= {"behind_gate"}


def test_what_was_measured_is_kept(taken):
    found = {
        name: {note.code: note.params for _, note in one.notes} for name, one in taken[""].records.items()
    }
    assert found["signature"]["frames"]["count"] >= 2
    assert len(str(found["signature"]["frames"]["kid"])) == 16
    assert abs(found["clock"]["clock_off"]["seconds"]) < 5
    assert 110 < found["ups"]["input"]["volts"] < 140
    assert found["usb"]["concluded"]["condition"] == "ups_contact_lost"
    assert found["plug"]["spool"]["came"] >= 1
    assert found["plug"]["spool"]["missing"] == 0
    assert found["modem"]["verdict"]["cause"].startswith("backhaul-")
    assert abs(found["meter"]["meter_voltage"]["percent"]) <= 2
    assert found["link"]["cut"]["seconds"] >= 3
    assert found["link"]["spool"]["missing"] == 0


def test_what_was_wrong_is_measured_too(taken):
    def notes(fault: str) -> dict[str, Any]:
        return {note.code: note.params for _, note in taken[fault].records[FAULTS[fault]].notes}

    assert notes("clock") == {"clock_off": {"seconds": pytest.approx(600, abs=2)}}
    assert notes("meter")["meter_voltage"]["percent"] == pytest.approx(3, abs=0.4)
    assert notes("modem").keys() == {"concluded", "after", "restarted_too"}
    assert notes("spool")["spool"]["came"] == 0
    assert notes("link")["spool"]["missing"] > 0
