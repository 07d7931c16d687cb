"""Fixtures that name real programs; the servers themselves are in tests/servers/."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import programs
from tests.servers.influx import influx as influx  # noqa: PLC0414 - a fixture that several folders ask for
from tests.servers.postgres import postgres as postgres  # noqa: PLC0414 - same
from tests.servers.upsd import upsd as upsd  # noqa: PLC0414 - a fixture that several folders ask for

# Hypothesis without a stopwatch: how long an example takes depends on what else the machine does.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def mosquitto_bin() -> str:
    return programs.packaged("mosquitto", "mosquitto")


@pytest.fixture(scope="session")
def upsd_tools() -> dict[str, str]:
    """upsd, dummy-ups, upsc and upsrw by name."""
    packages = {"upsd": "nut-server", "dummy-ups": "nut-server", "upsc": "nut-client", "upsrw": "nut-client"}
    return {name: programs.packaged(name, package) for name, package in packages.items()}


@pytest.fixture(scope="session")
def influxd_bin() -> str:
    return programs.built("influxd", "influxd")


@pytest.fixture(scope="session")
def micropython_bin() -> str:
    return programs.built("micropython", "micropython")


@pytest.fixture(scope="session")
def micropython_mips() -> list[str]:
    """Emulator and interpreter."""
    qemu = programs.packaged("qemu-mips-static", "qemu-user-static")
    return [qemu, programs.built("micropython-mips", "servers")]


@pytest.fixture(scope="session")
def chromium_bin() -> str:
    return programs.packaged("chromium", "chromium")
