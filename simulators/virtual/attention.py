"""When the rules have to look at a site again: a look that can change nothing is left out.

Where everybody speaks and nothing rises or falls, the first thing that time alone can change is a lapse, and
that is 75 s away (2.5 frames of 30 s). Where nothing has been heard or said for three minutes, rules look
every few seconds instead of every one. Never so rarely that the judge takes it for a pause (10 s).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collector.rules.board import Phase
from collector.rules.network.silence import Voice

if TYPE_CHECKING:
    from collector.rules.board import Memory

LAPSE_MS: Final = 60_000
CALM_MS: Final = 8_000
LULL_MS: Final = 180_000
LULLED_MS: Final = 4_000


def is_calm(memory: Memory) -> bool:
    """Tell whether everybody speaks and no condition rises or falls."""
    voices = [entry["voice"] for entry in memory.get("devices", {}).values()]
    phases = [entry["phase"] for entry in memory.get("conditions", {}).values()]
    calm = all(voice == Voice.LIVE for voice in voices) and all(phase == Phase.RAISED for phase in phases)
    return bool(voices) and calm and memory.get("outage") is None


@dataclass(slots=True)
class _Site:
    stirred_ms: int
    looked_ms: int = 0
    calm: bool = False


class Attention:
    """Which sites are due."""

    def __init__(self) -> None:
        self._sites: dict[str, _Site] = {}

    def stirred(self, site: str, now_ms: int, *, calm: bool) -> None:
        """Take that something was heard or said of a site."""
        entry = self._sites.setdefault(site, _Site(now_ms))
        entry.stirred_ms, entry.calm = now_ms, calm

    def is_calm(self, site: str) -> bool:
        """Tell whether nothing was on its way at a site when something was last heard or said of it."""
        return site in self._sites and self._sites[site].calm

    def due(self, site: str, now_ms: int) -> bool:
        """Tell whether a site has to be looked at now; then it counts as looked at."""
        entry = self._sites.setdefault(site, _Site(now_ms))
        quiet_ms = now_ms - entry.stirred_ms
        if entry.calm:
            wait_ms = CALM_MS if quiet_ms < LAPSE_MS else 0
        else:
            wait_ms = LULLED_MS if quiet_ms > LULL_MS else 0
        if now_ms - entry.looked_ms < wait_ms:
            return False
        entry.looked_ms = now_ms
        return True
