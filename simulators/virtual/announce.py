"""The work that a scenario announces to its centre, as windows of the collector's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from collector.around import windows
from simulators.scenario import checks
from simulators.scenario.kinds import Scope
from simulators.world import happenings
from simulators.world.happenings import covers

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from simulators.scenario.model import EventPart, Scenario


def announce(engine: Engine, scenario: Scenario) -> None:
    """Write the windows down before anything happens."""
    zero_ms = happenings.start_ms(scenario) + round(scenario.scenario.warmup_s * 1000)
    with Session(engine) as session, session.begin():
        for event in scenario.event:
            if event.kind == "planned_work":
                from_ms, to_ms = (zero_ms + round(at_s * 1000) for at_s in checks.interval(event, scenario))
                for scope in _scopes(event, scenario):
                    row = {"from_ms": from_ms, "to_ms": to_ms, "what": event.kind, **scope}
                    windows.add(session, row, "scenario", zero_ms)


def _scopes(event: EventPart, scenario: Scenario) -> list[dict[str, Any]]:
    """Return the scopes of windows. What the registry does not know is announced site by site."""
    what, scope, known = checks.scope_of(event.scope), event.scope, scenario.known
    told: dict[Scope | None, bool] = {
        Scope.CIRCUIT: known.circuit,
        Scope.PROVIDER: known.provider,
        Scope.CIRCLE: known.position,
        Scope.CENTRE: True,
    }
    if not told.get(what, False):
        return [{"site_id": site.id} for site in scenario.site if covers(scope, site)]
    names = ("circuit", "provider", "lat", "lon", "radius_m")
    return [{name: getattr(scope, name) for name in names if getattr(scope, name) is not None}]
