"""DNS answers, the files a resolver reads, and what it does when nobody answers."""

from agent.errors import LinkError
from agent.transport import dns
from agent.transport.resolver import in_hosts, in_resolv_conf, is_address

QUESTION = dns.query(0x1234, "broker.example", dns.A)
HEAD = b"\x12\x34\x81\x80\x00\x01"


def answer(records: bytes, count: int, head: bytes = HEAD) -> "list[bytes] | None":
    """Decode an answer with these records."""
    return dns.answer(
        QUESTION, head + count.to_bytes(2, "big") + b"\x00\x00\x00\x00" + QUESTION[12:] + records
    )


def record(data: bytes, kind: int = dns.A, name: bytes = b"\xc0\x0c") -> bytes:
    """Encode a record."""
    return name + kind.to_bytes(2, "big") + b"\x00\x01\x00\x00\x00\x3c" + len(data).to_bytes(2, "big") + data


def reason_of(head: bytes) -> str:
    """Return why an answer with this head is refused."""
    try:
        answer(b"", 0, head)
    except LinkError as error:
        return error.reason
    raise AssertionError("not refused")


def test_a_question():
    assert (
        QUESTION
        == b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06broker\x07example\x00\x00\x01\x00\x01"
    )
    for name in ("", "a..b", "x" * 64 + ".example", "a." * 127 + "example"):
        try:
            dns.query(1, name, dns.A)
        except LinkError as error:
            assert error.reason == "bad_name"
            continue
        raise AssertionError(name)


def test_addresses_behind_aliases():
    alias = record(b"\x04host\xc0\x13", 5)
    here = record(b"\x0a\x00\x00\x01") + record(b"\x0a\x00\x00\x02", name=b"\x04host\xc0\x13")
    assert answer(alias + here, 3) == [b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02"]
    assert answer(record(bytes(16), dns.AAAA), 1) == []
    assert answer(record(b"\x0a\x00\x00"), 1) == []


def test_what_is_no_answer_to_it():
    assert answer(b"", 0, b"\x12\x35" + HEAD[2:]) is None  # another number
    assert answer(b"", 0, b"\x12\x34\x01\x00\x00\x01") is None  # a question
    assert dns.answer(QUESTION, b"") is None
    assert dns.answer(QUESTION, HEAD) is None
    assert dns.answer(QUESTION, HEAD + bytes(6) + QUESTION[12:].replace(b"broker", b"btoker")) is None
    assert dns.answer(QUESTION, HEAD + bytes(6) + QUESTION[12:].replace(b"broker", b"BROKER")) == []


def test_failures_have_names():
    assert reason_of(b"\x12\x34\x81\x83\x00\x01") == "no_such_name"
    assert reason_of(b"\x12\x34\x81\x82\x00\x01") == "dns_failed"


def test_cut_answers_end_the_list():
    whole = record(b"\x0a\x00\x00\x01") + record(b"\x0a\x00\x00\x02")
    for end in range(len(whole)):
        found = answer(whole[:end], 2)
        assert found in ([], [b"\x0a\x00\x00\x01"]), (end, found)
    assert answer(record(b"\x0a\x00\x00\x01", name=b"\x3f"), 1) == []


def test_addresses_and_files():
    for good in ("127.0.0.1", "10.0.0.255", "::1", "2001:db8::1"):
        assert is_address(good)
    for bad in ("", "localhost", "1.2.3", "1.2.3.256", "example.com"):
        assert not is_address(bad)
    assert in_hosts([["10.0.0.1", "a", "b"], ["bad", "b"], ["::1", "b"]], "b") == ["10.0.0.1", "::1"]
    lines = [
        ["search", "lan", "example"],
        ["nameserver", "10.0.0.1"],
        ["nameserver", "fe80::1%eth0"],
        ["nameserver"],
    ]
    assert in_resolv_conf(lines) == (["10.0.0.1"], [".lan", ".example"])
    assert in_resolv_conf([]) == (["127.0.0.1"], [])
