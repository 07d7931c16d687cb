"""Which facts hold of what lies beyond a site: who else fell with it, announced work, the centre itself.

They read what the collector tells the rules in ``SiteFacts``; what nobody knows (a position, a circuit, a
provider, probes that nobody runs) gives no fact. Every function looks at one subject.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from collector.model import Fact

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Value
    from collector.rules.catalogue import Thresholds
    from collector.rules.evidence import Scene
    from collector.rules.site import Around, Centre, Neighbours, Window

NAMES: Final = 3  # so many dark neighbours are named


def near(around: Around | None, limits: Thresholds) -> list[Fact]:
    """Weigh the premises near by.

    Two premises that fall in the same minutes, this one and another, are an area. That others beside them
    have supply bounds it; it is held against an area only where few of many fell, or nobody.
    """
    found = around.mains if around else None
    if found is None or found.watched == 0:
        return []
    facts = [Fact(_near_code(found), _numbers(found))] if enough(found, limits) else []
    if facts and found.strangers is not None and not found.unsupplied:
        facts.append(Fact(_providers_code(found), {"dark": found.dark}))
    few = found.dark / found.watched < limits["neighbours_dark_share"]
    return [*facts, Fact("neighbours_fine", _numbers(found))] if found.fine and few else facts


def _near_code(found: Neighbours) -> str:
    """Tell apart who told a loss of supply, several who are silent, and one who is."""
    if found.unsupplied:
        return "neighbours_without_supply"
    return "neighbours_dark" if found.dark > 1 else "neighbour_dark"


def _providers_code(found: Neighbours) -> str:
    """Tell whether one provider could be what the silent ones share."""
    if found.strangers:
        return "dark_with_other_providers"
    return "dark_with_one_provider" if found.dark > 1 else "dark_with_same_provider"


def region(around: Around | None, limits: Thresholds) -> list[Fact]:
    """Weigh the next places, some kilometres away, where nobody near by can be asked: many fell with it.

    That they are well says nothing of another street; nor does one that fell.
    """
    found = around.far if around else None
    if found is None or not found.unsupplied or found.dark < limits["neighbours_dark_count"]:
        return []
    share = found.dark / found.watched  # who fell silent beside those who told is one of them
    return [Fact("region_dark", _numbers(found))] if share >= limits["region_dark_share"] else []


def circuit(around: Around | None, limits: Thresholds) -> list[Fact]:
    """Weigh the premises that hang on the same circuit of the utility, where somebody knows it."""
    found = around.circuit if around else None
    if found is None or found.watched == 0:
        return []
    if enough(found, limits):
        return [Fact("circuit_dark", _numbers(found))]
    return [Fact("circuit_fine", _numbers(found))] if found.fine else []


def premises(around: Around | None) -> list[Fact]:
    """Weigh the other facilities behind the same meter."""
    found = around.premises if around else None
    if found is None or found.watched == 0:
        return []
    return [Fact("premises_dark" if found.dark else "premises_fine", _numbers(found))]


def provider(around: Around | None, limits: Thresholds) -> list[Fact]:
    """Weigh the other premises with the same provider; who told a loss of supply is no witness against it."""
    found = around.provider if around else None
    if found is None or found.watched == 0:
        return []
    silent = found.dark - found.unsupplied
    facts = []
    many = silent > 0 and silent + 1 >= limits["neighbours_dark_count"]
    if many and silent / found.watched >= limits["provider_dark_share"]:
        facts.append(Fact("provider_dark", _numbers(found)))
    if found.fine:
        facts.append(Fact("provider_fine", _numbers(found)))
    return facts


def cofailure(around: Around | None, limits: Thresholds) -> list[Fact]:
    """Tell what was learned: a site that fell with this one has mostly done so before."""
    found = around.cofailure if around else None
    if found is None or found.together < limits["cofailure_times"]:
        return []
    if found.together / found.fell < limits["cofailure_share"]:
        return []
    return [Fact("fell_together_before", {"name": found.name, "times": found.together, "of": found.fell})]


def left_behind(
    around: Around | None, limits: Thresholds, started_ms: int, now_ms: int, *, over: bool = False
) -> list[Fact]:
    """Tell that the area is back and this site is not.

    Once it is ``over``, why it fell counts, not that others were sooner, unless it was dark alone for most of
    the time: then something of its own kept it so.
    """
    if around is None or around.back_ms is None or now_ms - around.back_ms < limits["left_behind_ms"]:
        return []
    if over and now_ms - around.back_ms < around.back_ms - started_ms:
        return []
    return [Fact("did_not_come_back", {"age_s": (now_ms - around.back_ms) // 1000})]


def enough(found: Neighbours, limits: Thresholds) -> bool:
    """Say whether enough fell with this one: a count of premises, itself among them, or a share."""
    if found.dark == 0:
        return False
    share = found.dark / found.watched >= limits["neighbours_dark_share"]
    return found.dark + 1 >= limits["neighbours_dark_count"] or share


def announced(windows: tuple[Window, ...], started_ms: int, now_ms: int, limits: Thresholds) -> list[Fact]:
    """Tell the announced work in which something began, and that it lasts longer than announced."""
    slack_ms = limits["window_slack_ms"]
    for window in windows:
        if window.from_ms - slack_ms <= started_ms < window.to_ms:
            params: dict[str, Value] = {"window": window.id, "what": window.what}
            over_ms = now_ms - window.to_ms
            if over_ms < limits["window_overrun_ms"]:
                return [Fact("planned_window", params)]
            return [Fact("planned_window", params), Fact("window_overrun", {"age_s": int(over_ms) // 1000})]
    return []


def of_the_centre(centre: Centre, started_ms: int, limits: Thresholds) -> list[Fact]:
    """Tell which of the centre's own probes failed when the site was last heard, or fails since then.

    A device was last heard up to a frame before its silence began, and a probe fails first up to its interval
    after the fault.
    """
    for span in centre.deaf:
        begins_ms = span.since_ms - limits["deaf_slack_ms"]
        if (
            span.what in DEAF
            and begins_ms <= started_ms
            and (not span.until_ms or started_ms < span.until_ms)
        ):
            return [Fact(DEAF[span.what])]
    return []


DEAF: Final = {"broker": "centre_broker_down", "uplink": "centre_uplink_down"}


def _numbers(found: Neighbours) -> dict[str, Value]:
    names = ", ".join(found.names[:NAMES])
    params: dict[str, Value] = {"dark": found.dark, "watched": found.watched, "fine": found.fine}
    return params | ({"names": names} if names else {})


# --- of a silence ---------------------------------------------------------------------------------


def others(scene: Scene) -> list[Fact]:
    """Look at the others; silence that the centre's own fault explains tells nothing of anybody."""
    board, around = scene.board, scene.board.site.neighbours
    if not scene.whole_site or around is None:
        return []
    if of_the_centre(board.site.centre, scene.started_ms, board.thresholds):
        around = _told_only(around)
    limits = board.thresholds
    return [
        *near(around, limits), *region(around, limits), *circuit(around, limits), *premises(around),
        *provider(around, limits), *cofailure(around, limits),
        *left_behind(around, limits, scene.started_ms, end_ms(scene), over=bool(scene.back())),
    ]  # fmt: skip


def end_ms(scene: Scene) -> int:
    """Return when the first of those who are silent came back, or now."""
    returns = [entry.get("returned_ms") for entry in scene.entries()]
    return min((at_ms for at_ms in returns if at_ms), default=scene.board.now_ms)


def _told_only(around: Around) -> Around:
    """Keep of who fell those who told that their supply went."""
    kept = {
        name: replace(found, dark=found.unsupplied, watched=found.watched - found.dark + found.unsupplied)
        for name in ("mains", "premises", "circuit", "far")
        if (found := getattr(around, name)) is not None
    }
    return replace(around, provider=None, cofailure=None, **kept)


def work(scene: Scene) -> list[Fact]:
    """Tell of announced work."""
    board = scene.board
    return announced(board.site.planned, scene.started_ms, end_ms(scene), board.thresholds)


def _centre(scene: Scene) -> list[Fact]:
    board = scene.board
    return of_the_centre(board.site.centre, scene.started_ms, board.thresholds)


AROUND: Final[tuple[Callable[[Scene], list[Fact]], ...]] = (others, work, _centre)
