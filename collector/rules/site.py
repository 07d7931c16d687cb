"""What the rules are told about a facility: not its readings, but how it is built."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """A device and what feeds it and its modem: ``mains``, ``ups:<id>``, ``poe:<device>``, None: unknown.

    ``uplink`` is the device of the site through which it goes out; None: itself, or nobody knows.
    """

    id: str
    kind: str = "router"
    feed: str | None = None
    modem_feed: str | None = None
    uplink: str | None = None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Other premises of one sort that are known of since this site fell; who shares a meter counts once.

    Of ``watched``, ``dark`` fell together with it, ``fine`` have what is asked of them: supply, or of a
    provider's a way out. ``unsupplied`` of the dark told that they lost their supply; of the rest only
    silence is known. ``names`` are some of the dark.
    """

    dark: int
    watched: int
    fine: int = 0
    unsupplied: int = 0
    names: tuple[str, ...] = ()
    strangers: int | None = None  # other providers among the dark; None: some provider is not known


@dataclass(frozen=True, slots=True)
class Cofailure:
    """What the past says of a site that fell together with this one: ``together`` of ``fell`` times."""

    name: str
    together: int
    fell: int


@dataclass(frozen=True, slots=True)
class Around:
    """Who else fell when this site did; None where nothing is known (a position, a circuit, a provider).

    ``mains``: premises near by or in one group with it, ``premises``: other facilities behind its own meter,
    ``circuit`` and ``provider``: on the same one, wherever. ``back_ms``: since when the area of which it was
    a member has its supply or its way out again, when it left this site behind. ``far``: the next places,
    where nobody near by or on its circuit can be asked.
    """

    mains: Neighbours | None = None
    premises: Neighbours | None = None
    circuit: Neighbours | None = None
    provider: Neighbours | None = None
    cofailure: Cofailure | None = None
    back_ms: int | None = None
    far: Neighbours | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Work that was announced for this site, from ``from_ms`` until ``to_ms``; ``what``: as announced."""

    id: int
    from_ms: int
    to_ms: int
    what: str = ""


@dataclass(frozen=True, slots=True)
class Deaf:
    """A time in which the centre's own probes failed. ``what``: ``broker``, ``store`` or ``uplink``.

    ``since_ms`` is the last success before, ``until_ms`` the first one after (None: still failing).
    """

    what: str
    since_ms: int
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Centre:
    """What the centre's probes say of itself. ``deaf``: failures now and lately, oldest first.

    ``probed``: somebody asks the probes. Without them nothing is known, neither for nor against the centre.
    """

    probed: bool = False
    deaf: tuple[Deaf, ...] = ()

    def fails(self, what: str) -> int | None:
        """Return since when a probe fails, None when it does not."""
        return next(
            (span.since_ms for span in self.deaf if span.what == what and span.until_ms is None), None
        )


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """A facility. ``watched_since_ms``: since when the collector listens without a pause.

    Silence before that moment was ours as well as theirs, and is not held against a device. ``neighbours``
    is None while the site has fallen with nobody's notice, which is most of the time.
    """

    id: str
    nominal_v: float = 127.0
    devices: tuple[DeviceFacts, ...] = ()
    kind: str = ""
    neighbours: Around | None = None
    watched_since_ms: int = 0
    planned: tuple[Window, ...] = ()
    centre: Centre = Centre()

    def device(self, name: str) -> DeviceFacts | None:
        """Return a device of this site, None when it is not here."""
        return next((device for device in self.devices if device.id == name), None)

    def way_out(self, name: str) -> tuple[str, ...]:
        """Return the devices that speak to us through which one goes out, the nearest first."""
        found: list[str] = []
        device = self.device(name)
        while device is not None and device.uplink is not None and device.uplink not in {name, *found}:
            device = self.device(device.uplink)
            if device is not None and device.kind != "modem":
                found.append(device.id)
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
