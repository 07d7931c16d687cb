from __future__ import annotations

import asyncio

import pytest

from agent.readers import host
from tests.cases.still import Clock


def test_usage_is_the_share_between_two_reads():
    before = host.parse_stat("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1\n")
    now = host.parse_stat("cpu  150 0 150 1000 200 0 0 0 0 0\ncpu0 1\n")
    assert before == (200, 1000, 1)
    assert host.usage(before, now) == {"usage_percent": 20.0}


@pytest.mark.parametrize(("before", "now"), [(None, (1, 2, 1)), ((5, 9, 1), (5, 9, 1)), ((5, 9, 1), None)])
def test_no_usage_without_time_between(before, now):
    assert host.usage(before, now) == {}


def test_usage_is_a_percentage_also_when_the_kernel_counts_backwards():
    assert host.usage((10, 100, 1), (5, 200, 1)) == {"usage_percent": 0.0}
    assert host.usage((10, 100, 1), (115, 200, 1)) == {"usage_percent": 100.0}


def test_disks_are_counted_as_df_does():
    # f_bsize f_frsize f_blocks f_bfree f_bavail; 10 % are kept for root
    assert host.parse_statvfs((4096, 4096, 1000, 500, 400)) == {
        "total": 4096000,
        "free": 1638400,
        "used_percent": 55.56,
    }
    assert host.parse_statvfs((4096, 4096, 0, 0, 0)) == {}


@pytest.mark.parametrize("parse", [host.parse_loadavg, host.parse_uptime, host.parse_meminfo])
@pytest.mark.parametrize("text", ["", " ", "x y z", "\n\n", ":::", "MemTotal: 0 kB"])
def test_nonsense_is_no_reading(parse, text):
    assert parse(text) == {}


def test_sensor_names():
    assert host.sensor_name("coretemp", "Package id 0") == "coretemp_package_id_0"
    assert host.sensor_name("cpu-thermal") == "cpu_thermal"
    assert len(host.sensor_name("x" * 99)) == 40


async def _processor(reader):
    return [row for row in await reader.read() if row[0] == "cpu"]


def test_the_second_read_tells_usage(tmp_path):

    (tmp_path / "proc").mkdir()
    stat = tmp_path / "proc" / "stat"
    reader = host.Host(Clock(), 10_000, f"{tmp_path}/", ())
    stat.write_text("cpu 0 0 0 100 0 0 0 0\ncpu0 0\n")
    assert asyncio.run(_processor(reader)) == []
    stat.write_text("cpu 50 0 0 150 0 0 0 0\ncpu0 0\n")
    assert asyncio.run(_processor(reader)) == [("cpu", None, {"usage_percent": 50.0})]
