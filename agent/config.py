"""The agent's configuration: one JSON file (on CPython also TOML), every key in the tables below.

An unknown key is an error that names the nearest known one. Paths are relative to the file's folder. Times
are seconds in the file.
"""

import json

from agent.errors import ConfigError
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
    "ups": {
        "host": ("127.0.0.1", _text),
        "port": (3493, _PORT),
        "username": (None, _optional_text),
        "password_file": (None, _optional_text),
        "ca": (None, _optional_text),
        "names": (None, _texts),
        "nominal_v": (127, _between(1, 1000, " V")),
    },
    "apcupsd": {
        "host": ("127.0.0.1", _text),
        "port": (3551, _PORT),
        "nominal_v": (127, _between(1, 1000, " V")),
    },
}
SECTIONS: "dict[str, Table]" = {"broker": BROKER, "spool": SPOOL, "intervals": INTERVALS}
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
    return config


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
