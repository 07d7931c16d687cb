"""The demonstration as a process: it stops everything it started, and says why when it cannot start."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulators import ports
from simulators.demo import layout, workdir
from simulators.demo.__main__ import cli
from simulators.demo.api import Api
from simulators.demo.centre import Centre
from simulators.demo.failure import DemoError
from tests.servers.wait import until


def processes_with(text: str) -> list[str]:
    """Command lines of running processes that mention a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line and path.parent.name != str(os.getpid()):
            found.append(line)
    return found


def start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "simulators.demo", "--dir", str(folder), "--port", str(ports.free(1)[0])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    said = ""
    while text not in said:
        line = process.stdout.readline()
        assert line, f"it ended:\n{said}"
        said += line
    return said


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_nothing_outlives_it(tmp_path, number, code):
    folder = tmp_path / "demo"
    process = start(folder)
    try:
        said = read_until(process, "usuario/user")
        assert "Tiempos acortados" in said
        assert "Shortened times" in said
        assert processes_with(str(folder))
        process.send_signal(number)
        output = process.communicate(timeout=60)[0]
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()

    assert process.returncode == code
    assert "Traceback" not in output
    until(lambda: not processes_with(str(folder)), "all processes of the demonstration to end")


def test_a_collector_that_cannot_start_is_explained(tmp_path):
    place = workdir.prepare(tmp_path / "demo")
    chosen = workdir.Ports(*ports.free(4))
    workdir.configure(place, chosen, layout.Pace(), "json://x", None)
    place.config.write_text(place.config.read_text().replace("[web]", "[webb]"))

    async def main():
        async with Centre(place) as centre:
            await centre.wait_ready(Api(chosen.web))

    with pytest.raises(DemoError, match=r"the collector ended with 2\n.*unknown key 'webb'.*web'") as caught:
        asyncio.run(main())
    assert str(place.log) in str(caught.value)


def test_wrong_use_and_missing_influxd(monkeypatch, tmp_path):
    assert CliRunner().invoke(cli, ["--store", "paper"]).exit_code == 2
    monkeypatch.setenv("VIGIA_INFLUXD", str(tmp_path / "nothing"))
    result = CliRunner().invoke(cli, ["--store", "influx"])
    assert isinstance(result.exception, DemoError)
    assert "make influxd" in str(result.exception)
