"""A simulated device is the real agent: seen from the centre, through a line that can die."""

from __future__ import annotations

import asyncio

import pytest

from certs.enrolment import Place
from simulators.clock import now_ms
from simulators.fleet import Fleet
from simulators.plans import Bench, DevicePlan, Timing
from simulators.scenario.model import Constants, DevicePart, SitePart, UpsPart
from simulators.world.world import World
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.simulators.listener import Listener

pytestmark = pytest.mark.server

FAST = Timing(sample_s=0.5, watch_s=0.5, frame_s=1, keepalive_s=1, resend_s=5, reconnect_s=0.1)
PLAN = DevicePlan("bench-router", "bench")
ON_UPS = SitePart(
    id="bench",
    ups=(UpsPart(id="ups"),),
    device=(DevicePart(id="bench-router", kind="router", feed="ups:ups"),),
)
ON_MAINS = SitePart(id="bench", device=(DevicePart(id="bench-router", kind="router"),))
QUICK = Constants(ups_values_s=2.0, boot_s=0.5, usb_drops=0.0)


@pytest.fixture
def centre(tmp_path, mosquitto_bin):
    authority = new_authority(tmp_path / "pki")
    authority.issue("bench-router", "bench", place=Place(feed="ups:ups"))
    server = MosquittoServer(mosquitto_bin, tmp_path / "mosquitto", authority).start()
    try:
        with Listener(authority) as listener:
            yield listener, server
    finally:
        server.stop()


@pytest.fixture
def play(centre, tmp_path):
    """Run a story of a device in a world, while the centre listens."""
    _, server = centre

    def run(site, story):
        world = World([site], seed=1, start_ms=now_ms(), constants=QUICK)
        bench = Bench(server.authority.folder, tmp_path / "run", "127.0.0.1", server.device_port, FAST)

        async def main():
            async with Fleet([PLAN], world, bench) as fleet:
                await story(world, fleet)
                assert fleet.failed() == {}

        asyncio.run(main())

    return run


def test_birth_data_and_an_orderly_stop(centre, play):
    listener, _ = centre

    async def story(_world, _fleet):
        await asyncio.to_thread(listener.wait, "data", lambda one: one.values("net", "bytes_recv"))

    play(ON_UPS, story)

    birth = listener.wait("birth").payload
    assert birth.device == "bench-router"
    assert birth.hello["site"] == "bench"
    assert birth.hello["readers"]["ups"] == 500
    assert listener.wait("data", lambda one: one.values("upsd", "ol")).values("upsd", "ol")[0] == 1
    assert listener.wait("data", lambda one: one.values("wifi_ap", "clients"))
    assert listener.wait("event", lambda one: one.payload.stop)
    assert listener.count("death") == 0


def test_the_ups_on_battery_is_an_event(centre, play):
    listener, _ = centre

    async def story(world, _fleet):
        await asyncio.to_thread(listener.wait, "data", lambda one: 1 in one.values("upsd", "ol"))
        world.begin("mains_off", "bench", now_ms())
        await asyncio.to_thread(
            listener.wait,
            "event",
            lambda one: 1 in one.values("upsd", "ob") and 0.0 in one.values("upsd", "input_voltage"),
        )

    play(ON_UPS, story)


def test_a_cut_line_ends_in_a_will_and_the_backlog_comes_after(centre, play):
    listener, _ = centre

    async def story(world, fleet):
        await asyncio.to_thread(listener.wait, "data")
        event = world.begin("backhaul_down", "bench", now_ms())
        await asyncio.to_thread(listener.wait, "death")
        assert fleet.devices[0].running
        before = listener.count()
        world.end(event, now_ms())
        birth = await asyncio.to_thread(listener.wait, "birth", after=before)
        assert birth.payload.session > listener.wait("death").payload.session
        await asyncio.to_thread(
            listener.wait, "data", lambda one: 2 in one.values("ping", "result_code"), after=before
        )

    play(ON_MAINS, story)

    births = {listener.wait("birth").payload.incarnation, listener.wait("data").payload.incarnation}
    assert len(births) == 1


def test_without_power_it_is_silent_and_comes_back_as_another_boot(centre, play):
    listener, _ = centre
    stages = {}

    async def story(world, fleet):
        stages["first"] = await asyncio.to_thread(listener.wait, "birth")
        event = world.begin("mains_off", "bench", now_ms())
        # no farewell: the broker finds out by the keepalive
        await asyncio.to_thread(listener.wait, "death")
        assert not fleet.devices[0].running
        before = listener.count()
        world.end(event, now_ms())
        stages["second"] = await asyncio.to_thread(listener.wait, "birth", after=before)

    play(ON_MAINS, story)

    first, second = stages["first"].payload, stages["second"].payload
    assert first.kernel_boot != second.kernel_boot
    assert first.incarnation != second.incarnation
    assert second.boot == first.boot + 1
