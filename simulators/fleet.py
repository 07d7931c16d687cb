"""Many simulated devices in one process and one event loop: real frames over real MQTT.

Every device follows the world: it has power while its feed has, its line carries while the provider's
line works and the modem has power.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from simulators.clock import now_ms
from simulators.device import SimulatedDevice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.plans import Bench, DevicePlan
    from simulators.world.world import World

FOLLOW_S = 0.2
START_SPREAD_S = 3.0
STOP_S = 10.0


class Fleet:
    """Devices of a world. ``async with`` starts them, spread over ``spread_s``, and stops them in order."""

    def __init__(
        self, plans: Iterable[DevicePlan], world: World, bench: Bench, *, spread_s: float = START_SPREAD_S
    ) -> None:
        self.devices = [SimulatedDevice(plan, world[plan.site], bench) for plan in plans]
        self._spread_s = spread_s
        self._follower: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open all lines and switch the devices on."""
        for device in self.devices:
            await device.link.open()
        self._follower = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Stop following the world, stop all agents in an orderly way, close the lines."""
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
        stops = [asyncio.create_task(device.stop()) for device in self.devices]
        if stops:
            _done, late = await asyncio.wait(stops, timeout=STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*stops, return_exceptions=True)
        await asyncio.gather(*(device.link.close() for device in self.devices))

    def failed(self) -> dict[str, str]:
        """Devices whose agent ended by itself, with its last words."""
        return {device.plan.name: device.failure for device in self.devices if device.failure}

    def statuses(self) -> dict[str, dict[str, Any]]:
        """Return what every agent says of itself, by device."""
        return {device.plan.name: device.status() for device in self.devices}

    async def _follow(self) -> None:
        """Let power and lines be as the world has them; first, one device after the other."""
        pause = self._spread_s / max(1, len(self.devices))
        for device in self.devices:
            await device.follow(now_ms())
            await asyncio.sleep(pause)
        while True:
            for device in self.devices:
                await device.follow(now_ms())
            await asyncio.sleep(FOLLOW_S)
