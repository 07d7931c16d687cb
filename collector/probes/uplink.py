"""The way out of the centre: independent targets of which one has to answer.

A target is ``tcp://host:port`` (a connection is made), ``dns://server[:port]/name`` (an answer to a question,
whatever it says) or ``http[s]://...`` (a response, whatever its status). All are asked at once; that none
answers is a fault of our own way out, for they have nothing else in common.
"""

from __future__ import annotations

import http.client
import secrets
import socket
import struct
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from collector.probes.record import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DNS_PORT: Final = 53


class UplinkProbe:
    """Asks all targets at once; one answer is enough."""

    name = "uplink"

    def __init__(self, targets: Sequence[str], timeout_s: float) -> None:
        self._targets = tuple(targets)
        self._timeout_s = timeout_s
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(self._targets)))

    def ask(self) -> Seen:
        """Ask; the latency is that of the first good answer."""
        begun = time.monotonic()
        found = list(self._pool.map(self._one, self._targets))
        good = [at for at, wrong in found if not wrong]
        if good:
            return Seen(good=True, latency_ms=(min(good) - begun) * 1000)
        words = (f"{target}: {wrong}" for target, (_, wrong) in zip(self._targets, found, strict=True))
        return Seen(good=False, detail="; ".join(words))

    def _one(self, target: str) -> tuple[float, str]:
        parts = urlsplit(target)
        try:
            ASK[parts.scheme](parts, self._timeout_s)
        except (OSError, http.client.HTTPException) as error:
            return time.monotonic(), str(error) or type(error).__name__
        return time.monotonic(), ""

    def close(self) -> None:
        """Wait for nobody."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def wrong_target(target: str) -> str | None:
    """Say what is wrong with a target as it stands in the configuration."""
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError as error:
        return f"'{target}': {error}"
    if parts.scheme not in ASK:
        return f"'{target}' is neither {', '.join(sorted(ASK))}"
    if not parts.hostname or (parts.scheme == "tcp" and port is None):
        return f"'{target}' names no host{' and port' if parts.scheme == 'tcp' else ''}"
    return f"'{target}' asks for no name" if parts.scheme == "dns" and not parts.path.strip("/") else None


def _tcp(parts: SplitResult, timeout_s: float) -> None:
    socket.create_connection((parts.hostname or "", parts.port or 0), timeout_s).close()


def _dns(parts: SplitResult, timeout_s: float) -> None:
    """Ask for an address (RFC 1035, 4.1); any answer to our own question is good."""
    number = secrets.token_bytes(2)
    name = parts.path.strip("/").encode("idna")
    labels = b"".join(bytes([len(label)]) + label for label in name.split(b".") if label)
    query = number + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)
    address = socket.getaddrinfo(parts.hostname, parts.port or DNS_PORT, type=socket.SOCK_DGRAM)[0]
    with socket.socket(address[0], socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout_s)
        sock.connect(address[4])
        sock.send(query)
        until = time.monotonic() + timeout_s
        while sock.recv(512)[:2] != number:
            if time.monotonic() > until:
                raise TimeoutError("timed out")


def _http(parts: SplitResult, timeout_s: float) -> None:
    request = urllib.request.Request(parts.geturl(), method="HEAD")  # noqa: S310 - the scheme was checked
    try:
        urllib.request.urlopen(request, timeout=timeout_s).close()  # noqa: S310 - same
    except urllib.error.HTTPError:
        return  # somebody answered


ASK: Final[dict[str, Callable[[SplitResult, float], None]]] = {
    "tcp": _tcp, "dns": _dns, "http": _http, "https": _http,
}  # fmt: skip
