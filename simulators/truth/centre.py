"""When the centre itself heard nobody, and what that means for outages that begin then.

Broker and uplink are things that the centre can probe: their silence has to be called ``collector``. While
the ingest or the store is down no rule runs: whether it says so afterwards is left to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.scenario import checks
from simulators.truth.spans import touching, union

if TYPE_CHECKING:
    from simulators.scenario.model import Scenario
    from simulators.truth.spans import Span, Spans

PROBED: Final = frozenset({"broker_down", "centre_uplink_down"})
MUTE: Final = frozenset({"collector_down", "store_down"})
NOTICE_MS: Final = 135_000  # within so long an outage has to be found: 2.5 report intervals, and the hold-off
SETTLE_MS: Final = 45_000  # devices return at random over 30 s

Deaf = list[tuple["Span", bool]]  # when nobody was heard, and whether probes tell


def deaf(scenario: Scenario, zero_ms: int) -> Deaf:
    """Return when nobody was heard."""
    probed: Spans = []
    mute: Spans = []
    for event in scenario.event:
        if event.kind in PROBED | MUTE:
            start_s, end_s = checks.interval(event, scenario)
            span = zero_ms + round(start_s * 1000), zero_ms + round(end_s * 1000)
            (probed if event.kind in PROBED else mute).append(span)
    mute = union(mute)
    # while the ingest is down as well, nobody looks at the probes
    whole = union([*probed, *mute])
    return [(span, bool(touching(probed, span)) and not touching(mute, span)) for span in whole]


def heard_from(deaf_times: Deaf, outage: Span) -> tuple[int, bool]:
    """Return from when on an outage can be found, and whether it is hidden: over before that."""
    start_ms, end_ms = outage
    for (deaf_ms, hears_ms), _ in deaf_times:
        if deaf_ms < start_ms + NOTICE_MS and start_ms < hears_ms:
            start_ms = hears_ms + SETTLE_MS
    return (start_ms, False) if start_ms < end_ms - NOTICE_MS or start_ms == outage[0] else (outage[0], True)
