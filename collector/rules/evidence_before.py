"""Which facts hold of the moment before a silence: power, feeds, the way out, the box, how the line ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules.board import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Value
    from collector.rules.board import Memory
    from collector.rules.evidence import Scene

LIVE: Final = frozenset(
    {"meter_live", "mains_fed_speaks", "mains_fed_on_air"}
)  # what proves that the building has mains


def _power(scene: Scene) -> list[Fact]:
    """Say what the UPS saw last: on battery it stays so, however old; on line it ages out."""
    found: list[Fact] = []
    for subject, ups in scene.board.memory["ups"].items():
        params: dict[str, Value] = {"ups": subject.partition("/")[2], "age_s": _age_s(scene, ups["seen_ms"])}
        line = ups.get("line")
        if line == "ob" and not ups.get("cal"):
            found.append(Fact(_on_battery(scene, subject), params))
            found += [Fact("battery_low_before", params)] if ups.get("lb") else []
        elif line == "ol":
            found += _on_line(scene, ups, params)
    return once(found)


def _on_battery(scene: Scene, subject: str) -> str:
    board = scene.board
    if (
        board.is_open("on_battery", subject)
        and {fact.code for fact in board.facts("on_battery", subject)} & LIVE
    ):
        return "ups_alone_before"
    measured = board.phase("supply_lost", subject) == Phase.RAISED
    return "supply_lost_before" if measured else "on_battery_before"


def _on_line(scene: Scene, ups: Memory, params: dict[str, Value]) -> list[Fact]:
    fresh_ms = scene.board.thresholds["power_fresh_ms"]
    if not ups["contact"]:
        lately = scene.started_ms - ups["lost_ms"] <= fresh_ms
        return [Fact("contact_lost_before", params)] if lately else []
    if scene.started_ms - ups["seen_ms"] > fresh_ms:
        return []
    device, modem = scene.carried()
    if device is not True or (scene.whole_site and modem is not True):
        return [Fact("mains_good_not_carried", params)]
    spent = bool(ups.get("rb"))
    return [Fact("mains_good_spent" if spent else "mains_good_carried", params)]


def feeds(scene: Scene) -> list[Fact]:
    """Say what falls with the mains, as far as it is known."""
    device, modem = scene.carried()
    facts = [] if device is True else [Fact("device_not_carried", {"known": device is False})]
    if scene.whole_site and modem is not True:
        facts.append(Fact("modem_not_carried", {"known": modem is False}))
    return facts


def _path(scene: Scene) -> list[Fact]:
    facts = []
    entries = scene.entries()
    if any(entry.get("wan") is False or entry.get("carrier") == 0 for entry in entries):
        facts.append(Fact("wan_down_before"))
    probes = [answered for entry in entries for answered in entry.get("probes", {}).values()]
    if probes and not any(probes):
        facts.append(Fact("probes_failed_before"))
    return facts


def _line_closed(scene: Scene) -> list[Fact]:
    """Tell that the machine itself ended its connection, and that this reached us: both lived."""
    closed = [scene.board.memory["devices"][name].get("closed") for name in scene.heads()]
    return [Fact("line_closed")] if closed and all(closed) else []


def _box(scene: Scene) -> list[Fact]:
    """Somebody opened a box shortly before."""
    limit_ms = scene.board.thresholds["box_opened_ms"]
    for name, entry in scene.named():
        opened_ms = entry.get("opened_ms")
        if opened_ms is not None and scene.started_ms - opened_ms <= limit_ms:
            return [Fact("box_opened", {"device": name, "age_s": _age_s(scene, opened_ms)})]
    return []


BEFORE: Final[tuple[Callable[[Scene], list[Fact]], ...]] = (_power, feeds, _path, _line_closed, _box)


def once(facts: list[Fact]) -> list[Fact]:
    """Keep the first fact of each code: two UPS on battery are no stronger evidence than one."""
    return list({fact.code: fact for fact in reversed(facts)}.values())[::-1]


def _age_s(scene: Scene, since_ms: int) -> int:
    return max(0, scene.started_ms - since_ms) // 1000
