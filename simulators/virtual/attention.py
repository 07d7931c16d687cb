"""When the rules have to look at a site again: a look that can change nothing is left out.

Where everybody speaks and nothing rises or falls, the first thing that time alone can change is a lapse, and
that is 75 s away (2.5 frames of 30 s). Where nothing has been heard or said for three minutes, rules look
every few seconds instead of every one. Never so rarely that the judge takes it for a pause (10 s), but where
nobody is live: a pause excuses silence, and there is none to excuse.
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
SILENCE_MS: Final = 30_000  # where nobody can be heard and the agents doze; a pause, but of nobody's voice


def standing(memory: Memory) -> frozenset[str] | None:
    """Return who is live where nothing is undecided; None: a voice or a condition is on its way."""
    voices = {name: entry["voice"] for name, entry in memory.get("devices", {}).items()}
    phases = [entry["phase"] for entry in memory.get("conditions", {}).values()]
    live = frozenset(name for name, voice in voices.items() if voice == Voice.LIVE)
    settled = all(voice in {Voice.LIVE, Voice.SILENT, Voice.NEW} for voice in voices.values())
    settled = settled and all(phase == Phase.RAISED for phase in phases)
    if not voices or not settled or (memory.get("outage") is not None and live):
        return None
    return live


@dataclass(slots=True)
class _Site:
    stirred_ms: int
    looked_ms: int = 0
    live: frozenset[str] | None = None
    changed_ms: int = 0  # when who is live changed, or something was said


class Attention:
    """Which sites are due."""

    def __init__(self) -> None:
        self._sites: dict[str, _Site] = {}

    def heard(self, site: str, now_ms: int, memory: Memory) -> None:
        """Take that something came of a site, and what the rules remember of it then."""
        entry = self._sites.setdefault(site, _Site(now_ms))
        entry.stirred_ms = now_ms
        self._stands(entry, now_ms, memory)

    def said(self, site: str, now_ms: int, memory: Memory) -> None:
        """Take that the rules said something of a site."""
        entry = self._sites.setdefault(site, _Site(now_ms))
        entry.stirred_ms = entry.changed_ms = now_ms
        self._stands(entry, now_ms, memory)

    def live(self, site: str, since_ms: int) -> frozenset[str] | None:
        """Return who is live at a site where nothing is undecided and nothing has changed since then."""
        entry = self._sites.get(site)
        return None if entry is None or entry.changed_ms > since_ms else entry.live

    def due(self, site: str, now_ms: int, *, lulled: bool) -> bool:
        """Tell whether a site has to be looked at now; then it counts as looked at."""
        entry = self._sites.setdefault(site, _Site(now_ms))
        wait_ms = max(1, self._wait_ms(entry, now_ms - entry.stirred_ms, lulled=lulled))
        if now_ms // wait_ms == entry.looked_ms // wait_ms:  # in step: one look at many costs as at one
            return False
        entry.looked_ms = now_ms
        return True

    def _wait_ms(self, entry: _Site, quiet_ms: int, *, lulled: bool) -> int:
        if lulled:
            return SILENCE_MS
        if entry.live:
            return CALM_MS if quiet_ms < LAPSE_MS else 0
        return LULLED_MS if quiet_ms > LULL_MS else 0

    def _stands(self, entry: _Site, now_ms: int, memory: Memory) -> None:
        live = standing(memory)
        if live != entry.live:
            entry.live, entry.changed_ms = live, now_ms
