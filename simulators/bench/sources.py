"""The facility's UPS and meter as the servers of `simulators/protocols` ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.bench.facility import UPS
from simulators.clock import now_ms
from simulators.protocols.sources import Condition, MeterFault, MeterReading
from simulators.protocols.ups_source import identity, variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.bench.facility import Facility
    from simulators.protocols.knobs import Knob
    from simulators.world.line_interactive import Picture


class FacilityUps:
    """The UPS of a facility, as its driver shows it; without contact the picture stays as it was."""

    def __init__(self, facility: Facility) -> None:
        self._facility = facility
        self._seen: Picture | None = None

    def variables(self) -> Mapping[str, str]:
        """Return every variable."""
        facility = self._facility
        facility.settle()
        if self._seen is None or facility.panel.is_on("usb"):
            self._seen = facility.place.picture(facility.ups)
        hz = facility.place.supply.hz(now_ms())
        shown = variables(self._seen, facility.place.upses[UPS].model, hz)
        return identity("Bench UPS", UPS) | shown

    def condition(self) -> Condition:
        """Return how upsd stands to it."""
        return Condition.OK if self._facility.panel.is_on("usb") else Condition.STALE

    def commands(self) -> Mapping[str, str]:
        """Return what it can be told to do."""
        return {}

    def command(self, name: str) -> bool:  # noqa: ARG002 - it knows none
        """Do nothing."""
        return False

    def writable(self) -> tuple[Knob, ...]:
        """Return nothing: the bench's own switches are for that."""
        return ()

    def set(self, name: str, value: str) -> bool:  # noqa: ARG002 - nothing can be set
        """Set nothing."""
        return False


class FacilityMeter:
    """The meter of a facility."""

    def __init__(self, facility: Facility) -> None:
        self._facility = facility

    def reading(self) -> MeterReading:
        """Return what it measures now."""
        leg, hz = self._facility.leg(), self._facility.place.supply.hz(now_ms())
        return MeterReading(leg.volts, leg.amperes, leg.volts * leg.amperes, 0.0, hz, 1.0)

    def fault(self) -> MeterFault:
        """Return that nothing is wrong with it."""
        return MeterFault.NONE
