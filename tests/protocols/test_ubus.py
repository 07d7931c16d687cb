"""The stand-in for ubus, by the agent's real readers on both interpreters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.protocols.place_source import PlaceRouter
from simulators.protocols.sources import Router, WayOut
from simulators.protocols.ubus import StandIn
from simulators.protocols.ubus_source import KnobRouter
from tests.protocols.test_knob_ups import Clock
from tests.servers import programs
from tests.world.test_place import Story, event

ROOT = Path(__file__).resolve().parents[2]
PYTHON = [sys.executable]


@pytest.fixture
def standin(tmp_path):
    return StandIn(tmp_path)


def ask(standin, *words):
    """Run the command as a person would."""
    done = subprocess.run(["ubus", *words], env=_env(standin), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def _env(standin):
    return {**os.environ, "PATH": f"{standin.folder}:{os.environ['PATH']}"}


def rows_of(standin, interpreter):
    done = subprocess.run(
        [*interpreter, "tests/protocols/ask_ubus.py"],
        cwd=ROOT, env={**_env(standin), "PYTHONPATH": str(ROOT), "MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {(row[0], row[1]): row[2] for row in json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.parametrize("interpreter", ["cpython", pytest.param("micropython", marks=pytest.mark.server)])
def test_the_agent_sees_radios_clients_and_the_way_out_turn(standin, interpreter):
    python = PYTHON if interpreter == "cpython" else [programs.built("micropython", "micropython")]
    router = KnobRouter()
    router.turn("phy0-ap0.clients", "23")
    router.turn("phy1-ap0.clients", "0")
    standin.show(router.router())
    rows = rows_of(standin, python)
    first = rows["wifi_ap", "phy0-ap0"]
    assert (first["up"], first["clients"], first["channel"], first["signal_p50"]) == (1, 23, 6, -64)
    assert (rows["wifi_ap", "phy1-ap0"]["clients"], rows["wifi_ap", "phy1-ap0"]["frequency"]) == (0, 5180)
    assert (rows["wifi", None]["clients"], rows["wifi", None]["bad_values"]) == (23, 0)
    way = rows["wan", "eth0.2"]
    assert (way["up"], way["ipv4"], way["default_route"], way["error"]) == (1, 1, 1, "none")

    router.turn("phy1-ap0.radio", "off")
    router.turn("phy0-ap0.clients", "24")
    router.turn("wan", "AUTH_FAILED")
    standin.show(router.router())
    rows = rows_of(standin, python)
    assert ("wifi_ap", "phy1-ap0") not in rows
    assert rows["wifi_ap", "phy0-ap0"]["clients"] == 24
    way = rows["wan", "eth0.2"]
    assert (way["up"], way["ipv4"], way["error"]) == (0, 0, "auth_failed")


def test_the_command_behaves_as_the_real_one(standin):
    router = KnobRouter()
    standin.show(router.router())
    assert ask(standin, "list", "hostapd.*") == (0, "hostapd.phy0-ap0\nhostapd.phy1-ap0\n")
    assert ask(standin, "list", "nothing.*") == (4, "")
    assert ask(standin, "call", "hostapd.phy9-ap0", "get_clients") == (4, "")
    assert ask(standin, "explode")[0] == 2
    code, answer = ask(standin, "-S", "-t", "5", "call", "iwinfo", "info", '{"device":"phy1-ap0"}')
    assert (code, json.loads(answer)["channel"]) == (0, 36)
    router.turn("bus", "unreachable")
    standin.show(router.router())
    assert ask(standin, "list")[0] == 255
    router.turn("bus", "ok")
    standin.show(router.router())
    assert ask(standin, "list")[0] == 0


def test_nothing_that_is_asked_reaches_the_shell(standin, tmp_path):
    standin.show(KnobRouter().router())
    for evil in ('{"device":"$(touch pwned)"}', '{"device":"x; touch pwned"}', '{"device":"../../../x"}'):
        assert ask(standin, "call", "iwinfo", "info", evil) == (4, "")
    assert not list(tmp_path.rglob("pwned"))


def test_air_time_goes_on_as_busy_as_it_is_set():
    clock = Clock()
    router = KnobRouter(clock)
    router.turn("phy0-ap0.busy", "25")
    clock.pass_s(100)
    [first, _] = router.router().radios
    assert (first.active_ms, first.busy_ms) == (100_000, 25_000)
    router.turn("phy0-ap0.busy", "75")
    clock.pass_s(100)
    assert router.router().radios[0].busy_ms == 100_000
    router.turn("phy0-ap0.radio", "off")
    router.turn("phy0-ap0.radio", "on")
    assert router.router().radios[0].active_ms == 0


def test_a_way_out_that_comes_back_counts_its_uptime_anew():
    clock = Clock()
    router = KnobRouter(clock)
    clock.pass_s(500)
    assert router.router().ways == (WayOut(uptime_s=500),)
    router.turn("wan", "NO_LEASE")
    assert router.router().ways[0].error == "NO_LEASE"
    router.turn("wan", "up")
    clock.pass_s(7)
    assert router.router().ways == (WayOut(uptime_s=7),)


def test_a_router_of_a_simulated_place():
    story = Story(event(100, 50, "radio_silent"), event(200, 50, "modem_off"))
    clock = [story.zero_ms + 50_000]
    source = PlaceRouter(story.place, story.place.machines["router"].part, lambda: clock[0])

    def at(second):
        clock[0] = story.zero_ms + second * 1000
        found: Router = source.router()
        return found.radios[0].up, found.ways[0].up

    assert [at(60), at(110), at(160), at(210)] == [(True, True), (False, True), (True, True), (True, False)]
