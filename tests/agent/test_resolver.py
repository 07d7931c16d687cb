"""Names of brokers against a name server of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from agent.errors import LinkError
from agent.ports.clock import SystemClock
from agent.transport import resolver
from agent.transport.resolver import Resolver

if TYPE_CHECKING:
    from pathlib import Path


Answer = Callable[[bytes], "bytes | None"]


class NameServer(asyncio.DatagramProtocol):
    """Answers with what ``answer(question)`` returns; None is silence."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self.answer = answer
        self.asked: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.append(data)
        said = self.answer(data)
        if said is not None:
            self.transport.sendto(said, addr)


def reply(question: bytes, address: bytes | None = b"\x7f\x00\x00\x05", code: int = 0) -> bytes:
    head = question[:2] + bytes((0x81, 0x80 | code, 0, 1, 0, 1 if address else 0, 0, 0, 0, 0))
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + address if address else b""
    return head + question[12:] + record


def resolve(tmp_path: Path, answer: Callable[[bytes], bytes | None], *names: str) -> list[list[str] | str]:
    """Ask for names one after the other; return addresses or reasons."""
    conf = tmp_path / "resolv.conf"
    conf.write_text("search lan\nnameserver 127.0.0.1\n")

    async def work() -> list[list[str] | str]:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: NameServer(answer), local_addr=("127.0.0.1", 0)
        )
        port = transport.get_extra_info("sockname")[1]
        asked = Resolver(SystemClock(), str(tmp_path / "hosts"), str(conf), port)
        found: list[list[str] | str] = []
        for name in names:
            try:
                found.append(await asked.addresses(name))
            except LinkError as error:
                found.append(error.reason)
        transport.close()
        return found

    return asyncio.run(work())


def test_addresses_and_hosts_ask_nobody(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("# by hand\n10.1.2.3 broker.lan broker # ours\n")

    def nobody(question: bytes) -> bytes:
        raise AssertionError(question)

    found = resolve(tmp_path, nobody, "10.0.0.1", "::1", "broker", "broker.lan", "localhost")
    assert found == [["10.0.0.1"], ["::1"], ["10.1.2.3"], ["10.1.2.3"], ["127.0.0.1"]]


def test_a_name_is_asked_for_and_a_short_one_with_the_suffix(tmp_path: Path) -> None:
    def answer(question: bytes) -> bytes:
        return reply(question) if b"\x03lan" in question else reply(question, None, 3)

    assert resolve(tmp_path, answer, "broker", "broker.lan") == [["127.0.0.5"], ["127.0.0.5"]]
    assert resolve(tmp_path, answer, "broker.example") == ["unresolved"]


def test_a_silent_or_lying_server_takes_bounded_time_and_the_last_address_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "ANSWER_LIMIT_MS", 50)
    answers: Iterator[Answer] = iter(
        [reply, lambda _question: None, lambda question: b"\x00\x00" + reply(question)[2:]]
    )
    current: list[Answer] = []

    def answer(question: bytes) -> bytes | None:
        if question[-4:-2] == b"\x00\x01" and len(current) < 3:
            current.append(next(answers))
        return current[-1](question)

    names = ("a.example", "a.example", "a.example", "b.example")
    assert resolve(tmp_path, answer, *names) == [["127.0.0.5"]] * 3 + ["unresolved"]
