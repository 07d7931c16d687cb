"""NUT's own upsc, upscmd, upsrw and upsmon against the simulated upsd."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from simulators.protocols.ups_source import KnobUps
from simulators.protocols.upsd import PASSWORD, USER, Server, Upsd
from simulators.world.line_interactive import Model
from tests.protocols.serve import Running, running
from tests.servers import programs
from tests.servers.wait import until

pytestmark = pytest.mark.server

QUICK = Model(status_ms=100, values_ms=200, return_ms=100)
REAL_UPSMON = Path("/lib/nut/upsmon")  # Debian's /usr/sbin/upsmon refuses to start without /etc/nut/nut.conf


class Bench:
    it: Running

    def __init__(self) -> None:
        self.sai, self.otro = KnobUps("sai", model=QUICK), KnobUps("otro", model=QUICK)
        self.upsd = Upsd({"sai": self.sai, "otro": self.otro})

    def turn(self, name: str, value: str) -> None:
        self.it.call(self.sai.turn, name, value)

    def run(self, program: str, *words: str) -> tuple[int, str]:
        words = tuple(word.replace("@", f"@127.0.0.1:{self.upsd.port}") for word in words)
        done = subprocess.run(
            [programs.packaged(program, "nut-client"), *words],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("Init SSL")]
        return done.returncode, "\n".join(said)

    def read(self, variable: str) -> str:
        code, said = self.run("upsc", "sai@", variable)
        assert code == 0, said
        return said

    def become(self, state: Server) -> None:
        self.it.do(self.upsd.become(state))


@pytest.fixture
def bench():
    made = Bench()
    with running(made.upsd) as made.it:
        yield made


def test_upsc_lists_and_reads(bench):
    assert bench.run("upsc", "-l", f"127.0.0.1:{bench.upsd.port}") == (0, "sai\notro")
    code, said = bench.run("upsc", "sai@")
    assert code == 0
    values = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
    assert (values["ups.status"], values["input.voltage"]) == ("OL", "127.0")
    assert (values["battery.charge"], values["device.mfr"]) == ("100.0", "Vigia")
    assert bench.run("upsc", "sai@", "no.such.thing") == (1, "Error: Variable not supported by UPS")
    assert bench.run("upsc", "nadie@") == (1, "Error: Unknown UPS")


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ("stale", "Error: Data stale"),
        ("driver", "Error: Driver not connected"),
        ("unknown", "Error: Unknown UPS"),
        ("refused", "Error: Access denied"),
    ],
)
def test_upsc_says_what_is_wrong_with_one_ups_and_reads_the_other(bench, contact, said):
    bench.turn("contact", contact)
    assert bench.run("upsc", "sai@", "ups.status") == (1, said)
    assert bench.run("upsc", "otro@", "ups.status") == (0, "OL")
    bench.turn("contact", "ok")
    assert bench.read("ups.status") == "OL"


def test_a_server_that_is_down_comes_back_on_its_port(bench):
    bench.become(Server.DOWN)
    code, said = bench.run("upsc", "sai@", "ups.status")
    assert code == 1
    assert said.startswith("Error: Connection failure")
    bench.become(Server.UP)
    assert bench.read("ups.status") == "OL"


def test_upscmd_tests_the_battery(bench):
    account = ("-u", USER, "-p", PASSWORD)
    assert "test.battery.start" in bench.run("upscmd", "-l", "sai@")[1]
    assert bench.run("upscmd", "-w", *account, "sai@", "test.battery.start") == (0, "SUCCESS")
    until(lambda: bench.read("ups.status") == "OB DISCHRG", "the test")
    assert bench.read("ups.test.result") == "In progress"
    assert bench.run("upscmd", "-w", *account, "sai@", "test.battery.start")[1] == "ERR FAILED"
    bench.run("upscmd", *account, "sai@", "test.battery.stop")
    until(lambda: bench.read("ups.status").startswith("OL"), "the end of the test")
    assert "ACCESS-DENIED" in bench.run("upscmd", "-u", USER, "-p", "wrong", "sai@", "load.off")[1]
    assert "CMD-NOT-SUPPORTED" in bench.run("upscmd", *account, "sai@", "test.nothing.start")[1]


def test_upsrw_sets_what_may_be_set_within_its_range(bench):
    account = ("-u", USER, "-p", PASSWORD)

    def put(assignment):
        return bench.run("upsrw", "-w", "-s", assignment, *account, "sai@")[1]

    listed = bench.run("upsrw", "sai@")[1]
    assert "[battery.charge.low]" in listed
    assert 'Option: "5-95" SELECTED' in listed
    assert put("battery.charge.low=35") == "SUCCESS"
    until(lambda: bench.read("battery.charge.low") == "35", "the new threshold")
    assert "INVALID-VALUE" in put("battery.charge.low=96")
    assert "READONLY" in put("input.voltage=1")


class Upsmon:
    """upsmon in a folder of its own; what it tells goes to the file ``told``, a word for each notice."""

    def __init__(self, folder: Path, port: int, *, power: int) -> None:
        self.folder = folder
        notify = folder / "notify"
        notify.write_text(f'#!/bin/sh\necho "$NOTIFYTYPE" >> {folder}/told\n')
        notify.chmod(0o755)
        kinds = "ONLINE ONBATT LOWBATT COMMOK COMMBAD FSD SHUTDOWN NOCOMM REPLBATT".split()  # noqa: SIM905
        flags = "".join(f"NOTIFYFLAG {kind} EXEC\n" for kind in kinds)
        (folder / "upsmon.conf").write_text(
            f"MONITOR sai@127.0.0.1:{port} {power} {USER} {PASSWORD} primary\nMINSUPPLIES {power}\n"
            f"RUN_AS_USER {'root' if os.geteuid() == 0 else os.environ.get('USER', 'nobody')}\n"
            f'SHUTDOWNCMD "touch {folder}/shut"\nNOTIFYCMD {notify}\nPOLLFREQ 1\nPOLLFREQALERT 1\n'
            f"DEADTIME 3\nFINALDELAY 0\nHOSTSYNC 1\n{flags}"
        )
        (folder / "upsmon.conf").chmod(0o600)

    def __enter__(self):
        program = str(REAL_UPSMON) if REAL_UPSMON.exists() else programs.packaged("upsmon", "nut-client")
        places = dict.fromkeys(("NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH"), str(self.folder))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-F", "-p"],
                env={**os.environ, **places},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_exception):
        self._process.kill()
        self._process.wait(20)

    def told(self) -> list[str]:
        file = self.folder / "told"
        return file.read_text().split() if file.exists() else []

    def tells(self, *words: str) -> None:
        until(lambda: self.told() == list(words), f"{words}; told {self.told()}")


def test_upsmon_notices_battery_low_battery_line_and_lost_contact(bench, tmp_path):
    with Upsmon(tmp_path, bench.upsd.port, power=0) as upsmon:
        until(lambda: bench.upsd.rack.logins("sai"), "upsmon's login")
        bench.turn("input.voltage", "0")
        upsmon.tells("ONBATT")
        bench.turn("battery.charge", "15")
        upsmon.tells("ONBATT", "LOWBATT")
        bench.turn("input.voltage", "127")
        upsmon.tells("ONBATT", "LOWBATT", "ONLINE")
        bench.turn("contact", "stale")
        upsmon.tells("ONBATT", "LOWBATT", "ONLINE", "COMMBAD")
        bench.turn("contact", "ok")
        upsmon.tells("ONBATT", "LOWBATT", "ONLINE", "COMMBAD", "COMMOK")


def test_upsmon_shuts_the_machine_down_when_the_battery_is_low(bench, tmp_path):
    with Upsmon(tmp_path, bench.upsd.port, power=1) as upsmon:
        until(lambda: bench.upsd.rack.logins("sai"), "upsmon's login")
        bench.turn("input.voltage", "0")
        bench.turn("battery.charge", "10")
        until((tmp_path / "shut").exists, "the command that shuts down")
        assert bench.upsd.rack.fsd == {"sai"}
        assert bench.read("ups.status") == "FSD OB DISCHRG LB"
        until(lambda: "SHUTDOWN" in upsmon.told(), "the notice")
