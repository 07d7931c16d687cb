"""A router that a person turns the knobs of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.clock import now_ms as wall_ms
from simulators.protocols.knobs import Knob, Paneled, switch
from simulators.protocols.sources import BusState, Radio, Router, WayOut

if TYPE_CHECKING:
    from collections.abc import Callable

RADIOS: Final = ("phy0-ap0", "phy1-ap0")
_CHANNELS: Final = ("6", "36")
UP: Final = "up"
DOWN: Final = "down"
# what netifd says why the way out is down (agent/readers/wan.py knows what they mean)
REASONS: Final = ("NO_LEASE", "AUTH_FAILED", "CONNECT_FAILED", "NO_DEVICE", "PEER_DEAD")


def _knobs() -> list[Knob]:
    found = [
        Knob("wan", UP, "the way out; a word in capitals is netifd's reason", choices=(UP, DOWN, *REASONS))
    ]
    for name, channel in zip(RADIOS, _CHANNELS, strict=True):
        found += [
            switch(f"{name}.radio", "whether hostapd has this access point", on=True),
            Knob(f"{name}.clients", "3", "how many people are on it", "", 0, 500),
            Knob(f"{name}.signal", "-64", "median signal of the clients", "dBm", -90, -25),
            Knob(f"{name}.busy", "15", "how much the channel is in use", "%", 0, 100),
            Knob(f"{name}.channel", channel, "channel", "", 1, 177),
        ]
    found.append(Knob("bus", "ok", "ubus itself", choices=tuple(each.value for each in BusState)))
    return found


class KnobRouter(Paneled):
    """A router in real time: uptime and air time go on by themselves."""

    def __init__(self, clock: Callable[[], int] = wall_ms) -> None:
        self._clock = clock
        super().__init__(_knobs())
        self._at_ms = self._up_since_ms = clock()
        self._active = dict.fromkeys(RADIOS, 0.0)
        self._busy = dict.fromkeys(RADIOS, 0.0)

    def turn(self, name: str, text: str) -> None:
        """Turn a knob."""
        self._count()
        was = self._panel.text("wan")
        super().turn(name, text)
        if was != UP and self._panel.text("wan") == UP:
            self._up_since_ms = self._clock()

    def router(self) -> Router:
        """Return it as it is now."""
        self._count()
        wan = self._panel.text("wan")
        way = WayOut(
            up=wan == UP,
            uptime_s=max(0, self._clock() - self._up_since_ms) // 1000,
            error="" if wan in {UP, DOWN} else wan,
        )
        return Router(tuple(map(self._radio, RADIOS)), (way,), BusState(self._panel.text("bus")))

    def _radio(self, name: str) -> Radio:
        def whole(knob: str) -> int:
            return round(self._panel.number(f"{name}.{knob}"))

        return Radio(
            name=name,
            channel=whole("channel"),
            up=self._panel.is_on(f"{name}.radio"),
            clients=whole("clients"),
            signal_dbm=whole("signal"),
            active_ms=int(self._active[name]),
            busy_ms=int(self._busy[name]),
        )

    def _count(self) -> None:
        """Count air time to now; a radio that is off begins anew."""
        now = self._clock()
        passed = max(0, now - self._at_ms)
        self._at_ms = now
        for name in RADIOS:
            if not self._panel.is_on(f"{name}.radio"):
                self._active[name] = self._busy[name] = 0.0
                continue
            self._active[name] += passed
            self._busy[name] += passed * self._panel.number(f"{name}.busy") / 100.0
