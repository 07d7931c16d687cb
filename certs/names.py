"""What names may look like: devices, sites, hosts, feeds. Each check returns its argument or raises."""

from __future__ import annotations

import ipaddress
import re

from agent.wire import topics
from certs.errors import CertsError

COLLECTOR = "vigia-collector"  # the collector's common name; devices may not begin with "vigia-"

_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_HOST = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_FEED = re.compile(r"mains|(ups|poe):[a-z0-9][a-z0-9-]{0,62}")


def device(name: str) -> str:
    """Check a device's name, as it stands in topics and in its certificate."""
    if not topics.valid_device(name):
        raise CertsError(
            f"{name!r} is not a device name: lower case letters, digits and '-', at most 63, "
            "beginning with a letter or digit and not with 'vigia-'"
        )
    return name


def site(name: str) -> str:
    """Check a facility's id."""
    if not _SITE.fullmatch(name):
        raise CertsError(f"{name!r} is not a site id: lower case letters, digits and '-', at most 63")
    return name


def feed(name: str | None) -> str | None:
    """Check what feeds a device: ``mains``, ``ups:<id>`` or ``poe:<device>``; None when nobody knows."""
    if name is not None and not _FEED.fullmatch(name):
        raise CertsError(f"{name!r} is not a feed: 'mains', 'ups:<id>' or 'poe:<device>'")
    return name


def host(name: str) -> str:
    """Check a DNS name or an IP address at which the broker is reached."""
    if is_address(name) or _HOST.fullmatch(name):
        return name
    raise CertsError(f"{name!r} is not a host name or an IP address")


def is_address(name: str) -> bool:
    """Tell an IP address from a DNS name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
