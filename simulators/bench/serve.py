"""Runs a bench: with its page until it is stopped, or all steps by itself."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click
from werkzeug.serving import WSGIRequestHandler, make_server

from simulators import ports
from simulators.bench import certificate, picture
from simulators.bench.bench import LOOPBACK, Bench
from simulators.bench.client import line
from simulators.bench.failure import BenchError
from simulators.bench.web import create_app
from simulators.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulators.bench.bench import Options

POLL_S: Final = 0.3
WELCOME: Final = {
    "es": "Banco de pruebas: {url}   (Ctrl-C para salir)",
    "en": "Bench: {url}   (Ctrl-C to stop)",
}
CARRY: Final = {
    "es": "El equipo informa a este banco con lo que hay en {folder}",
    "en": "The device reports to this bench with what is in {folder}",
}
WRITTEN: Final = {"es": "Certificado: {path}", "en": "Certificate: {path}"}


async def run(options: Options, *, auto: bool, port: int, lang: str, out: Path | None) -> int:
    """Run until stopped or done; return the exit code."""
    if not auto and not ports.is_free(port):
        raise BenchError(f"port {port} is taken; choose another with --port")
    stop = _stop_event()
    async with Bench(options) as bench:
        if bench.issued is not None:
            click.echo(CARRY[lang].format(folder=bench.issued))
        if auto:
            code = await _auto(bench, stop, lang)
        else:
            with serving(bench, port, lang) as url:
                click.echo(WELCOME[lang].format(url=url))
                while not stop.is_set():
                    bench.centre.check()
                    await _rest(stop)
            code = 0
        if out is not None:
            await asyncio.to_thread(out.write_text, certificate.html(bench, lang, now_ms()), encoding="utf-8")
            click.echo(WRITTEN[lang].format(path=out))
    return code


async def _auto(bench: Bench, stop: asyncio.Event, lang: str) -> int:
    """Take all steps and say what came of each."""
    await bench.heard()
    bench.runner.start()
    told: set[str] = set()
    while bench.runner.busy and not stop.is_set():
        _tell(bench, told, lang)
        await _rest(stop)
    if not stop.is_set():
        await bench.runner.finished()
    _tell(bench, told, lang)
    return 0 if certificate.is_passed(bench.runner.records.values()) else 1


def _tell(bench: Bench, told: set[str], lang: str) -> None:
    for name, record in bench.runner.records.items():
        if name not in told and record.state.value in {"passed", "failed", "skipped"}:
            told.add(name)
            click.echo(line(picture.step(record, bench, lang)))


async def _rest(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), POLL_S)
    except TimeoutError:
        return


def _stop_event() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


class _Quiet(WSGIRequestHandler):
    """Serves without a line on the terminal for every look that a page takes."""

    def log_request(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(bench: Bench, port: int, lang: str) -> Iterator[str]:
    """Serve the page in a thread of its own; gives its address, with the key where one is needed."""
    server = make_server(
        bench.options.listen, port, create_app(bench, lang), threaded=True, request_handler=_Quiet
    )
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), name="bench page", daemon=True)
    thread.start()
    open_to_all = bench.options.listen not in LOOPBACK
    host = bench.options.hosts[0] if open_to_all else bench.options.listen
    try:
        yield f"http://{host}:{server.server_port}/" + (f"?key={bench.key}" if open_to_all else "")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
