from __future__ import annotations

import asyncio
import struct
import time

import pytest

from agent.errors import ReaderError
from agent.ports.clock import timex
from agent.readers import clock as clocks
from agent.readers import restart
from agent.readers.clock import ClockState
from agent.readers.restart import REPEAT_MS, Restart
from tests.cases.still import Clock


class Ticking(Clock):
    now_ms = 0

    def uptime_ms(self) -> int:
        return self.now_ms


class Commands:
    def __init__(self, answer):
        self.answer = answer
        self.asked = 0

    async def run(self, _argv, _limit_ms, _most_bytes):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_the_kernels_own_answer_has_the_layout_that_is_read():
    state, raw = timex()
    assert state in range(6)
    fields = clocks.parse_timex(state, raw)
    *_, status = struct.unpack(clocks.TIMEX, raw[: struct.calcsize(clocks.TIMEX)])
    assert bool(status & 0x40) == (state == 5)
    # a timeval follows after three more longs; when it tells today's time, the fields before are in place
    longs = struct.unpack_from("lllll", raw, struct.calcsize(clocks.TIMEX + "0l"))
    assert abs(longs[3] - time.time()) < 5
    assert bool(fields) == (state != 5)


@pytest.mark.parametrize("raw", [b"", b"x", bytes(11)])
def test_a_short_struct_is_no_reading(raw):
    assert clocks.parse_timex(0, raw) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "," * 20,
        "a,b,0,0,0,0,0,0,0,0,0,0,0,Normal",
        "506 Cannot talk to daemon",
        "x," * 13 + "Normal",
    ],
)
def test_nonsense_is_no_tracking(text):
    assert clocks.parse_tracking(text) == {}


def test_chrony_is_asked_once_a_minute_and_not_at_all_where_it_is_not():
    for answer, expected in (
        (b"", 2),
        (ReaderError("command_missing"), 1),
        (ReaderError("command_timeout"), 2),
    ):
        clock, commands = Ticking(), Commands(answer)
        state = ClockState(clock, lambda: (-1, b""), commands.run)
        for clock.now_ms in (0, 10_000, 59_999, 60_000, 70_000):
            assert asyncio.run(state.rows()) == [("clock", None, {"synced": 0})]
        assert commands.asked == expected


def test_the_restart_is_read_once_and_told_again(tmp_path):
    watchdog = tmp_path / "sys" / "class" / "watchdog" / "watchdog0"
    watchdog.mkdir(parents=True)
    (watchdog / "bootstatus").write_text("32\n")
    clock = Ticking()
    reader = Restart(clock, Commands(b"").run, f"{tmp_path}/")
    first = asyncio.run(reader.rows())
    assert first[0][2]["watchdog_reset"] == 1
    (watchdog / "bootstatus").write_text("0\n")
    for clock.now_ms in (10_000, REPEAT_MS - 1):
        assert asyncio.run(reader.rows()) == []
    clock.now_ms = REPEAT_MS
    assert asyncio.run(reader.rows()) == first


@pytest.mark.parametrize("text", [None, "", "x", "0x", "0xg", "1 2"])
def test_nonsense_is_no_bootstatus(text):
    assert restart.parse_bootstatus(text) is None


@pytest.mark.parametrize("text", ["", "get_rsts", "get_rsts=", "get_rsts=zz", "throttled=1000", "error=1"])
def test_nonsense_is_no_reset_status(text):
    assert restart.parse_rsts(text) is None


@pytest.mark.parametrize(
    ("watchdogs", "pstore", "rsts", "cold"),
    [
        ([], None, 0x1000, 1),
        ([], None, 0x20, 0),
        ([], None, 0x1020, None),
        ([], None, 0, None),
        ([0], [], None, None),
        ([0x20], None, None, 0),
        ([], ["console-ramoops-0"], None, 0),
        ([], ["dmesg-efi-1"], None, None),
        ([], ["console-ramoops-0"], 0x1000, None),
        ([0x20], None, 0x1000, None),
    ],
)
def test_cold_is_only_said_when_it_is_sure(watchdogs, pstore, rsts, cold):
    assert restart.evidence(watchdogs, pstore, rsts, None).get("cold") == cold
