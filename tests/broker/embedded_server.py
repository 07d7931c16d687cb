"""The embedded broker in a thread, with the same handles as ``MosquittoServer``."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from collector.broker.embedded import serve
from collector.config import BrokerConfig
from tests.servers.wait import until

if TYPE_CHECKING:
    from certs.authority import Authority


def broker_config(authority: Authority) -> BrokerConfig:
    pki = authority.folder
    return BrokerConfig(
        port=authority.settings.collector_port,
        device_port=authority.settings.device_port,
        ca_file=pki / "ca.pem",
        collector_ca_file=pki / "collector" / "ca.pem",
        server_cert_file=pki / "server" / "cert.pem",
        server_key_file=pki / "server" / "key.pem",
        embedded=True,
        mqtt_version=4,
    )


class Reasons:
    """Collects problems by reason."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def problem(self, reason: str, message: str) -> None:
        self.seen.append((reason, message))

    def reasons(self) -> set[str]:
        return {reason for reason, _ in self.seen}


class EmbeddedServer:
    mqtt_version = 4

    def __init__(self, authority: Authority) -> None:
        self.host = "localhost"
        self.authority = authority
        self.device_port = authority.settings.device_port
        self.collector_port = authority.settings.collector_port
        self.problems = Reasons()
        self.loop_errors: list[dict[str, object]] = []
        self._stop: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="embedded-broker")

    def start(self) -> EmbeddedServer:
        self._thread.start()
        until(lambda: self._ready.is_set() or self._failure, "the embedded broker to listen")
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        if self._stop is not None:
            loop, event = self._stop
            loop.call_soon_threadsafe(event.set)
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:  # noqa: BLE001 - told to the test that waits for the start
            self._failure = error

    async def _main(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: self.loop_errors.append(context))
        self._stop = (loop, stop)
        await serve(broker_config(self.authority), self._ready.set, stop, self.problems)
