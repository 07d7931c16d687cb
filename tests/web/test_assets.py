"""What the build puts into the package: libraries with licences, translations, and instantly again."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def assets():
    spec = importlib.util.spec_from_file_location("web_assets", ROOT / "tools" / "web_assets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(assets, tmp_path: Path) -> Path:
    """The inputs alone, as a fresh checkout has them."""
    for name in (*assets.INPUTS, "collector/web/translations/es/LC_MESSAGES/messages.po"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_lock_names_no_host_and_pins_by_hash():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for entry in packages.values():
        assert "resolved" not in entry
        assert entry["integrity"].startswith("sha512-")
    assert "http" not in (ROOT / ".npmrc").read_text()


@pytest.mark.server
def test_a_fresh_tree_gets_libraries_licences_and_translations(assets, tree: Path):
    assert not assets.is_current(tree)
    assets.prepare(tree)
    vendor = tree / assets.VENDOR
    for package, files in assets.ASSETS.items():
        for file in files:
            assert (vendor / package / Path(file).name).stat().st_size > 500
    assert (tree / assets.TRANSLATIONS / "es/LC_MESSAGES/messages.mo").stat().st_size > 5000
    assert assets.is_current(tree)


def test_a_second_run_does_nothing(assets, tree: Path, monkeypatch):
    (tree / assets.VENDOR).mkdir(parents=True)
    (tree / assets.VENDOR / ".stamp").write_text(assets.digest(tree))
    monkeypatch.setattr(assets, "fetch", lambda _root: pytest.fail("fetched again"))
    assets.prepare(tree)
    assert assets.compile_translations(tree) == []


def test_another_lock_is_fetched_anew(assets, tree: Path):
    (tree / assets.VENDOR).mkdir(parents=True)
    (tree / assets.VENDOR / ".stamp").write_text(assets.digest(tree))
    (tree / "package-lock.json").write_text("{}")
    assert not assets.is_current(tree)


def test_without_npm_it_says_what_to_do(assets, monkeypatch, tree: Path):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(assets.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(assets.AssetsError, match="npm is not on PATH"):
        assets.prepare(tree)


def test_pages_load_only_what_is_copied(assets):
    copied = {f"{package}/{Path(file).name}" for package, files in assets.ASSETS.items() for file in files}
    used = set()
    for template in (ROOT / "collector/web/templates").rglob("*.html"):
        used |= set(re.findall(r"vendor/([\w./-]+)'", template.read_text(encoding="utf-8")))
    assert used
    assert used <= copied
