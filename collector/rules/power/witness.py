"""Who else sees the mains while a UPS is off the line, or not heard: meters, devices that the mains feed.

A meter that shows voltage, or a device on the mains that goes on speaking or is still heard on the air, says
that there are mains. Meters
that show none, or all fell silent while their device speaks (they live on what they measure), say that there
are none. USB drops just when the mains fail (NUT #2925): of a UPS that is not heard any more meters tell as
well, unless a device on the mains goes on speaking; a meter whose own line is gone tells nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from collector.model import Fact
from collector.rules.network import ears, silence

if TYPE_CHECKING:
    from collector.rules.board import Board, Memory

_FED_BY_MAINS: Final = "mains"


class Seen(NamedTuple):
    """Whether there are mains, and the fact that says so."""

    live: bool
    fact: Fact


def of_mains(board: Board, ups: Memory, at_ms: int) -> Seen | None:
    """Return what others saw since this UPS left the line or was lost; None: nobody, or it is on line."""
    at_since_ms = since_ms(ups)
    if at_since_ms is None:
        return None
    lost = not ups["contact"]
    looks = (
        _meters(board, at_since_ms, at_ms, lost=lost),
        _speaker(board, at_since_ms),
        _on_air(board, at_since_ms),
    )
    found = [seen for seen in looks if seen is not None]
    if "ob_since_ms" not in ups:  # it did not say so itself: one who sees mains is enough against it
        found.sort(key=lambda seen: not seen.live)
    return found[0] if found else None


def since_ms(ups: Memory) -> int | None:
    """Return since when a UPS is off the line, or not heard; None: it says that it is on line."""
    lost_ms = None if ups["contact"] else ups.get("lost_ms")
    since: int | None = ups.get("ob_since_ms", lost_ms)
    return since


def _meters(board: Board, since_ms: int, at_ms: int, *, lost: bool) -> Seen | None:
    limits, dead = board.thresholds, []
    for subject, meter in board.memory["meters"].items():
        pu, name = meter["v"] / board.site.nominal_v, subject.partition("/")[2]
        measured = meter["seen_ms"] >= since_ms + limits["input_refresh_grace_ms"]
        if measured and pu >= limits["meter_live_pu"]:
            return Seen(live=True, fact=Fact("meter_live", {"meter": name, "volts": round(meter["v"], 1)}))
        if measured and pu < limits["supply_lost_below_pu"]:
            dead.append(Fact("meter_zero", {"meter": name}))
        elif _fell_silent(board, subject, meter, since_ms, at_ms, lost=lost):
            dead.append(Fact("meter_silent", {"meter": name}))
        else:
            return None
    return Seen(live=False, fact=dead[0]) if dead else None


def _fell_silent(board: Board, subject: str, meter: Memory, since_ms: int, at_ms: int, *, lost: bool) -> bool:
    """Say whether a meter spoke just before and not since, while who reads it goes on speaking.

    ``lost``: the UPS fell silent with it, which makes it sooner believed.
    """
    limit_ms = board.thresholds["meter_silent_ms"]
    just_before = since_ms - meter["seen_ms"] <= limit_ms
    quiet = at_ms - meter["seen_ms"] >= (board.thresholds["meter_with_ups_ms"] if lost else limit_ms)
    return just_before and quiet and silence.is_live(board.memory, subject.partition("/")[0])


def _speaker(board: Board, since_ms: int) -> Seen | None:
    """Find a device that hangs on the mains and spoke well after the UPS left the line."""
    if len(board.site.devices) < 2:  # noqa: PLR2004 - who tells of the UPS, and another one
        return None
    after_ms = since_ms + board.thresholds["mains_fed_after_ms"]
    for device in board.site.devices:
        if device.feed != _FED_BY_MAINS or not silence.is_live(board.memory, device.id):
            continue
        if board.memory["devices"][device.id]["last_ms"] >= after_ms:
            return Seen(live=True, fact=Fact("mains_fed_speaks", {"device": device.id}))
    return None


def _on_air(board: Board, since_ms: int) -> Seen | None:
    """Find an access point on the mains that the others still hear, or hear no more."""
    after_ms = since_ms + board.thresholds["mains_fed_after_ms"]
    fed = [device.id for device in board.site.devices if device.feed == _FED_BY_MAINS]
    heard = {name: ears.on_air(board, name, after_ms) for name in fed}
    for name, on_air in heard.items():
        if on_air:
            return Seen(live=True, fact=Fact("mains_fed_on_air", {"device": name}))
    for name, on_air in heard.items():
        if on_air is False:
            return Seen(live=False, fact=Fact("mains_fed_off_air", {"device": name}))
    return None
