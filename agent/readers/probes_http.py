"""One small HTTP request: does it answer, with what, how fast; over TLS also what its certificate is like.

Nothing is read beyond the head of the answer. A redirect is an answer, and not followed: a captive portal
answers so. A certificate that does not hold is told, and the request made again without it, so that the date
on which it ended is known where the interpreter shows certificates.
"""

from agent.errors import ReaderError
from agent.ports import sockets, stopwatch, tls_probe
from agent.readers.probes_sockets import connected
from agent.timing import LimitReached, within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.readers.probes_addresses import Target
    from agent.timing import Clock

# result_code, as Telegraf's http_response has it
SUCCESS, BAD_ANSWER, REFUSED, TIMEOUT, NO_NAME = 0, 2, 3, 4, 5
MAX_HEAD = 4096
_CHUNK = 512
_REDIRECTS = (301, 302, 303, 307, 308)


class Result:
    """What a request came to. ``code`` is HTTP's, 0 without an answer; ``verified`` None: was not tried."""

    def __init__(self, result: int) -> None:
        """Begin with one of the codes above."""
        self.result = result
        self.code = 0
        self.time_ms = 0.0
        self.redirected = False
        self.verified: "bool | None" = None
        self.enddate: "int | None" = None


def request(target: "Target") -> bytes:
    """Return the request: HTTP/1.0, so that the server closes."""
    standard = target.port == (443 if target.kind == "https" else 80)
    host = target.host if standard else target.host + ":" + str(target.port)
    lines = ("GET " + target.path + " HTTP/1.0", "Host: " + host, "User-Agent: vigia-agent", "", "")
    return "\r\n".join(lines).encode()


def parse_head(head: bytes) -> "tuple[int, bool]":
    """Return (code, whether it sends elsewhere) of the head of an answer. Raises ReaderError ``garbage``."""
    lines = head.split(b"\r\n")
    words = lines[0].split(b" ", 2)
    if len(words) < 2 or words[0] not in {b"HTTP/1.0", b"HTTP/1.1"} or len(words[1]) != 3:  # noqa: PLR2004 (RFC 9112)
        raise ReaderError("garbage", "no answer of HTTP")
    if not words[1].isdigit() or words[1] < b"100":
        raise ReaderError("garbage", "no code of HTTP")
    code = int(words[1])
    located = any([line.lower().startswith(b"location:") for line in lines[1:]])  # noqa: C419 - for MicroPython
    return code, code in _REDIRECTS and located


async def fetch(
    clock: "Clock", target: "Target", host: str, limit_ms: int, authority: "bytes | None" = None
) -> Result:
    """Ask ``host`` (an address) for the target; never raises for what a server does."""
    result = Result(TIMEOUT)
    try:
        await within(clock, _fetch(target, host, authority, result), limit_ms)
    except LimitReached:
        result.result = TIMEOUT
    except ReaderError:
        result.result = BAD_ANSWER
    except (OSError, EOFError):
        result.result = REFUSED
    return result


async def _fetch(target: "Target", host: str, authority: "bytes | None", result: Result) -> None:
    if target.kind == "https" and tls_probe.can_verify(authority):
        try:
            await _exchange(target, host, authority, result, verify=True)
        except ReaderError as error:
            if error.reason != "certificate":
                raise
            result.verified = False
        else:
            result.verified = True
            return
    await _exchange(target, host, authority, result, verify=False)


async def _exchange(
    target: "Target", host: str, authority: "bytes | None", result: Result, *, verify: bool
) -> None:
    stamp = stopwatch.now_us()
    sock = await connected(host, target.port)
    link: "Any" = sock
    try:
        if target.kind == "https":
            link = tls_probe.TlsLink(sock, target.host, authority, verify=verify)
            await _write(link, request(target))
            result.enddate = link.enddate()
        else:
            sock.send(request(target))  # into an empty buffer: it fits
        head = await (_tls_head(link) if target.kind == "https" else _plain_head(sock))
        result.time_ms = stopwatch.since_ms(stamp)
        result.code, result.redirected = parse_head(head)
        result.result = SUCCESS
    finally:
        link.close()
        sock.close()


async def _write(link: "Any", data: bytes) -> None:
    while link.write(data) is None:  # the handshake goes on in the first write
        await sockets.readable(link.waits_on)


async def _plain_head(sock: "Any") -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        await sockets.readable(sock)
        head = _longer(head, sock.recv(_CHUNK))
    return head[: head.find(b"\r\n\r\n")]


async def _tls_head(link: "Any") -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = link.read(_CHUNK)
        if data is None:
            await sockets.readable(link.waits_on)
        else:
            head = _longer(head, data)
    return head[: head.find(b"\r\n\r\n")]


def _longer(head: bytes, data: bytes) -> bytes:
    if not data:
        raise ReaderError("garbage", "the head was cut off")
    if len(head) + len(data) > MAX_HEAD:
        raise ReaderError("garbage", "a head without an end")
    return head + data
