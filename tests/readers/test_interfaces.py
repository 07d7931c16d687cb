from __future__ import annotations

import asyncio

import pytest

from agent.readers.interfaces import Interfaces, parse_link, parse_net_dev, parse_up
from agent.sampler import Watch
from agent.samples import clean
from tests.cases.still import Clock


class Ticking(Clock):
    now_ms = 1000

    def uptime_ms(self) -> int:
        return self.now_ms


@pytest.mark.parametrize("text", ["", "eth0:", "eth0: 1 2 3", "a b c", "eth0: " + "x " * 16, ":" * 50])
def test_nonsense_is_no_interface(text):
    assert parse_net_dev(text) == {}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((1, 1000, "full"), {"carrier": 1, "speed": 1000, "full_duplex": 1}),
        ((0, -1, "unknown"), {"carrier": 0}),
        ((None, None, None), {"carrier": 0}),
        ((1, 4294967295, "half"), {"carrier": 1, "full_duplex": 0}),
        ((1, 0, None), {"carrier": 1}),
    ],
)
def test_links(given, expected):
    assert parse_link(*given) == expected


@pytest.mark.parametrize(
    ("operstate", "carrier", "up"),
    [
        ("up", 1, True),
        ("down", 0, False),
        ("lowerlayerdown", 0, False),
        ("unknown", 1, True),
        ("unknown", None, False),
        (None, None, False),
    ],
)
def test_up(operstate, carrier, up):
    assert parse_up(operstate, carrier) is up


def test_the_way_outs_uptime_begins_anew_after_a_fall(tmp_path):
    (tmp_path / "proc" / "net").mkdir(parents=True)
    (tmp_path / "proc" / "net" / "dev").write_text("wan: " + "0 " * 16)
    (tmp_path / "sys" / "class" / "net" / "wan").mkdir(parents=True)
    state = tmp_path / "sys" / "class" / "net" / "wan" / "operstate"
    clock = Ticking()
    reader = Interfaces(clock, 10_000, 2000, [], "wan", f"{tmp_path}/")
    found = []
    for now_ms, text in ((1000, "up"), (61_000, "up"), (62_000, "down"), (63_000, "up"), (65_000, "up")):
        clock.now_ms = now_ms
        state.write_text(text)
        found.append(asyncio.run(reader.read())[-1][2])
    assert [fields["up"] for fields in found] == [1, 1, 0, 1, 1]
    assert [fields["uptime"] for fields in found] == [0, 60, 0, 0, 2]


def test_a_port_that_negotiates_less_is_an_event(tmp_path):
    (tmp_path / "proc" / "net").mkdir(parents=True)
    (tmp_path / "proc" / "net" / "dev").write_text("lan1: " + "0 " * 16)
    port = tmp_path / "sys" / "class" / "net" / "lan1"
    port.mkdir(parents=True)
    (port / "carrier").write_text("1")
    reader = Interfaces(Clock(), 10_000, 2000, root=f"{tmp_path}/")
    watch = Watch(reader)
    turned = []
    for speed, duplex in (
        ("1000", "full"),
        ("1000", "full"),
        ("100", "full"),
        ("100", "half"),
        ("100", "half"),
    ):
        (port / "speed").write_text(speed)
        (port / "duplex").write_text(duplex)
        turned.append(watch.turned(clean(0, asyncio.run(reader.read()))[0]))
    assert turned == [False, False, True, True, False]


def test_no_more_interfaces_than_the_wire_allows(tmp_path):
    (tmp_path / "proc" / "net").mkdir(parents=True)
    lines = [f"veth{n}: " + "0 " * 16 for n in range(500)]
    (tmp_path / "proc" / "net" / "dev").write_text("\n".join(lines))
    assert len(asyncio.run(Interfaces(Clock(), 10_000, 2000, root=f"{tmp_path}/").read())) == 32
