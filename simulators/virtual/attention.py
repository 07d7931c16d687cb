"""When the rules have to look again: a look that can change nothing is left out.

They have to when they have said something (it is news for the neighbours), and when time alone can change
something at a site, which the judge knows. Between that they look for what others of the town tell: every few
seconds where something is undecided or somebody is missed, else just often enough that the judge does not
take it for a pause (10 s). Where nobody is live it may: a pause excuses silence, and there is none to excuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collector.rules.board import Phase
from collector.rules.network.silence import Voice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.rules.board import Memory

CALM_MS: Final = 8_000
RESTLESS_MS: Final = 4_000
LULL_MS: Final = 180_000
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
    live: frozenset[str] | None = None
    changed_ms: int = 0  # when who is live changed, or something was said


class Attention:
    """Where everybody stands, and how long it may stay so."""

    def __init__(self) -> None:
        self._sites: dict[str, _Site] = {}

    def heard(self, site: str, now_ms: int, memory: Memory) -> None:
        """Take that something came of a site, and what the rules remember of it then."""
        entry = self._sites.setdefault(site, _Site())
        self._stands(entry, now_ms, memory)

    def said(self, site: str, now_ms: int, memory: Memory) -> None:
        """Take that the rules said something of a site."""
        entry = self._sites.setdefault(site, _Site())
        entry.changed_ms = now_ms
        self._stands(entry, now_ms, memory)

    def live(self, site: str, since_ms: int) -> frozenset[str] | None:
        """Return who is live at a site where nothing is undecided and nothing has changed since then."""
        entry = self._sites.get(site)
        return None if entry is None or entry.changed_ms > since_ms else entry.live

    def wait_ms(self, sites: Iterable[str]) -> int:
        """Return how long nobody has to look at these sites for what others tell."""
        known = (self._sites.get(site) for site in sites)
        return CALM_MS if all(entry is not None and entry.live for entry in known) else RESTLESS_MS

    def stirs(self, site: str, now_ms: int) -> bool:
        """Tell whether something changed at a site lately; what falls long after is in no hurry."""
        entry = self._sites.get(site)
        return entry is None or now_ms - entry.changed_ms < LULL_MS

    def _stands(self, entry: _Site, now_ms: int, memory: Memory) -> None:
        live = standing(memory)
        if live != entry.live:
            entry.live, entry.changed_ms = live, now_ms
