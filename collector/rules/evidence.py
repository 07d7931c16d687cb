"""Which facts hold for a silence: before it, around it, and from what its devices tell on return.

Each function looks at one subject and returns the facts that it can really evaluate; ``verdict`` weighs
them. What was true before is taken down when the silence is declared, for the state moves on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules import evidence_around
from collector.rules.board import Phase
from collector.rules.network import silence

if TYPE_CHECKING:
    from collector.model import Value
    from collector.rules.board import Board, Memory


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

    def carried(self) -> tuple[bool | None, bool | None]:
        """Say whether a UPS carries all members, and all their modems; None: not known of one of them."""
        site = self.board.site
        devices = [site.device(name) for name in self.members]
        device = [site.carried(entry.feed) if entry else None for entry in devices]
        modem = [site.carried(entry.modem_feed) if entry else None for entry in devices]
        return _all(device), _all(modem)


def _all(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers or not answers else True


def _age_s(scene: Scene, since_ms: int) -> int:
    return max(0, scene.started_ms - since_ms) // 1000


# --- before ---------------------------------------------------------------------------------------


def _power_before(scene: Scene) -> list[Fact]:
    """Say what the UPS saw last: on battery it stays so, however old; on line it ages out."""
    found: list[Fact] = []
    for subject, ups in scene.board.memory["ups"].items():
        params: dict[str, Value] = {"ups": subject.partition("/")[2], "age_s": _age_s(scene, ups["seen_ms"])}
        line = ups.get("line")
        if line == "ob" and not ups.get("cal"):
            measured = scene.board.phase("supply_lost", subject) == Phase.RAISED
            found.append(Fact("supply_lost_before" if measured else "on_battery_before", params))
            found += [Fact("battery_low_before", params)] if ups.get("lb") else []
        elif line == "ol":
            found += _on_line_before(scene, ups, params)
    return _once(found)


def _on_line_before(scene: Scene, ups: Memory, params: dict[str, Value]) -> list[Fact]:
    fresh_ms = scene.board.thresholds["power_fresh_ms"]
    if not ups["contact"]:
        lately = scene.started_ms - ups["lost_ms"] <= fresh_ms
        return [Fact("contact_lost_before", params)] if lately else []
    if scene.started_ms - ups["seen_ms"] > fresh_ms:
        return []
    device, modem = scene.carried()
    whole_way = device is True and (modem is True or not scene.whole_site)
    return [Fact("mains_good_carried" if whole_way else "mains_good_not_carried", params)]


def _feeds(scene: Scene) -> list[Fact]:
    device, modem = scene.carried()
    facts = [] if device is True else [Fact("device_not_carried", {"known": device is False})]
    if scene.whole_site and modem is not True:
        facts.append(Fact("modem_not_carried", {"known": modem is False}))
    return facts


def _path_before(scene: Scene) -> list[Fact]:
    facts = []
    entries = scene.entries()
    if any(entry.get("wan") is False or entry.get("carrier") == 0 for entry in entries):
        facts.append(Fact("wan_down_before"))
    probes = [answered for entry in entries for answered in entry.get("probes", {}).values()]
    if probes and not any(probes):
        facts.append(Fact("probes_failed_before"))
    return facts


# --- around ---------------------------------------------------------------------------------------


def _others(scene: Scene) -> list[Fact]:
    memory = scene.board.memory
    others = [name for name in memory["devices"] if name not in scene.members]
    speaking = sum(silence.is_live(memory, name) for name in others)
    if not scene.whole_site:
        return [Fact("others_speak", {"count": speaking})] if speaking else []
    times = [entry.get("silent_ms", 0) for entry in scene.entries()]
    close = max(times, default=0) - min(times, default=0) <= scene.board.thresholds["silent_together_ms"]
    return [Fact("silent_together", {"count": len(times)})] if len(times) > 1 and close else []


def _planned(scene: Scene) -> list[Fact]:
    """Accept an orderly stop as the reason for a while; who never starts again is missing."""
    limit_ms = scene.board.thresholds["planned_stop_ms"]
    stops = []
    for entry in scene.entries():
        end_ms = entry.get("returned_ms") or scene.board.now_ms
        planned_ms = entry.get("planned_ms")
        stops.append(planned_ms is not None and end_ms - planned_ms <= limit_ms)
    return [Fact("planned_stop", {"count": len(stops)})] if stops and all(stops) else []


# --- after ----------------------------------------------------------------------------------------


def _returns(scene: Scene) -> list[Fact]:
    """Whether the machines restarted, by the kernel's boot id, and whether they measured meanwhile."""
    back = [(name, entry) for name, entry in _back(scene) if entry.get("boot_before")]
    restarted = [name for name, entry in back if entry["kernel_boot"] != entry["boot_before"]]
    if len(restarted) > 1 and len(restarted) == len(back):
        return [Fact("restarted_together", {"count": len(restarted)})]
    facts = [_restarted(scene, name) for name in restarted]
    facts += [_kept(scene, name, entry) for name, entry in back if name not in restarted]
    return _once(facts)


def _back(scene: Scene) -> list[tuple[str, Memory]]:
    named = zip(scene.members, scene.entries(), strict=True)
    return [(name, entry) for name, entry in named if (entry.get("returned_ms") or 0) > scene.started_ms]


def _restarted(scene: Scene, name: str) -> Fact:
    device = scene.board.site.device(name)
    carried = scene.board.site.carried(device.feed) if device else None
    return Fact("restarted_carried" if carried else "restarted", {"device": name})


def _kept(scene: Scene, name: str, entry: Memory) -> Fact:
    """Tell whether the agent kept running with the kernel: then it measured from the beginning."""
    incarnation_before = entry.get("incarnation_before")
    if incarnation_before and entry.get("incarnation") != incarnation_before:
        return Fact("agent_restarted", {"device": name})
    reach_ms = entry["silent_ms"] + 3 * silence.frame_ms(scene.board, entry)
    first_ms = entry["story"].get("first_ms")
    long_enough = entry["returned_ms"] > reach_ms
    if long_enough and (first_ms is None or first_ms > reach_ms):
        return Fact("agent_stopped", {"device": name})
    device = scene.board.site.device(name)
    on_mains = device is not None and scene.board.site.carried(device.feed) is False
    return Fact("kept_running_on_mains" if on_mains else "kept_running", {"device": name})


def _story(scene: Scene) -> list[Fact]:
    stories = [entry["story"] for _, entry in _back(scene)]
    kept = [entry for _, entry in _back(scene) if entry["kernel_boot"] == entry.get("boot_before")]
    facts = []
    if any(story.get("supply_lost") for story in stories):
        facts.append(Fact("story_supply_lost"))
    elif any("battery_ms" in story for story in stories):
        facts.append(Fact("story_on_battery"))
    elif any(entry["story"].get("on_line") for entry in kept):
        facts.append(Fact("story_mains_good"))  # of a restarted device it would be the time after
    if any(story.get("wan_down") for story in stories):
        facts.append(Fact("story_wan_down"))
    elif any(entry["story"].get("wan_up") for entry in kept):
        facts.append(Fact("story_wan_up"))
    return facts


def _once(facts: list[Fact]) -> list[Fact]:
    """Keep the first fact of each code: two UPS on battery are no stronger evidence than one."""
    return list({fact.code: fact for fact in reversed(facts)}.values())[::-1]


_BEFORE: Final = (_power_before, _feeds, _path_before)
_NOW: Final = (_planned, _others, *evidence_around.AROUND, _returns, _story)


def before(scene: Scene) -> tuple[Fact, ...]:
    """Return what held when the silence began."""
    return tuple(fact for look in _BEFORE for fact in look(scene))


def now(scene: Scene) -> tuple[Fact, ...]:
    """Return what is known around the silence and since its end."""
    return tuple(fact for look in _NOW for fact in look(scene))
