"""Probes: what is read and sent byte by byte, and the gateway's story against loopback."""

import os

from agent.errors import ReaderError
from agent.ports.clock import SystemClock
from agent.readers import probes_addresses as where
from agent.readers import probes_dns, probes_http, probes_icmp
from agent.readers.probes import Probes
from agent.transport import dns
from tests.portable.test_readers import _listen

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

OPTIONS = {
    "interval_s": 30,
    "watch_s": 10,
    "https_s": 300,
    "gateway": None,
    "modem": None,
    "dns": None,
    "dns_name": "example.com",
}
NONCE = b"12345678"
QUERY = dns.query(0x1234, "example.com", dns.A)
# an answer with a name server's name of another record before the address
CNAME = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x03www\xc0\x0c"
ADDRESS = b"\xc0\x29\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07"
GOOD = b"\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00" + QUERY[12:] + CNAME + ADDRESS


def _record(owner: bytes) -> bytes:
    head = b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + QUERY[12:]
    return head + owner + b"\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07"


# each wrong in one way; the question begins at 12 and ends at 29
HOSTILE = {
    "another id": ("not_ours", b"\x12\x35" + GOOD[2:]),
    "a question": ("not_ours", GOOD[:2] + b"\x01\x80" + GOOD[4:]),
    "another operation": ("not_ours", GOOD[:2] + b"\x89\x80" + GOOD[4:]),
    "two questions": ("not_ours", GOOD[:4] + b"\x00\x02" + GOOD[6:]),
    "another name": ("not_ours", GOOD[:13] + b"f" + GOOD[14:]),
    "another type": ("not_ours", GOOD[:26] + b"\x1c" + GOOD[27:]),
    "a head alone": ("not_ours", GOOD[:11]),
    "cut off by the server": ("truncated", GOOD[:2] + b"\x83\x80" + GOOD[4:]),
    "cut in a record": ("garbage", GOOD[:-1]),
    "more records than there are": ("garbage", GOOD[:6] + b"\x00\x03" + GOOD[8:]),
    "a name that points at itself": ("garbage", _record(b"\xc0\x1d")),
    "a name that points ahead": ("garbage", _record(b"\xc0\x20")),
    "two names that point at each other": ("garbage", _record(b"\x01a\xc0\x1d")),
    "a pointer into the head": ("garbage", _record(b"\xc0\x02")),
    "a label of a kind that does not exist": ("garbage", _record(b"\x80\x00")),
    "a label beyond the end": ("garbage", _record(b"\x3f")),
}


def test_a_question_is_that_of_rfc_1035():
    assert QUERY == b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"


def test_an_answer_gives_its_addresses():
    assert probes_dns.parse_answer(GOOD, QUERY) == (0, ["192.0.2.7"])
    assert probes_dns.parse_answer(GOOD[:3] + b"\x83" + GOOD[4:], QUERY)[0] == 3


def test_hostile_answers_are_refused():
    for name, (reason, message) in HOSTILE.items():
        try:
            found = probes_dns.parse_answer(message, QUERY)
        except ReaderError as error:
            assert error.reason == reason, (name, error.reason)
        else:
            raise AssertionError(name + " was taken: " + str(found))


def _reason(message: bytes) -> str:
    try:
        probes_dns.parse_answer(message, QUERY)
    except ReaderError as error:
        return error.reason
    return "taken"


def test_noise_is_refused_without_another_error():
    seen = set()
    for size in range(60):
        for _ in range(20):
            seen.add(_reason(QUERY[:2] + b"\x81\x80\x00\x01\x00\x09" + GOOD[8:29] + os.urandom(size)))
    assert seen - {"taken"} == {"garbage"}


def test_the_checksum_is_that_of_rfc_1071():
    assert probes_icmp.checksum(b"\x00\x01\xf2\x03\xf4\xf5\xf6\xf7") == 0x220D
    assert probes_icmp.checksum(probes_icmp.echo(1, 2, NONCE)) == 0
    assert probes_icmp.checksum(b"\x01") == 0xFEFF


def test_only_our_own_reply_counts():
    reply = b"\x00\x00\xab\xcd\x00\x01\x00\x02" + NONCE
    assert probes_icmp.parse_reply(reply, NONCE) == 2
    assert probes_icmp.parse_reply(b"\x45" + bytes(19) + reply, NONCE) == 2
    assert probes_icmp.parse_reply(b"\x46" + bytes(23) + reply, NONCE) == 2
    for other in (
        reply[:-1],
        b"\x08" + reply[1:],
        reply[:1] + b"\x01" + reply[2:],
        reply[:-1] + b"9",
        b"",
        b"\x4f" * 30,
    ):
        assert probes_icmp.parse_reply(other, NONCE) is None, other


def test_targets_are_taken_or_refused():
    good = {
        "192.0.2.1": ("ping", "192.0.2.1", 0, "192.0.2.1"),
        "ping://portal.example": ("ping", "portal.example", 0, "portal.example"),
        "tcp://192.0.2.1:22": ("tcp", "192.0.2.1", 22, "tcp://192.0.2.1:22"),
        "http://portal.example/a?b=c": ("http", "portal.example", 80, "http://portal.example/a"),
        "https://portal.example:8443": ("https", "portal.example", 8443, "https://portal.example:8443"),
        "dns://192.0.2.1/example.org": ("dns", "192.0.2.1", 53, "192.0.2.1"),
    }
    for text, wanted in good.items():
        found = where.parse_target(text)
        assert found is not None, text
        assert (found.kind, found.host, found.port, found.label) == wanted, text
    bad = (
        "", "ftp://a", "http://", "tcp://192.0.2.1", "tcp://192.0.2.1:0", "http://a:65536/", "http://a:x/",
        "http://user@a/", "http://a b/", "http://a/\r\nX: y", "http://a/\u00e9", "256.1.1.1", "1.2.3",
        "01.2.3.4", "ping://a/b", "ping://a:1", "dns://portal.example", "dns://192.0.2.1/a b",
        "http://" + "a" * 120, "a..b",
    )  # fmt: skip
    for text in bad:
        assert where.parse_target(text) is None, text


def test_the_gateway_is_found_on_either_byte_order():
    assert where.address_of(0x0100A8C0, "little") == where.address_of(0xC0A80001, "big") == "192.168.0.1"


def test_the_head_of_an_answer():
    assert probes_http.parse_head(b"HTTP/1.1 200 OK\r\nA: b") == (200, False)
    assert probes_http.parse_head(b"HTTP/1.0 302 Found\r\nlocation: http://a/") == (302, True)
    assert probes_http.parse_head(b"HTTP/1.0 304") == (304, False)
    for bad in (
        b"",
        b"SSH-2.0-x",
        b"HTTP/2 200",
        b"HTTP/1.1 20",
        b"HTTP/1.1 2x0 OK",
        b"HTTP/1.1 099 no",
        b"HTTP/1.1",
    ):
        try:
            probes_http.parse_head(bad)
        except ReaderError as error:
            assert error.reason == "garbage"
        else:
            raise AssertionError(bad)


def _probes(targets: "list[str]", **options: "Any") -> Probes:
    made = dict(OPTIONS)
    made.update(options)
    return Probes(SystemClock(), made, [where.parse_target(text) for text in targets])  # type: ignore[misc]


def _row(rows: "list[Any]", measurement: str) -> "dict[str, Any]":
    (found,) = [row for row in rows if row[0] == measurement]
    return dict(found[2])


async def test_a_gateway_that_answers():
    row = _row(await _probes([], gateway="127.0.0.1").read(), "ping")
    assert (row["result_code"], row["packets_transmitted"], row["percent_packet_loss"]) == (0, 3, 0.0), row
    assert row["method"] in {1, 2}
    assert 0 <= row["minimum_response_ms"] <= row["average_response_ms"] <= row["maximum_response_ms"] < 1000


async def test_a_port_that_refuses_is_alive():
    row = _row(await _probes(["tcp://127.0.0.1:1"]).read(), "ping")
    assert (row["result_code"], row["method"], row["packets_received"]) == (0, 2, 3), row


async def test_without_echoes_a_connection_proves_life():
    tally = probes_icmp.Tally()
    real, probes_icmp.open_echo = probes_icmp.open_echo, lambda: None
    try:
        port = await probes_icmp.ping(SystemClock(), "127.0.0.1", tally)
    finally:
        probes_icmp.open_echo = real
    assert port in probes_icmp.TCP_PORTS
    assert (tally.sent, len(tally.times_ms), tally.method) == (3, 3, probes_icmp.BY_TCP)


async def test_a_page_that_answers_and_one_that_hangs():
    async def answer(reader: "Any", writer: "Any") -> None:
        line = await reader.readline()
        if b"/hang" in line:
            while await reader.read(100):
                pass
        else:
            writer.write(b"HTTP/1.0 302 Found\r\nLocation: http://portal.example/\r\n\r\n")
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server, port = await _listen(answer)
    base = "http://127.0.0.1:" + str(port)
    try:
        row = _row(await _probes([base + "/"]).read(), "http_response")
        assert (row["result_code"], row["http_response_code"], row["redirected"]) == (0, 302, 1), row
        assert row["response_time"] < 5
        row = _row(await _probes([base + "/hang"], interval_s=1).read(), "http_response")
        assert row == {"result_code": probes_http.TIMEOUT}
    finally:
        server.close()
        await server.wait_closed()


async def test_nobody_at_home_is_an_answer_too():
    rows = await _probes(["http://127.0.0.1:1/", "http://nowhere.example/"], dns=["127.0.0.1"]).read()
    codes = [row[2]["result_code"] for row in rows if row[0] == "http_response"]
    assert codes == [probes_http.REFUSED, probes_http.NO_NAME]
    assert _row(rows, "dns_query") == {"result_code": probes_dns.FAILED}


async def test_between_two_samples_only_the_gateway_is_probed():
    reader = _probes(["tcp://127.0.0.1:1"], gateway="127.0.0.1")
    assert [row[1] for row in await reader.read()] == ["gateway", "tcp://127.0.0.1:1"]
    assert [row[1] for row in await reader.read()] == ["gateway"]
