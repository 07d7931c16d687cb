"""A line that a person turns the knobs of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.protocols.knobs import Knob, Paneled
from simulators.protocols.sources import Impairment

if TYPE_CHECKING:
    from simulators.link import Link

UP, CUT, REFUSE = "up", "cut", "refuse"
KNOBS: Final = (
    Knob("line", UP, "cut: nothing arrives; refuse: nobody can connect", choices=(UP, CUT, REFUSE)),
    Knob("delay", "0", "added to what passes, each way", "ms", 0, 60_000),
    Knob("jitter", "0", "at most so much more, at random", "ms", 0, 60_000),
    Knob("rate", "0", "the most that passes, each way; 0: no limit", "B/s", 0, 1e9),
)


class KnobLink(Paneled):
    """A panel for a link; what was turned holds after ``apply``."""

    def __init__(self, link: Link) -> None:
        self._link = link
        super().__init__(KNOBS)

    def impairment(self) -> Impairment:
        """Return what the knobs ask for."""
        line = self._panel.text("line")
        return Impairment(
            cut=line == CUT,
            refuse=line == REFUSE,
            delay_s=self._panel.number("delay") / 1000.0,
            jitter_s=self._panel.number("jitter") / 1000.0,
            rate=self._panel.number("rate") or None,
        )

    async def apply(self) -> None:
        """Let the line be like that."""
        await self._link.impair(self.impairment())
