"""An access point and how many people are on it."""

from __future__ import annotations

from simulators.instruments.base import Fields, Instrument, Row


class WifiReader(Instrument):
    """One row of ``wifi_ap``; signal quantiles only while somebody is there."""

    name = "wifi"

    def rows(self, now: int) -> list[Row]:
        """Return the row of the device's radio."""
        silent = bool(self.place.view.holding("radio_silent", now, self.part.id))
        radios = sum(device.kind in {"router", "ap"} for device in self.place.site.device)
        clients = 0 if silent else round(self.place.supply.clients(now) / max(1, radios))
        row: Fields = {
            "clients": clients,
            "channel": 6,
            "noise": -95.0,
            "airtime_percent": 0.0 if silent else round(min(90.0, 3.0 + 1.2 * clients), 1),
        }
        if clients:
            row |= {"signal_p10": -78.0, "signal_p50": -64.0, "signal_p90": -48.0, "rate_p50": 58.0}
        return [("wifi_ap", "phy0-ap0", row)]
