"""Which facts the return tells: who restarted, who ran on, what was measured meanwhile, which unit it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules.evidence_before import once
from collector.rules.network import silence, unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.rules.board import Memory
    from collector.rules.evidence import Scene

MOSTLY: Final = 0.5  # more than half of what was measured
STOOD_FRAMES: Final = 3.0  # in a shorter silence nothing tells a machine that stood still
WORD_FRAMES: Final = 1.5  # what it measured after its last word and before the next one was due says nothing


def _units(scene: Scene) -> list[Fact]:
    facts = [Fact("another_unit", {"device": name}) for name, entry in scene.back() if unit.is_another(entry)]
    heads = scene.heads()
    facts += [
        Fact("upgraded", {"device": name})
        for name, entry in scene.back()
        if name in heads and unit.was_upgraded(entry) and not unit.is_another(entry)
    ]
    return once(facts)


def _restarts(scene: Scene) -> list[Fact]:
    """Whether the machines restarted, by the kernel's boot id."""
    back = _compared(scene)
    restarted = [name for name, entry in back if _has_restarted(entry) and not _ran_on(scene, entry)]
    kept = [name for name, entry in back if not _has_restarted(entry)]
    if not restarted:
        return []
    if kept and all(_power_was_there(scene, name, kept) for name in restarted):
        return [Fact("restarted_alone", {"device": restarted[0]})]
    if len(restarted) > 1 and not kept:
        return [Fact("restarted_together", {"count": len(restarted)})]
    return once([_restarted(scene, name) for name in restarted])


def _compared(scene: Scene) -> list[tuple[str, Memory]]:
    """Return who is back and can be compared with itself."""
    return [
        (name, entry)
        for name, entry in scene.back()
        if entry.get("boot_before") and not unit.is_another(entry)
    ]


def _has_restarted(entry: Memory) -> bool:
    return bool(entry["kernel_boot"] != entry["boot_before"])


def _power_was_there(scene: Scene, restarted: str, kept: list[str]) -> bool:
    """Say that what fed a device cannot have failed: the mains fed one that ran on, or a UPS carries it."""
    carried = [_feed(scene, name) for name in kept]
    return False in carried or _feed(scene, restarted) is True


def _feed(scene: Scene, name: str) -> bool | None:
    device = scene.board.site.device(name)
    return scene.board.site.carried(device.feed) if device else None


def _restarted(scene: Scene, name: str) -> Fact:
    return Fact("restarted_carried" if _feed(scene, name) else "restarted", {"device": name})


def _starts(scene: Scene) -> list[Fact]:
    """Tell what platforms know of the restart, where they know it."""
    facts = []
    for name, entry in _compared(scene):
        told = entry.get("restart") or {}
        if not _has_restarted(entry) or not told:
            continue
        if told.get("watchdog_reset") or told.get("crash_dump") or told.get("over_temp"):
            facts.append(Fact("machine_failed", {"device": name}))
        elif told.get("power_fault") or told.get("cold") == 1:
            facts.append(Fact("cold_start", {"device": name}))
        elif told.get("cold") == 0:
            facts.append(Fact("warm_start", {"device": name}))
    return once(facts)


def _runs(scene: Scene) -> list[Fact]:
    """Whether the machines measured while they were silent.

    Who goes out through another member knows nothing of the way out: that it ran on shows that it had power.
    """
    facts: list[Fact] = []
    heads = scene.heads()
    for name, entry in _compared(scene):
        if name not in heads:
            facts += _behind(scene, name, entry)
        elif not _has_restarted(entry):
            facts += _kept(scene, name, entry)
        elif _ran_on(scene, entry):
            minutes = _ran_on_ms(scene, entry) // 60_000
            facts.append(Fact("ran_before_restart", {"device": name, "minutes": minutes}))
        elif (unheard_ms := _woke_ms(scene, entry)) is not None:
            facts.append(Fact("woke_unheard", {"device": name, "minutes": unheard_ms // 60_000}))
    return once(facts)


def _behind(scene: Scene, name: str, entry: Memory) -> list[Fact]:
    mains = _feed(scene, name) is False and not _has_restarted(entry)
    return [Fact("mains_fed_ran_on", {"device": name})] if mains else []


def _kept(scene: Scene, name: str, entry: Memory) -> list[Fact]:
    """Tell whether the agent kept running with the kernel, and went on measuring when it was not heard."""
    before = entry.get("incarnation_before")
    if before and entry.get("incarnation") != before:
        return [Fact("agent_restarted", {"device": name})]
    frame_ms = silence.frame_ms(scene.board, entry)
    long_enough = entry["returned_ms"] - entry["silent_ms"] > STOOD_FRAMES * frame_ms
    if long_enough and _ran_on_ms(scene, entry) < WORD_FRAMES * frame_ms:
        return [Fact("agent_stopped", {"device": name})]
    held = [Fact("ups_held", {"device": name})] if _held(scene, name, entry) else []
    return [Fact(_kept_code(scene, name), {"device": name}), *held]


def _kept_code(scene: Scene, name: str) -> str:
    """Tell who ran on by what could have carried it."""
    carried = _feed(scene, name)
    if carried is False:
        return "kept_running_on_mains"
    return "kept_running" if carried or scene.board.memory["ups"] else "kept_running_without_ups"


def _held(scene: Scene, name: str, entry: Memory) -> bool:
    """Tell whether one UPS fed device and modem while the supply was lost, and never gave out."""
    device = scene.board.site.device(name)
    lost = entry["story"].get("supply_lost") or "battery" in entry["story"]
    return bool(lost and device is not None and _feed(scene, name) and device.feed == device.modem_feed)


def _ran_on(scene: Scene, entry: Memory) -> bool:
    """Tell whether it measured for long after its last word, not on a battery, and restarted later."""
    if any(_battery(scene, other) for _, other in scene.back()):
        return False
    return _ran_on_ms(scene, entry) >= scene.board.thresholds["ran_on_ms"]


def _ran_on_ms(scene: Scene, entry: Memory) -> int:
    """Return how long it measured on after its last word that came."""
    runs = entry["story"].get("runs", ())
    if not runs or runs[0][0] > entry["silent_ms"] + 2 * silence.frame_ms(scene.board, entry):
        return 0
    return int(runs[0][1] - entry["silent_ms"])


def _woke_ms(scene: Scene, entry: Memory) -> int | None:
    """Return how long it ran after its restart before it was heard; None when that is not most of the time.

    It was off in the longest gap of what it measured: a full spool thins, by less.
    """
    runs = entry["story"].get("runs", ())
    ends = [entry["silent_ms"], *(end_ms for _, end_ms in runs)]
    gaps = [(start_ms - end_ms, start_ms) for (start_ms, _), end_ms in zip(runs, ends, strict=False)]
    if not gaps:
        return None
    unheard_ms = entry["returned_ms"] - max(gaps)[1]
    long = unheard_ms >= scene.board.thresholds["woke_unheard_ms"]
    mostly = unheard_ms > MOSTLY * (entry["returned_ms"] - entry["silent_ms"])
    return int(unheard_ms) if long and mostly else None


def _batteries(scene: Scene) -> list[Fact]:
    """Compare the charge with that before: a battery that was used is not as full for hours."""
    facts, limits = [], scene.board.thresholds
    for name, entry in scene.back():
        long = entry["returned_ms"] - entry["silent_ms"] >= limits["battery_use_ms"]
        for subject, ups in scene.board.memory["ups"].items():
            before, now = ups.get("charge_before"), ups.get("charge")
            read = subject.partition("/")[0] == name and ups["seen_ms"] > entry["returned_ms"]
            if not read or before is None or now is None:
                continue
            if before - now >= limits["battery_used_percent"]:
                facts.append(Fact("battery_drained", {"from": round(before), "to": round(now)}))
            elif long and before - now <= 0:
                facts.append(Fact("battery_untouched", {"percent": round(now)}))
    return once(facts)


def _story(scene: Scene) -> list[Fact]:
    return [*_power_story(scene), *_link_story(scene)]


def _power_story(scene: Scene) -> list[Fact]:
    entries = [entry for _, entry in scene.back()]
    first = [entry for entry in entries if _battery(scene, entry)]
    if any(entry["story"].get("supply_lost") for entry in first):
        return [Fact("story_supply_lost")]
    if first:
        return [Fact("story_on_battery")]
    if scene.carried()[1] is not True and any(_flickered(scene, entry) for entry in entries):
        return [Fact("story_flicker")]
    if any(entry["story"].get("supply_lost") for entry in entries):
        return [Fact("story_supply_lost_later")]
    # of a restarted device it would be the time after
    on_line = [entry for entry in entries if not _has_restarted(entry) and entry["story"].get("line")]
    if _modem_started(scene):
        return []  # what restarts a modem on the mains can be shorter than what a UPS tells
    return [Fact("story_mains_good")] if any(entry["story"]["line"][0] for entry in on_line) else []


def _battery(scene: Scene, entry: Memory) -> bool:
    """Say whether its UPS was on battery when the silence began, or most of the time."""
    story = entry["story"]
    if "battery" not in story:
        return False
    on_line, on_battery = story["line"]
    early = story["battery"][0] - entry["silent_ms"] <= scene.board.thresholds["silent_together_ms"]
    lasting = story["battery"][1] - story["battery"][0] >= scene.board.thresholds["self_test_ms"]
    mostly = on_battery > MOSTLY * (on_line + on_battery)
    return bool((early and (lasting or story.get("supply_lost"))) or mostly)


def _flickered(scene: Scene, entry: Memory) -> bool:
    """Say whether its UPS left the line just when the last word had come, however briefly."""
    began_ms = entry["story"].get("battery", (None,))[0]
    return began_ms is not None and began_ms - entry["silent_ms"] <= silence.frame_ms(scene.board, entry)


def _link_story(scene: Scene) -> list[Fact]:
    """Tell what those saw who are next to the modem; a port towards another device says nothing of it."""
    up, down = _seen(scene, "link")
    if down and down > MOSTLY * (up + down):
        return [Fact("story_wan_down")]
    answered, unanswered = _seen(scene, "modem")
    if unanswered and unanswered >= MOSTLY * (answered + unanswered):
        return [Fact(_modem_code(scene))]
    facts = [Fact("story_wan_up")] if up else []
    if answered and _modem_fed(scene) is False:
        facts.append(Fact("modem_ran_on_mains"))
    return facts


def _modem_code(scene: Scene) -> str:
    """Tell a modem that was starting, alone or with its router, from one that stayed away."""
    if _modem_started(scene):
        return "story_modem_restarted"
    limit_ms = scene.board.thresholds["modem_boot_ms"]
    heads = [entry for name, entry in scene.back() if not scene.board.site.way_out(name)]
    both = bool(heads) and all(_has_restarted(entry) for entry in heads)
    soon = all(entry["returned_ms"] - entry["story"]["runs"][-1][0] <= limit_ms for entry in heads
               if entry["story"].get("runs"))  # fmt: skip
    return "modem_restarted_too" if both and soon else "story_modem_silent"


def _seen(scene: Scene, what: str) -> tuple[int, int]:
    """Count good and bad rows; of a machine that restarted the good ones are of the time after."""
    good = bad = 0
    for name, entry in scene.back():
        if scene.board.site.way_out(name):
            continue
        seen = entry["story"].get(what, (0, 0))
        bad += seen[1]
        good += 0 if _has_restarted(entry) and not _ran_on(scene, entry) else seen[0]
    return good, bad


def _modem_fed(scene: Scene) -> bool | None:
    """Say whether a UPS carries the modem: False for the mains, None when it is not known."""
    site = scene.board.site
    devices = [site.device(name) for name in scene.heads()]
    feeds = {site.carried(device.modem_feed) for device in devices if device is not None}
    return feeds.pop() if len(feeds) == 1 else None


def _modem_started(scene: Scene) -> bool:
    """Tell whether a modem that no UPS is known to carry started anew while its router ran on.

    Its port had a link, its address did not answer, and all was well again in the time that modems take.
    """
    back = [entry for name, entry in scene.back() if not scene.board.site.way_out(name)]
    if _modem_fed(scene) is True or not back or any(_has_restarted(entry) for entry in back):
        return False
    up, down = _seen(scene, "link")
    answered, unanswered = _seen(scene, "modem")
    took_ms = max(entry["returned_ms"] - entry["silent_ms"] for entry in back)
    away = up > down and unanswered > 0 and unanswered >= MOSTLY * (answered + unanswered)
    return bool(away and took_ms <= scene.board.thresholds["modem_boot_ms"])


RETURN: Final[tuple[Callable[[Scene], list[Fact]], ...]] = (
    _units,
    _restarts,
    _starts,
    _runs,
    _batteries,
    _story,
)
