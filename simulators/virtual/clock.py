"""A simulated device's clock: uptime from its boot, wall time once it was set, and what goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.scenario.model import Constants, DevicePart
    from simulators.virtual.loop import VirtualTime
    from simulators.world.place import Place


_FOR_EVER_S = 1e9
_ROUNDING_S = 1e-6


class DeviceClock:
    """The clock of one kernel boot of one device; it has the shape of the agent's clock port."""

    def __init__(
        self,
        time: VirtualTime,
        place: Place,
        part: DevicePart,
        constants: Constants,
        booted_ms: int,
        seed: int,
    ) -> None:
        self._time = time
        self._place = place
        self._part = part
        self._drift = constants.clock_drift_ppm * 1e-6
        self._ntp_ms = round(constants.ntp_s * 1000)
        self._booted_ms = booted_ms
        boots, unit = place.machines[part.id].boots, place.machines[part.id].unit
        self._seed = f"{seed}/{part.id}/{unit}/{boots}/{booted_ms}"
        self._drawn = 0
        self._set = False
        self._thawed: asyncio.Event | None = None
        self._woken: asyncio.Event | None = None
        self._left_out_s = 0.0  # time that passed while it dozed
        self._dozed_s = 0.0  # when it began to

    def uptime_ms(self) -> int:
        """Milliseconds since this boot."""
        return self._time.now_ms() - self._booted_ms

    def wall_ms(self) -> int | None:
        """Milliseconds since 1970 UTC; None until a time service has set it, and while it is lost.

        Once set it runs on without a way out, and drifts until it is set again.
        """
        now, place, name = self._time.now_ms(), self._place, self._part.id
        since = place.way_since_ms(name)
        disciplined = since is not None and now - since >= self._ntp_ms
        self._set = self._set or disciplined
        if not self._set or place.view.holding("clock_reset", now, name):
            return None
        wrong = place.view.last("clock_wrong", now, name)
        lost_ms = place.way_lost_ms(name)
        drift_ms = 0.0 if disciplined or lost_ms is None else self._drift * (now - lost_ms)
        return now + round(drift_ms + (wrong.value("offset_s") * 1000.0 if wrong else 0.0))

    async def sleep_ms(self, duration_ms: int) -> None:
        """Let others run for so long; a machine that stands still sleeps on."""
        end_s = self._time.now_s - self._left_out_s + duration_ms / 1000.0
        left_s = duration_ms / 1000.0
        while True:
            await asyncio.sleep(left_s)
            if self._woken is not None:
                await self._woken.wait()
            left_s = end_s + self._left_out_s - self._time.now_s
            if left_s < _ROUNDING_S:
                break
        while self._thawed is not None:
            await self._thawed.wait()

    def doze(self) -> None:
        """Let time pass that is left out: no wait of the device notices it."""
        if self._woken is None:
            self._woken, self._dozed_s = asyncio.Event(), self._time.now_s

    def wake(self) -> None:
        """Go on where it began to doze."""
        if self._woken is not None:
            self._left_out_s += self._time.now_s - self._dozed_s
            self._woken.set()
            self._woken = None

    def freeze(self) -> None:
        """Stand still."""
        if self._thawed is None:
            self._thawed = asyncio.Event()

    def thaw(self) -> None:
        """Go on."""
        if self._thawed is not None:
            self._thawed.set()
            self._thawed = None

    def kernel_boot(self) -> bytes:
        """Return the id of this boot, 16 bytes."""
        return hashlib.sha256(f"{self._seed}/boot".encode()).digest()[:16]

    def random_bytes(self, count: int) -> bytes:
        """Return bytes that look random and are the same in every run."""
        self._drawn += 1
        found = b""
        while len(found) < count:
            found += hashlib.sha256(
                f"{self._seed}/{self._time.now_s}/{self._drawn}/{len(found)}".encode()
            ).digest()
        return found[:count]


class AgentClock:
    """A device's clock as one run of its agent sees it; after the run's end no wait of it ends any more.

    A wait whose limit is reached at the very moment at which the run is cancelled takes the cancellation for
    its limit, and its task goes on. In a process that dies nobody notices; here it would go on for ever.
    """

    def __init__(self, clock: DeviceClock) -> None:
        self._clock = clock
        self.uptime_ms = clock.uptime_ms
        self.wall_ms = clock.wall_ms
        self.kernel_boot = clock.kernel_boot
        self.random_bytes = clock.random_bytes
        self.ended = False

    async def sleep_ms(self, duration_ms: int) -> None:
        """Let others run for so long."""
        if self.ended:
            await asyncio.sleep(_FOR_EVER_S)
        await self._clock.sleep_ms(duration_ms)
