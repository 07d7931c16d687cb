"""Probes: gateway, the provider's modem, DNS, the portal, and whatever else is configured.

Everything is probed once per ``interval_ms``, the gateway also at each watch, so that one that falls silent
is news. All probes of a reading run beside each other, each beginning at random within ``JITTER_MS``, each
bounded; a reading ends before the next begins. TLS costs a router a second of processor: https is probed
every ``https_ms`` only and has no row in between.
"""

import asyncio

from agent.readers import probes_addresses as where
from agent.readers import probes_dns, probes_http, probes_icmp
from agent.readers.files import read_text
from agent.readers.probes_addresses import Target
from agent.timing import LimitReached, within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.readers.port import Fields, Row
    from agent.timing import Clock

MOST = 16
JITTER_MS = 1000
GATEWAY, MODEM = "gateway", "modem"
AUTO = "auto"
# The provider's own servers first: what clients are told to ask is this router itself.
RESOLV_FILES = ("tmp/resolv.conf.d/resolv.conf.auto", "tmp/resolv.conf.auto", "etc/resolv.conf")
MOST_DNS = 2

# result_code of ping; Telegraf has the first three
ANSWERED, NO_NAME, NO_ANSWER, NO_ROUTE = 0, 1, 2, 3

_LIMIT_MS = 8000  # of one reading; the caller cuts off at 10 s
_NAME_KEPT_MS = 600_000


class Probes:
    """Probes what ``options`` (the configuration's section, with defaults) names. ``root`` as in Host."""

    name = "probes"
    watched = ("result_code",)

    def __init__(
        self,
        clock: "Clock",
        options: "dict[str, Any]",
        targets: list[Target],
        root: str = "/",
        authority: "bytes | None" = None,
    ) -> None:
        self.interval_ms = int(options["interval_s"] * 1000)
        self.watch_ms = int(options["watch_s"] * 1000) if options["gateway"] else 0
        self._clock = clock
        self._options = options
        self._targets = targets
        self._root = root
        self._authority = authority
        self._limit_ms = min(_LIMIT_MS, max(800, self.interval_ms * 8 // 10))
        self._wait_ms = min(probes_icmp.WAIT_MS, self._limit_ms // 8)
        self._https_ms = int(options["https_s"] * 1000)
        self._ports: dict[str, int] = {}  # label -> TCP port that answered where echoes are not allowed
        self._names: "dict[str, tuple[str, int]]" = {}  # name -> (address, when it was heard)
        self._sampled_ms: "int | None" = None
        self._tls_ms: "int | None" = None

    async def read(self) -> "list[Row]":
        """Return the rows of what was probed: all that is due, or the gateway alone."""
        wanted = self._gateway()
        if self._due(self._clock.uptime_ms()):
            wanted = (wanted + self._all_else())[:MOST]
        rows: "list[Row]" = []
        for found in await asyncio.gather(*[self._bounded(target) for target in wanted]):
            rows.extend(found)
        return rows

    def _due(self, now_ms: int) -> bool:
        """Count a sample as due half a watch early: the caller's rhythm and this one must not drift apart."""
        if self._sampled_ms is not None and now_ms - self._sampled_ms < self.interval_ms - self.watch_ms // 2:
            return False
        self._sampled_ms = now_ms
        return True

    # --- what to probe ---

    def _gateway(self) -> list[Target]:
        wanted = self._options["gateway"]
        if wanted == AUTO:
            wanted = where.parse_gateway(read_text(self._root + "proc/net/route") or "")
            if wanted == "":  # a default route without a gateway: there is nobody to probe
                return []
        elif not wanted:
            return []
        return [Target("ping", wanted or "", 0, label=GATEWAY)]

    def _all_else(self) -> list[Target]:
        wanted = [Target("ping", self._options["modem"], 0, label=MODEM)] if self._options["modem"] else []
        wanted += [Target("dns", server, probes_dns.PORT) for server in self._servers()]
        tls = self._tls_due(self._clock.uptime_ms())
        return wanted + [target for target in self._targets if tls or target.kind != "https"]

    def _tls_due(self, now_ms: int) -> bool:
        if self._tls_ms is not None and now_ms - self._tls_ms < self._https_ms - self.watch_ms // 2:
            return False
        self._tls_ms = now_ms
        return True

    def _servers(self) -> list[str]:
        wanted = self._options["dns"]
        return servers(self._root)[:MOST_DNS] if wanted == AUTO else list(wanted or [])

    # --- one probe ---

    async def _bounded(self, target: Target) -> "list[Row]":
        """Probe; what takes too long, or what no one foresaw of a network, is an answer too."""
        tally = probes_icmp.Tally()
        try:
            return await within(self._clock, self._probe(target, tally), self._limit_ms)
        except (LimitReached, OSError):
            return _failed(target, tally)

    async def _probe(self, target: Target, tally: probes_icmp.Tally) -> "list[Row]":
        jitter_ms = min(JITTER_MS, self._limit_ms // 8)
        await self._clock.sleep_ms(int.from_bytes(self._clock.random_bytes(2), "big") * jitter_ms >> 16)
        if target.kind == "dns":
            return await self._dns(target)
        host = await self._address(target.host)
        if host is None:
            return _unnamed(target)
        if target.kind == "ping":
            return await self._ping(target, host, tally)
        if target.kind == "tcp":
            return await self._tcp(target, host, tally)
        return await self._http(target, host)

    async def _ping(self, target: Target, host: str, tally: probes_icmp.Tally) -> "list[Row]":
        if not host:
            return [("ping", target.label, {"percent_packet_loss": 100.0, "result_code": NO_ROUTE})]
        known = self._ports.get(target.label, 0)
        self._ports[target.label] = await probes_icmp.ping(self._clock, host, tally, self._wait_ms, known)
        return [("ping", target.label, ping_fields(tally))]

    async def _tcp(self, target: Target, host: str, tally: probes_icmp.Tally) -> "list[Row]":
        await probes_icmp.knock_thrice(self._clock, host, target.port, tally, self._wait_ms)
        return [("ping", target.label, ping_fields(tally))]

    async def _dns(self, target: Target) -> "list[Row]":
        name = target.path or self._options["dns_name"]
        limit_ms = self._limit_ms // 2
        answer = await probes_dns.ask(self._clock, target.host, name, limit_ms, target.port)
        fields: "Fields" = {"result_code": answer.result}
        if answer.rcode >= 0:
            fields["rcode_value"] = answer.rcode
            fields["query_time_ms"] = round(answer.time_ms, 2)
        return [("dns_query", target.label, fields)]

    async def _http(self, target: Target, host: str) -> "list[Row]":
        limit_ms = self._limit_ms * 3 // 4
        found = await probes_http.fetch(self._clock, target, host, limit_ms, self._authority)
        fields: "Fields" = {"result_code": found.result}
        if found.code:
            fields["response_time"] = round(found.time_ms / 1000, 4)
            fields["http_response_code"] = found.code
            fields["redirected"] = int(found.redirected)
        rows: "list[Row]" = [("http_response", target.label, fields)]
        certificate = certificate_fields(found, self._clock.wall_ms())
        if certificate:
            rows.append(("x509_cert", target.label, certificate))
        return rows

    async def _address(self, host: str) -> "str | None":
        """Return the address of a name as the first server that answers has it, or had it not long ago."""
        if not host or where.is_ip4(host):
            return host
        for server in self._servers() or servers(self._root):
            answer = await probes_dns.ask(self._clock, server, host, self._limit_ms // 4, probes_dns.PORT)
            if answer.addresses:
                self._names[host] = (answer.addresses[0], self._clock.uptime_ms())
                return answer.addresses[0]
        address, at_ms = self._names.get(host, ("", 0))
        return address if address and self._clock.uptime_ms() - at_ms < _NAME_KEPT_MS else None


def servers(root: str) -> list[str]:
    """Return the DNS servers that the first of ``RESOLV_FILES`` with any names."""
    for path in RESOLV_FILES:
        found = where.parse_resolv(read_text(root + path) or "")
        if found:
            return found
    return []


def ping_fields(tally: probes_icmp.Tally) -> "Fields":
    """Return the fields of ``ping`` from what was counted; without an answer there are no times."""
    sent, times = tally.sent, tally.times_ms
    fields: "Fields" = {
        "packets_transmitted": sent,
        "packets_received": len(times),
        "percent_packet_loss": round(100.0 * (sent - len(times)) / sent, 2) if sent else 100.0,
        "result_code": ANSWERED if times else NO_ROUTE if tally.no_route else NO_ANSWER,
    }
    if tally.method:
        fields["method"] = tally.method
    if times:
        fields["minimum_response_ms"] = round(min(times), 2)
        fields["average_response_ms"] = round(sum(times) / len(times), 2)
        fields["maximum_response_ms"] = round(max(times), 2)
    return fields


def certificate_fields(found: probes_http.Result, wall_ms: "int | None") -> "Fields":
    """Return the fields of ``x509_cert``; how long it still holds only a clock that is right can tell."""
    fields: "Fields" = {}
    if found.verified is not None:
        fields["verification_code"] = int(not found.verified)
    if found.enddate is not None:
        fields["enddate"] = found.enddate
        if wall_ms is not None:
            fields["expiry"] = found.enddate - wall_ms // 1000
    return fields


def _unnamed(target: Target) -> "list[Row]":
    if target.kind in {"ping", "tcp"}:
        return [("ping", target.label, {"percent_packet_loss": 100.0, "result_code": NO_NAME})]
    return [("http_response", target.label, {"result_code": probes_http.NO_NAME})]


def _failed(target: Target, tally: probes_icmp.Tally) -> "list[Row]":
    if target.kind in {"ping", "tcp"}:
        return [("ping", target.label, ping_fields(tally))]
    if target.kind == "dns":
        return [("dns_query", target.label, {"result_code": probes_dns.TIMEOUT})]
    return [("http_response", target.label, {"result_code": probes_http.TIMEOUT})]
