"""The read-only page on the LAN side: what ``--print`` says, from the last readings, without Internet.

A tiny HTTP/1.0 server of two resources, ``/`` (HTML without scripts) and ``/status.json``. Off unless an
address is configured, takes requests of ``MAX_REQUEST`` bytes from ``MOST_CLIENTS`` at once, each within
``LIMIT_MS``. The ``Host`` of a request has to be an address or a configured name: a page of another site that
makes its own name point here (DNS rebinding) is refused. What is sent is made and sent piece by piece, and
nothing in it is a secret or a MAC address. The words for it are loaded when somebody first looks.
"""

import asyncio

from agent import own_state
from agent.readers import NOMINAL_V
from agent.readers.probes_addresses import is_ip4
from agent.timing import LimitReached, within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from agent.log import Log
    from agent.samples import Sample
    from agent.timing import Clock

MAX_REQUEST = 1024
MOST_CLIENTS = 4
LIMIT_MS = 5000
AGAIN_MS = 30_000  # before it tries again to listen: the LAN side may come up later
KEPT_MS = 900_000  # a row that was not read for so long is none any more
MOST_ROWS = 200
_PIECE = 512
WORDS = ("agent.print_page", "agent.print_own", "agent.advice", "agent.readers.words")

REASONS = {
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    413: "Content Too Large", 503: "Service Unavailable",
}  # fmt: skip


class Latest:
    """The last reading of every row, and what readers failed with."""

    def __init__(self, clock: "Clock") -> None:
        """Nothing was read yet."""
        self._clock = clock
        self._rows: "dict[tuple[str, str | None], Sample]" = {}
        self.errors: dict[str, str] = {}

    def take(self, reader: str, samples: "list[Sample]", error: str) -> None:
        """Remember a reading."""
        for sample in samples:
            key = (sample.measurement, sample.instance)
            if key in self._rows or len(self._rows) < MOST_ROWS:
                self._rows[key] = sample
        if error:
            self.errors[reader] = error
        else:
            self.errors.pop(reader, None)

    def samples(self) -> "list[Sample]":
        """Return the rows in order; those not read for long are forgotten."""
        oldest_ms = self._clock.uptime_ms() - KEPT_MS
        self._rows = {key: row for key, row in self._rows.items() if row.uptime_ms >= oldest_ms}
        keys = sorted(self._rows, key=lambda key: (key[0], key[1] or ""))
        return [self._rows[key] for key in keys]


class StatusPage:
    """Serves what ``latest`` holds. ``status`` is the running agent's."""

    def __init__(
        self,
        config: "dict[str, Any]",
        latest: Latest,
        status: "Callable[[], dict[str, Any]]",
        clock: "Clock",
        log: "Log",
    ) -> None:
        """Serve at the address of ``config``."""
        self._config = config
        self._page = config["status_page"]
        self._latest = latest
        self._status = status
        self._clock = clock
        self._log = log
        self._clients = 0

    async def run(self) -> None:
        """Serve until cancelled; an address that cannot be had yet is tried again."""
        while True:
            try:
                server = await asyncio.start_server(
                    self._connected, self._page["address"], self._page["port"], backlog=MOST_CLIENTS
                )
            except OSError as error:
                self._log.trouble("status_page", "the page cannot be served: " + str(error))
                await self._clock.sleep_ms(AGAIN_MS)
                continue
            try:
                await asyncio.Event().wait()
            finally:
                server.close()

    async def _connected(self, reader: "Any", writer: "Any") -> None:
        self._clients += 1
        try:
            await within(self._clock, self._answer(reader, writer), LIMIT_MS)
        except (OSError, LimitReached):  # a client that leaves or dawdles is its own trouble
            pass
        except Exception as error:  # noqa: BLE001 - a bug here must not cost the agent's work
            self._log.trouble("status_page", "bug: " + repr(error))
        finally:
            self._clients -= 1
            await _close(writer)

    async def _answer(self, reader: "Any", writer: "Any") -> None:
        if self._clients > 2 * MOST_CLIENTS:
            return
        head = await _head(reader)  # also of who is sent away: closing on unread data would cost the answer
        if self._clients > MOST_CLIENTS:
            await _refuse(writer, 503)
            return
        code, path = judge(head, self._page["names"])
        if code == 200:  # noqa: PLR2004 - as HTTP writes it
            try:
                await self._load()
                kind, pieces = self._resource(path)
            except MemoryError:  # on a heap of fixed size the agent's own work comes first
                await _refuse(writer, 503)
                return
            await _send(writer, 200, kind, pieces)
        else:
            await _refuse(writer, code)

    async def _load(self) -> None:
        """Load the words one module after the other, so that no router stands still for all of them."""
        for name in reversed(WORDS):
            __import__(name)
            await self._clock.sleep_ms(0)

    def _resource(self, path: str) -> "tuple[str, Iterator[str]]":
        from agent.advice import View  # noqa: PLC0415 - 50 KB of heap once somebody looks
        from agent.print_page import as_html, as_json  # noqa: PLC0415 - same

        own = own_state.summary(own_state.told(self._status(), self._clock), self._clock, LIMIT_MS)
        samples = self._latest.samples()
        nominal_v = self._config["readers"].get("ups", {}).get("nominal_v") or NOMINAL_V
        errors = [(name, self._latest.errors[name]) for name in sorted(self._latest.errors)]
        view = View(samples, nominal_v, own, errors)
        if path == "/":
            return "text/html; charset=utf-8", as_html(self._config, view)
        return "application/json", as_json(self._config, view)


def judge(head: bytes, names: list[str]) -> "tuple[int, str]":
    """Return (code, path) for the head of a request; ``names`` may stand in ``Host`` beside addresses."""
    if len(head) >= MAX_REQUEST:
        return 413, ""
    try:
        lines = head.decode().split("\r\n")
    except UnicodeError:
        return 400, ""
    words = lines[0].split(" ")
    hosts = [line[5:].strip() for line in lines[1:] if line[:5].lower() == "host:"]
    if len(words) != 3 or words[2] not in {"HTTP/1.0", "HTTP/1.1"} or len(hosts) != 1:  # noqa: PLR2004 - method, path, version
        return 400, ""
    host = hosts[0].lower().split(":", 1)[0]
    if not is_ip4(host) and host not in names:
        return 403, ""
    return _resource_code(words[0], words[1]), words[1]


def _resource_code(method: str, path: str) -> int:
    if path not in {"/", "/status.json"}:
        return 404
    return 200 if method == "GET" else 405


async def _head(reader: "Any") -> bytes:
    """Return a request's head, or the first ``MAX_REQUEST`` bytes of one that is too long."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < MAX_REQUEST:
        data = await reader.read(MAX_REQUEST - len(head))
        if not data:
            break
        head += data
    end = head.find(b"\r\n\r\n")
    return head if end < 0 else head[:end]


async def _refuse(writer: "Any", code: int) -> None:
    await _send(writer, code, "text/plain", iter([REASONS[code] + "\n"]))


async def _send(writer: "Any", code: int, kind: str, pieces: "Iterator[str]") -> None:
    lines = (
        "HTTP/1.0 " + str(code) + " " + REASONS[code],
        "Content-Type: " + kind,
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'",
        "Connection: close",
        "",
        "",
    )
    held = "\r\n".join(lines)
    for piece in pieces:
        held += piece
        if len(held) >= _PIECE:
            writer.write(held.encode())
            await writer.drain()
            held = ""
    writer.write(held.encode())
    await writer.drain()


async def _close(writer: "Any") -> None:
    try:
        writer.close()
        await writer.wait_closed()
    except OSError:
        pass
