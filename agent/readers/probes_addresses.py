"""Where to probe: targets as the configuration writes them, the default gateway, the DNS servers. Pure.

Targets: ``ping://HOST`` (or the host alone), ``tcp://HOST:PORT``, ``http://HOST[:PORT][/PATH]``, ``https://``
the same, ``dns://SERVER[/NAME]``. Addresses are IPv4; a name is looked up at the provider's DNS server, never
by ``getaddrinfo``, which would block the loop.
"""

import sys

KINDS = {"ping": 0, "tcp": 0, "http": 80, "https": 443, "dns": 53}  # scheme -> port when none is written
MAX_TEXT = 120
MOST_TARGETS = 12  # with gateway, modem and DNS servers at most 16
_MAX_NAME = 253  # RFC 1035 section 2.3.4
_MAX_LABEL = 63
_MAX_PORT = 65535
_ROUTE_UP_GATEWAY = 3  # RTF_UP | RTF_GATEWAY (route.h)


class Target:
    """What to probe. ``label`` names it in the readings: the text itself, without a query, or its role."""

    def __init__(self, kind: str, host: str, port: int, path: str = "", label: str = "") -> None:
        """Keep the parts; ``path`` is the HTTP path, or the name to ask a DNS server for."""
        self.kind = kind
        self.host = host
        self.port = port
        self.path = path
        self.label = label or host


def parse_target(text: str) -> "Target | None":
    """Return the target that a text of the configuration names, None when it names none."""
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "ping", text
    host, slash, path = rest.partition("/")
    host, colon, digits = host.partition(":")
    port = _port(digits) if colon else KINDS.get(scheme, 0)
    plain = all([" " < c < "\x7f" for c in text])  # noqa: C419 - a line break would be another header of HTTP
    if scheme not in KINDS or not plain or len(text) > MAX_TEXT or port is None or not valid_host(host):
        return None
    if (scheme == "tcp" and not port) or (scheme == "ping" and (colon or slash)):
        return None
    if scheme == "dns" and (is_ip4(host) is False or (path and not valid_host(path))):
        return None
    label = host if scheme in {"ping", "dns"} else text.split("?", 1)[0]
    return Target(scheme, host, port, path if scheme == "dns" else "/" + path, label)


def _port(digits: str) -> "int | None":
    return int(digits) if digits.isdigit() and 0 < int(digits) <= _MAX_PORT else None


def is_ip4(text: str) -> bool:
    """Tell whether this is an IPv4 address in dotted decimal, without leading zeros."""
    parts = text.split(".")
    return len(parts) == 4 and all([p.isdigit() and str(int(p)) == p and int(p) < 256 for p in parts])  # noqa: PLR2004, C419 (four bytes)


def valid_host(text: str) -> bool:
    """Tell whether this is an IPv4 address or a name of letters, digits, hyphens and underscores."""
    if is_ip4(text):
        return True
    labels = text.split(".")
    if not 0 < len(text) <= _MAX_NAME or labels[-1].isdigit():
        return False
    return all([0 < len(each) <= _MAX_LABEL and _plain(each) for each in labels])  # noqa: C419 - as above


def _plain(label: str) -> bool:
    return all([c.isdigit() or "a" <= c.lower() <= "z" or c in "-_" for c in label])  # noqa: C419 - as above


def parse_gateway(text: str, byteorder: str = sys.byteorder) -> "str | None":
    """``/proc/net/route``: the gateway of the default route with the lowest metric.

    An empty text: there is a default route without a gateway (PPP, tunnels); None: there is none at all.
    The kernel prints the four bytes of an address as one number of the machine's own byte order.
    """
    best: "tuple[int, str] | None" = None
    for line in text.split("\n")[1:]:
        words = line.split()
        try:
            destination, gateway, flags, metric, mask = [
                int(words[at], base) for at, base in ((1, 16), (2, 16), (3, 16), (6, 10), (7, 16))
            ]
        except (IndexError, ValueError):
            continue
        if destination or mask or not flags & 1 or not 0 <= gateway < 1 << 32:
            continue
        via = address_of(gateway, byteorder) if flags & _ROUTE_UP_GATEWAY == _ROUTE_UP_GATEWAY else ""
        if best is None or metric < best[0]:
            best = (metric, via)
    return best[1] if best else None


def address_of(number: int, byteorder: str) -> str:
    """Return the dotted address whose four bytes in memory are this number."""
    octets = number.to_bytes(4, "little" if byteorder == "little" else "big")
    return ".".join([str(octet) for octet in octets])


def parse_resolv(text: str) -> list[str]:
    """``resolv.conf``: its IPv4 name servers in order, each once (resolv.conf(5))."""
    found: list[str] = []
    for line in text.split("\n"):
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and is_ip4(words[1]) and words[1] not in found:
            found.append(words[1])
    return found
