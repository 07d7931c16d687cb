"""OpenWrt's bus: calls and the list of objects, bounded and checked.

``run`` runs the command ``ubus`` (agent.ports.command.run), so that a test brings its own answers; an
agent.readers.ubus_socket.Bus asks ubusd without it.
"""

import json
import os

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
_NOT_FOUND = 4
SOCKETS = ("/var/run/ubus/ubus.sock", "/var/run/ubus.sock")  # since OpenWrt 21.02, and before
NO_BUS = "no_bus"

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


def bus(run: "Run") -> "Run":
    """Return what asks ubusd by its socket where there is one, else ``run``: such a machine loads no more."""
    own = os.getenv("VIGIA_UBUS_SOCKET")  # of a simulated bus
    for path in (own,) if own else SOCKETS:
        try:
            os.stat(path)
        except OSError:
            continue
        from agent.readers.ubus_socket import Bus  # noqa: PLC0415 - as said

        return Bus(run, path)
    return run


async def call(run: "Run", path: str, method: str, args: "dict[str, Any] | None" = None) -> "dict[str, Any]":
    """Return an object's answer, empty when it has none.

    Raises ReaderError: ``ubus_*`` by what ubus says, ``ubus_garbage``, or as ``run`` does.
    """
    found: "dict[str, Any]" = {}
    if await asked(run, path, method, args or {}, LIMIT_MS, found.__setitem__):
        return found
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


async def asked(  # noqa: PLR0913, PLR0917 - as Bus.invoke
    run: "Any",
    path: str,
    method: str,
    args: "dict[str, str]",
    limit_ms: int,
    give: "Any",
    deep: bool = False,  # noqa: FBT001, FBT002
) -> bool:
    """Ask ubusd and give the parts of the answer; False where only the command can. Raises ReaderError."""
    invoke = getattr(run, "invoke", None)
    if invoke is None:
        return False
    try:
        status = await invoke(path, method, args, limit_ms, give, deep=deep)
    except ReaderError as error:
        if error.reason != NO_BUS:
            raise
        return False
    if status:
        raise _said(status, path + " " + method)
    return True


async def list(run: "Run", pattern: str = "") -> "Texts":  # noqa: A001 - ubus calls it so
    """Return the paths of the objects that match, sorted; none is no error."""
    objects = getattr(run, "objects", None)
    if objects is not None:
        try:
            status, paths = await objects(pattern, LIMIT_MS)
            if status not in (0, _NOT_FOUND):
                raise _said(status, "list")
            return sorted(paths)[:_MOST_PATHS]
        except ReaderError as error:
            if error.reason != NO_BUS:
                raise
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


def _said(status: int, question: str) -> ReaderError:
    return ReaderError(_REASONS.get(status, "ubus_failed"), question + ": status " + str(status))


async def _output(run: "Run", argv: "Texts") -> bytes:
    try:
        return await run(argv, LIMIT_MS, MOST_BYTES)
    except ReaderError as error:
        status = getattr(error, "status", None)
        if status is None:
            raise
        raise ReaderError(_REASONS.get(status, "ubus_failed"), " ".join(argv[1:4]) + ": " + str(error))
