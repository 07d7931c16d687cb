"""Against NUT's own upsd and dummy-ups."""

from __future__ import annotations

import asyncio
import time

import pytest

from agent.readers.ups import Ups
from tests.readers.standin import ups_reader
from tests.servers.upsd import ON_LINE, UpsdServer

pytestmark = pytest.mark.server


async def fields_of(reader: Ups, name: str = "sai") -> dict[str, int | float | str]:
    rows = {row[1]: dict(row[2]) for row in await reader.read()}
    return rows[name]


async def until(reader: Ups, timeout_s: float = 20.0, **wanted: int) -> dict[str, int | float | str]:
    """Read until the fields are as wanted."""
    deadline = time.monotonic() + timeout_s
    while True:
        fields = await fields_of(reader)
        if all(fields.get(name) == value for name, value in wanted.items()):
            return fields
        assert time.monotonic() < deadline, fields
        await asyncio.sleep(0.05)


async def off_loop(function, *arguments):
    await asyncio.to_thread(function, *arguments)


def test_on_line_then_on_battery(upsd: UpsdServer) -> None:
    async def run() -> None:
        reader = ups_reader(upsd.port)
        try:
            fields = await fields_of(reader)
            assert (fields["ol"], fields["ob"], fields["input_voltage"]) == (1, 0, 127.3)
            assert fields["bad_values"] == 0
            await off_loop(upsd.set, "input.voltage", "0.0")
            assert (await fields_of(reader))["input_voltage"] == 127.3  # a watch reads the status alone
            await off_loop(upsd.set, "ups.status", "OB DISCHRG")
            fields = await fields_of(reader)  # and everything as soon as that turns
            assert (fields["ol"], fields["ob"], fields["dischrg"]) == (0, 1, 1)
            assert (fields["input_voltage"], fields["battery_charge_percent"]) == (0.0, 100.0)
            assert int(fields["age_input_ms"]) < 1000
        finally:
            await reader.close()

    asyncio.run(run())


def test_a_voltage_from_before_the_cut_is_not_called_fresh(upsd: UpsdServer) -> None:
    async def run() -> None:
        reader = ups_reader(upsd.port)
        try:
            await fields_of(reader)
            before = time.monotonic()
            await off_loop(upsd.set, "ups.status", "OB")
            fields = await fields_of(reader)
            assert fields["ob"] == 1
            assert int(fields["age_input_ms"]) >= (time.monotonic() - before) * 500
        finally:
            await reader.close()

    asyncio.run(run())


def test_a_halted_driver_makes_data_stale_and_ages_grow(upsd: UpsdServer) -> None:
    async def run() -> None:
        reader = ups_reader(upsd.port)
        try:
            await off_loop(upsd.set, "ups.status", "OB LB")
            await until(reader, ob=1)
            upsd.pause_driver()
            stale = await until(reader, data_stale=1)
            assert (stale["ob"], stale["lb"], stale["server_lost"]) == (1, 1, 0)
            later = await fields_of(reader)
            assert int(later["age_status_ms"]) >= int(stale["age_status_ms"]) > 0
            assert int(later["age_input_ms"]) >= int(stale["age_input_ms"]) > 0
            upsd.resume_driver()
            back = await until(reader, data_stale=0)
            assert (back["ob"], back["battery_charge_percent"]) == (1, 100.0)
        finally:
            await reader.close()

    asyncio.run(run())


def test_a_killed_driver_and_its_return(upsd: UpsdServer) -> None:
    async def run() -> None:
        reader = ups_reader(upsd.port)
        try:
            await until(reader, ol=1)
            upsd.kill_driver()
            lost = await until(reader, driver_lost=1)
            assert lost["ol"] == 1
            await off_loop(upsd.start_driver)
            await off_loop(upsd.wait_ready)
            assert (await until(reader, driver_lost=0, ol=1))["waiting"] == 0
        finally:
            await reader.close()

    asyncio.run(run())


def test_the_server_goes_and_comes_back(upsd: UpsdServer) -> None:
    async def run() -> None:
        reader = ups_reader(upsd.port)
        try:
            await until(reader, ol=1)
            await off_loop(upsd.stop_server)
            lost = await until(reader, server_lost=1)
            assert (lost["ol"], lost["data_stale"], lost["input_voltage"]) == (1, 0, 127.3)
            await off_loop(upsd.start_server)
            await until(reader, server_lost=0, waiting=0, ol=1)
        finally:
            await reader.close()

    asyncio.run(run())


def test_an_unknown_ups_beside_a_known_one(upsd: UpsdServer) -> None:
    async def run() -> None:
        reader = ups_reader(upsd.port, ["sai", "nadie"])
        try:
            fields = await fields_of(reader, "nadie")
            assert (fields["unknown_ups"], fields["ol"], fields["server_lost"]) == (1, 0, 0)
            assert (await fields_of(reader))["ol"] == 1
        finally:
            await reader.close()

    asyncio.run(run())


def test_several_upses_fail_apart(upsd_tools: dict[str, str]) -> None:
    server = UpsdServer(upsd_tools, {"sai": ON_LINE, "otro": {**ON_LINE, "ups.status": "ALARM OL ECO"}})

    async def run() -> None:
        reader = ups_reader(server.port)
        try:
            other = await fields_of(reader, "otro")
            assert (other["alarm"], other["ol"], other["unknown_tokens"]) == (1, 1, 1)
            server.kill_driver("otro")
            await until(reader, ol=1)
            deadline = time.monotonic() + 20
            while not (await fields_of(reader, "otro"))["driver_lost"]:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            assert (await fields_of(reader))["driver_lost"] == 0
        finally:
            await reader.close()

    try:
        server.start()
        asyncio.run(run())
    finally:
        server.stop()
