"""A device of its own on the table: the agent as a process, its own readers, the bench's upsd and line."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agent.ports.clock import SystemClock
from simulators import ports
from simulators.bench import certificate
from simulators.bench.bench import Bench, Options, Paper
from simulators.bench.steps import Note, State
from simulators.clock import now_ms
from tests.benchtop.pace import FAST
from tests.benchtop.wait import until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.server

DEVICE = "ravine-r1"


class Device:
    """``vigia-agent`` with a configuration as a technician writes it."""

    def __init__(self, issued: Path, scratch: Path, upsd_port: int) -> None:
        self._log = scratch / "agent.log"
        config = json.loads((issued / "agent.json").read_text(encoding="utf-8"))
        # the bench has written what concerns it: its line, its UPS, a spool that survives the plug
        assert config["readers"]["ups"] == {"host": "localhost", "port": upsd_port}
        assert config["spool"]["flash_dir"] == "spool"
        config["spool"] |= {"ram_dir": str(scratch / "ram")}
        config["intervals"] = FAST.timing.table()
        self._config = issued / "bench.json"
        self._config.write_text(json.dumps(config), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "agent", "--config", str(self._config)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(20)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """What a technician does, told once; the tests ask what came of it."""
    scratch = tmp_path_factory.mktemp("real")
    told: dict[str, object] = {}

    async def main() -> None:
        line, upsd, meter = ports.free(3)
        options = Options(
            folder=scratch / "bench", device=DEVICE, real_meter=True, line_port=line, upsd_port=upsd,
            meter_port=meter, pace=FAST, paper=Paper("Ana Ruiz", "GL-77"),
        )  # fmt: skip
        async with Bench(options) as bench:
            runner = bench.runner
            assert bench.issued is not None
            device = Device(bench.issued, scratch, upsd)
            device.start()
            try:
                await bench.heard()
                runner.start(["signature", "clock", "ups", "usb", "link"])
                await runner.finished()
                runner.start(["plug"])
                await until(lambda: runner.ask.confirm, "the plug to be asked for")
                told["asked"] = runner.ask.do
                device.kill()
                runner.confirm()
                await until(lambda: runner.ask.do == (("plug", "on"),), "the plug to be put back")
                device.start()
                await runner.finished()
            finally:
                device.kill()
            told["states"] = {name: one.state for name, one in runner.records.items()}
            told["said"] = {name: (one.reason, one.notes) for name, one in runner.records.items()}
            told["plug"] = runner.records["plug"]
            told["paper"] = certificate.html(bench, "es", now_ms())
            told["kid"] = bench.stand.seen.start.kid if bench.stand.seen.start else ""

    asyncio.run(main())
    return told


def test_what_the_bench_can_do_by_itself_passes(story):
    passed = [name for name, state in story["states"].items() if state is State.PASSED]
    # the clock is this machine's: whether anything sets it is not the bench's doing, what it says of it is
    clock = ["clock"] if SystemClock().wall_ms() is not None else []
    assert passed == ["signature", *clock, "ups", "usb", "link"], story["said"]


def test_the_plug_is_pulled_by_hand_and_a_restarted_program_is_no_restarted_machine(story):
    assert story["asked"] == (("plug", "off"),)
    plug = story["plug"]
    assert plug.state is State.FAILED
    assert plug.reason is not None
    assert (plug.reason.code, plug.reason.params["phase"]) == ("wrong", "restart")
    assert [note for _, note in plug.notes] == [Note("agent_only")]


def test_the_certificate_says_what_was_real(story):
    paper = story["paper"]
    for part in (
        "REPROBADO", DEVICE, "GL-77", "Ana Ruiz", story["kid"],
        "<strong>Real:</strong> equipo, radios, contacto de la caja, módem, medidor, centro",
        "<strong>Simulado:</strong> UPS, enlace.",
        "solo se reinició el programa, no el equipo",
    ):  # fmt: skip
        assert part in paper, part
    (cut_s,) = re.findall(r"enlace cortado (\d+) s", paper)
    assert FAST.cut_s <= int(cut_s) < FAST.cut_s + FAST.see_s  # as measured: longer on a busy machine
    assert "http" not in paper.replace("http-equiv", "")  # nothing from elsewhere
    assert "PRÁCTICA" not in paper


def test_what_is_real_cannot_be_turned_by_the_bench(tmp_path):
    from simulators.bench.bench import VIRTUAL
    from simulators.bench.controls import OF_DEVICE, OF_UPS, radio
    from simulators.bench.stand import Setup, Stand

    class NoCentre:
        class workdir:  # noqa: N801 - stands for an attribute
            devices = tmp_path

    real = Stand(Setup(DEVICE, "bench", real_device=True, real_meter=True), NoCentre(), FAST)  # type: ignore[arg-type]
    virtual = Stand(Setup(VIRTUAL, "bench"), NoCentre(), FAST)  # type: ignore[arg-type]
    assert all(real.by_hand(name) for name in (*OF_DEVICE, radio("wlan0"), "meter_v"))
    assert not any(real.by_hand(name) for name in (*OF_UPS, "mains", "link", "link_delay"))
    assert not any(virtual.by_hand(name) for name in (*OF_DEVICE, *OF_UPS, "meter_v"))
    assert real.measure() is None
