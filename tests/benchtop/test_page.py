"""The page in a real browser at the width of a phone and of a desk, its API, and the commands that use it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from simulators import ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.server

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SIZES = {"phone": (390, 844), "desk": (1280, 800)}
NEWS_MS = 30_000


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "simulators", "bench", *words]


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """A bench as a technician starts it; gives address and certificate."""
    out = tmp_path_factory.mktemp("page") / "certificate.html"
    [port] = ports.free(1)
    words = (
        "--port",
        str(port),
        "--cut-s",
        "3",
        "--out",
        str(out),
        "--technician",
        "Ana <Ruiz>",
        "--broken",
        "meter",
    )
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "http://" in line, line + process.stdout.read()
        yield line[line.index("http://") :].split()[0].rstrip("/"), out
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    assert "<table>" in out.read_text(encoding="utf-8")


@pytest.fixture
def address(running: tuple[str, Path]) -> str:
    return running[0]


@pytest.fixture(scope="module")
def browser(chromium_bin):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_bin, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(params=list(SIZES))
def page(request, browser, address) -> Iterator[Page]:
    """A page on which any complaint of the browser, or a request to anywhere else, fails the test."""
    width, height = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="es-MX")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda one: complaints.append(one.text) if one.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith(address) else complaints.append(sent.url))
    page.goto(f"{address}/")
    expect(page.locator("[data-row^='upsd']")).to_be_visible(timeout=NEWS_MS)
    yield page
    context.close()
    assert complaints == []


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def knob(page: Page, name: str):
    return page.locator(f"[data-knob={name}] [name={name}]")


def test_a_switch_reaches_the_device_and_what_it_reports_comes_back(page: Page):
    assert overflow(page) <= 0
    contact = page.locator("[data-row='tamper-box']")
    expect(contact).to_contain_text("no", timeout=NEWS_MS)
    knob(page, "tamper").check()
    expect(contact).to_contain_text("sí", timeout=NEWS_MS)
    knob(page, "tamper").uncheck()
    expect(contact).to_contain_text("no", timeout=NEWS_MS)
    knob(page, "meter_v").fill("118.5")
    knob(page, "meter_v").press("Tab")
    expect(page.locator("[data-row='mains-table']")).to_contain_text("122.", timeout=NEWS_MS)  # off by 3 %
    knob(page, "meter_v").fill("")
    knob(page, "meter_v").press("Tab")


def test_a_step_runs_passes_and_can_be_repeated(page: Page):
    row = page.locator("#step-tamper")
    row.locator("[data-post=start]").click()
    expect(row).to_have_attribute("data-state", "running", timeout=NEWS_MS)
    expect(row).to_have_attribute("data-state", "passed", timeout=NEWS_MS)
    expect(row).to_contain_text("abierto: a los")
    expect(row.locator("[data-post=start]")).to_have_text("Repetir", timeout=NEWS_MS)
    assert overflow(page) <= 0


def test_a_fault_is_shown_with_what_was_measured(page: Page):
    row = page.locator("#step-meter")
    expect(row.locator("[data-post=start]")).to_be_visible(timeout=NEWS_MS)
    row.locator("[data-post=start]").click()
    expect(row).to_have_attribute("data-state", "failed", timeout=NEWS_MS)
    expect(row).to_contain_text(re.compile(r"\+(2\.[6-9]|3\.[0-4]) %"))
    expect(page.locator("#verdict")).to_have_text("REPROBADO", timeout=NEWS_MS)
    expect(page.locator("#head")).to_contain_text("medidor con 3 % de error")


def test_what_the_collector_concluded_is_shown_beside_the_switch(page: Page):
    expect(page.locator("#all [data-post=start]")).to_be_visible(timeout=NEWS_MS)
    knob(page, "mains").uncheck()
    open_one = page.locator(".incident:not(.past)[data-condition='supply_lost']")
    expect(open_one).to_contain_text("Sin suministro eléctrico", timeout=NEWS_MS)
    expect(page.locator("[data-row='upsd-ups']")).to_contain_text("0.0 V", timeout=NEWS_MS)
    knob(page, "mains").check()
    expect(open_one).to_have_count(0, timeout=NEWS_MS)


def test_what_is_being_typed_survives_news_and_is_kept(page: Page, address):
    page.fill("#paper [name=serial]", "GL-0042")
    page.wait_for_timeout(2_500)  # two loads of the page
    assert page.input_value("#paper [name=serial]") == "GL-0042"
    page.click("#paper button")
    expect(page.locator("#trouble")).to_be_hidden()
    page.goto(f"{address}/certificate")
    expect(page.locator("body")).to_contain_text("GL-0042")
    assert overflow(page) <= 0


def test_english_by_switch_and_back(page: Page):
    page.click(".lang")
    expect(page.locator("#sequence-title")).to_have_text("Test sequence")
    page.click(".lang")
    expect(page.locator("#sequence-title")).to_have_text("Secuencia de pruebas")


def test_the_certificate_prints_on_two_pages_at_most(page: Page, address):
    page.goto(f"{address}/certificate?lang=en")
    pdf = page.pdf(prefer_css_page_size=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 2
    text = page.inner_text("body")
    for part in ("Bench certificate", "virtual-router", "Ana <Ruiz>", "Key id", "What was real", "PRACTICE"):
        assert part in text, part


# --- without a browser ---------------------------------------------------------------------------------


def ask(address: str, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
    try:
        given = {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection.request(method, path, body=None if body is None else json.dumps(body), headers=given)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "body", "headers", "code"),
    [
        ("/api/set", {"mains": "on"}, {}, 200),
        ("/api/set", {"mains": "on"}, {"Host": "evil.example"}, 403),
        ("/api/set", {"mains": "on"}, {"Content_Type": "text/plain"}, 415),
        ("/api/set", {"mains": "maybe"}, {}, 409),
        ("/api/set", {"nonsense": 1}, {}, 409),
        ("/api/set", {"mains": True}, {}, 409),
        ("/api/set", [1], {}, 400),
        ("/api/start", {"steps": ["nonsense"]}, {}, 409),
        ("/api/start", {"steps": "ups"}, {}, 409),
        ("/api/enter", {"volts": 127}, {}, 409),
        ("/api/enter", {"volts": []}, {}, 409),
        ("/api/leave-out", {}, {}, 409),
        ("/api/paper", {"title": "king"}, {}, 409),
        ("/api/nonsense", {}, {}, 404),
    ],
    ids=str,
)
def test_what_the_api_takes_and_what_it_refuses(address, path, body, headers, code):
    status, text = ask(address, "POST", path, body, **headers)
    assert (status, "error" in json.loads(text)) == (code, code != 200), text


def test_headers_let_nothing_from_elsewhere_in(address):
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
    for path, policy in (
        ("/", "script-src 'self'"),
        ("/certificate", "default-src 'none'; style-src 'unsafe-inline'"),
    ):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert policy in answer.headers["Content-Security-Policy"]
    connection.close()


def test_the_same_by_command(address):
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command(*words), "--url", address], capture_output=True, text=True, timeout=90, check=False
        )

    done = call("set", "ups_load=35", "clock=right")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    shown = json.loads(call("show", "--lang", "en").stdout)
    knobs = {one["name"]: one["value"] for group in shown["groups"] for one in group["knobs"]}
    assert (shown["device"], knobs["ups_load"]) == ("virtual-router", "35")
    done = call("set", "mains=maybe")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("vigia-sim: mains: 'maybe' is none of off, on")
    done = call("run", "tamper", "meter", "--lang", "en")
    assert done.returncode == 1
    assert re.fullmatch(
        r"Passed +Tamper contact: .*\nFailed +Meter against a multimeter: Wrong: .*\n", done.stdout
    )


def test_no_bench_there_is_one_line():
    [port] = ports.free(1)
    done = subprocess.run(
        command("show", "--url", f"http://127.0.0.1:{port}"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no bench answers there" in done.stderr


def test_whoever_is_not_on_this_machine_needs_the_key():
    from types import SimpleNamespace

    from simulators.bench.bench import Options
    from simulators.bench.web import create_app

    bench = SimpleNamespace(options=Options(listen="192.0.2.7"), key="the-key", call=lambda _work: None)
    client = create_app(bench).test_client()  # type: ignore[arg-type]

    def asks(**more: object) -> int:
        return client.post("/api/confirm", json={}, base_url="http://192.0.2.7:8090", **more).status_code

    bench.runner = SimpleNamespace(confirm=None)
    assert asks() == 403
    assert asks(headers={"X-Bench-Key": "the-kez"}) == 403
    assert asks(headers={"X-Bench-Key": "the-key"}) == 200
    answer = client.get("/?key=the-key", base_url="http://192.0.2.7:8090")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert asks() == 200  # by its cookie from now on
