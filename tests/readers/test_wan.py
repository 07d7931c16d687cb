from __future__ import annotations

import asyncio
import json
import random

import pytest

from agent.errors import ReaderError
from agent.readers import wan
from agent.readers.wan import ERRORS, Wan
from agent.sampler import Watch
from agent.samples import clean
from tests.cases.still import Clock

ROUTES = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
LEADS_OUT = ROUTES + "eth1 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0\n"
UP = {
    "interface": "wan",
    "up": True,
    "uptime": 12,
    "device": "eth1",
    "l3_device": "eth1",
    "proto": "dhcp",
    "ipv4-address": [{"address": "203.0.113.9", "mask": 24}],
    "route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "203.0.113.1"}],
}


class Ticking(Clock):
    now_ms = 0

    def uptime_ms(self) -> int:
        return self.now_ms


class Netifd:
    """Answers what the test says, and counts."""

    def __init__(self, *entries):
        self.answer: bytes | Exception = json.dumps({"interface": list(entries)}).encode()
        self.asked = 0

    async def run(self, _argv, _limit_ms, _most_bytes):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "proc" / "net").mkdir(parents=True)
    (tmp_path / "sys" / "class" / "net" / "eth1").mkdir(parents=True)
    (tmp_path / "proc" / "net" / "route").write_text(LEADS_OUT)
    (tmp_path / "sys" / "class" / "net" / "eth1" / "carrier").write_text("1\n")
    (tmp_path / "sys" / "class" / "net" / "eth1" / "operstate").write_text("up\n")
    return tmp_path


def reads(reader, clock, *times_ms):
    found = []
    for now_ms in times_ms:
        clock.now_ms = now_ms
        found.append(asyncio.run(reader.read()))
    return found


def test_netifd_is_asked_at_the_interval_and_when_the_kernel_turns(machine):
    clock, netifd = Ticking(), Netifd(UP)
    reader = Wan(clock, 10_000, 2000, netifd.run, None, f"{machine}/")
    reads(reader, clock, 0, 2000)
    assert netifd.asked == 2  # the second time it is known which link to look at
    reads(reader, clock, 4000, 6000, 8000, 10_000)
    assert netifd.asked == 2
    reads(reader, clock, 12_000)
    assert netifd.asked == 3
    (machine / "proc" / "net" / "route").write_text(ROUTES)
    netifd.answer = json.dumps({"interface": [{**UP, "up": False, "route": []}]}).encode()
    (rows,) = reads(reader, clock, 14_000)
    assert netifd.asked == 4
    assert rows[0][2]["up"] == 0


def test_a_fall_is_an_event_and_an_older_uptime_is_none(machine):
    clock, netifd = Ticking(), Netifd(UP)
    reader = Wan(clock, 10_000, 2000, netifd.run, None, f"{machine}/")
    watch = Watch(reader)
    assert not watch.turned(clean(0, reads(reader, clock, 0)[0])[0])
    netifd.answer = json.dumps({"interface": [{**UP, "uptime": 22}]}).encode()
    assert not watch.turned(clean(0, reads(reader, clock, 10_000)[0])[0])
    fallen = {"interface": "wan", "up": False, "device": "eth1", "errors": [{"code": "AUTH_FAILED"}]}
    netifd.answer = json.dumps({"interface": [fallen]}).encode()
    rows = reads(reader, clock, 20_000)[0]
    assert watch.turned(clean(0, rows)[0])
    assert rows[0][2]["error"] == "auth_failed"


def test_a_bus_that_fails_is_not_asked_more_often(machine):
    clock, netifd = Ticking(), Netifd(UP)
    netifd.answer = ReaderError("command_timeout", "ubus: not done")
    reader = Wan(clock, 10_000, 2000, netifd.run, None, f"{machine}/")
    for now_ms in (0, 2000, 4000, 6000, 8000):
        with pytest.raises(ReaderError, match="ubus: not done"):
            reads(reader, clock, now_ms)
    assert netifd.asked == 1
    netifd.answer = json.dumps({"interface": [UP]}).encode()
    assert reads(reader, clock, 10_000)[0][0][2]["up"] == 1


def test_without_ubus_it_is_not_sought_again(machine):
    clock, netifd = Ticking(), Netifd()
    netifd.answer = ReaderError("command_missing", "ubus")
    reader = Wan(clock, 10_000, 2000, netifd.run, None, f"{machine}/")
    first, later = reads(reader, clock, 0, 61_000)
    assert netifd.asked == 1
    assert [rows[0][2]["uptime"] for rows in (first, later)] == [0, 61]


def test_a_lost_default_route_stays_a_row(machine):
    clock, netifd = Ticking(), Netifd()
    netifd.answer = ReaderError("command_missing", "ubus")
    reader = Wan(clock, 10_000, 2000, netifd.run, None, f"{machine}/")
    reads(reader, clock, 0)
    (machine / "proc" / "net" / "route").write_text(ROUTES)
    rows = reads(reader, clock, 2000)[0]
    assert rows == [
        ("wan", "eth1", {"up": 0, "uptime": 0, "ipv4": 0, "default_route": 0, "error": "none"}),
    ]


def test_no_address_leaves_the_device(machine):
    rows = asyncio.run(Wan(Clock(), 10_000, 2000, Netifd(UP).run, None, f"{machine}/").read())
    assert "203.0.113" not in repr(rows)


@pytest.mark.parametrize(("word", "code"), [(word, code) for word, codes in ERRORS for code in codes])
def test_every_code_has_one_word(word, code):
    assert wan.parse_error([{"code": "UNHEARD_OF"}, {"code": code}]) == word
    assert sum(code in codes for _, codes in ERRORS) == 1


@pytest.mark.parametrize(
    ("errors", "word"),
    [(None, "none"), ([], "none"), ("AUTH_FAILED", "none"), ([{}], "other"), ([{"code": ["x"]}], "other")],
)
def test_other_errors(errors, word):
    assert wan.parse_error(errors) == word


JUNK: list[object] = [None, True, -1, 1.5, 2**70, "", "x" * 300, "a\nb", [], [None], [[]], {}, {"target": 0}]


def test_whatever_netifd_says_costs_its_own_row_only(machine):
    chance = random.Random(5)  # noqa: S311 - a test that is the same every time
    for _ in range(3000):
        entry = {
            **UP,
            chance.choice(list(UP)): chance.choice(JUNK),
            chance.choice(list(UP)): chance.choice(JUNK),
        }
        netifd = Netifd({"interface": "lan", "up": True}, entry, chance.choice(JUNK))
        reader = Wan(Clock(), 10_000, 2000, netifd.run, ["wan"], f"{machine}/")
        rows = asyncio.run(reader.read())
        assert len(rows) == 1
        assert clean(0, rows)[1] == 0


@pytest.mark.parametrize(
    "text", ["", "x", "Iface\n\n", ROUTES + "eth0 00000000", ROUTES + "a b c zz e f g h"]
)
def test_nonsense_is_no_route(text):
    assert wan.parse_route(text) == ([], [])
