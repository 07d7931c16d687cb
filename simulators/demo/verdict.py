"""What a demonstration proves: figures, and what is wrong in words."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.demo.api import Item
    from simulators.demo.story import Outcome


@dataclass(frozen=True, slots=True)
class Figures:
    """The last line of ``--check``."""

    devices: int
    alerts_raised: int
    alerts_delivered: int
    alerts_cleared: int
    wrong_cause: int
    seconds: float
    ok: bool

    def line(self) -> str:
        """Return one line of JSON."""
        return json.dumps(asdict(self))


def silent(items: Sequence[Item], expected: Sequence[str], *, complete: bool) -> list[str]:
    """Say which devices did not report or, with ``complete``, have frames that are missing."""
    found = {item["id"]: item for item in items}
    said = ((name, _silent(found.get(name), complete=complete)) for name in expected)
    return [f"{name}: {why}" for name, why in said if why is not None]


def _silent(item: Item | None, *, complete: bool) -> str | None:
    """Say what is wrong with a device's reception."""
    if item is None:
        return "is not known to the collector"
    if item["last_arrival_ms"] is None or not item["frames_stored"]:
        return "never reported"
    if complete and item["missing"]:
        return f"{item['missing']} frames are missing"
    return None


def unexpected(items: Sequence[Item], outcomes: Sequence[Outcome]) -> list[str]:
    """Say which incidents the story did not cause."""
    ours = {outcome.incident for outcome in outcomes}
    return [
        f"#{item['id']} {item['site']}: {item['condition']} {item['subject']} ({item['cause']}): unexpected"
        for item in items
        if item["id"] not in ours
    ]


def trouble(outcome: Outcome) -> list[str]:
    """Say what is wrong with a scene."""
    found = [outcome.trouble] if outcome.trouble else []
    if not outcome.cause_right:
        said = " then ".join(str(cause) for cause in outcome.causes)
        right = " or ".join(sorted(str(cause) for cause in outcome.scene.causes))
        found.append(f"{outcome.scene.site}: {outcome.scene.condition}: cause {said}, should be {right}")
    return found


def figures(devices: int, outcomes: Sequence[Outcome], problems: Sequence[str], seconds: float) -> Figures:
    """Count; ok when nothing is wrong."""
    return Figures(
        devices=devices,
        alerts_raised=sum(outcome.raised for outcome in outcomes),
        alerts_delivered=sum(outcome.delivered for outcome in outcomes),
        alerts_cleared=sum(outcome.cleared and outcome.recovery_delivered for outcome in outcomes),
        wrong_cause=sum(not outcome.cause_right for outcome in outcomes),
        seconds=round(seconds, 1),
        ok=not problems,
    )
