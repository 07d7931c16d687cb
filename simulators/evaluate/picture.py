"""A scenario as a picture: what happened, what was true and what was said, one group of lanes per site."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from collector.model import Cause
from simulators.evaluate.score import What, match
from simulators.scenario import checks
from simulators.world.happenings import covers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.evaluate.score import Run, Saying, Truth
    from simulators.scenario.model import Scenario, SitePart

LEFT: Final = 210.0
WIDTH: Final = 1000.0
LANE: Final = 15.0
# distinct for people who do not see red and green apart (after Okabe and Ito)
COLOURS: Final = {
    Cause.MAINS_AREA: "#b34700",
    Cause.MAINS_SITE: "#e69f00",
    Cause.BACKHAUL_PROVIDER: "#0072b2",
    Cause.BACKHAUL_SITE: "#56b4e9",
    Cause.DEVICE: "#009e73",
    Cause.REMOVED: "#cc79a7",
    Cause.COLLECTOR: "#6b4c9a",
    Cause.PLANNED: "#8a8a8a",
    Cause.UNKNOWN: "#d4c400",
}
TICKS_S: Final = (60, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800)
_STYLE: Final = (
    "text{font:11px sans-serif;fill:#222}.s{fill:#666;font-size:10px}.h{font-size:14px;font-weight:bold}"
    ".w{font-size:9px;fill:#fff}.o{opacity:.35}.g{stroke:#ddd}"
)


def svg(scenario: Scenario, run: Run) -> str:
    """Return the picture of a run."""
    return _Sheet(scenario, run).drawn()


class _Sheet:
    def __init__(self, scenario: Scenario, run: Run) -> None:
        self._scenario = scenario
        self._run = run
        self._false = match(run.truths, run.sayings)[1]
        head = scenario.scenario
        self._begin_s, self._end_s = -head.warmup_s, head.duration_s + head.settle_s
        self._y = 0.0
        self._parts: list[str] = []

    def drawn(self) -> str:
        """Draw from top to bottom."""
        self._text(8, 20, self._scenario.scenario.name, "h")
        self._y = 34.0
        self._legend()
        top = self._y
        self._centre()
        for site in self._scenario.site:
            self._site(site)
        bottom = self._y
        axis = list(self._axis(top, bottom))
        height = bottom + 26
        size = f'width="{LEFT + WIDTH + 20:.0f}" height="{height:.0f}"'
        view = f'viewBox="0 0 {LEFT + WIDTH + 20:.0f} {height:.0f}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view}>',
                f"<title>{escape(self._scenario.scenario.name)}</title><style>{_STYLE}</style>",
                f'<rect width="100%" height="{height:.0f}" fill="#fff"/>',
                *axis,
                *self._parts,
                "</svg>\n",
            ]
        )

    def _legend(self) -> None:
        x = 8.0
        for cause, colour in COLOURS.items():
            self._parts.append(f'<rect x="{x}" y="{self._y}" width="12" height="10" fill="{colour}"/>')
            self._text(x + 16, self._y + 9, cause.value)
            x += 30 + 6.3 * len(cause.value)
        self._text(
            x + 8,
            self._y + 9,
            "pale: too short or not to be seen; ▼ a person was told, red: for nothing",
            "s",
        )
        self._y += 24

    def _centre(self) -> None:
        events = [event for event in self._scenario.event if not any(
            covers(event.scope, site) for site in self._scenario.site)]  # fmt: skip
        if events:
            self._text(8, self._y + 11, "centre")
            for event in events:
                self._event(event.kind, *checks.interval(event, self._scenario))
            self._y += 6

    def _site(self, site: SitePart) -> None:
        run, top = self._run, self._y
        self._parts.append(f'<line class="g" x1="0" x2="{LEFT + WIDTH}" y1="{self._y}" y2="{self._y}"/>')
        self._text(8, self._y + 12, site.id)
        for event in self._scenario.event:
            if covers(event.scope, site):
                self._event(event.kind, *checks.interval(event, self._scenario))
        for what in What:
            truths = [one for one in run.truths if (one.site, one.what) == (site.id, what)]
            said = [one for one in run.sayings if (one.site, one.what) == (site.id, what)]
            if truths or said:
                self._lane(f"{what.value}: true", [self._true(one) for one in truths])
                self._lane("said", [part for one in said for part in self._said(one)])
        notices = [one for one in run.notices if one.site == site.id]
        if notices:
            marks = [self._told(one.at_s, one.condition, wrong=not one.true) for one in notices]
            self._lane("other notices", marks)
        self._y = max(self._y, top + LANE) + 6

    def _event(self, kind: str, start_s: float, end_s: float) -> None:
        x, width = self._bar(start_s, end_s)
        self._parts.append(
            f'<rect x="{x:.1f}" y="{self._y + 5:.1f}" width="{width:.1f}" height="4" fill="#444"/>'
            f'<text class="s" x="{x + width + 3:.1f}" y="{self._y + 11:.1f}">{escape(kind)}</text>'
        )
        self._y += LANE - 2

    def _lane(self, name: str, parts: list[str]) -> None:
        self._parts.append(
            f'<text class="s" x="{LEFT - 6}" y="{self._y + 11}" text-anchor="end">{name}</text>'
        )
        self._parts += parts
        self._y += LANE

    def _true(self, one: Truth) -> str:
        others = sorted(cause.value for cause in one.accepted - {one.cause})
        label = one.cause.value + (f" (or {', '.join(others)})" if others else "")
        return self._block(one.start_s, one.end_s, one.cause, label, pale=one.optional)

    def _said(self, one: Saying) -> Iterator[str]:
        end_s = self._end_s if one.ended_s is None else one.ended_s
        yield self._block(one.started_s, one.opened_s, None, "found later", pale=True)
        for number, word in enumerate(one.words):
            until_s = one.words[number + 1].at_s if number + 1 < len(one.words) else end_s
            if until_s > word.at_s:
                yield self._block(word.at_s, until_s, word.cause, word.cause.value, pale=False)
        final = one.final()
        if final is not None:
            x = self._x(end_s)
            yield (
                f'<circle cx="{x:.1f}" cy="{self._y + 7:.1f}" r="5" fill="{COLOURS[final]}" stroke="#222">'
                f"<title>final: {final.value}</title></circle>"
            )
        if one.notified:
            yield self._told(one.opened_s, "told", wrong=one in self._false)

    def _block(self, start_s: float, end_s: float, cause: Cause | None, label: str, *, pale: bool) -> str:
        x, width = self._bar(start_s, end_s)
        colour = COLOURS[cause] if cause else "#999"
        text = f'<text class="w" x="{x + 3:.1f}" y="{self._y + 10:.1f}">{escape(label)}</text>'
        style = ' class="o"' if pale else ""
        title = f"{escape(label)} {start_s:.0f} to {end_s:.0f} s"
        return (
            f'<g{style}><rect x="{x:.1f}" y="{self._y + 1:.1f}" width="{width:.1f}" '
            f'height="{LANE - 3}" fill="{colour}"><title>{title}</title>'
            f"</rect>{text if width > 5.5 * len(label) and not pale else ''}</g>"
        )

    def _told(self, at_s: float, what: str, *, wrong: bool) -> str:
        x, y, colour = self._x(at_s), self._y + 1, "#d00000" if wrong else "#222"
        return (
            f'<path d="M{x - 4:.1f} {y:.1f}h8l-4 7z" fill="{colour}">'
            f"<title>{escape(what)} at {at_s:.0f} s</title></path>"
        )

    def _axis(self, top: float, bottom: float) -> Iterator[str]:
        span = self._end_s - self._begin_s
        tick = next((one for one in TICKS_S if span / one <= 14), TICKS_S[-1])  # noqa: PLR2004 - ticks
        at_s = -(-self._begin_s // tick) * tick
        while at_s <= self._end_s:
            x = self._x(at_s)
            name = f"{at_s / 3600:g} h" if tick >= 3600 else f"{at_s / 60:g} min"  # noqa: PLR2004 - an hour
            yield f'<line class="g" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
            yield f'<text class="s" x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{name}</text>'
            at_s += tick
        for edge_s in (0.0, self._scenario.scenario.duration_s):
            x = self._x(edge_s)
            yield (
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="#888" '
                'stroke-dasharray="4 3"/>'
            )

    def _text(self, x: float, y: float, text: str, style: str = "") -> None:
        named = f' class="{style}"' if style else ""
        self._parts.append(f'<text{named} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>')

    def _bar(self, start_s: float, end_s: float) -> tuple[float, float]:
        x = self._x(start_s)
        return x, max(1.5, self._x(end_s) - x)

    def _x(self, at_s: float) -> float:
        inside = min(max(at_s, self._begin_s), self._end_s)
        return LEFT + WIDTH * (inside - self._begin_s) / (self._end_s - self._begin_s)
