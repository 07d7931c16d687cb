"""What the rules are told about a facility: not its readings, but how it is built."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """A device and what feeds it and its modem: ``mains``, ``ups:<id>``, ``poe:<device>``, None: unknown.

    ``uplink`` is the device of the site through which it goes out, None when it does so itself or nobody knows.
    """

    id: str
    kind: str = "router"
    feed: str | None = None
    modem_feed: str | None = None
    uplink: str | None = None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Other premises near by: how many of ``watched`` are without supply or silent."""

    dark: int
    watched: int


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """A facility. ``watched_since_ms``: since when the collector listens without a pause.

    Silence before that moment was ours as well as theirs, and is not held against a device.
    """

    id: str
    nominal_v: float = 127.0
    devices: tuple[DeviceFacts, ...] = ()
    kind: str = ""
    neighbours: Neighbours | None = None
    watched_since_ms: int = 0

    def device(self, name: str) -> DeviceFacts | None:
        """Return a device of this site, None when it is not here."""
        return next((device for device in self.devices if device.id == name), None)

    def way_out(self, name: str) -> tuple[str, ...]:
        """Return the devices through which one goes out, the nearest first; none when nobody knows."""
        found: list[str] = []
        device = self.device(name)
        while device is not None and device.uplink is not None and device.uplink not in {name, *found}:
            found.append(device.uplink)
            device = self.device(device.uplink)
        return tuple(found)

    def carried(self, feed: str | None) -> bool | None:
        """Say whether a feed comes from a UPS: True, False for mains, None when it is not known."""
        seen: set[str] = set()
        while feed is not None and feed.startswith("poe:"):
            name = feed.removeprefix("poe:")
            source = self.device(name)
            if source is None or name in seen:
                return None
            seen.add(name)
            feed = source.feed
        if feed is None:
            return None
        return True if feed.startswith("ups:") else False if feed == "mains" else None
