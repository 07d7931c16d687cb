"""STARTTLS with NUT's own upsd, on either interpreter: the right authority and name, or no readings."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.errors import ReaderError
from agent.readers.ups import Ups
from agent.readers.upsd_client import UpsdClient
from tests.readers.standin import RealClock, script, serving
from tests.servers import nss
from tests.servers.upsd import ON_LINE, UpsdServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[2]
AUTHORITY = nss.authority()
CREDENTIALS = (UpsdServer.user, UpsdServer.password)

PROGRAM = """
import asyncio, json, sys
from agent.errors import ReaderError
from agent.readers.ups import Ups
from agent.readers.upsd_client import UpsdClient
from tests.cases.still import Clock

async def main(host, port, ca, names):
    with open(ca, "rb") as file:
        server = UpsdClient(host, int(port), ("vigia", "secreto"), file.read())
    reader = Ups(Clock(), 10000, 2000, server, names)
    rows = []
    for _ in range(2):
        try:
            rows = await reader.read()
        except ReaderError:
            pass
    await reader.close()
    print(json.dumps([[row[1], dict(row[2])] for row in rows]))

asyncio.run(main(*sys.argv[1:4], None))
"""


@pytest.fixture(scope="module")
def secure(upsd_tools: dict[str, str]) -> Iterator[UpsdServer]:
    server = UpsdServer(upsd_tools, {"sai": ON_LINE}, authority=AUTHORITY)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def read_once(host: str, port: int, ca: bytes, names: list[str] | None = None) -> dict[str, object]:
    async def run() -> dict[str, object]:
        reader = Ups(RealClock(), 10_000, 2000, UpsdClient(host, port, CREDENTIALS, ca), names)
        try:
            return dict((await reader.read())[0][2])
        finally:
            await reader.close()

    return asyncio.run(run())


def test_a_ups_is_read_under_tls(secure: UpsdServer) -> None:
    fields = read_once("localhost", secure.port, AUTHORITY.der())
    assert (fields["ol"], fields["input_voltage"]) == (1, 127.3)


@pytest.mark.parametrize(
    ("host", "ca"),
    [("127.0.0.1", AUTHORITY.der()), ("localhost", nss.authority("prueba").der())],
    ids=["another name", "another authority"],
)
def test_another_certificate_is_refused(secure: UpsdServer, host: str, ca: bytes) -> None:
    with pytest.raises(ReaderError):
        read_once(host, secure.port, ca)
    assert read_once(host, secure.port, ca, ["sai"])["server_lost"] == 1


def test_a_server_without_tls_gets_no_password() -> None:
    said = []

    async def behave(reader, writer):
        said.append(await reader.readline())
        writer.write(b"ERR FEATURE-NOT-CONFIGURED\n")
        said.append(await reader.read())

    async def run() -> None:
        async with serving(behave) as port:
            reader = Ups(
                RealClock(), 10_000, 2000, UpsdClient("127.0.0.1", port, CREDENTIALS, AUTHORITY.der())
            )
            with pytest.raises(ReaderError):
                await reader.read()
            await reader.close()

    asyncio.run(run())
    assert b"".join(said) == b"STARTTLS\n"


def test_an_answer_smuggled_in_before_tls_is_refused() -> None:
    async def run() -> None:
        async with serving(script(b"OK STARTTLS\nOK\nOK\n")) as port:
            reader = Ups(
                RealClock(), 10_000, 2000, UpsdClient("127.0.0.1", port, CREDENTIALS, AUTHORITY.der())
            )
            with pytest.raises(ReaderError) as caught:
                await reader.read()
            await reader.close()
            assert caught.value.reason == "garbage"

    asyncio.run(run())


@pytest.mark.parametrize("right", [True, False], ids=["right authority", "another authority"])
def test_on_micropython(secure: UpsdServer, micropython_bin: str, tmp_path: Path, *, right: bool) -> None:
    ca = tmp_path / "ca.der"
    ca.write_bytes((AUTHORITY if right else nss.authority("prueba")).der())
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [micropython_bin, "-X", "heapsize=256k", str(program), "localhost", str(secure.port), str(ca)],
        env={"MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout)
    assert [(name, fields["ol"]) for name, fields in rows] == ([("sai", 1)] if right else [])
