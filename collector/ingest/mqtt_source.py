"""Network thread: one loop for the connections of all shards, and the way back from the pipeline.

The pipeline never touches a socket: acknowledgements and messages are left in a queue and the loop is woken.
The loop never waits for the pipeline: what it receives goes to the inbox, bounded by the broker's window.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from collector.ingest.bucket import TokenBuckets
from collector.ingest.mqtt_link import Inward, Link, tls_context
from collector.model import Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from collector.clock import Clock
    from collector.config import Config
    from collector.log import Reporter
    from collector.metrics import Metrics
    from collector.model import Received

TICK_S = 0.5
GOODBYE_S = 2.0
JOIN_S = 15.0  # the loop may be in the middle of connecting
_WINDOW_MAX = 65_535


def _window(batch_frames: int, shards: int) -> int:
    """Return how many messages of one shard may wait here: a batch, and two when there is one shard only."""
    return min(max(batch_frames, 2 * batch_frames // max(1, shards)), _WINDOW_MAX)


class MqttSource:
    """Receives for a set of shards; a ``Courier``."""

    def __init__(
        self,
        config: Config,
        shards: Iterable[str],
        deliver: Callable[[Received], None],
        metrics: Metrics,
        reporter: Reporter,
        clock: Clock,
    ) -> None:
        self._metrics = metrics
        self._reporter = reporter
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        for end in (self._wake_read, self._wake_write):
            end.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._wanted: dict[Any, tuple[Link, int]] = {}  # events by socket; a selector takes none without any
        self._commands: deque[Callable[[], None]] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        context = tls_context(config.broker)
        buckets = TokenBuckets(config.ingest.bucket_rate_per_s, config.ingest.bucket_burst)
        deferred = metrics.frames.labels(Outcome.DEFERRED, Reason.RATE_LIMITED)
        inward = Inward(buckets.take, deliver, deferred.inc)
        window = _window(config.ingest.batch_frames, len(set(shards)))
        self._links = {
            shard: Link(shard, config.broker, context, window, inward, self, reporter, clock)
            for shard in shards
        }

    def start(self, owner: str, epochs: Mapping[str, int]) -> None:
        """Begin to receive as the holder of these lease epochs."""
        for shard, link in self._links.items():
            link.serve(owner, epochs[shard])
        self._thread.start()

    def stop(self, *, goodbye: bool = True) -> None:
        """Leave the broker; with ``goodbye`` say so to the devices first."""
        if not goodbye:
            self._links_silent()
        self._stopping.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(GOODBYE_S + JOIN_S)
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _links_silent(self) -> None:
        """Forget the connections' state, so that nothing is published on leaving."""
        for link in self._links.values():
            link.online = False

    def online(self) -> set[str]:
        """Return the shards that are received now."""
        return {shard for shard, link in self._links.items() if link.online}

    def full(self) -> set[str]:
        """Return the shards of which so much waits here that nothing is read."""
        return {shard for shard, link in self._links.items() if link.is_full}

    def is_alive(self) -> bool:
        """Whether the loop runs; it only ends when stopped or by a fault of ours."""
        return self._thread.is_alive()

    # --- the courier: called by the pipeline --------------------------------------------------------

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Acknowledge messages in this order."""
        by_shard: dict[str, list[Received]] = {}
        for message in messages:
            by_shard.setdefault(message.shard, []).append(message)

        def run() -> None:
            for shard, received in by_shard.items():
                self._links[shard].acknowledge(received)

        self._command(run)

    def publish(self, shard: str, topic: str, payload: bytes) -> bool:
        """Send a message if the shard's connection is up; say whether it is."""
        link = self._links[shard]
        if link.online:
            self._command(lambda: link.publish(topic, payload))
        return link.online

    def _command(self, command: Callable[[], None]) -> None:
        self._commands.append(command)
        if len(self._commands) == 1:  # else whoever left the one before woke the loop, which takes all
            self._wake()

    def _wake(self) -> None:
        # a full pipe wakes as well; a closed one has nobody to wake
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_write.send(b"!")

    # --- the watcher: called by the links -----------------------------------------------------------

    def opened(self, link: Link, sock: Any) -> None:
        """Read this socket from now on."""
        self._wanted[sock] = (link, selectors.EVENT_READ)
        self._selector.register(sock, selectors.EVENT_READ, link)

    def closed(self, sock: Any) -> None:
        """Forget a socket."""
        self._wanted.pop(sock, None)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(sock)

    def readable(self, sock: Any, *, wanted: bool) -> None:
        """Read this socket when it can be, or no longer."""
        self._want(sock, selectors.EVENT_READ, wanted=wanted)

    def writable(self, sock: Any, *, wanted: bool) -> None:
        """Write this socket when it can be, or no longer."""
        self._want(sock, selectors.EVENT_WRITE, wanted=wanted)

    def _want(self, sock: Any, event: int, *, wanted: bool) -> None:
        if sock not in self._wanted:
            return
        link, before = self._wanted[sock]
        now = before | event if wanted else before & ~event
        self._wanted[sock] = (link, now)
        with contextlib.suppress(KeyError, ValueError):
            if before and now:
                self._selector.modify(sock, now, link)
            elif now:
                self._selector.register(sock, now, link)
            elif before:
                self._selector.unregister(sock)

    # --- the loop -------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._maintain()
            self._turn(TICK_S)
        self._goodbye()

    def _maintain(self) -> None:
        now = self._clock.mono()
        for link in self._links.values():
            if self._stopping.is_set():
                return
            link.maintain(now)
        self._metrics.connected.set(len(self.online()))

    def _turn(self, timeout_s: float) -> None:
        pending = [link for link in self._links.values() if link.has_more()]
        ready = self._selector.select(0 if pending or self._commands else timeout_s)
        for link in pending:
            link.read()
        for key, events in ready:
            if key.data is None:
                self._drain()
                continue
            if events & selectors.EVENT_READ:
                key.data.read()
            if events & selectors.EVENT_WRITE:
                key.data.write()
        while self._commands:
            self._commands.popleft()()
        for link in self._links.values():
            link.flush()

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_read.recv(4096):
                pass

    def _goodbye(self) -> None:
        """Say that the shards are unattended, wait until the broker has it, leave."""
        told = [link for link in self._links.values() if link.sign_off()]
        end = self._clock.mono() + GOODBYE_S
        while not all(link.is_flushed() for link in told) and self._clock.mono() < end:
            self._turn(0.05)
        for link in self._links.values():
            link.disconnect()
        self._metrics.connected.set(0)
