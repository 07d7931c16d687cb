"""A command ``ubus`` that plays recorded answers: a real process, put on PATH by a test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from simulators.protocols import ubus

if TYPE_CHECKING:
    from pathlib import Path


class StandIn(ubus.StandIn):
    """``folder`` to put before PATH, ``answers`` to change what it says, ``asked`` so far."""

    def __init__(self, root: Path, recorded: Path) -> None:
        """Play a copy of the answers in ``recorded``."""
        super().__init__(root)
        shutil.copytree(recorded, self.answers, dirs_exist_ok=True)
        self.note()
