"""The maps are true: README's tree, the list of configuration keys, links between pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from collector.config import ChannelConfig, Config

ROOT = Path(__file__).parents[2]
# standard text, data, and what is hidden or made
LEFT_OUT = {"__pycache__", "node_modules", "build", "dist"}


def readme_tree() -> set[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split("## Where to find what")[1].split("```")[1]
    folders, parent = set(), ""
    for line in block.strip("\n").splitlines():
        name = line.split("/", 1)[0]
        if line.startswith("  "):
            folders.add(f"{parent}/{name.strip()}")
        else:
            parent = name
            folders.add(name)
    return folders


def test_every_folder_in_the_readme_exists() -> None:
    assert {folder for folder in readme_tree() if not (ROOT / folder).is_dir()} == set()


def test_every_top_folder_and_package_folder_is_in_the_readme() -> None:
    tree = readme_tree()
    top = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - LEFT_OUT
    parts = {
        f"{package}/{path.name}"
        for package in ("agent", "collector")
        for path in (ROOT / package).iterdir()
        if path.is_dir() and path.name not in LEFT_OUT
    }
    assert (top | parts) - tree == set()


def config_keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    keys = set()
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            keys |= config_keys(info.annotation, f"{prefix}{name}.")
        elif name not in {"base", "channels"}:
            keys.add(prefix + name)
    return keys


def test_every_configuration_key_is_documented_and_none_that_is_not_there() -> None:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8").split("## Agent")[0]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    documented = {key for cell in rows for key in re.findall(r"`([^`]+)`", cell)}
    channel = {f"alerts.channels.<name>.{name}" for name in ChannelConfig.model_fields}
    assert documented == config_keys(Config) | channel


@pytest.mark.parametrize(
    "page", [*sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("docs/**/*.md")), "README.md"]
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = {target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target}
    assert {target for target in targets if not ((ROOT / page).parent / target).exists()} == set()


def test_every_decision_has_context_choice_and_consequences() -> None:
    for page in (ROOT / "docs/decisions").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Consequences")), page.name
