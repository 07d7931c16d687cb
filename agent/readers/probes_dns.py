"""One question to one DNS server over UDP (RFC 1035), and a strict reader of its answer.

What comes back is hostile until it fits: from the server's address alone (the socket is connected, its port
drawn by the kernel), with our random id, our question, and names whose pointers only lead backwards.
"""

import socket

from agent.errors import ReaderError
from agent.ports import sockets, stopwatch
from agent.readers.probes_sockets import address
from agent.timing import LimitReached, within
from agent.transport import dns

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.timing import Clock

PORT = 53
ATTEMPTS = 2  # one lost datagram is no broken server
SUCCESS, TIMEOUT, FAILED = 0, 1, 2  # result_code, as Telegraf has it

_MAX_MESSAGE = 1232
_HEADER = 12
_IN = 1
_RESPONSE, _CUT_OFF = 0x8000, 0x0200
_OPCODE = 0x7800
_POINTER = 0xC0
_MAX_HOPS = 32
_MOST_RECORDS = 32
_MOST_FOREIGN = 20  # datagrams that are no answer of ours


class Answer:
    """What a server said: ``result``, its ``rcode`` (-1 without an answer), the time, IPv4 addresses."""

    def __init__(self, result: int, rcode: int = -1, time_ms: float = 0.0) -> None:
        """Keep the parts."""
        self.result = result
        self.rcode = rcode
        self.time_ms = time_ms
        self.addresses: list[str] = []


def parse_answer(message: bytes, query: bytes) -> "tuple[int, list[str]]":
    """Return (rcode, addresses). Raises ReaderError: ``not_ours`` (wait on), ``garbage``, ``truncated``."""
    if len(message) < _HEADER or message[:2] != query[:2]:
        raise ReaderError("not_ours", "another id")
    flags = _two(message, 2)
    question = query[_HEADER:]
    if not flags & _RESPONSE or flags & _OPCODE or _two(message, 4) != 1:
        raise ReaderError("not_ours", "no answer to one question")
    if message[_HEADER : _HEADER + len(question)].lower() != question.lower():
        raise ReaderError("not_ours", "another question")
    if flags & _CUT_OFF:
        raise ReaderError("truncated", "the answer was cut off")
    return flags & 0xF, _addresses(message, _HEADER + len(question), min(_two(message, 6), _MOST_RECORDS))


def _addresses(message: bytes, at: int, count: int) -> list[str]:
    found = []
    for _ in range(count):
        at = skip_name(message, at)
        kind, family, size = _two(message, at), _two(message, at + 2), _two(message, at + 8)
        at += 10
        if at + size > len(message):
            raise ReaderError("garbage", "a record beyond the message")
        if (kind, family, size) == (dns.A, _IN, 4):
            found.append(".".join([str(octet) for octet in message[at : at + 4]]))
        at += size
    return found


def skip_name(message: bytes, at: int) -> int:
    """Return where a name ends; its pointers must lead backwards and come to an end."""
    end = -1
    lowest = at
    for _ in range(_MAX_HOPS * 8):
        length = _one(message, at)
        if length & _POINTER == _POINTER:
            target = _two(message, at) & 0x3FFF
            end = at + 2 if end < 0 else end
            if target >= lowest or target < _HEADER:
                raise ReaderError("garbage", "a name that points at itself or ahead")
            at = lowest = target
        elif length & _POINTER:
            raise ReaderError("garbage", "a label of a kind that does not exist")
        elif length == 0:
            return at + 1 if end < 0 else end
        else:
            at += 1 + length
    raise ReaderError("garbage", "a name without an end")


def _one(message: bytes, at: int) -> int:
    if at >= len(message):
        raise ReaderError("garbage", "cut off")
    return message[at]


def _two(message: bytes, at: int) -> int:
    return _one(message, at) << 8 | _one(message, at + 1)


async def ask(clock: "Clock", server: str, name: str, limit_ms: int, port: int) -> Answer:
    """Ask at most ``ATTEMPTS`` times within ``limit_ms``; never raises for what a server does."""
    for _ in range(ATTEMPTS):
        try:
            return await within(clock, _ask_once(clock, server, name, port), limit_ms // ATTEMPTS)
        except LimitReached:
            continue
        except (OSError, ReaderError):  # nobody listens there, or what answers is no DNS server
            return Answer(FAILED)
    return Answer(TIMEOUT)


async def _ask_once(clock: "Clock", server: str, name: str, port: int) -> Answer:
    query = dns.query(int.from_bytes(clock.random_bytes(2), "big"), name, dns.A)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.connect(address(server, port))
        stamp = stopwatch.now_us()
        sock.send(query)
        for _ in range(_MOST_FOREIGN):
            await sockets.readable(sock)
            message = sock.recv(_MAX_MESSAGE)
            try:
                rcode, addresses = parse_answer(message, query)
            except ReaderError as error:
                if error.reason == "not_ours":
                    continue
                raise
            answer = Answer(SUCCESS if rcode == 0 else FAILED, rcode, stopwatch.since_ms(stamp))
            answer.addresses = addresses
            return answer
    finally:
        sock.close()
    raise ReaderError("garbage", "only answers to other questions")
