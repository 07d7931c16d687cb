"""The account of what this device had to give up, kept beside the spool in RAM.

It is cumulative over a start of the machine (the kernel boot id), not of the agent: what a process counted
and had not told when it was killed is told by the next. A file is written only when something changed, and
only there, so that flash is left alone. Beside the numbers it says which frames were given up while their
records still lie in a segment (``gone``: they must not come back and be counted again) and how many were in
memory alone (``held``: the death of the process loses them).
"""

import json

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.ports.files import Files

    Ranges = dict[str, list[list[int]]]  # incarnation in hex -> intervals of seqs

# frames given up for room (of both kinds), refused by the collector, not readable any more; samples that went
# into no frame; bytes of the spool that are of no whole record; frames of another device in the spool; how
# often RAM was lost while frames may have been in it
NAMES = ("data", "event", "refused", "unreadable", "samples", "torn_bytes", "foreign", "ram_wiped")

_FILE = "account"
_PAIR = 2


class Account:
    """Numbers by name, of ``NAMES``."""

    def __init__(self, files: "Files", folder: str) -> None:
        """Begin with nothing lost."""
        self._files = files
        self._path = folder + "/" + _FILE
        self._kernel_boot = ""
        self._changed = True  # the file's being there says that RAM was not lost
        self._held: dict[str, int] = {}
        self.dropped: dict[str, int] = {}
        self.gone: "Ranges" = {}  # as an earlier run left it

    def load(self, kernel_boot: bytes) -> bool:
        """Go on from what an earlier run since the machine's start left; False when there is nothing."""
        self._kernel_boot = kernel_boot.hex() if kernel_boot else ""  # MicroPython: hex of nothing is b""
        try:
            found = json.loads(self._files.read(self._path))
        except (OSError, ValueError):
            return False
        if not isinstance(found, dict) or found.get("kernel_boot") != self._kernel_boot:
            return False
        self.dropped.update(_numbers(found.get("dropped")))
        self.gone = _ranges(found.get("gone"))
        self._changed = False
        for name, number in _numbers(found.get("held")).items():
            self.add(name, number)
        return True

    def add(self, name: str, number: int) -> None:
        """Count what was lost."""
        self.dropped[name] = self.dropped.get(name, 0) + number
        self._changed = True

    def stale(self, held: dict[str, int]) -> bool:
        """Tell whether the file says something else; ``held`` are the frames in memory alone, by kind."""
        return self._changed or held != self._held

    def save(self, gone: "Ranges", held: dict[str, int]) -> None:
        """Write the file. Raises OSError; it stays stale then."""
        content = {"kernel_boot": self._kernel_boot, "dropped": self.dropped, "gone": gone, "held": held}
        self._files.write_new(self._path, json.dumps(content).encode(), sync=False)
        self._changed = False
        self._held = held


def _numbers(found: "Any") -> dict[str, int]:
    """Return what is an account in a file that may have changed."""
    if not isinstance(found, dict):
        return {}
    return {name: found[name] for name in NAMES if isinstance(found.get(name), int) and found[name] > 0}


def _ranges(found: "Any") -> "Ranges":
    """Return what are intervals in a file that may have changed."""
    if not isinstance(found, dict):
        return {}
    return {name: found[name] for name in found if _are_intervals(found[name])}


def _are_intervals(found: "Any") -> bool:
    if not isinstance(found, list):
        return False
    pairs = [pair for pair in found if isinstance(pair, list) and len(pair) == _PAIR]
    return len(pairs) == len(found) and all(isinstance(end, int) for pair in pairs for end in pair)
