"""The readers: one subject per file, and the explicit table of those that an agent is built with.

A reader's module is imported when the configuration names it: a router has no heap for those that nobody
wants. Where agent.cpython.readers can be imported, its variants stand in for the plain ones; nothing else
asks which interpreter runs.
"""

from agent.errors import ConfigError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.readers.host import Part
    from agent.readers.port import Maker, Reader
    from agent.timing import Clock

NOMINAL_V = 127  # what the facilities are supplied with (one phase to neutral)

# ruff: noqa: PLC0415 - see above


def make_host(options: "dict[str, Any]", clock: "Clock", sample_ms: int, _watch_ms: int) -> "Reader":
    """Build the plain reader of the machine; option ``disks``: paths of file systems."""
    from agent.readers.host import DISKS, Host

    return Host(clock, sample_ms, disks=tuple(options.get("disks") or DISKS), parts=host_parts(clock))


def host_parts(clock: "Clock") -> "tuple[Part, ...]":
    """Build what the machine's reader tells beside its own rows: clock and restart."""
    from agent.ports.clock import timex
    from agent.ports.command import run
    from agent.readers.clock import ClockState
    from agent.readers.restart import Restart

    return ClockState(clock, timex, run), Restart(clock, run)


def make_interfaces(options: "dict[str, Any]", clock: "Clock", sample_ms: int, watch_ms: int) -> "Reader":
    """Build the plain reader of the interfaces; options ``names`` and ``wan``."""
    from agent.readers.interfaces import Interfaces

    return Interfaces(clock, sample_ms, watch_ms, options.get("names"), options.get("wan"))


def make_wan(options: "dict[str, Any]", clock: "Clock", sample_ms: int, watch_ms: int) -> "Reader":
    """Build the reader of the way out; option ``names``."""
    from agent.ports.command import run
    from agent.readers.ubus import bus
    from agent.readers.wan import Wan

    return Wan(clock, sample_ms, watch_ms, bus(run), options.get("names"))


def make_switch(options: "dict[str, Any]", _clock: "Clock", sample_ms: int, _watch_ms: int) -> "Reader":
    """Build the reader of a switch behind swconfig; option ``names``."""
    from agent.ports.command import run
    from agent.readers.switch import Switch

    return Switch(sample_ms, run, options.get("names"))


def make_ups(options: "dict[str, Any]", clock: "Clock", sample_ms: int, watch_ms: int) -> "Reader":
    """Build the reader of the UPSes; options ``host port username password_file ca names nominal_v``."""
    from agent.ports import starttls
    from agent.readers.ups import Ups
    from agent.readers.upsd_client import UpsdClient

    authority = _certificate("ups", options)
    if authority and not starttls.HAS_TLS:
        raise ConfigError("no_tls", "readers.ups.ca: this interpreter has no TLS")
    host, port = options.get("host") or "127.0.0.1", options.get("port") or 3493
    try:
        server = UpsdClient(host, port, _credentials(options), authority)
    except (OSError, ValueError) as error:
        raise ConfigError("bad_certificate", "readers.ups.ca: cannot be used: " + str(error))
    return Ups(
        clock, sample_ms, watch_ms, server, options.get("names"), options.get("nominal_v") or NOMINAL_V
    )


def make_apcupsd(options: "dict[str, Any]", clock: "Clock", sample_ms: int, watch_ms: int) -> "Reader":
    """Build the reader of an apcupsd; options ``host port nominal_v``."""
    from agent.readers.apcupsd import Apcupsd
    from agent.readers.nis_client import NisClient

    client = NisClient(options.get("host") or "127.0.0.1", options.get("port") or 3551)
    return Apcupsd(clock, sample_ms, watch_ms, client, options.get("nominal_v") or NOMINAL_V)


def make_probes(options: "dict[str, Any]", clock: "Clock", _sample_ms: int, _watch_ms: int) -> "Reader":
    """Build the probes; they have intervals of their own, for each costs others' time too."""
    from agent.readers.probes import Probes
    from agent.readers.probes_addresses import parse_target

    targets = [target for target in map(parse_target, options["targets"] or []) if target]
    return Probes(clock, options, targets, authority=_certificate("probes", options))


def make_wifi(options: "dict[str, Any]", clock: "Clock", sample_ms: int, watch_ms: int) -> "Reader":
    """Build the reader of the access points; options as in docs/configuration.md."""
    from agent.readers.wifi_ubus import make_wifi as make

    return make(options, clock, sample_ms, watch_ms)


def make_meters(options: "dict[str, Any]", clock: "Clock", sample_ms: int, watch_ms: int) -> "Reader":
    """Build the reader of the mains meters; option ``meters``: name -> text as in docs/configuration.md."""
    from agent.readers.meters import make_meters as make

    return make(options["meters"], clock, sample_ms, watch_ms)


def make_elsewhere(_options: "dict[str, Any]", _clock: "Clock", _sample_ms: int, _watch_ms: int) -> "Reader":
    """Refuse a reader that stands on what MicroPython lacks (ioctl), or reads what only a Pi has."""
    raise ConfigError("no_reader", "readers pi_power, supply, gauge and tamper need CPython")


def _certificate(reader: str, options: "dict[str, Any]") -> "bytes | None":
    """Return the certificate (DER) that option ``ca`` names, None where it names none."""
    path = options.get("ca")
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        raise ConfigError("unreadable_certificate", "readers." + reader + ".ca: cannot read " + str(path))


def _credentials(options: "dict[str, Any]") -> tuple[str, str] | None:
    path = options.get("password_file")
    if not options.get("username") or not path:
        return None
    try:
        with open(path) as file:
            return options["username"], file.read().strip()
    except OSError:
        raise ConfigError("unreadable_password", "readers.ups.password_file: cannot read " + str(path))


READERS: "tuple[tuple[str, Maker], ...]" = (
    ("host", make_host),
    ("interfaces", make_interfaces),
    ("wan", make_wan),
    ("switch", make_switch),
    ("ups", make_ups),
    ("probes", make_probes),
    ("wifi", make_wifi),
    ("apcupsd", make_apcupsd),
    ("meters", make_meters),
    ("pi_power", make_elsewhere),
    ("supply", make_elsewhere),
    ("gauge", make_elsewhere),
    ("tamper", make_elsewhere),
)


def makers() -> "dict[str, Maker]":
    """Return how each reader is built here: by its variant where the parts of that are installed."""
    found = dict(READERS)
    try:
        from agent.cpython.readers import VARIANTS
    except ImportError:
        return found
    found.update(VARIANTS)
    return found


def build(config: "dict[str, Any]", clock: "Clock") -> "list[Reader]":
    """Build the readers that ``config["readers"]`` names, in the table's order."""
    wanted, intervals = config["readers"], config["intervals"]
    sample_ms, watch_ms = int(intervals["sample_s"] * 1000), int(intervals["watch_s"] * 1000)
    how = makers()
    if "wan" in wanted and "interfaces" in wanted:  # which tells more of it, and would contradict
        wanted = dict(wanted)
        wanted["interfaces"] = dict(wanted["interfaces"])
        wanted["interfaces"]["wan"] = None
    return [how[name](wanted[name], clock, sample_ms, watch_ms) for name, _ in READERS if name in wanted]
