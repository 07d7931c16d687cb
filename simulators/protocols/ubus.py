"""A command ``ubus`` that plays answers from files: put its folder first on PATH.

It is a shell script of builtins (and ``cat``), which an OpenWrt router runs as well as a PC. It answers
``call`` and ``list``; an absent answer is "not found" (4), as the real command says it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from simulators.protocols.sources import BusState
from simulators.protocols.ubus_answers import answers

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.protocols.sources import Router

BIN, ANSWERS, ASKED = "bin", "answers", "asked"
_DOWN, _SLOW = "bus.down", "bus.slow"

SCRIPT: Final = """#!/bin/sh
# plays the answers of {answers}; questions are noted where a file {asked} stands beside it
cd '{answers}' || exit 1
[ -e ../{asked} ] && echo "$*" >> ../{asked}
while :; do
    case "$1" in
        -t | -s) shift 2 ;;
        -*) shift ;;
        *) break ;;
    esac
done
[ -e {down} ] && {{ echo "Failed to connect to ubus" >&2; exit 255; }}
[ -e {slow} ] && exec sleep 60
if [ "$1" = list ]; then
    found=4
    while read -r object; do
        case "$object" in ${{2:-*}}) echo "$object"; found=0 ;; esac
    done 2>/dev/null < list.txt
    exit $found
fi
[ "$1" = call ] || exit 2
file="$2.$3"
case "$4" in *'"device"'*)
    device=${{4#*'"device"'}}
    device=${{device#*'"'}}
    file="$file.${{device%%'"'*}}"
esac
[ -e "$file.json.slow" ] && exec sleep 60
[ -s "$file.json" ] || exit 4
exec cat "$file.json"
"""


class StandIn:
    """The command in ``folder``, and what it answers in ``answers``; both below a root of their own."""

    def __init__(self, root: Path) -> None:
        self.folder = root / BIN
        self.answers = root / ANSWERS
        self._asked = root / ASKED
        self.folder.mkdir(parents=True, exist_ok=True)
        self.answers.mkdir(exist_ok=True)
        program = self.folder / "ubus"
        program.write_text(
            SCRIPT.format(answers=self.answers.absolute(), asked=ASKED, down=_DOWN, slow=_SLOW)
        )
        program.chmod(0o755)

    def show(self, router: Router) -> None:
        """Answer as this router would; whoever asks meanwhile gets the answer before or after, whole."""
        found = answers(router)
        for name, text in found.items():
            self._put(name, text)
        signs = {BusState.UNREACHABLE: _DOWN, BusState.SLOW: _SLOW}
        if router.bus in signs:
            found[signs[router.bus]] = ""
            self._put(signs[router.bus], "")
        for path in self.answers.iterdir():
            if path.name not in found:
                path.unlink()

    def note(self) -> None:
        """Note every question from now on."""
        self._asked.touch()

    def asked(self) -> list[str]:
        """Return the questions that were noted, each as the words of its command line."""
        return self._asked.read_text().splitlines() if self._asked.exists() else []

    def _put(self, name: str, text: str) -> None:
        path = self.answers / name
        if path.exists() and path.read_text() == text:
            return
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, path)  # noqa: PTH105 - Path.replace says the same, less plainly
