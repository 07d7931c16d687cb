"""From a broker's name to addresses without blocking the loop: ``getaddrinfo`` may block for half a minute.

An address is used as it is; else /etc/hosts is read; else the servers of /etc/resolv.conf are asked by UDP,
with a limit. The files are read anew each time: a router's change with its uplink. When nothing answers, the
addresses that the name had last are used again: a dead name server must not take the broker away.
"""

import socket

from agent.errors import LinkError
from agent.ports.sockets import forget, readable
from agent.timing import LimitReached, within
from agent.transport import dns

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.timing import Clock

ROUNDS = 2
ANSWER_LIMIT_MS = 1500  # of one question to one server
LIMIT_MS = 8000
MAX_SERVERS = 3  # resolv.conf(5)
MAX_SEARCH = 3
MAX_FILE = 4096
PORT = 53
_DATAGRAM = 1232
_LOCALHOST = {"localhost": ["127.0.0.1"]}  # RFC 6761: it never leaves the machine


class Resolver:
    """Remembers the last addresses of each name it was asked for."""

    def __init__(
        self, clock: "Clock", hosts: str = "/etc/hosts", servers: str = "/etc/resolv.conf", port: int = PORT
    ) -> None:
        """Read ``hosts`` and ``servers`` (paths); ask name servers at ``port``."""
        self._clock = clock
        self._hosts = hosts
        self._servers = servers
        self._port = port
        self._known: dict[str, list[str]] = {}

    async def addresses(self, name: str) -> list[str]:
        """Return addresses as text, at least one. Raises LinkError."""
        if is_address(name):
            return [name]
        found = in_hosts(_lines(self._hosts), name) or _LOCALHOST.get(name)
        if found:
            return found
        try:
            found = await within(self._clock, self._ask_all(name), LIMIT_MS)
        except (LinkError, LimitReached) as error:
            if name not in self._known:
                raise LinkError("unresolved", name + ": " + str(error))
            return self._known[name]
        self._known[name] = found
        return found

    async def _ask_all(self, name: str) -> list[str]:
        """Ask server by server, suffix by suffix; IPv4 before IPv6."""
        servers, suffixes = in_resolv_conf(_lines(self._servers))
        trouble = LinkError("dns_silent", "no name server answers")
        for _ in range(ROUNDS):
            for server in servers:
                for suffix in [""] if "." in name else suffixes + [""]:  # noqa: RUF005 - for MicroPython
                    try:
                        found = await self._ask(server, name + suffix)
                    except LinkError as error:
                        trouble = error
                        if error.reason == "dns_silent":
                            break
                        continue
                    if found:
                        return found
                    trouble = LinkError("no_address", "the name has no address")
        raise trouble

    async def _ask(self, server: str, name: str) -> list[str]:
        for kind, family in ((dns.A, socket.AF_INET), (dns.AAAA, socket.AF_INET6)):
            number = int.from_bytes(self._clock.random_bytes(2), "big")
            question = dns.query(number, name, kind)
            try:
                found = await within(self._clock, self._exchange(server, question), ANSWER_LIMIT_MS)
            except (OSError, LimitReached) as error:
                raise LinkError("dns_silent", "the name server " + server + ": " + str(error))
            if found:
                return [socket.inet_ntop(family, address) for address in found]
        return []

    async def _exchange(self, server: str, question: bytes) -> list[bytes]:
        """Send a question and wait for its answer; other datagrams are ignored."""
        family, kind, proto, _, address = numeric(server, self._port, socket.SOCK_DGRAM)
        sock = socket.socket(family, kind, proto)
        try:
            sock.setblocking(False)
            sock.connect(address)  # from nobody else comes anything
            sock.send(question)
            while True:
                await readable(sock)
                found = dns.answer(question, sock.recv(_DATAGRAM))
                if found is not None:
                    return found
        finally:
            forget(sock)
            sock.close()


def numeric(address: str, port: int, kind: int) -> "tuple[int, int, int, str, Any]":
    """Return ``getaddrinfo``'s row for an address in text, for which it asks nobody. Raises OSError."""
    row: "tuple[int, int, int, str, Any]" = socket.getaddrinfo(address, port, 0, kind)[0]
    return row


def is_address(text: str) -> bool:
    """Tell whether a text is an IPv4 or IPv6 address."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False


def in_hosts(lines: list[list[str]], name: str) -> list[str]:
    """Return the addresses of a name in the words of /etc/hosts."""
    return [words[0] for words in lines if name in words[1:] and is_address(words[0])]


def in_resolv_conf(lines: list[list[str]]) -> tuple[list[str], list[str]]:
    """Return (servers, suffixes to try for a name without a dot); see resolv.conf(5)."""
    servers = [words[1] for words in lines if words[0] == "nameserver" and len(words) > 1]
    servers = [server for server in servers if is_address(server)][:MAX_SERVERS]
    suffixes: list[str] = []
    for words in lines:
        if words[0] in {"search", "domain"}:
            suffixes = ["." + suffix for suffix in words[1 : 1 + MAX_SEARCH]]
    return servers or ["127.0.0.1"], suffixes


def _lines(path: str) -> list[list[str]]:
    """Return the words of each line of a small file; what cannot be read is empty."""
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_FILE).decode()
    except (OSError, UnicodeError):
        return []
    lines = [line.split("#")[0].split() for line in text.split("\n")]
    return [words for words in lines if words]
