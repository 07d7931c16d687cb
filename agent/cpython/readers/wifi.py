"""Access points of a machine without ubus (a Raspberry Pi): nl80211, asked through pyroute2.

The driver says what it knows: brcmfmac has no survey, so there is neither noise nor airtime, and often it
cannot scan while it is an access point. Attributes come as pyroute2 decodes them; ``parse_*`` take such
messages as they are. Scanning asks the kernel to scan and reads its list some seconds later.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

from pyroute2.iwutil import AsyncIW
from pyroute2.netlink import NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nl80211 import NL80211_NAMES, nl80211cmd

from agent.errors import ReaderError
from agent.readers.wifi import Wifi
from agent.readers.wifi_day import day_of
from agent.readers.wifi_parse import frequency_of
from agent.readers.wifi_ubus import make_wifi as make_ubus_wifi
from agent.readers.wifi_values import TOPS, mac_of, noise_of, signal_of, whole

if TYPE_CHECKING:
    from agent.readers.port import Reader
    from agent.readers.wifi_parse import Facts
    from agent.readers.wifi_values import Crowd
    from agent.timing import Clock

AP_MODE = 3  # nl80211.h: NL80211_IFTYPE_AP
SCAN_MS = 8000  # passive listening on the channels of two bands
MBM = 100  # hundredths of dB(m)
KBIT = 100  # rates come in units of 100 kbit/s


def attribute(message: Any, name: str) -> Any:
    """Return an attribute of a message or of a nested one, None when it has none of that name."""
    if hasattr(message, "get_attr"):
        return message.get_attr(name)
    pairs = message.get("attrs") if isinstance(message, dict) else None
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and pair[0] == name:  # noqa: PLR2004 (name and value)
            return pair[1]
    return None


def parse_interface(message: Any) -> tuple[str, int, Facts] | None:
    """Return (name, index, facts) of an interface that is an access point, else None."""
    name, index = attribute(message, "NL80211_ATTR_IFNAME"), attribute(message, "NL80211_ATTR_IFINDEX")
    if attribute(message, "NL80211_ATTR_IFTYPE") != AP_MODE or not name or index is None:
        return None
    facts = frequency_of(attribute(message, "NL80211_ATTR_WIPHY_FREQ"))
    facts["up"] = int("frequency" in facts)  # the kernel tells a channel only while it beacons
    power = whole(attribute(message, "NL80211_ATTR_WIPHY_TX_POWER_LEVEL"), -1000, 6000)
    if power is not None:
        facts["tx_power"] = power / MBM
    facts["radio"] = f"phy{attribute(message, 'NL80211_ATTR_WIPHY')}"
    return str(name), int(index), facts


def parse_station(message: Any, crowd: Crowd) -> None:
    """Take one entry of the station dump."""
    info = attribute(message, "NL80211_ATTR_STA_INFO")
    flags = attribute(info, "NL80211_STA_INFO_STA_FLAGS")
    if (isinstance(flags, dict) and flags.get("ASSOCIATED") is False) or crowd.full():
        return
    mac = mac_of(attribute(message, "NL80211_ATTR_MAC"))
    if mac is None:
        crowd.bad += 1
        return
    rates = [_rate(attribute(info, f"NL80211_STA_INFO_{side}_BITRATE")) for side in ("TX", "RX")]
    crowd.add(mac, attribute(info, "NL80211_STA_INFO_SIGNAL"), (rates[0], rates[1]), TOPS[0][1])


def _rate(info: Any) -> int | None:
    """Return kbit/s."""
    for name in ("NL80211_RATE_INFO_BITRATE32", "NL80211_RATE_INFO_BITRATE"):
        rate = whole(attribute(info, name), 1, 1_000_000)
        if rate is not None:
            return rate * KBIT
    return None


def parse_survey(message: Any, facts: Facts) -> None:
    """Put into ``facts`` what the survey tells of the channel in use."""
    info = attribute(message, "NL80211_ATTR_SURVEY_INFO")
    if attribute(info, "NL80211_SURVEY_INFO_FREQUENCY") != facts.get("frequency"):
        return
    noise = noise_of(attribute(info, "NL80211_SURVEY_INFO_NOISE"))
    if noise is not None:
        facts["noise"] = float(noise)
    names = ("TIME", "TIME_BUSY", "TIME_RX", "TIME_TX")
    times = [whole(attribute(info, f"NL80211_SURVEY_INFO_{name}"), 0, 1 << 63) for name in names]
    if times[0] and times[1] is not None:
        facts["times"] = tuple(times)


def parse_heard(message: Any) -> tuple[bytes, int, int | None] | None:
    """Return (BSSID, signal, MHz or None) of an entry of the scan's results."""
    bss = attribute(message, "NL80211_ATTR_BSS")
    strength = attribute(bss, "NL80211_BSS_SIGNAL_MBM")
    mbm = whole(strength.get("VALUE") if isinstance(strength, dict) else None, -100 * MBM * 2, 0)
    signal = None if mbm is None else signal_of(mbm / MBM)
    mac = mac_of(attribute(bss, "NL80211_BSS_BSSID"))
    if mac is None or signal is None:
        return None
    return mac, signal, whole(attribute(bss, "NL80211_BSS_FREQUENCY"), 2000, 8000)


class Nl80211:
    """The kernel's own view; see agent.readers.wifi.Source."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._netlink: Any = None  # pyroute2 publishes no types
        self._found: dict[str, tuple[int, Facts]] = {}

    async def find(self) -> list[str]:
        """Return the interfaces in access point mode."""
        self._found = {}
        for message in await self._dump("NL80211_CMD_GET_INTERFACE"):
            one = parse_interface(message)
            if one is not None:
                self._found[one[0]] = one[1:]
        return sorted(self._found)

    async def look(self, name: str, crowd: Crowd, *, closely: bool) -> Facts:
        """Return the facts of one access point and put its clients into ``crowd``."""
        if not closely:  # its channel may have changed, or it is gone
            await self.find()
        if name not in self._found:
            raise ReaderError("command_failed", f"{name} is no access point now")
        index, facts = self._found[name]
        facts = dict(facts)
        for message in await self._dump("NL80211_CMD_GET_STATION", index):
            parse_station(message, crowd)
        try:
            for message in await self._dump("NL80211_CMD_GET_SURVEY", index):
                parse_survey(message, facts)
        except ReaderError:  # brcmfmac has none
            pass
        return facts

    async def scan(self, name: str) -> list[tuple[bytes, int, int | None]]:
        """Ask for a scan, wait, and return what the kernel has heard."""
        index = self._found[name][0] if name in self._found else 0
        await self._dump("NL80211_CMD_TRIGGER_SCAN", index, NLM_F_ACK)
        await self._clock.sleep_ms(SCAN_MS)
        heard = [parse_heard(message) for message in await self._dump("NL80211_CMD_GET_SCAN", index)]
        return [one for one in heard if one is not None]

    async def close(self) -> None:
        """Give the socket back."""
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    async def _dump(self, command: str, index: int | None = None, flags: int = NLM_F_DUMP) -> list[Any]:
        """Return the messages that answer a command. Raises ReaderError."""
        message = nl80211cmd()
        message["cmd"] = NL80211_NAMES[command]
        message["attrs"] = [] if index is None else [["NL80211_ATTR_IFINDEX", index]]
        try:
            if self._netlink is None:
                self._netlink = await _opened()
            answer = await self._netlink.nlm_request(
                message, msg_type=self._netlink.prid, msg_flags=NLM_F_REQUEST | flags
            )
            return [each async for each in answer]
        except (OSError, NetlinkError) as error:
            raise ReaderError("netlink_failed", f"{command}: {error}") from error
        except asyncio.CancelledError:
            await self.close()  # its answer would be taken for the next question's
            raise
        except Exception as error:  # what a stranger's beacon made of pyroute2's decoder
            await self.close()
            raise ReaderError("garbage", f"{command}: {error!r}") from error


async def _opened() -> Any:
    netlink = AsyncIW()
    try:
        await netlink.setup_endpoint()
    except BaseException:
        netlink.close()
        raise
    return netlink


def make_wifi(options: dict[str, Any], clock: "Clock", sample_ms: int, watch_ms: int) -> "Reader":
    """Build the reader of access points: by ubus where that is, else by nl80211."""
    if shutil.which("ubus"):
        return make_ubus_wifi(options, clock, sample_ms, watch_ms)
    return Wifi(clock, sample_ms, Nl80211(clock), day_of(options, clock), options)
