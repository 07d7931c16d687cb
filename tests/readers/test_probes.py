"""Probes against real servers on loopback, on both interpreters."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.log import Log
from agent.readers.probes import Probes
from agent.sampler import Sampler
from tests.readers.probe_once import OPTIONS
from tests.readers.probe_servers import Portal, answered, dns_server, http_server
from tests.readers.standin import RealClock

if TYPE_CHECKING:
    from agent.samples import Sample

ONCE = Path(__file__).parent / "probe_once.py"
DAY_S = 86400


def probe(interpreter: str, *before: str, **options: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Return {(measurement, instance): fields} of one reading in a process of its own."""
    command = [*before, interpreter, str(ONCE), json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return {(measurement, instance): fields for measurement, instance, fields in json.loads(done.stdout)}


@pytest.fixture(
    params=["cpython", pytest.param("micropython", marks=pytest.mark.server)],
)
def interpreter(request: pytest.FixtureRequest) -> str:
    if request.param == "cpython":
        return sys.executable
    return str(request.getfixturevalue("micropython_bin"))


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    made = Portal(tmp_path_factory.mktemp("portal"))
    (made.folder / "ca.der").write_bytes(made.authority)
    return made


def test_a_dns_server_that_answers_is_timed(interpreter):
    with dns_server(lambda query: [answered(query)]) as port:
        rows = probe(interpreter, dns=["127.0.0.1"], dns_port=port)
    fields = rows["dns_query", "127.0.0.1"]
    assert (fields["result_code"], fields["rcode_value"]) == (0, 0)
    assert 0 < fields["query_time_ms"] < 4000


def test_a_server_that_refuses_is_told_from_one_that_says_nothing(interpreter):
    with dns_server(lambda query: [answered(query, 5)]) as port:
        refused = probe(interpreter, dns=["127.0.0.1"], dns_port=port)
    assert refused["dns_query", "127.0.0.1"]["rcode_value"] == 5
    assert refused["dns_query", "127.0.0.1"]["result_code"] == 2
    with dns_server(lambda _query: []) as port:
        silent = probe(interpreter, dns=["127.0.0.1"], dns_port=port, interval_s=2)
    assert silent["dns_query", "127.0.0.1"] == {"result_code": 1}


def test_a_forged_answer_is_passed_over_and_the_right_one_taken(interpreter):
    def forged_first(query: bytes) -> list[bytes]:
        wrong_id = bytes([query[0] ^ 1]) + query[1:]
        return [answered(wrong_id, address=b"\x06\x06\x06\x06"), answered(query)]

    with dns_server(forged_first) as port:
        rows = probe(interpreter, dns=["127.0.0.1"], dns_port=port)
    assert rows["dns_query", "127.0.0.1"]["result_code"] == 0


def test_one_lost_datagram_is_no_broken_server(interpreter):
    seen: list[bytes] = []

    def second_only(query: bytes) -> list[bytes]:
        seen.append(query)
        return [answered(query)] if len(seen) > 1 else []

    with dns_server(second_only) as port:
        rows = probe(interpreter, dns=["127.0.0.1"], dns_port=port, interval_s=3)
    assert rows["dns_query", "127.0.0.1"]["result_code"] == 0
    assert seen[0][:2] != seen[1][:2]  # a new id for each question


def test_a_name_is_looked_up_at_the_server_without_the_library(interpreter):
    with (
        dns_server(lambda query: [answered(query, address=b"\x7f\0\0\1")]) as port,
        http_server() as http_port,
    ):
        target = f"http://portal.example:{http_port}/"
        rows = probe(interpreter, dns=["127.0.0.1"], dns_port=port, targets=[target])
    fields = rows["http_response", target]
    assert (fields["result_code"], fields["http_response_code"], fields["redirected"]) == (0, 200, 0)


@pytest.mark.parametrize(
    ("path", "code", "redirected"), [("/", 200, 0), ("/login", 302, 1), ("/broken", 500, 0)]
)
def test_a_page_tells_its_code_and_whether_it_sends_elsewhere(interpreter, path, code, redirected):
    with http_server() as port:
        target = f"http://127.0.0.1:{port}{path}"
        fields = probe(interpreter, targets=[target])["http_response", target]
    assert (fields["result_code"], fields["http_response_code"], fields["redirected"]) == (
        0,
        code,
        redirected,
    )
    assert 0 < fields["response_time"] < 6


# days until the end, name in the certificate -> does it hold
@pytest.mark.parametrize(
    ("days", "name", "good"), [(10, "localhost", 1), (-3, "localhost", 0), (10, "other", 0)]
)
def test_a_certificate_tells_whether_it_holds_and_when_it_ends(interpreter, portal, days, name, good):
    with (
        dns_server(lambda query: [answered(query, address=b"\x7f\0\0\1")]) as port,
        http_server(portal.context(days, name)) as https_port,
    ):
        target = f"https://localhost:{https_port}/"
        ca = str(portal.folder / "ca.der")
        rows = probe(interpreter, dns=["127.0.0.1"], dns_port=port, targets=[target], authority=ca)
    assert rows["http_response", target]["http_response_code"] == 200
    certificate = rows["x509_cert", target]
    assert certificate["verification_code"] == 1 - good
    if interpreter == sys.executable:
        assert abs(certificate["expiry"] - days * DAY_S) < DAY_S
    else:
        assert set(certificate) == {"verification_code"}  # MicroPython does not show certificates


class Silent(Log):
    def __init__(self) -> None:
        super().__init__(lambda: 0, len)


def _routes(folder: Path, text: str) -> None:
    (folder / "proc/net").mkdir(parents=True, exist_ok=True)
    (folder / "proc/net/route").write_text("Iface Destination Gateway Flags RefCnt Use Metric Mask\n" + text)


def test_a_gateway_that_is_lost_is_an_event(tmp_path):
    number = int.from_bytes(bytes([127, 0, 0, 1]), sys.byteorder)
    _routes(tmp_path, f"lo 00000000 {number:08X} 0003 0 0 0 00000000\n")
    options = {**OPTIONS, "gateway": "auto", "watch_s": 0.2}

    async def scenario() -> list[Sample]:
        events: list[list[Sample]] = []
        told = asyncio.Event()

        async def on_event(samples: list[Sample]) -> None:
            events.append(samples)
            told.set()

        clock = RealClock()
        sampler = Sampler(clock, [Probes(clock, options, [], f"{tmp_path}/")], Silent(), on_event)
        sampler.start()
        while not sampler.take():  # noqa: ASYNC110 - the sampler tells nobody of a sample
            await asyncio.sleep(0.02)
        assert events == []
        _routes(tmp_path, "")
        await asyncio.wait_for(told.wait(), 30)
        await sampler.stop()
        return events[0]

    (sample,) = asyncio.run(scenario())
    assert (sample.measurement, sample.instance) == ("ping", "gateway")
    assert sample.fields == {"percent_packet_loss": 100.0, "result_code": 3}


@pytest.mark.parametrize(
    ("text", "gateway"),
    [
        ("", None),
        ("nonsense\n\nx y z\n", None),
        ("eth0 00000000 {0} 0001 0 0 0 00000000\n", ""),  # PPP: up, no gateway
        ("eth0 00000000 {0} 0002 0 0 0 00000000\n", None),  # a gateway that is down
        ("eth0 00000000 {0} 0003 0 0 9 00000000\nwwan0 00000000 {1} 0003 0 0 5 00000000\n", "10.0.0.9"),
        (
            "eth0 00000000 {0} 0003 0 0 0 00FFFFFF\neth1 0000000A {1} 0003 0 0 0 000000FF\n",
            None,
        ),  # no default
        ("eth0 00000000 {0} 0003 0 0 9 00000000\n", "192.168.0.1"),
    ],
)
def test_the_default_gateway_is_the_one_with_the_lowest_metric(text, gateway):
    from agent.readers.probes_addresses import parse_gateway

    numbers = [int.from_bytes(bytes(a), sys.byteorder) for a in ([192, 168, 0, 1], [10, 0, 0, 9])]
    assert parse_gateway("Iface ...\n" + text.format(*[f"{n:08X}" for n in numbers])) == gateway


def test_the_providers_servers_come_before_this_router_itself(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").write_text("search lan\nnameserver 127.0.0.1\n")
    reader = Probes(RealClock(), {**OPTIONS, "dns": "auto"}, [], f"{tmp_path}/")
    assert reader._servers() == ["127.0.0.1"]
    (tmp_path / "tmp/resolv.conf.d").mkdir(parents=True)
    (tmp_path / "tmp/resolv.conf.d/resolv.conf.auto").write_text(
        "# Interface wan\nnameserver 192.0.2.53\nnameserver 2001:db8::1\n"
        "nameserver 192.0.2.53\nnameserver 192.0.2.54\n"
    )
    assert reader._servers() == ["192.0.2.53", "192.0.2.54"]
