"""An access point and how many people are on it."""

from __future__ import annotations

from simulators.instruments.base import Fields, Instrument, Row
from simulators.world import people


class WifiReader(Instrument):
    """A row of ``wifi_ap`` and one of ``wifi``; signal quantiles only while somebody is there."""

    name = "wifi"

    def rows(self, now: int) -> list[Row]:
        """Return the row of the device's radio, and that of all its radios."""
        site = self.place.site
        up = not self.place.view.holding("radio_silent", now, self.part.id)
        radios = max(1, sum(device.kind in {"router", "ap"} for device in site.device))
        clients = round(self.place.supply.clients(now) / radios) if up else 0
        today = round(people.clients_today(self.place.seed, site.id, site.kind, now) / radios)
        sent = round(min(60.0, 1.0 + 0.7 * clients), 1) if up else 0.0
        row: Fields = {
            "up": int(up),
            "dfs_wait": 0,
            "clients": clients,
            "clients_day": today,
            "channel": 6,
            "frequency": 2437,
            "noise": -95.0,
            "tx_power": 20.0,
            "place": "indoor",
            "airtime_percent": round(min(90.0, 3.0 + 1.2 * clients), 1) if up else 0.0,
            "airtime_tx_percent": sent,
            "airtime_rx_percent": round(0.3 * sent, 1),
        }
        if clients:
            row |= {"signal_p10": -78.0, "signal_p50": -64.0, "signal_p90": -48.0, "rate_p50": 58.0}
        total: Fields = {
            "access_points": 1,
            "access_points_up": int(up),
            "clients": clients,
            "clients_day": today,
            "clients_unread": 0,
            "bad_values": 0,
        }
        return [("wifi_ap", "phy0-ap0", row), ("wifi", None, total)]
