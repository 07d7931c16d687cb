"""The web process as it runs in earnest: gunicorn in a process of its own, on a free port."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from collector.clock import SystemClock
from collector.config import parse
from collector.storage.embedded import EmbeddedStore
from collector.storage.state import open_engine
from collector.web.serve import serve
from tests.servers.wait import until
from tests.web.conftest import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.process import BaseProcess
    from pathlib import Path


def _run(folder: Path, port: int) -> None:
    config = parse(SETTINGS | {"web": {"port": port, "threads": 4}}, folder)
    engine, store = open_engine(config.state_url()), EmbeddedStore(config.store, SystemClock())
    serve(config, engine, store, CollectorRegistry, SystemClock(), folder / "port")


@contextmanager
def running(folder: Path, port: int = 0) -> Iterator[tuple[str, BaseProcess]]:
    """Serve what is in ``folder``; yields address and process, and stops it."""
    (folder / "port").unlink(missing_ok=True)
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(folder, port))
    process.start()
    try:
        until((folder / "port").exists, "the server to say its port")
        yield f"http://127.0.0.1:{(folder / 'port').read_text().strip()}", process
    finally:
        if process.is_alive() and process.pid:
            os.kill(process.pid, signal.SIGTERM)
        process.join(20)
        assert process.exitcode is not None, "the server did not stop"
