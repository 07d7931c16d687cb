"""Meters of the mains behind a leg's breaker, and the contact that tells when somebody opens the box."""

from __future__ import annotations

from simulators.instruments.base import Instrument, Row


class MeterReader(Instrument):
    """A row of ``mains`` per meter; a meter without voltage does not answer, and has none."""

    name = "meters"

    def rows(self, now: int) -> list[Row]:
        """Return a row for each meter that answers."""
        legs = self.place.supply.at_legs(now)
        rows: list[Row] = []
        for meter in self.place.site.meter:
            leg = legs[meter.leg - 1]
            if leg.volts < 80.0:  # noqa: PLR2004 - what feeds a PZEM-004T is what it measures, 80 to 260 V
                continue
            rows.append(
                (
                    "mains",
                    f"{meter.place}-{meter.leg}",
                    {
                        "voltage": round(leg.volts, 1),
                        "current": round(leg.amperes, 3),
                        "power": round(leg.watts, 1),
                        "frequency": round(self.place.supply.hz(now), 2),
                        "power_factor": 1.0,
                        "leg": meter.leg,
                        "place": meter.place,
                    },
                )
            )
        return rows


class TamperReader(Instrument):
    """``tamper``: the contact of the box."""

    name = "tamper"
    watched = ("open",)
    watches = True

    def rows(self, now: int) -> list[Row]:
        """Return the contact's row."""
        return [
            ("tamper", "box", {"open": int(bool(self.place.view.holding("tamper_open", now, self.part.id)))})
        ]
