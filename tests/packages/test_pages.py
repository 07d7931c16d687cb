"""The pages lead from a fresh router to the dashboard, and each prints on one sheet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tools import package_docs

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.mark.parametrize(
    ("page", "word"), [("install-router.md", "memory"), ("install-router.es.md", "memoria")]
)
def test_the_page_alone_leads_from_a_fresh_router_to_the_dashboard(
    page: str, word: str, made: Path, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("a network namespace may only be made by root")
    (package,) = made.glob("*.ipk")
    command = [
        sys.executable,
        "-m",
        "tests.packages.follow",
        str(ROOT / "docs" / page),
        str(tmp_path),
        str(package),
    ]
    done = subprocess.run(
        ["unshare", "--net", *command], cwd=ROOT, capture_output=True, text=True, timeout=220, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert word in told["said"].lower()
    assert told["device"]["site"] == "cdc-el-cuernito"


def test_each_page_fits_a_telephone_and_one_sheet(tmp_path: Path, chromium_bin: str) -> None:
    pages = package_docs.make(tmp_path / "doc")
    assert len(pages) == 6
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_bin, args=["--no-sandbox"])
        for path in pages:
            page = browser.new_page(viewport={"width": 390, "height": 844})
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path.name
            sheets = page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n")
            assert sheets == 1, f"{path.name}: {sheets} sheets"
            page.close()
        browser.close()
