"""The agent's configuration: one JSON file (on CPython also TOML), every key in the tables below.

An unknown key is an error that names the nearest known one. Paths are relative to the file's folder. Times
are seconds in the file.
"""

import json

from agent.errors import ConfigError
from agent.readers.wifi_values import is_address, mac_of
from agent.wire.topics import valid_device

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # a check returns what is wrong with a value, empty when nothing is
    Check = Callable[[Any], str]
    Table = dict[str, "tuple[Any, Check]"]

MAX_SITE = 64
KID_DIGITS = 16
MIN_SPOOL_KIB = 128  # a few messages of 64 KiB
MAX_SPOOL_KIB = 65536
MAX_PORT = 65535
MAX_INTERVAL_S = 3600
MAX_SERVERS = 3
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - refused by default
MAX_NEIGHBOURS = 16
MIN_SCAN_S = 300  # while a radio scans, its clients wait
PLACES = ("indoor", "outdoor")
_ELSEWHERE = "cannot be read here: needs CPython"


class Required:
    """Stands for the default of a key that has none."""


def _device(value: "Any") -> str:
    good = isinstance(value, str) and valid_device(value)
    return "" if good else "has to be a device name: a-z, 0-9 and -, at most 63, not beginning with vigia-"


def _text(value: "Any") -> str:
    return "" if isinstance(value, str) and value else "has to be a text"


def _site(value: "Any") -> str:
    good = isinstance(value, str) and 0 < len(value) <= MAX_SITE
    return "" if good else "has to be a text of at most " + str(MAX_SITE) + " characters"


def _optional_text(value: "Any") -> str:
    return "" if value is None else _text(value)


def _texts(value: "Any") -> str:
    good = value is None or (isinstance(value, list) and value and not any(_text(item) for item in value))
    return "" if good else "has to be a list of texts"


def _targets(value: "Any") -> str:
    from agent.readers.probes_addresses import MOST_TARGETS, parse_target  # noqa: PLC0415 - where it is asked for

    targets = [] if value is None else value
    if not isinstance(targets, list) or len(targets) > MOST_TARGETS:
        return "has to be a list of at most " + str(MOST_TARGETS) + " targets"
    for target in targets:
        if not isinstance(target, str) or parse_target(target) is None:
            return "has a target that is none: " + str(target)[:80]
    return ""


def _address(value: "Any") -> str:
    if value is None:
        return ""
    from agent.readers.probes_addresses import is_ip4  # noqa: PLC0415 - same

    return "" if isinstance(value, str) and is_ip4(value) else "has to be an IPv4 address"


def _address_or_auto(value: "Any") -> str:
    return "" if value == "auto" or not _address(value) else 'has to be "auto" or an IPv4 address'


def _servers(value: "Any") -> str:
    good = value is None or value == "auto"
    good = good or (isinstance(value, list) and len(value) <= MAX_SERVERS and not any(map(_address, value)))
    return "" if good else 'has to be "auto" or a list of at most ' + str(MAX_SERVERS) + " IPv4 addresses"


def _name(value: "Any") -> str:
    from agent.readers.probes_addresses import valid_host  # noqa: PLC0415 - same

    return "" if isinstance(value, str) and valid_host(value) else "has to be a host name"


def _names(value: "Any") -> str:
    return "" if isinstance(value, list) and not any(map(_name, value)) else "has to be a list of host names"


def _language(value: "Any") -> str:
    return "" if value in {"es", "en"} else "has to be es or en"


def _yes_no(value: "Any") -> str:
    return "" if isinstance(value, bool) else "has to be true or false"


def _places(value: "Any") -> str:
    if value is None:
        return ""
    good = isinstance(value, dict) and all(not _text(name) and value[name] in PLACES for name in value)
    return "" if good else "has to say indoor or outdoor for each interface"


def _neighbours(value: "Any") -> str:
    """Check names and addresses; a name goes on the wire, so that it must not be an address itself."""
    if value is None:
        return ""
    if not isinstance(value, dict) or not 0 < len(value) <= MAX_NEIGHBOURS:
        return "has to be an object of 1 to " + str(MAX_NEIGHBOURS) + " names"
    for name in value:
        if is_address(name) or not 0 < len(name) <= MAX_SITE:
            return "has to name each neighbour in at most " + str(MAX_SITE) + " characters, not by an address"
        if _texts(value[name]) or value[name] is None or None in [mac_of(text) for text in value[name]]:
            return "has to list the addresses (BSSID) of " + str(name) + ", as aa:bb:cc:dd:ee:ff"
    return ""


def _meters(value: "Any") -> str:
    from agent.readers.meter_spec import wrong  # noqa: PLC0415 - same

    return wrong(value)


def _inputs(value: "Any") -> str:
    try:
        from agent.cpython.readers.gpio_spec import wrong_inputs  # noqa: PLC0415 - same
    except ImportError:
        return _ELSEWHERE
    return wrong_inputs(value)


def _gauges(value: "Any") -> str:
    try:
        from agent.cpython.readers.gpio_spec import wrong_gauges  # noqa: PLC0415 - same
    except ImportError:
        return _ELSEWHERE
    return wrong_gauges(value)


def _key_files(value: "Any") -> str:
    good = isinstance(value, dict) and all(_is_kid(kid) and not _text(value[kid]) for kid in value)
    return "" if good else "has to name a file for each kid (16 hex digits)"


def _is_kid(value: "Any") -> bool:
    return isinstance(value, str) and len(value) == KID_DIGITS and all(c in "0123456789abcdef" for c in value)


def _between(low: float, high: float, unit: str) -> "Check":
    def check(value: "Any") -> str:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and low <= value <= high:
            return ""
        return "has to be a number from " + str(low) + " to " + str(high) + unit

    return check


def _optional(wrong: "Check") -> "Check":
    def check(value: "Any") -> str:
        return "" if value is None else wrong(value)

    return check


def _whole(low: int, high: int) -> "Check":
    within = _between(low, high, "")

    def check(value: "Any") -> str:
        return within(value) if isinstance(value, int) else "has to be a whole number"

    return check


_SECONDS = _between(0.05, MAX_INTERVAL_S, " s")
_PORT = _whole(1, MAX_PORT)

BROKER: "Table" = {
    "host": (Required, _text),
    "port": (8883, _PORT),
    "ca": ("ca.der", _text),
    "cert": ("cert.der", _text),
    "key": ("key.der", _text),
    "ack_key": ("ack.key", _text),
    "old_ack_keys": ({}, _key_files),  # kid of an earlier key -> file
}
SPOOL: "Table" = {
    "ram_dir": ("/tmp/vigia", _text),  # noqa: S108 - tmpfs on OpenWrt
    "flash_dir": (None, _optional_text),
    "limit_kib": (512, _whole(MIN_SPOOL_KIB, MAX_SPOOL_KIB)),
}
INTERVALS: "Table" = {
    "sample_s": (10, _SECONDS),
    "watch_s": (2, _SECONDS),
    "frame_s": (30, _SECONDS),
    "keepalive_s": (20, _whole(1, MAX_INTERVAL_S)),
    "resend_s": (60, _SECONDS),
    "reconnect_s": (30, _SECONDS),
}
READERS: "dict[str, Table]" = {
    "host": {"disks": (None, _texts)},
    "interfaces": {"names": (None, _texts), "wan": (None, _optional_text)},
    "wan": {"names": (None, _texts)},
    "switch": {"names": (None, _texts)},
    "ups": {
        "host": ("127.0.0.1", _text),
        "port": (3493, _PORT),
        "username": (None, _optional_text),
        "password_file": (None, _optional_text),
        "ca": (None, _optional_text),
        "names": (None, _texts),
        "nominal_v": (127, _between(1, 1000, " V")),
    },
    "probes": {
        "interval_s": (30, _between(1, MAX_INTERVAL_S, " s")),
        "watch_s": (10, _between(1, MAX_INTERVAL_S, " s")),
        "https_s": (300, _between(1, MAX_INTERVAL_S, " s")),
        "gateway": ("auto", _address_or_auto),
        "modem": (None, _address),
        "dns": ("auto", _servers),
        "dns_name": ("example.com", _name),
        "targets": (None, _targets),
        "ca": (None, _optional_text),
    },
    "wifi": {
        "names": (None, _texts),
        "places": (None, _places),
        "utc_offset_h": (-6, _between(-12, 14, " h")),  # Mexico City, which has no summer time
        "neighbours": (None, _neighbours),
        "scan_s": (None, _optional(_between(MIN_SCAN_S, 86400, " s"))),
    },
    "apcupsd": {
        "host": ("127.0.0.1", _text),
        "port": (3551, _PORT),
        "nominal_v": (127, _between(1, 1000, " V")),
    },
    "meters": {"meters": (Required, _meters)},
    "pi_power": {},
    "supply": {"names": (None, _texts)},
    "gauge": {"gauges": (Required, _gauges)},
    "tamper": {"inputs": (Required, _inputs)},
}
STATUS_PAGE: "Table" = {
    "address": (None, _address),  # None: no page
    "port": (8080, _PORT),
    "lang": ("es", _language),
    "names": ([], _names),
    "every_address": (False, _yes_no),
}
SECTIONS: "dict[str, Table]" = {
    "broker": BROKER, "spool": SPOOL, "intervals": INTERVALS, "status_page": STATUS_PAGE,
}  # fmt: skip
TOP: "Table" = {"device": (Required, _device), "site": (Required, _site)}
PATHS = (
    ("broker", "ca"), ("broker", "cert"), ("broker", "key"), ("broker", "ack_key"),
    ("spool", "ram_dir"), ("spool", "flash_dir"),
)  # fmt: skip


def load(path: str) -> "dict[str, Any]":
    """Return the checked configuration with every default filled in. Raises ConfigError."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ConfigError("unreadable", path + ": cannot be read: " + str(error))
    folder = path[: path.rfind("/") + 1]
    try:
        return check(_parsed(path, data), folder)
    except ConfigError as error:
        raise ConfigError(error.reason, path + ": " + str(error))


def check(raw: "Any", folder: str = "") -> "dict[str, Any]":
    """Return a parsed configuration checked and completed, its paths below ``folder``. Raises ConfigError."""
    if not isinstance(raw, dict):
        raise ConfigError("malformed", "has to be one object of keys and values")
    known = list(TOP) + list(SECTIONS) + ["readers"]
    _refuse_unknown("", raw, known)
    config = _section("", {key: raw[key] for key in TOP if key in raw}, TOP)
    for name, table in SECTIONS.items():
        config[name] = _section(name + ".", raw.get(name, {}), table)
    config["readers"] = _readers(raw.get("readers", {"host": {}, "interfaces": {}}))
    for section, key in PATHS:
        config[section][key] = _below(folder, config[section][key])
    old = config["broker"]["old_ack_keys"]
    config["broker"]["old_ack_keys"] = {kid: _below(folder, old[kid]) for kid in old}
    if "ups" in config["readers"]:
        ups = config["readers"]["ups"]
        ups["password_file"] = _below(folder, ups["password_file"])
        ups["ca"] = _below(folder, ups["ca"])
    if "probes" in config["readers"]:
        probes = config["readers"]["probes"]
        probes["ca"] = _below(folder, probes["ca"])
    _check_page(config["status_page"])
    if "wifi" in config["readers"]:
        config["readers"]["wifi"]["day_file"] = config["spool"]["ram_dir"] + "/wifi-day"
    return config


def _check_page(page: "dict[str, Any]") -> None:
    """Refuse a page for everybody who can reach the machine, unless it was said in so many words."""
    if page["address"] == EVERY_ADDRESS and not page["every_address"]:
        raise ConfigError(
            "bad_value",
            "status_page.address has to be the address on the LAN side; "
            "0.0.0.0 needs status_page.every_address = true",
        )


def _parsed(path: str, data: bytes) -> "Any":
    if path.endswith(".toml"):
        try:
            from agent.cpython.toml import parse  # noqa: PLC0415 - MicroPython has no TOML
        except ImportError:
            raise ConfigError("no_toml", "this interpreter reads JSON only")
        return parse(data)
    try:
        return json.loads(data)
    except ValueError as error:
        raise ConfigError("malformed", "is not JSON: " + str(error))


def _readers(raw: "Any") -> "dict[str, Any]":
    if not isinstance(raw, dict):
        raise ConfigError("bad_value", "readers has to be an object")
    _refuse_unknown("readers.", raw, list(READERS))
    return {name: _section("readers." + name + ".", raw[name], READERS[name]) for name in raw}


def _section(prefix: str, raw: "Any", table: "Table") -> "dict[str, Any]":
    """Return one table's keys, checked, with defaults."""
    if not isinstance(raw, dict):
        raise ConfigError("bad_value", prefix[:-1] + " has to be an object")
    _refuse_unknown(prefix, raw, list(table))
    values = {}
    for key, (default, wrong) in table.items():
        if key not in raw and default is Required:
            raise ConfigError("missing_key", prefix + key + " is missing")
        values[key] = raw.get(key, default)
        trouble = wrong(values[key])
        if trouble:
            raise ConfigError("bad_value", prefix + key + " " + trouble)
    return values


def _refuse_unknown(prefix: str, raw: "dict[str, Any]", known: list[str]) -> None:
    for key in raw:
        if key not in known and not known:
            raise ConfigError("unknown_key", prefix + key + " is unknown; there is nothing to set here")
        if key not in known:
            nearest = min(known, key=lambda name: distance(key, name))
            raise ConfigError(
                "unknown_key", prefix + key + " is unknown; did you mean " + prefix + nearest + "?"
            )


def _below(folder: str, path: "str | None") -> "str | None":
    return path if path is None or path.startswith("/") else folder + path


def distance(left: str, right: str) -> int:
    """Return how many letters have to be put in, taken out or replaced (Levenshtein)."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left):
        above = row
        row = [i + 1]
        for j, b in enumerate(right):
            row.append(min(above[j] + (a != b), above[j + 1] + 1, row[j] + 1))
    return row[-1]
