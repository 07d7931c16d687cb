"""What the running agent says of itself, in a small file beside the spool in RAM, for ``--print``.

The file is written with every frame. What is read from it is believed only when every part has its type:
others may be able to write in that folder.
"""

import json

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.log import Log
    from agent.ports.files import Files
    from agent.timing import Clock

FILE = "status.json"
MAX_BYTES = 2048
OLD_FRAMES = 3  # an agent that has missed so many frames is not running
_NUMBERS = ("uptime_ms", "started_ms", "spooled", "lost")


def told(status: "dict[str, Any]", clock: "Clock") -> "dict[str, Any]":
    """Return the file's content for what ``Agent.status`` says now."""
    return {
        "kernel_boot": clock.kernel_boot().hex(),
        "uptime_ms": clock.uptime_ms(),
        "started_ms": status["started_ms"],
        "heard_ms": status["heard_ms"],
        "link": status["link"],
        "spooled": status["spooled"],
        "lost": status["dropped"].get("data", 0) + status["dropped"].get("event", 0),
    }


def save(files: "Files", folder: str, content: "dict[str, Any]", log: "Log") -> None:
    """Write the file; a folder that takes none is a trouble and no more."""
    try:
        files.write_new(folder + "/" + FILE, json.dumps(content).encode(), sync=False)
    except OSError as error:
        log.trouble("own_state", "the agent's own state cannot be written: " + str(error))


def load(files: "Files", folder: str) -> "dict[str, Any] | None":
    """Return the file's content, None when there is none or it is not ours."""
    try:
        content = json.loads(files.read(folder + "/" + FILE, 0, MAX_BYTES))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or not all([_whole(content.get(name)) for name in _NUMBERS]):  # noqa: C419 - for MicroPython
        return None
    heard = content.get("heard_ms")
    texts = isinstance(content.get("link"), str) and isinstance(content.get("kernel_boot"), str)
    return content if texts and (heard is None or _whole(heard)) else None


def _whole(value: "Any") -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def summary(content: "dict[str, Any] | None", clock: "Clock", frame_ms: int) -> "dict[str, Any]":
    """Return what advice and sentences need: whether it runs, and ages in seconds."""
    now_ms = clock.uptime_ms()
    if content is None or content["kernel_boot"] != clock.kernel_boot().hex():
        return {"running": False, "link": "", "spooled": 0, "lost": 0, "up_s": 0, "heard_s": None}
    heard_ms = content["heard_ms"]
    return {
        "running": 0 <= now_ms - content["uptime_ms"] <= OLD_FRAMES * frame_ms,
        "link": content["link"][:20],
        "spooled": content["spooled"],
        "lost": content["lost"],
        "up_s": max(0, now_ms - content["started_ms"]) // 1000,
        "heard_s": None if heard_ms is None else max(0, now_ms - heard_ms) // 1000,
    }
