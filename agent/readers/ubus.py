"""OpenWrt's bus by its command ``ubus``: calls and the list of objects, bounded and checked.

``run`` runs a command (agent.ports.command.run), so that a test brings its own answers.
"""

import json

from agent.errors import ReaderError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    Texts = list[str]
    Run = Callable[[list[str], int, int], Awaitable[bytes]]

LIMIT_MS = 5000  # ubus itself would wait 30 s for an object that does not answer
MOST_BYTES = 32768
_MOST_PATHS = 256

# exit status of ubus (enum ubus_msg_status of libubus; 255: no connection to ubusd) -> reason
_REASONS = {
    2: "ubus_invalid_argument",
    3: "ubus_no_method",
    4: "ubus_not_found",
    5: "ubus_no_data",
    6: "ubus_denied",
    7: "ubus_timeout",
    10: "ubus_unreachable",
    255: "ubus_unreachable",
}


async def call(run: "Run", path: str, method: str, args: "dict[str, Any] | None" = None) -> "dict[str, Any]":
    """Return an object's answer, empty when it has none.

    Raises ReaderError: ``ubus_*`` by what ubus says, ``ubus_garbage``, or as ``run`` does.
    """
    argv = ["ubus", "call", path, method]
    if args:
        argv.append(json.dumps(args))
    output = await _output(run, argv)
    try:
        answer = json.loads(output) if output.strip() else {}
    except (ValueError, RuntimeError):  # no JSON, or nested too deep for the interpreter
        answer = None
    if not isinstance(answer, dict):
        raise ReaderError("ubus_garbage", path + " " + method + ": the answer is no JSON object")
    return answer


async def list(run: "Run", pattern: str = "") -> "Texts":  # noqa: A001 - ubus calls it so
    """Return the paths of the objects that match, sorted; none is no error."""
    try:
        output = await _output(run, ["ubus", "list", pattern] if pattern else ["ubus", "list"])
        paths = output.decode().split()
    except UnicodeError:
        raise ReaderError("ubus_garbage", "list: not text")
    except ReaderError as error:
        if error.reason != "ubus_not_found":
            raise
        paths = []
    return sorted(paths)[:_MOST_PATHS]


async def _output(run: "Run", argv: "Texts") -> bytes:
    try:
        return await run(argv, LIMIT_MS, MOST_BYTES)
    except ReaderError as error:
        status = getattr(error, "status", None)
        if status is None:
            raise
        raise ReaderError(_REASONS.get(status, "ubus_failed"), " ".join(argv[1:4]) + ": " + str(error))
