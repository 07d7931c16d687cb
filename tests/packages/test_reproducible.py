"""Made twice, at other times, from another folder: the same bytes."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from tools import packages

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.server


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_tree_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere"
    old = os.umask(0o077)
    try:
        packages.make(again)
    finally:
        os.umask(old)
    assert digests(again) == digests(made)
