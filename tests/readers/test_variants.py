"""What stands on psutil and pyroute2, beside the plain readers on the same machine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from agent.cpython.readers import VARIANTS
from agent.cpython.readers.host import PsutilHost
from agent.cpython.readers.interfaces import KernelInterfaces, LinkTurns
from agent.errors import ConfigError
from agent.readers import READERS, build, makers
from agent.readers.host import Host
from agent.readers.interfaces import Interfaces
from agent.readers.ups import Ups
from tests.readers.standin import RealClock

# Turns the loopback of a network namespace of its own up and down: no other interface is touched.
TURNING = """
import asyncio, subprocess, sys
from agent.cpython.readers.interfaces import KernelInterfaces
from tests.readers.standin import RealClock

async def main():
    clock = RealClock()
    reader = KernelInterfaces(clock, 10000, 2000, ["lo"])
    waiting = asyncio.create_task(reader.wait_turn(20000))
    quiet = await asyncio.wait({waiting}, timeout=0.5)
    assert not quiet[0], "turned by itself"
    for state in ("up", "down"):
        began = clock.uptime_ms()
        await asyncio.to_thread(subprocess.run, ["ip", "link", "set", "lo", state], check=True)
        await waiting
        print(state, clock.uptime_ms() - began)
        waiting = asyncio.create_task(reader.wait_turn(300))
        await waiting
        waiting = asyncio.create_task(reader.wait_turn(20000))
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await reader.close()

asyncio.run(main())
"""


def by_key(rows):
    return {(row[0], row[1]): row[2] for row in rows}


def test_the_table_names_every_variant():
    pi = {"pi_power", "supply", "gauge", "tamper"}  # which have no plain reader
    assert set(VARIANTS) == {"host", "interfaces", "wifi"} | pi
    assert set(VARIANTS) <= {name for name, _ in READERS}


def test_readers_that_are_not_configured_are_not_built():
    intervals = {"sample_s": 10, "watch_s": 2}
    readers = build({"readers": {"ups": {}, "host": {}}, "intervals": intervals}, RealClock())
    assert [(reader.name, reader.interval_ms, reader.watch_ms) for reader in readers] == [
        ("host", 10_000, 0),
        ("ups", 10_000, 2000),
    ]
    assert isinstance(readers[0], PsutilHost)
    assert isinstance(readers[1], Ups)


def test_the_way_out_is_told_once():
    intervals = {"sample_s": 10, "watch_s": 2}
    wanted: dict[str, dict[str, object]] = {
        "interfaces": {"names": ["lo"], "wan": "lo"},
        "wan": {"names": ["lo"]},
    }
    both = build({"readers": wanted, "intervals": intervals}, RealClock())
    assert [reader.name for reader in both] == ["interfaces", "wan"]
    assert [row[0] for row in asyncio.run(both[0].read())] == ["net"]
    assert wanted["interfaces"]["wan"] == "lo"


def test_the_machine_tells_its_clock_and_its_restart():
    (reader,) = build({"readers": {"host": {}}, "intervals": {"sample_s": 10, "watch_s": 2}}, RealClock())
    rows = asyncio.run(reader.read())
    assert ("clock", None) in by_key(rows)


def test_without_the_libraries_the_plain_readers_serve(monkeypatch):
    monkeypatch.setitem(sys.modules, "agent.cpython.readers", None)
    built = [makers()[name]({}, RealClock(), 10_000, 2000) for name in ("host", "interfaces")]
    assert [type(reader) for reader in built] == [Host, Interfaces]


def test_psutil_and_proc_agree_on_the_host():
    plain = by_key(asyncio.run(Host(RealClock(), 10_000, disks=("/",)).read()))
    ours = by_key(asyncio.run(PsutilHost(RealClock(), 10_000, disks=("/",)).read()))
    assert set(ours) == set(plain)
    assert set(ours["mem", None]) == set(plain["mem", None])
    assert ours["mem", None]["total"] == plain["mem", None]["total"]
    assert ours["system", None]["n_cpus"] == plain["system", None]["n_cpus"]
    assert abs(ours["mem", None]["used_percent"] - plain["mem", None]["used_percent"]) < 5


def test_psutil_and_proc_agree_on_the_interfaces():
    plain = by_key(asyncio.run(Interfaces(RealClock(), 10_000, 2000, ["lo"]).read()))
    ours = by_key(asyncio.run(KernelInterfaces(RealClock(), 10_000, 2000, ["lo"]).read()))
    assert set(ours) == set(plain)
    assert set(ours["net", "lo"]) >= set(plain["net", "lo"])
    assert ours["net", "lo"]["carrier"] == plain["net", "lo"]["carrier"]


def test_usage_comes_with_the_second_read():
    reader = PsutilHost(RealClock(), 10_000, disks=())

    async def twice():
        first = by_key(await reader.read())
        await asyncio.sleep(0.05)  # the kernel counts in ticks of 10 ms
        return [first, by_key(await reader.read())]

    first, second = asyncio.run(twice())
    assert ("cpu", None) not in first
    assert 0 <= second["cpu", None]["usage_percent"] <= 100


def test_sensors_bear_the_names_of_the_plain_reader(monkeypatch):
    def sensors():
        entry = SimpleNamespace
        return {
            "cpu_thermal": [entry(label="", current=48.7)],
            "coretemp": [entry(label="Core 0", current=40.0), entry(label="", current=-273.2)],
        }

    monkeypatch.setattr(psutil, "sensors_temperatures", sensors, raising=False)
    rows = by_key(asyncio.run(PsutilHost(RealClock(), 10_000, disks=()).read()))
    assert {key[1]: row["temp"] for key, row in rows.items() if key[0] == "temp"} == {
        "cpu_thermal": 48.7,
        "coretemp_core_0": 40.0,
    }


def test_a_link_that_turns_is_told_at_once():
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", sys.executable, "-W", "error", "-c", TURNING],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    waits = dict(line.split() for line in done.stdout.splitlines())
    assert set(waits) == {"up", "down"}
    assert all(int(wait) < 1000 for wait in waits.values())


def test_where_netlink_is_refused_waiting_is_plain_waiting(monkeypatch):
    async def refuse(_self):
        raise PermissionError(1, "netlink")

    monkeypatch.setattr(LinkTurns, "_listen", refuse)

    async def wait_twice():
        reader = KernelInterfaces(RealClock(), 10_000, 2000, ["lo"])
        for _ in range(2):
            began = time.monotonic()
            await reader.wait_turn(50)
            assert time.monotonic() - began >= 0.045
        await reader.close()

    asyncio.run(wait_twice())


@pytest.mark.parametrize("username", [None, "monitor"])
def test_a_missing_password_file_is_told(username, tmp_path):
    options = {"username": username, "password_file": str(tmp_path / "absent")}
    config = {"readers": {"ups": options}, "intervals": {"sample_s": 10, "watch_s": 2}}
    if username is None:
        assert len(build(config, RealClock())) == 1
        return
    with pytest.raises(ConfigError) as caught:
        build(config, RealClock())
    assert caught.value.reason == "unreadable_password"
