"""The readers' case folders, and the UPS reader against a server of the test's own."""

import asyncio
import os

from agent.errors import ReaderError
from agent.readers.ups import Ups
from agent.readers.upsd_client import UpsdClient
from tests.cases import runner
from tests.cases.still import Clock

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any


def test_every_case_folder():
    found = runner.cases()
    assert len(found) > 20
    for reader, device in found:
        runner.check(reader, device)


async def _listen(answer: "Any") -> "tuple[Any, int]":
    """Return a server and its port; MicroPython's sockets cannot say which free port they were given."""
    while True:
        port = 20000 + int.from_bytes(os.urandom(2), "big") % 10000
        try:
            return await asyncio.start_server(answer, "127.0.0.1", port), port
        except OSError:
            continue


async def _serve(lines: "list[bytes]", work: "Any") -> "Any":
    """Answer each line that comes with the next of ``lines``; return what ``work(port)`` returns."""

    async def answer(reader: "Any", writer: "Any") -> None:
        for line in lines:
            if not await reader.readline():
                break
            writer.write(line)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server, port = await _listen(answer)
    try:
        return await work(port)
    finally:
        server.close()
        await server.wait_closed()


def _reader(port: int, names: "list[str] | None" = None) -> Ups:
    return Ups(Clock(), 10000, 2000, UpsdClient("127.0.0.1", port), names)


async def test_a_ups_is_read_over_tcp():
    ups = b'BEGIN LIST UPS\nUPS sai "El \\"UPS\\" grande"\nUPS no/good ""\nEND LIST UPS\n'
    variables = (
        b'BEGIN LIST VAR sai\nVAR sai ups.status "OB LB"\nVAR sai input.voltage "0.0"\nEND LIST VAR sai\n'
    )

    async def work(port: int) -> "Any":
        reader = _reader(port)
        try:
            return await reader.read()
        finally:
            await reader.close()

    rows = await _serve([ups, variables], work)
    assert [(row[0], row[1]) for row in rows] == [("upsd", "sai")]
    fields = rows[0][2]
    assert (fields["ob"], fields["lb"], fields["ol"], fields["input_voltage"]) == (1, 1, 0, 0.0)


async def test_a_server_that_is_absent_is_a_state_of_the_ups():
    rows = await _reader(1, ["sai"]).read()
    assert rows[0][2]["server_lost"] == 1
    try:
        await _reader(1).read()
    except ReaderError as error:
        assert error.reason == "server_lost"
    else:
        raise AssertionError("no UPS is known, yet something was read")
