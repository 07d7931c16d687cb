"""Interfaces by psutil, and notices from the kernel (pyroute2) when a link turns.

psutil asks every driver for speed and duplex by ioctl, also where sysfs has no such file. Netlink only says
*when* to read: what is reported always comes from one read, so that a lost notice costs time, never truth.
Where netlink is refused (a sandbox), waiting is plain waiting.
"""

from typing import TYPE_CHECKING, Any

import psutil
from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError

from agent.readers.interfaces import Interfaces, parse_link
from agent.timing import LimitReached, within

if TYPE_CHECKING:
    from agent.readers.port import Reader
    from agent.timing import Clock

RTMGRP_LINK = 1  # rtnetlink(7): the multicast group of links alone
DUPLEX: dict[int, str] = {psutil.NIC_DUPLEX_FULL: "full", psutil.NIC_DUPLEX_HALF: "half"}


class LinkTurns:
    """Waits until the kernel tells of a link that turned; statistics and Wi-Fi scans are no such news."""

    def __init__(self) -> None:
        self._netlink: Any = None  # pyroute2 publishes no types
        self._states: dict[str, tuple[object, object, object]] = {}

    async def wait(self) -> None:
        """Return at the next turn. Raises OSError or NetlinkError where netlink cannot be had."""
        if self._netlink is None:
            self._netlink = await self._listen()
        while True:
            async for message in self._netlink.get():
                if self._turned(message):
                    return

    async def _listen(self) -> Any:
        netlink = AsyncIPRoute()
        try:
            await netlink.bind(groups=RTMGRP_LINK)
            async for message in await netlink.get_links():
                self._turned(message)
        except BaseException:
            netlink.close()
            raise
        return netlink

    def _turned(self, message: Any) -> bool:
        name = message.get("ifname")
        if name is None or message.get("event") not in {"RTM_NEWLINK", "RTM_DELLINK"}:
            return False
        state = (message["event"], message.get("operstate"), message.get("carrier"))
        before, self._states[name] = self._states.get(name), state
        return before != state

    def close(self) -> None:
        """Give the socket back."""
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None


class KernelInterfaces(Interfaces):
    """As Interfaces, of the machine that it runs on, with ``wait_turn`` and ``close``."""

    _turns: LinkTurns | None = None
    _deaf = False

    async def wait_turn(self, limit_ms: int) -> None:
        """Return when a link turned, or after ``limit_ms``; see agent.readers.port."""
        if self._deaf:
            await self._clock.sleep_ms(limit_ms)
            return
        if self._turns is None:
            self._turns = LinkTurns()
        try:
            await within(self._clock, self._turns.wait(), limit_ms)
        except LimitReached:
            return
        except (OSError, NetlinkError):
            self._deaf = True
            await self.close()
            await self._clock.sleep_ms(limit_ms)

    async def close(self) -> None:
        """Stop listening to the kernel."""
        if self._turns is not None:
            self._turns.close()
            self._turns = None

    def _counters(self) -> dict[str, dict[str, int]]:
        # nowrap would make up values: the centre handles counters that wrap or restart
        found = psutil.net_io_counters(pernic=True, nowrap=False)
        return {name: _renamed(counters) for name, counters in found.items()}

    def _link(self, name: str) -> dict[str, int]:
        fields = super()._link(name)
        stats = psutil.net_if_stats().get(name)
        if stats is not None:
            fields.update(parse_link(fields["carrier"], stats.speed or None, DUPLEX.get(stats.duplex)))
        return fields


def _renamed(counters: Any) -> dict[str, int]:
    return {
        "bytes_recv": counters.bytes_recv,
        "bytes_sent": counters.bytes_sent,
        "packets_recv": counters.packets_recv,
        "packets_sent": counters.packets_sent,
        "err_in": counters.errin,
        "err_out": counters.errout,
        "drop_in": counters.dropin,
        "drop_out": counters.dropout,
    }


def make_interfaces(options: dict[str, Any], clock: "Clock", sample_ms: int, watch_ms: int) -> "Reader":
    """Build the reader of the interfaces; options ``names`` and ``wan``."""
    return KernelInterfaces(clock, sample_ms, watch_ms, options.get("names"), options.get("wan"))
