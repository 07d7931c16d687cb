"""Is somebody there: ICMP echo where the kernel allows it (RFC 792), else a TCP connection.

Linux lets a group of users send echoes through datagram sockets (icmp(7), ``net.ipv4.ping_group_range``) and
root through raw ones; where neither is allowed, a TCP connection that is accepted *or refused* proves that
somebody is there. An answer is ours when it carries the 8 random bytes that were sent.
"""

import socket
import struct

from agent.ports import sockets, stopwatch
from agent.readers.probes_sockets import address, connected, refused
from agent.timing import LimitReached, within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.timing import Clock

COUNT = 3
GAP_MS = 100
WAIT_MS = 1000
TCP_PORTS = (80, 443, 53)  # where a router, a modem or a server most likely answers
BY_ICMP, BY_TCP = 1, 2
NONCE_BYTES = 8

_PROTOCOL = 1
_ECHO, _REPLY = 8, 0
_HEADER = ">BBHHH"
_MAX_PACKET = 576
_MOST_FOREIGN = 200  # packets of others on a raw socket before an answer counts as lost


class Tally:
    """What one probe has seen so far, so that one that is cut off still says something."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.sent = 0
        self.times_ms: list[float] = []
        self.method = 0
        self.no_route = False


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    total = 0
    for at in range(0, len(data) - 1, 2):
        total += (data[at] << 8) | data[at + 1]
    if len(data) & 1:
        total += data[-1] << 8
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


def echo(ident: int, seq: int, nonce: bytes) -> bytes:
    """Return an echo request."""
    bare = struct.pack(_HEADER, _ECHO, 0, 0, ident, seq) + nonce
    return struct.pack(_HEADER, _ECHO, 0, checksum(bare), ident, seq) + nonce


def parse_reply(packet: bytes, nonce: bytes) -> "int | None":
    """Return the seq of an echo reply with our nonce, None for anything else.

    A raw socket gives the packet with its IP header, a datagram socket without.
    """
    if len(packet) > 20 and packet[0] >> 4 == 4:  # noqa: PLR2004 (IPv4; an echo reply begins with 0)
        packet = packet[(packet[0] & 0xF) * 4 :]
    if len(packet) < 8 + len(nonce) or packet[0] != _REPLY or packet[1] != 0:
        return None
    return struct.unpack(">H", packet[6:8])[0] if packet[8 : 8 + len(nonce)] == nonce else None


async def ping(clock: "Clock", host: str, tally: Tally, wait_ms: int = WAIT_MS, known_port: int = 0) -> int:
    """Probe an address ``COUNT`` times into ``tally``; return the TCP port that answered, 0 without one.

    ``known_port`` is that of the time before.
    """
    sock = open_echo()
    if sock is None:
        return await _by_tcp(clock, host, tally, wait_ms, known_port)
    tally.method = BY_ICMP
    try:
        await _by_icmp(clock, sock, host, tally, wait_ms)
    except OSError:  # no route, or the network is down
        tally.no_route = True
        tally.sent = COUNT
    finally:
        sock.close()
    return 0


def open_echo() -> "Any":
    """Return a socket for echoes, None when the kernel allows none."""
    for kind in (socket.SOCK_DGRAM, getattr(socket, "SOCK_RAW", socket.SOCK_DGRAM)):
        try:
            sock = socket.socket(socket.AF_INET, kind, _PROTOCOL)
        except OSError:
            continue
        sock.setblocking(False)
        return sock
    return None


async def _by_icmp(clock: "Clock", sock: "Any", host: str, tally: Tally, wait_ms: int) -> None:
    where = address(host, 0)
    ident = int.from_bytes(clock.random_bytes(2), "big")
    nonce = clock.random_bytes(NONCE_BYTES)
    for seq in range(COUNT):
        stamp = stopwatch.now_us()
        sock.sendto(echo(ident, seq, nonce), where)
        tally.sent += 1
        try:
            await within(clock, _reply(sock, seq, nonce), wait_ms)
            tally.times_ms.append(stopwatch.since_ms(stamp))
        except LimitReached:
            continue
        if seq < COUNT - 1:
            await clock.sleep_ms(GAP_MS)


async def _reply(sock: "Any", seq: int, nonce: bytes) -> None:
    for _ in range(_MOST_FOREIGN):
        await sockets.readable(sock)
        if parse_reply(sock.recvfrom(_MAX_PACKET)[0], nonce) == seq:
            return
    raise LimitReached("foreign", "only packets of others")


async def _by_tcp(clock: "Clock", host: str, tally: Tally, wait_ms: int, known_port: int) -> int:
    tally.method = BY_TCP
    port = known_port
    for candidate in TCP_PORTS:
        if port:
            break
        if await _knock(clock, host, candidate, tally, wait_ms):
            port = candidate
    if not port or tally.no_route:
        tally.sent = COUNT
        return 0
    tally.sent = len(tally.times_ms)  # ports that nobody listens behind are no lost packets
    await knock_thrice(clock, host, port, tally, wait_ms)
    return port if tally.times_ms else 0


async def knock_thrice(clock: "Clock", host: str, port: int, tally: Tally, wait_ms: int) -> None:
    """Connect to one port until ``COUNT`` attempts are in the tally."""
    tally.method = BY_TCP
    while tally.sent < COUNT:
        tally.sent += 1
        if await _knock(clock, host, port, tally, wait_ms) and tally.sent < COUNT:
            await clock.sleep_ms(GAP_MS)


async def _knock(clock: "Clock", host: str, port: int, tally: Tally, wait_ms: int) -> bool:
    """Tell whether somebody answers a connection to this port, be it by refusing."""
    stamp = stopwatch.now_us()
    try:
        sock = await within(clock, connected(host, port), wait_ms)
        sock.close()
    except LimitReached:
        return False
    except OSError as error:
        if not refused(error):
            tally.no_route = True
            return False
    tally.times_ms.append(stopwatch.since_ms(stamp))
    return True
