"""The outages of a scenario, of service and of mains, each with the verdicts that are right for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collector.model import Cause
from simulators.evaluate.score import Truth, What
from simulators.scenario import checks
from simulators.scenario.kinds import Scope
from simulators.truth import blame, centre
from simulators.truth.cause import Inquiry
from simulators.truth.spans import overlap, total, touching, union
from simulators.truth.walk import Walk
from simulators.world import happenings
from simulators.world.happenings import covers

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.scenario.model import EventPart, Scenario, SitePart
    from simulators.truth.spans import Span, Spans

SHORT_MS: Final = 60_000  # shorter ones need not be found; a return shorter than that is no return
_RETURN_MS: Final = 300_000  # machines boot after the work has ended


@dataclass(slots=True)
class SiteTruth:
    """What is true of one site: its outages and the walk that shows the rest."""

    site: SitePart
    outages: list[Truth]
    walk: Walk
    zero_ms: int


def of_scenario(scenario: Scenario) -> dict[str, SiteTruth]:
    """Return what is true of every site that has an agent."""
    zero_ms = happenings.start_ms(scenario) + round(scenario.scenario.warmup_s * 1000)
    return {
        site.id: _Site(scenario, site, zero_ms).truth()
        for site in scenario.site
        if any(part.has_agent for part in site.device)
    }


class _Site:
    def __init__(self, scenario: Scenario, site: SitePart, zero_ms: int) -> None:
        self._scenario = scenario
        self._site = site
        self._zero_ms = zero_ms
        self._inquiry = Inquiry(scenario, site, zero_ms)
        self._walk = self._inquiry.walked(self._inquiry.numbers) if self._inquiry.numbers else Walk()
        self._deaf = centre.deaf(scenario, zero_ms)
        self._windows = [
            self._span(event)
            for event in scenario.event
            if event.kind == "planned_work"
            and (checks.scope_of(event.scope) is Scope.CENTRE or covers(event.scope, site))
        ]

    def truth(self) -> SiteTruth:
        """Return everything."""
        silent, dead = self._walk.silent(), self._walk.mains_out()
        found = self._outages(What.SERVICE, silent, Walk.silent)
        found += self._outages(What.MAINS, dead, Walk.mains_out)
        legs = [span for span in self._walk.leg_out() if not touching(dead, span)]
        found += self._outages(What.MAINS, legs, Walk.leg_out, partly=True)
        found += [self._pulled(span) for span in self._walk.pulled()]
        found += self._of_the_centre(silent)
        return SiteTruth(self._site, sorted(found, key=lambda one: (one.start_s, one.what)), self._walk,
                         self._zero_ms)  # fmt: skip

    def _outages(
        self, what: What, spans: Spans, ask: Callable[[Walk], Spans], *, partly: bool = False
    ) -> list[Truth]:
        """Return an outage for each span; spans with little between them make a whole one as well."""
        found = []
        for whole in union(spans, gap_ms=SHORT_MS - 1):
            pieces = touching(spans, whole)
            optional = partly or all(end - start < SHORT_MS for start, end in pieces)
            found.append(self._outage(what, whole, ask, optional=optional))
            if len(pieces) > 1:
                found += [self._outage(what, piece, ask, optional=True) for piece in pieces]
        return found

    def _outage(self, what: What, span: Span, ask: Callable[[Walk], Spans], *, optional: bool) -> Truth:
        causes = [self._scenario.event[number] for number in self._inquiry.causes(span, ask)]
        start_ms, hidden = centre.heard_from(self._deaf, span)
        unseen = what is What.MAINS and not self._told(start_ms)
        primary, accepted = self._right(span, causes)
        return Truth(
            self._site.id,
            what,
            self._seconds(start_ms),
            self._seconds(span[1]),
            primary,
            accepted | ({Cause.COLLECTOR} if hidden else set()),
            optional or hidden or unseen or self._seconds(span[0]) < 0,
        )

    def _told(self, start_ms: int) -> bool:
        """Tell whether somebody who sees the mains could be heard for the outage's first minute."""
        first = (start_ms, start_ms + SHORT_MS)
        return overlap(self._walk.witnessed(), first) >= total([first]) - 1000

    def _right(self, span: Span, causes: list[EventPart]) -> tuple[Cause, frozenset[Cause]]:
        rights = [self._right_of(event, span) for event in causes]
        if not rights:
            return Cause.UNKNOWN, frozenset({Cause.UNKNOWN})
        below = frozenset(cause for right in rights for cause in right)
        if self._alike(causes):
            below |= {Cause.UNKNOWN}
        started_in = any(start <= span[0] < end for start, end in self._windows)
        intended = any(event.planned for event in causes)
        if not (intended or started_in):
            return rights[0][0], below
        inside = any(start <= span[0] and span[1] <= end + _RETURN_MS for start, end in self._windows)
        only = intended and inside
        return Cause.PLANNED, frozenset({Cause.PLANNED}) if only else below | {Cause.PLANNED}

    def _right_of(self, event: EventPart, span: Span) -> blame.Right:
        right = blame.right(event, self._scenario)
        seen_through = event.kind == "ups_unplugged" and not touching(self._walk.pulled(), span)
        return right[:1] if seen_through else right

    def _alike(self, causes: list[EventPart]) -> bool:
        """Tell whether its causes leave what another cause would: a lone router on the mains restarted.

        A Pi knows whether it was without power.
        """
        agents = [part for part in self._site.device if part.has_agent]
        lone = len(agents) == 1 and agents[0].feed.startswith("mains:") and not self._site.ups
        lone = lone and agents[0].kind != "pi"
        many = any(blame.reach(event, self._scenario) is blame.Reach.MANY for event in causes)
        return lone and not many and any(event.kind in blame.RESTARTING for event in causes)

    def _pulled(self, span: Span) -> Truth:
        """Return what looks like mains that are gone and is a pulled plug: neither right nor wrong."""
        right = frozenset({Cause.DEVICE, Cause.MAINS_SITE})
        start_s, end_s = self._seconds(span[0]), self._seconds(span[1])
        return Truth(self._site.id, What.MAINS, start_s, end_s, Cause.DEVICE, right, optional=True)

    def _of_the_centre(self, silent: Spans) -> list[Truth]:
        """Return the silences that the centre makes."""
        found = []
        for span, seen in self._deaf:
            short = span[1] - span[0] < SHORT_MS
            optional = short or not seen or bool(touching(silent, span)) or self._seconds(span[0]) < 0
            found.append(
                Truth(
                    self._site.id,
                    What.SERVICE,
                    self._seconds(span[0]),
                    self._seconds(span[1]),
                    Cause.COLLECTOR,
                    frozenset({Cause.COLLECTOR}),
                    optional,
                )
            )
        return found

    def _span(self, event: EventPart) -> Span:
        start_s, end_s = checks.interval(event, self._scenario)
        return self._zero_ms + round(start_s * 1000), self._zero_ms + round(end_s * 1000)

    def _seconds(self, t_ms: int) -> float:
        return (t_ms - self._zero_ms) / 1000.0
