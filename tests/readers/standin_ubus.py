"""A command ``ubus`` that plays recorded answers: a real process, put on PATH by a test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """#!/bin/sh
# every question is noted; an absent answer is "not found" (4), as the real command says it
cd '{answers}' || exit 1
echo "$*" >> ../asked
while [ "${{1#-}}" != "$1" ]; do shift; done
if [ "$1" = list ]; then cat list.txt 2>/dev/null; exit 0; fi
device=$(printf %s "$4" | sed -n 's/.*"device" *: *"\\([^"]*\\)".*/.\\1/p')
file="$2.$3$device.json"
[ -e "$file.slow" ] && exec sleep 60
[ -s "$file" ] || exit 4
exec cat "$file"
"""


class StandIn:
    """``folder`` to put before PATH, ``answers`` to change what it says, ``asked`` so far."""

    def __init__(self, root: Path, recorded: Path) -> None:
        """Play a copy of the answers in ``recorded``."""
        self.folder = root / "bin"
        self.answers = root / "answers"
        self.folder.mkdir()
        shutil.copytree(recorded, self.answers)
        program = self.folder / "ubus"
        program.write_text(SCRIPT.format(answers=self.answers))
        program.chmod(0o755)

    def asked(self) -> list[str]:
        """Return the questions so far, each as the words of its command line."""
        file = self.answers.parent / "asked"
        return file.read_text().splitlines() if file.exists() else []
