"""The same chain with its state in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from collector.storage import migrate
from collector.storage.state import Base, open_engine
from tests.e2e.chain import DEVICE, Chain
from tests.servers.postgres import PostgresServer
from tests.servers.wait import until

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]


def test_the_migrations_make_the_tables_of_the_models(postgres: PostgresServer) -> None:
    engine = open_engine(postgres.url("migrations"))
    assert migrate.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


@pytest.fixture
def chain(
    tmp_path: Path,
    mosquitto_bin: str,
    influxd_bin: str,
    upsd_tools: dict[str, str],
    postgres: PostgresServer,
) -> Iterator[Chain]:
    chain = Chain(tmp_path, mosquitto_bin, influxd_bin, upsd_tools, postgres.url("chain"))
    try:
        chain.start()
        yield chain
    finally:
        chain.stop()


def test_a_power_cut_is_told_and_its_end_too(chain: Chain) -> None:
    until(lambda: [item for item in chain.api("/devices")["items"] if item["frames_stored"]], "the device")
    chain.upsd.set("input.voltage", "0.0")
    chain.upsd.set("ups.status", "OB DISCHRG")
    until(lambda: chain.incidents("supply_lost", "open"), "the incident")
    until(lambda: chain.webhook.messages, "the alert")
    chain.upsd.set("input.voltage", "127.3")
    chain.upsd.set("ups.status", "OL CHRG")
    until(lambda: len(chain.webhook.messages) >= 2, "the recovery")
    assert chain.incidents("supply_lost", "open") == []
    device = next(item for item in chain.api("/devices")["items"] if item["id"] == DEVICE)
    assert device["missing"] == 0
    assert chain.counter("vigia_problems_total", reason="rules_failed") == 0
    assert chain.counter("vigia_problems_total", reason="state_unavailable") == 0
