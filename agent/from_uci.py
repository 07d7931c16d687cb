"""``vigia-agent --uci FILE --config OUT``: make the agent's configuration of OpenWrt's, checked."""

import json

from agent import config as configuration
from agent import uci
from agent.errors import ConfigError
from agent.ports.files import Files

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

CREDENTIALS = "/etc/vigia"
_ISSUED = "agent.json"
_FILES = ("ca", "cert", "key", "ack_key")
_READER_FILES = (("ups", "password_file"), ("ups", "ca"), ("probes", "ca"))


def make(source: str, target: str) -> "dict[str, Any]":
    """Write the configuration that ``source`` (UCI) asks for to ``target``; return it. Raises ConfigError.

    Credentials are looked for in ``option credentials`` of the agent's section, ``/etc/vigia`` by default;
    the ack keys of earlier keys are found by their names there.
    """
    files = Files()
    try:
        sections = uci.parse(_text(files, source))
        folder = uci.credentials(sections, CREDENTIALS).rstrip("/")
        raw = _placed(uci.merged(sections, _issued(files, folder)), files, folder)
        configuration.check(raw)
    except ConfigError as error:
        raise ConfigError(error.reason, source + ": " + str(error))
    content = json.dumps(raw).encode()
    try:
        files.make_folder(target[: target.rfind("/")] or "/")
        files.write_new(target, content, sync=False)
    except OSError as error:
        raise ConfigError("unwritable", target + ": cannot be written: " + str(error))
    return raw


def _text(files: Files, path: str) -> str:
    try:
        return files.read(path).decode()
    except (OSError, UnicodeError) as error:
        raise ConfigError("unreadable", "cannot be read: " + str(error))


def _issued(files: Files, folder: str) -> "dict[str, Any]":
    """Return what was issued with the credentials; nothing when it is not there."""
    try:
        content = files.read(folder + "/" + _ISSUED)
    except OSError:
        return {}
    try:
        value = json.loads(content)
    except ValueError as error:
        raise ConfigError("malformed", folder + "/" + _ISSUED + " is not JSON: " + str(error))
    if not isinstance(value, dict):
        raise ConfigError("malformed", folder + "/" + _ISSUED + " is no configuration")
    value.pop("spool", None)  # where things are kept on this machine is the package's to say
    return value


def _placed(raw: "dict[str, Any]", files: Files, folder: str) -> "dict[str, Any]":
    """Return the configuration with its credentials where they lie."""
    broker = dict(raw.get("broker", {}))
    for name in _FILES:
        broker[name] = _below(folder, broker.get(name) or configuration.BROKER[name][0])
    old = {}
    for name in files.names(folder) if files.exists(folder) else ():
        parts = name.split(".")
        if len(parts) == 3 and parts[0] == "ack" and parts[2] == "key":  # noqa: PLR2004 - ack.<kid>.key
            old[parts[1]] = folder + "/" + name
    broker["old_ack_keys"] = old
    raw["broker"] = broker
    for name, key in _READER_FILES:
        path = raw.get("readers", {}).get(name, {}).get(key)
        if path:
            raw["readers"][name][key] = _below(folder, path)
    return raw


def _below(folder: str, path: str) -> str:
    return path if path.startswith("/") else folder + "/" + path
