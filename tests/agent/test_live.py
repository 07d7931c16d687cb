"""The whole agent against a real Mosquitto over mutual TLS."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import pytest

from agent import config as configuration
from agent.build import build
from tests.agent.centre import DEVICE, SITE, LiveCentre
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.loop import Agent

pytestmark = pytest.mark.server


async def eventually(condition: Callable[[], object], what: str, limit_s: float = 30.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s:g} s for {what}"
        await asyncio.sleep(0.02)


class Running:
    """An agent in this loop until the block ends."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.agent: Agent = build(config)
        self.stop = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.agent.run(self.stop))
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self.stop.set()
        await self.task


def test_birth_data_and_planned_stop_arrive_and_leave_the_spool(config, centre):
    async def scenario() -> dict[str, Any]:
        async with Running(config) as running:
            await eventually(lambda: len(centre.of("data")) >= 3, "three data frames")
            await eventually(lambda: running.agent.status()["counts"]["acked"] >= 3, "acks")
        return running.agent.status()

    said = asyncio.run(scenario())
    assert said["link"] == "closed"
    (birth,) = centre.of("birth")
    assert birth.payload.session == 1
    assert birth.payload.hello["site"] == SITE
    until(lambda: centre.of("event"), "the planned stop")
    assert [event.payload.stop for event in centre.of("event")] == [True]
    assert centre.of("death") == []
    assert centre.seqs() == list(range(said["sealed"]))
    measurements = {table[0] for received in centre.of("data") for table in received.payload.tables}
    assert {"system", "mem", "agent"} <= measurements


def test_without_acks_the_frames_stay_and_the_next_start_sends_them(config, centre):
    centre.acking = False

    async def first() -> dict[str, Any]:
        async with Running(config) as running:
            await eventually(lambda: len(centre.of("data")) >= 2, "two data frames")
        return running.agent.status()

    kept = asyncio.run(first())
    assert kept["spooled"] == kept["on_flash"] == kept["sealed"]
    until(lambda: len(centre.seqs()) == kept["sealed"], "all of them")
    earlier = centre.frames[0].payload.incarnation
    centre.acking = True
    centre.frames.clear()

    async def second() -> dict[str, Any]:
        async with Running(config) as running:
            await eventually(
                lambda: running.agent.status()["spooled"] <= 1, "the earlier frames to be settled"
            )
            return running.agent.status()

    said = asyncio.run(second())
    again = {f.seq for f in centre.frames if f.payload.incarnation == earlier}
    assert again == set(range(kept["sealed"]))
    assert said["boot"] == centre.frames[0].payload.boot == 2


def test_a_killed_broker_costs_nothing(config, broker: MosquittoServer, centre):
    config["intervals"]["resend_s"] = 1  # what went out before the centre was back is sent again

    async def scenario() -> dict[str, Any]:
        async with Running(config) as running:
            await eventually(lambda: len(centre.of("data")) >= 2, "data before the kill")
            await asyncio.to_thread(broker.kill)
            sealed = running.agent.status()["sealed"]
            await eventually(lambda: running.agent.status()["sealed"] >= sealed + 3, "sealing without a link")
            assert running.agent.status()["link"] != "up"
            await asyncio.to_thread(broker.start)
            await eventually(lambda: running.agent.status()["link"] == "up", "the link")
            sealed = running.agent.status()["sealed"]
            await eventually(lambda: centre.seqs()[: sealed + 1] == list(range(sealed + 1)), "every frame")
            return running.agent.status()

    said = asyncio.run(scenario())
    assert said["sessions"] >= 2
    assert said["dropped"] == {}


def test_a_planned_stop_never_brings_the_will(config, centre):
    """Acks that arrive at the moment of closing must not turn DISCONNECT into a reset."""
    config["intervals"]["frame_s"] = 0.05
    config["readers"] = {}

    async def scenario() -> None:
        for session in range(10):
            async with Running(config):
                await eventually(lambda: len(centre.of("birth")) > session, "birth")  # noqa: B023 - awaited here
                await eventually(lambda: centre.of("data"), "data")

    asyncio.run(scenario())
    until(lambda: len(centre.of("event")) >= 10, "ten planned stops")
    assert centre.of("death") == []


def test_a_broker_that_hangs_is_noticed_by_keepalive(config, broker: MosquittoServer, centre):
    config["intervals"]["keepalive_s"] = 1

    async def scenario() -> None:
        async with Running(config) as running:
            await eventually(lambda: centre.of("birth"), "birth")
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                await eventually(lambda: running.agent.status()["link"] != "up", "the loss to be noticed")
            finally:
                os.kill(broker.pid, signal.SIGCONT)
            await eventually(lambda: len(centre.of("birth")) >= 2, "the next session")

    asyncio.run(scenario())


def test_thirty_agents_share_one_loop(broker, authority, config, centre, tmp_path):
    """Only the first is the device whose frames this centre can verify; all have its certificate's kind."""

    def own(number: int) -> dict[str, Any]:
        folder = authority.folder / "devices" / f"many-{number}"
        if not folder.exists():
            authority.issue(f"many-{number}", SITE)
        made = configuration.load(str(folder / "agent.json"))
        made["spool"]["ram_dir"] = str(tmp_path / f"many-{number}")
        return made | {"intervals": config["intervals"], "readers": config["readers"]}

    configs = [own(number) for number in range(30)]
    centre.stop()  # it knows the keys of one device only

    async def scenario() -> None:
        running = [Running(one) for one in configs]
        for one in running:
            await one.__aenter__()
        await eventually(lambda: all(one.agent.status()["link"] == "up" for one in running), "all links")
        await eventually(lambda: all(one.agent.status()["sealed"] >= 3 for one in running), "frames of all")
        for one in running:
            one.stop.set()
        await asyncio.gather(*[one.task for one in running])
        assert all(one.agent.status()["link"] == "closed" for one in running)

    asyncio.run(scenario())


def test_the_will_is_a_signed_death_of_this_session(config, centre):
    async def scenario() -> str:
        running = Running(config)
        async with running:
            await eventually(lambda: centre.of("birth"), "birth")
            running.agent.parts.publisher._transport.close()
            await asyncio.to_thread(until, lambda: centre.of("death"), "the will")
        return str(running.agent.status()["incarnation"])

    incarnation = asyncio.run(scenario())
    (death,) = centre.of("death")
    assert death.payload.session == 1
    assert death.payload.incarnation.hex() == incarnation
    assert death.seq is None


def test_frames_are_sent_again_while_the_collector_is_online(config, centre):
    config["intervals"]["resend_s"] = 0.3
    centre.acking = False

    async def scenario() -> dict[str, int]:
        async with Running(config) as running:
            await eventually(lambda: running.agent.status()["counts"]["resent"] >= 1, "a resend")
            centre.acking = True
            await eventually(lambda: running.agent.status()["counts"]["acked"] >= 2, "acks")
            return dict(running.agent.status()["counts"])

    assert asyncio.run(scenario())["status_online"] == 1


@pytest.mark.parametrize("wrong", ["host", "ca", "cert"])
def test_a_wrong_name_authority_or_no_broker_is_refused_and_tried_again(
    config, broker, authority, tmp_path, wrong
):
    if wrong == "host":
        config["broker"]["host"] = "localhost.localdomain"
    elif wrong == "ca":
        other = new_authority(tmp_path / "other").issue(DEVICE, SITE)
        config["broker"]["ca"] = str(other.folder / "ca.der")
    else:
        other = new_authority(tmp_path / "other").issue(DEVICE, SITE)
        config["broker"]["cert"] = str(other.folder / "cert.der")
        config["broker"]["key"] = str(other.folder / "key.der")

    async def scenario() -> dict[str, Any]:
        async with Running(config) as running:
            await eventually(lambda: running.agent.status()["sessions"] >= 2, "a second attempt")
            return running.agent.status()

    said = asyncio.run(scenario())
    assert any(said["counts"].get(name) for name in ("link_unreachable", "link_lost"))
    assert said["counts"]["sent"] == 0


def test_sigterm_stops_the_command_in_order(config_path: Path, centre: LiveCentre):
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "--config", str(config_path)], stderr=subprocess.PIPE
    )
    try:
        until(lambda: centre.of("data"), "data")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    until(lambda: centre.of("event"), "the planned stop")
    assert centre.of("event")[0].payload.stop
    assert b"Traceback" not in errors
    assert centre.of("death") == []
