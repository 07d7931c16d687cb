"""``vigia-sim upsd``, ``meter``, ``ubus`` and ``link`` as a technician runs them, with a keyboard."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulators.__main__ import cli
from simulators.protocols.knobs import KnobError
from tests.servers import programs
from tests.servers.wait import until

PROGRAM = Path(sys.executable).parent / "vigia-sim"
WAIT_S = 60  # a busy machine


class Typed:
    """A running command; ``first`` is the line that it says at its start."""

    def __init__(self, *words: str) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, bufsize=1,
        )  # fmt: skip
        self.first = self.heard()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(WAIT_S)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    @property
    def port(self) -> int:
        found = re.search(r":(\d+)", self.first)
        assert found, self.first
        return int(found[1])

    def type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")

    def heard(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def shows(self, last: str) -> list[str]:
        """Ask for all knobs; ``last`` is the last of them."""
        self.type("show")
        lines = [self.heard()]
        while lines[-1] not in {last, ""}:
            lines.append(self.heard())
        return lines

    def closes_its_keyboard(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def end(self, how: signal.Signals) -> int:
        self._process.send_signal(how)
        return self._process.wait(WAIT_S)

    def ended(self) -> int:
        return self._process.wait(WAIT_S)


def upsc(port: int, ups: str, variable: str) -> str:
    program = programs.packaged("upsc", "nut-client")
    done = subprocess.run(
        [program, f"{ups}@127.0.0.1:{port}", variable],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout.strip()


@pytest.mark.server
def test_a_technician_turns_the_mains_off_and_upsc_sees_it():
    with Typed("upsd", "--port", "0", "--ups", "sai", "--ups", "otro", "--set", "sai:ups.load=50") as upsd:
        assert "sai, otro" in upsd.first
        assert (upsc(upsd.port, "sai", "ups.status"), upsc(upsd.port, "sai", "ups.load")) == ("OL", "50.0")
        upsd.type("sai:input.voltage=0")
        until(lambda: upsc(upsd.port, "sai", "ups.status") == "OB DISCHRG", "the UPS on battery")
        assert upsc(upsd.port, "otro", "ups.status") == "OL"
        upsd.type("sai:ups.load=lots")
        assert upsd.heard() == "ups.load: 'lots' is no number from 0 to 150 %"
        upsd.type("quit")
        assert upsd.ended() == 0


def test_without_a_keyboard_it_runs_until_it_is_told_to_end():
    with Typed("upsd", "--port", "0") as upsd:
        upsd.closes_its_keyboard()
        with socket.create_connection(("127.0.0.1", upsd.port), timeout=10) as link:
            link.sendall(b"GET VAR sai ups.status\n")
            assert link.recv(100) == b'VAR sai ups.status "OL"\n'
        assert upsd.end(signal.SIGTERM) == 0


def test_meters_on_a_pseudo_terminal_with_a_name(tmp_path):
    name = tmp_path / "meter"
    question = bytes.fromhex("01 04 0000 0001 31ca")
    with Typed("meter", "--pty", str(name), "--unit", "1=pzem", "--set", "voltage=118.5") as meter:
        assert meter.first == f"Modbus RTU on {name}: 1 pzem"
        port = os.open(name, os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(port, question)
            assert os.read(port, 100)[:5] == bytes.fromhex("01 04 02") + (1185).to_bytes(2, "big")
        finally:
            os.close(port)
        assert meter.end(signal.SIGINT) == 0
    assert not name.is_symlink()


def test_a_second_call_turns_the_knobs_of_a_router_that_runs(tmp_path):
    def clients() -> int:
        command = [tmp_path / "bin" / "ubus", "call", "hostapd.phy0-ap0", "get_clients"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.count('"aid"')

    with Typed("ubus", str(tmp_path)) as ubus:
        assert clients() == 3
        done = CliRunner().invoke(cli, ["ubus", str(tmp_path), "--once", "--set", "phy0-ap0.clients=11"])
        assert (done.exit_code, clients()) == (0, 11)
        until(lambda: "phy0-ap0.clients=11" in ubus.shows("bus=ok"), "the running one to know")
        assert clients() == 11
        ubus.type("quit")
        assert ubus.ended() == 0
    assert clients() == 11  # what it answered last stays


def test_a_line_is_cut_by_the_keyboard():
    with socket.create_server(("127.0.0.1", 0)) as far:
        to = f"127.0.0.1:{far.getsockname()[1]}"
        with Typed("link", "--to", to) as link, socket.create_connection(("127.0.0.1", link.port)) as near:
            there, _ = far.accept()
            with there:
                near.sendall(b"a")
                assert there.recv(1) == b"a"
                link.type("line=cut")
                link.type("show")
                assert link.heard() == "line=cut"
                near.sendall(b"b")
                there.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    there.recv(1)
                link.type("line=up")
                there.settimeout(WAIT_S)
                assert there.recv(1) == b"b"


@pytest.mark.parametrize(
    "words",
    [
        ["upsd", "--port", "0", "--set", "input.voltage"],
        ["upsd", "--port", "0", "--set", "nadie:input.voltage=1"],
        ["upsd", "--port", "0", "--set", "ups.load=lots"],
        ["meter", "--port", "0", "--unit", "0=pzem"],
        ["meter", "--port", "0", "--unit", "1=toaster"],
        ["link", "--to", "nowhere"],
    ],
)
def test_wrong_use_is_told_in_a_line(words):
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, KnobError)
    assert "\n" not in str(done.exception)


def test_wrong_use_ends_the_program_with_2():
    words = ["link", "--to", "nowhere"]
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert (done.returncode, done.stderr) == (2, "vigia-sim: 'nowhere': host:port, please\n")


@pytest.mark.parametrize("name", ["upsd", "meter", "ubus", "link"])
def test_help_names_every_knob_and_its_unit(name):
    said = CliRunner().invoke(cli, [name, "--help"]).output
    wanted = {"upsd": "battery.capacity=7 Ah", "meter": "current=2 A", "ubus": "wan=up", "link": "rate=0 B/s"}
    assert wanted[name] in said
    assert "SIGTERM" in said
