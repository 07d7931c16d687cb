"""Which facts hold for a silence: before it, around it, and from what its devices tell on return.

Each function looks at one subject and returns the facts that it can really evaluate; ``verdict`` weighs
them. What was true before is taken down when the silence is declared, for the state moves on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules import evidence_around, evidence_before, evidence_return
from collector.rules.network import ears, silence
from collector.rules.network.silence import Voice

if TYPE_CHECKING:
    from collector.rules.board import Board, Memory
    from collector.rules.site import DeviceFacts


@dataclass(frozen=True, slots=True)
class Scene:
    """The devices whose silence is asked about, and since when they are silent."""

    board: Board
    members: tuple[str, ...]
    started_ms: int
    whole_site: bool

    def entries(self) -> list[Memory]:
        """Return the members' memories."""
        return [self.board.memory["devices"][name] for name in self.members]

    def named(self) -> list[tuple[str, Memory]]:
        """Return the members with their memories."""
        return list(zip(self.members, self.entries(), strict=True))

    def back(self) -> list[tuple[str, Memory]]:
        """Return those that have come back since and told their story: half of it would mislead."""
        return [
            (name, entry)
            for name, entry in self.named()
            if entry["voice"] not in _AWAY and (entry.get("returned_ms") or 0) > self.started_ms
        ]

    def heads(self) -> list[str]:
        """Return the members that do not go out through another member."""
        site = self.board.site
        return [name for name in self.members if not set(site.way_out(name)) & set(self.members)]

    def carried(self) -> tuple[bool | None, bool | None]:
        """Say whether a UPS carries a member, and the modem behind it; None: not known.

        Of a whole site the best carried member counts: it would have told of a loss of mains.
        """
        found = [self._carried(self.board.site.device(name)) for name in self.members]
        return max(found, key=lambda pair: [_RANK[one] for one in pair], default=(None, None))

    def _carried(self, device: DeviceFacts | None) -> tuple[bool | None, bool | None]:
        if device is None:
            return None, None
        site = self.board.site
        return site.carried(device.feed), site.carried(device.modem_feed)


_AWAY: Final = (Voice.SILENT, Voice.RETURNING)
_RANK: Final = {True: 2, None: 1, False: 0}


def _others(scene: Scene) -> list[Fact]:
    memory = scene.board.memory
    others = [name for name in memory["devices"] if name not in scene.members]
    speaking = sum(silence.is_live(memory, name) for name in others)
    if not scene.whole_site:
        return [Fact("others_speak", {"count": speaking})] if speaking else []
    times = [entry.get("silent_ms", 0) for entry in scene.entries()]
    close = max(times, default=0) - min(times, default=0) <= scene.board.thresholds["silent_together_ms"]
    if len(times) < 2 or not close:  # noqa: PLR2004 - one alone is not together
        return []
    heads = scene.heads()
    if len(heads) == 1:
        return [Fact("silent_behind", {"device": heads[0], "count": len(times)})]
    return [Fact("silent_together", {"count": len(times)})]


def _air(scene: Scene) -> list[Fact]:
    """Tell whether the access point of a lone silent device is still heard by the others."""
    if scene.whole_site:
        return []
    after_ms = scene.started_ms + scene.board.thresholds["mains_fed_after_ms"]
    facts = []
    for name in scene.members:
        heard = ears.on_air(scene.board, name, after_ms)
        if heard is not None:
            facts.append(Fact("still_on_air" if heard else "off_the_air", {"device": name}))
    return facts


def _planned(scene: Scene) -> list[Fact]:
    """Accept an orderly stop as the reason for a while; who never starts again is missing.

    Who goes out through a device that stops falls silent with it.
    """
    limit_ms = scene.board.thresholds["planned_stop_ms"]
    stops = []
    for name in scene.heads():
        entry = scene.board.memory["devices"][name]
        end_ms = entry.get("returned_ms") or scene.board.now_ms
        planned_ms = entry.get("planned_ms")
        stops.append(planned_ms is not None and end_ms - planned_ms <= limit_ms)
    return [Fact("planned_stop", {"count": len(stops)})] if stops and all(stops) else []


_NOW: Final = (_planned, _others, _air, *evidence_around.AROUND, *evidence_return.RETURN)
_AFTERWARDS: Final = (
    evidence_before.feeds, _planned, _others, evidence_around.others, evidence_around.work,
    *evidence_return.RETURN,
)  # fmt: skip


def before(scene: Scene) -> tuple[Fact, ...]:
    """Return what held when the silence began."""
    return tuple(fact for look in evidence_before.BEFORE for fact in look(scene))


def now(scene: Scene) -> tuple[Fact, ...]:
    """Return what is known around the silence and since its end."""
    return tuple(fact for look in _NOW for fact in look(scene))


def afterwards(scene: Scene) -> tuple[Fact, ...]:
    """Return what is known of an outage that nobody could see: what held before it is not known any more.

    That the centre did not listen then is no reason for what a device tells of itself.
    """
    return tuple(fact for look in _AFTERWARDS for fact in look(scene))
