"""OpenWrt's bus by its command: objects and answers of their methods, as dictionaries."""

import json

from agent.errors import ReaderError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    Run = Callable[..., Awaitable[bytes]]

LIMIT_MS = 3000


async def call(run: "Run", path: str, method: str, args: "dict[str, Any] | None" = None) -> "dict[str, Any]":
    """Return the answer of a method. Raises ReaderError."""
    argv = ["ubus", "-S", "call", path, method]
    if args is not None:
        argv.append(json.dumps(args))
    output = await run(argv, LIMIT_MS)
    try:
        answer = json.loads(output) if output.strip() else {}
    except (ValueError, RuntimeError):
        answer = None
    if not isinstance(answer, dict):
        raise ReaderError("garbage", path + " " + method + ": no object")
    return answer


async def list(run: "Run", pattern: str) -> "Sequence[str]":  # noqa: A001 - the command's own word
    """Return the names of objects. Raises ReaderError."""
    output = await run(["ubus", "list", pattern], LIMIT_MS)
    try:
        return output.decode().split()
    except UnicodeError:
        raise ReaderError("garbage", "ubus list")
