"""Readers that read the simulated world instead of hardware; the agent treats them like its own.

Measurements and fields are those of ``agent/wire/fields.py``, units as there. Each reads the place as it is
at the moment of the call, so the place has to have come to that moment: ``read`` sees to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.instruments.host import HostReader
from simulators.instruments.meters import MeterReader, TamperReader
from simulators.instruments.network import NetReader, ProbeReader
from simulators.instruments.ups import UpsReader
from simulators.instruments.wifi import WifiReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.instruments.base import Intervals, Reader
    from simulators.scenario.model import DevicePart
    from simulators.world.place import Place


def readers_of(
    place: Place,
    part: DevicePart,
    intervals: Intervals,
    now_ms: Callable[[], int],
    uptime_ms: Callable[[], int],
) -> list[Reader]:
    """Return what an agent on a device of a place reads.

    A router or Pi fed by a UPS reads that UPS; one on the mains reads the site's first, if there is one. The
    site's meters hang on its first device with an agent. Routers and access points have radios.
    """
    at = place, part, intervals, now_ms
    found: list[Reader] = [HostReader(*at, uptime_ms), NetReader(*at), ProbeReader(*at), TamperReader(*at)]
    name = part.feed.removeprefix("ups:") if part.feed.startswith("ups:") else None
    ups = next((unit for unit in place.site.ups if name in {None, unit.id}), None)
    if ups is not None:
        found.append(UpsReader(*at, ups))
    if part.kind in {"router", "ap"}:
        found.append(WifiReader(*at))
    first = next((other for other in place.site.device if other.has_agent), None)
    if place.site.meter and first is part:
        found.append(MeterReader(*at))
    return found
