"""Who this agent is: version, machine, and the incarnation that each start draws."""

import sys

from agent import __version__
from agent.wire import topics

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.log import Log
    from agent.ports.files import Files
    from agent.readers.port import Reader
    from agent.timing import Clock

INCARNATION_BYTES = 8

_BOOT_FILE = "boot"
_STOPPED = " stopped"  # behind the number once everything was in flash at the planned end
_MAX_BOOT = (1 << 32) - 2  # the spool keeps 32 bits
_MODELS = ("/tmp/sysinfo/model", "/proc/device-tree/model")  # noqa: S108 - where OpenWrt writes it
_SYSTEMS = (("/etc/openwrt_release", "DISTRIB_DESCRIPTION="), ("/etc/os-release", "PRETTY_NAME="))
_MAX_TEXT = 100


class Identity:
    """What every frame says of its sender. ``boot_unsaved``: the counter of starts could not be kept."""

    def __init__(self, config: "dict[str, Any]", clock: "Clock", boot: int, hello: "dict[str, Any]") -> None:
        """Draw an incarnation for the device and site of ``config``."""
        self.device: str = config["device"]
        self.shard = topics.shard_of(config["site"])
        self.incarnation = clock.random_bytes(INCARNATION_BYTES)
        self.kernel_boot = clock.kernel_boot()
        self.boot = boot
        self.hello = hello


def count_boot(files: "Files", folders: "tuple[str, str | None]", log: "Log") -> tuple[int, bool]:
    """Return (the number of this start, whether flash knows it).

    Without flash the counter lives in the RAM folder: it orders restarts of the agent, not of the machine.
    """
    folder = folders[1] or folders[0]
    path = folder + "/" + _BOOT_FILE
    boot = read_boot(files, folders) + 1
    try:
        files.make_folder(folder)
        files.write_new(path, str(boot).encode(), sync=folders[1] is not None)
    except OSError as error:
        log.trouble("boot_unsaved", "the boot counter cannot be written: " + str(error))
        return boot, False
    return boot, folders[1] is not None


def read_boot(files: "Files", folders: "tuple[str, str | None]") -> int:
    """Return the number of the last start, 0 when none is known."""
    return _last_start(files, folders)[0]


def ended_in_flight(files: "Files", folders: "tuple[str, str | None]") -> bool:
    """Tell whether the last start that flash knows of ended without a planned stop.

    When RAM was lost since then, so were the frames of that start that were neither acked nor in flash.
    """
    boot, stopped = _last_start(files, folders)
    return folders[1] is not None and boot > 0 and not stopped


def mark_stopped(files: "Files", folders: "tuple[str, str | None]", boot: int, log: "Log") -> None:
    """Note in flash that this start ended with nothing left in RAM."""
    if folders[1] is None:
        return
    try:
        files.write_new(folders[1] + "/" + _BOOT_FILE, (str(boot) + _STOPPED).encode(), sync=True)
    except OSError as error:
        log.trouble("boot_unsaved", "the planned stop cannot be noted: " + str(error))


def _last_start(files: "Files", folders: "tuple[str, str | None]") -> tuple[int, bool]:
    """Return (number of the last start, 0 when none is known; whether it stopped as planned)."""
    try:
        text = files.read((folders[1] or folders[0]) + "/" + _BOOT_FILE).decode()
        stopped = text.endswith(_STOPPED)
        boot = int(text[: -len(_STOPPED)] if stopped else text)
    except (OSError, ValueError):
        return 0, False
    return (boot, stopped) if 0 <= boot <= _MAX_BOOT else (0, False)


def hello(config: "dict[str, Any]", readers: "list[Reader]") -> "dict[str, Any]":
    """Return the map of a ``birth``: versions, machine, readers and intervals (ms)."""
    intervals = config["intervals"]
    names = ("sample", "watch", "frame", "keepalive")
    return {
        "agent": __version__,
        "runtime": runtime(),
        "hardware": _first_text(_MODELS),
        "os": _system(),
        "readers": {reader.name: reader.interval_ms for reader in readers},
        "intervals": {name: int(intervals[name + "_s"] * 1000) for name in names},
        "site": config["site"],
    }


def runtime() -> str:
    """Return interpreter and version, as in ``cpython 3.11.7``."""
    version = ".".join([str(part) for part in sys.implementation.version[:3]])
    return sys.implementation.name + " " + version


def _first_text(paths: tuple[str, ...]) -> str:
    for path in paths:
        try:
            with open(path) as file:
                return file.read(_MAX_TEXT).strip("\x00\n ")
        except OSError:
            continue
    return "unknown"


def _system() -> str:
    for path, key in _SYSTEMS:
        try:
            with open(path) as file:
                for line in file:
                    if line.startswith(key):
                        return line[len(key) :].strip().strip("'\"")[:_MAX_TEXT]
        except OSError:
            continue
    return "unknown"
