"""The pages in a real browser, at the width of a phone and of a desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright
from sqlalchemy.orm import Session

from collector.alerts import lifecycle
from collector.clock import SystemClock
from collector.config import parse
from collector.storage.state import Incident, IncidentChange, RuleState, open_engine
from tests.web.conftest import PASSWORDS, SETTINGS, fill
from tests.web.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

pytestmark = pytest.mark.server

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = {"phone": (390, 844), "desk": (1280, 800)}
PATHS = (
    "/",
    "/sites/mercado-olivar-del-conde",
    "/sites/clinica-ah-dzac",
    "/incidents?state=all",
    "/incidents/3",
    "/incidents/3/why",
)
NEWS_MS = 15_000


class Site:
    """The served folder and a handle to its state."""

    def __init__(self, address: str, engine: Engine) -> None:
        self.address = address
        self.engine = engine


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("served")
    fill(folder, SystemClock())
    with running(folder) as (address, _process):
        engine = open_engine(parse(SETTINGS, folder).state_url())
        yield Site(address, engine)
        engine.dispose()


@pytest.fixture(scope="module")
def browser(chromium_bin: str):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_bin, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(params=list(SIZES))
def page(request, browser, site: Site) -> Iterator[Page]:
    """A page that is signed in as crew; any error in its console fails the test."""
    width, height = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="es-MX")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    elsewhere: list[str] = []
    page.on("request", lambda sent: None if sent.url.startswith(site.address) else elsewhere.append(sent.url))
    sign_in(page, f"{site.address}/incidents/3")
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=NEWS_MS)
    yield page
    context.close()
    assert complaints == []
    assert [url for url in elsewhere if not url.startswith("data:")] == []


def is_complaint(message: ConsoleMessage) -> bool:
    """Errors and warnings; that there is no network is said by the test itself."""
    return message.type in {"error", "warning"} and "ERR_INTERNET_DISCONNECTED" not in message.text


def sign_in(page: Page, url: str) -> None:
    page.goto(url)
    page.fill("[name=name]", "carla")
    page.fill("[name=password]", PASSWORDS["carla"])
    page.click("button.primary")


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.mark.parametrize("path", PATHS)
def test_nothing_runs_over_the_edge(page: Page, site: Site, path):
    page.goto(f"{site.address}{path}")
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=NEWS_MS)
    assert overflow(page) <= 0
    page.locator(".menu summary").click()
    assert overflow(page) <= 0


def test_a_new_incident_appears_without_loading_again(page: Page, site: Site):
    page.goto(f"{site.address}/")
    page.evaluate("window.untouched = true")
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=NEWS_MS)
    now_ms = SystemClock().now_ms()
    with Session(site.engine) as session:
        incident = Incident(
            site_id="clinica-ah-dzac",
            condition="outage",
            severity="critical",
            started_ms=now_ms,
            opened_ms=now_ms,
        )
        session.add(incident)
        session.flush()
        session.add(IncidentChange(incident_id=incident.id, at_ms=now_ms, kind="opened"))
        state = session.get(RuleState, incident.site_id) or RuleState(
            site_id=incident.site_id, updated_ms=now_ms
        )
        state.status, state.since_ms = "dark", now_ms
        session.add(state)
        session.commit()
        number = incident.id
    card = page.locator(f"[data-incident='{number}']")
    expect(card).to_contain_text("Clínica Ah Dzac", timeout=NEWS_MS)
    row = page.locator("[data-site='clinica-ah-dzac']")
    expect(row.locator(".pill")).to_have_text("Sin servicio", timeout=NEWS_MS)
    assert page.evaluate("window.untouched") is True


def test_a_note_being_written_survives_news(page: Page, site: Site):
    page.goto(f"{site.address}/incidents/2")
    page.fill("textarea", "escribiendo todavía")
    before = page.locator("#history li").count()
    with Session(site.engine) as session:
        lifecycle.note(session, 2, "ada", "otra nota", SystemClock().now_ms())
        session.commit()
    expect(page.locator("#history li")).to_have_count(before + 1, timeout=NEWS_MS)
    assert page.input_value("textarea") == "escribiendo todavía"
    page.click("text=Solo guardar la nota")
    expect(page.locator("#history")).to_contain_text("escribiendo todavía")


def test_a_lost_network_is_said_and_heals(page: Page, site: Site):
    page.goto(f"{site.address}/")
    expect(page.locator("#live")).to_have_text("En vivo", timeout=NEWS_MS)
    page.context.set_offline(True)
    expect(page.locator("#live")).to_have_text("Desconectado", timeout=NEWS_MS)
    expect(page.locator("#broken")).to_be_visible()
    assert overflow(page) <= 0
    page.context.set_offline(False)
    expect(page.locator("#live")).to_have_text("En vivo", timeout=2 * NEWS_MS)
    expect(page.locator("#broken")).to_be_hidden()


def test_a_restarted_server_is_found_again(browser, tmp_path: Path):
    fill(tmp_path, SystemClock())
    engine = open_engine(parse(SETTINGS, tmp_path).state_url())
    page = browser.new_page(viewport={"width": 390, "height": 844})
    with running(tmp_path) as (address, _process):
        sign_in(page, f"{address}/")
        expect(page.locator("#live")).to_have_text("En vivo", timeout=NEWS_MS)
    expect(page.locator("#live")).to_have_text("Desconectado", timeout=NEWS_MS)
    expect(page.locator("#broken")).to_contain_text("lo que ve puede no estar al día")
    with Session(engine) as session:
        lifecycle.acknowledge(session, 3, "ada", SystemClock().now_ms())
        session.commit()
    with running(tmp_path, int(address.rsplit(":", 1)[1])):
        expect(page.locator("#live")).to_have_text("En vivo", timeout=2 * NEWS_MS)
        expect(page.locator("[data-incident='3']")).to_contain_text("En atención: ada", timeout=NEWS_MS)
        page.close()
    engine.dispose()


def test_the_filter_narrows_the_list_at_once(page: Page, site: Site):
    page.goto(f"{site.address}/")
    page.fill("[name=q]", "plateros")
    expect(page.locator("#sites > li:visible")).to_have_count(1)
    page.fill("[name=q]", "zzz")
    expect(page.locator("#nothing")).to_be_visible()


def test_charts_and_map_are_drawn(page: Page, site: Site):
    page.goto(f"{site.address}/sites/mercado-olivar-del-conde")
    expect(page.locator(".chart canvas")).to_have_count(3, timeout=NEWS_MS)
    page.goto(f"{site.address}/")
    expect(page.locator("#map path.leaflet-interactive")).to_have_count(3, timeout=NEWS_MS)


def test_everything_needed_works_without_scripts(browser, site: Site):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    sign_in(page, f"{site.address}/")
    expect(page.locator("#live")).to_contain_text("Al corte de las")
    page.fill("[name=q]", "olivar")
    page.click("text=Mostrar")
    page.click("[data-site='mercado-olivar-del-conde'] a")
    expect(page.locator("h1")).to_have_text("Mercado Olivar del Conde")
    page.click(".incident a")
    page.fill("textarea", "sin guion")
    page.click("text=Solo guardar la nota")
    expect(page.locator("#history")).to_contain_text("sin guion")
    context.close()
