"""``vigia-sim fleet`` against a real broker without a collector: everything arrives, nothing is acked."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner

from simulators import load
from simulators.__main__ import cli
from simulators.plans import Timing
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.servers.wait import until
from tests.simulators.listener import Listener

FAST = Timing(sample_s=0.5, watch_s=0.5, frame_s=0.5, keepalive_s=5, resend_s=60)


@pytest.mark.server
def test_what_the_account_says_is_what_the_broker_got(tmp_path, mosquitto_bin):
    authority = new_authority(tmp_path / "pki")
    server = MosquittoServer(mosquitto_bin, tmp_path / "mosquitto", authority).start()
    try:
        with Listener(authority) as listener:
            wanted = load.Load(authority.folder, 4, 3.0, FAST, settle_s=0.0)
            account = asyncio.run(load.run(wanted))
            kinds = ("birth", "data", "event")
            heard = until(
                lambda: (total := sum(map(listener.count, kinds))) >= account.sealed and total,
                "everything that was sealed",
            )
    finally:
        server.stop()

    assert (account.devices, account.connected, account.failed) == (4, 4, 0)
    assert account.ok
    assert (account.acked, account.refused) == (0, 0)
    assert account.waiting == account.sealed
    # what each said last is in it: its last data and its planned stop
    assert heard == account.sealed == account.sent
    assert json.loads(account.line())["sealed"] == account.sealed
    told = json.loads(account.everything())["by_device"]
    assert sorted(told) == [f"fleet-{n:05d}" for n in range(1, 5)]
    assert sum(one["sealed"] for one in told.values()) == account.sealed
    assert all(one["highest_seq"] == one["sealed"] - 1 for one in told.values())


def test_devices_are_dealt_out_over_the_facilities():
    plans = load.plans(85)

    assert plans[0].name == "fleet-00001"
    assert plans[0].site == plans[40].site == plans[80].site
    assert len({plan.site for plan in plans}) == 40


def test_missing_devices_are_issued_once(tmp_path):
    authority = new_authority(tmp_path / "pki")

    assert load.enrol(authority, load.plans(2)) == 2
    assert load.enrol(authority, load.plans(3)) == 1


def test_help_and_wrong_use():
    assert "fleet" in CliRunner().invoke(cli, ["--help"]).output
    assert CliRunner().invoke(cli, ["fleet", "--pki", "/nowhere"]).exit_code == 2
