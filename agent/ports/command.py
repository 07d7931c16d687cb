"""Run a command of the system without blocking the loop, the same on both interpreters.

A command that is not done within its limit is killed and reaped. One that cannot be killed (it waits in the
kernel for a broken driver) keeps its place: the same command line is not started again while it lives, and
no more than ``MOST_AT_ONCE`` commands ever live at once. Arguments reach the command as they are.
"""

import asyncio

from agent.errors import ReaderError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

try:
    from agent.cpython.command import Child
except ImportError:  # MicroPython has neither subprocess nor signals
    from agent.ports.shell import Child  # type: ignore[assignment]  # the same three methods

MOST_AT_ONCE = 4
_STEP_MS = 20
_GRACE_MS = 200  # what SIGKILL takes on a loaded router
_NOT_FOUND = 127  # sh(1)

_alive: "list[tuple[list[str], Child]]" = []


async def run(
    argv: list[str], limit_ms: int, most_bytes: int = 65536, take: "Callable[[bytes], None] | None" = None
) -> bytes:
    """Return what the command writes to its standard output; its other output goes nowhere.

    With ``take`` the output goes there part by part instead, never whole into memory; what it raises ends
    the command. Parts may have come before a failure shows.

    Raises ReaderError: ``command_missing``, ``command_failed`` (``status`` is its exit status, or None),
    ``command_timeout``, ``command_too_long``. Waiting for a place counts towards ``limit_ms``.
    """
    left_ms = await _place(argv, limit_ms)
    child = Child(argv, most_bytes)
    _alive.append((argv, child))
    try:
        status, size, output = await asyncio.wait_for(child.output(take), left_ms / 1000)
    except asyncio.TimeoutError:
        child.kill()
        await _reaped(child)
        raise ReaderError("command_timeout", argv[0] + ": not done within " + str(limit_ms) + " ms")
    finally:
        child.kill()  # has no effect on one that has ended
        _sweep()
    if size > most_bytes:
        raise ReaderError("command_too_long", argv[0] + ": wrote more than " + str(most_bytes) + " bytes")
    if status == _NOT_FOUND:
        raise ReaderError("command_missing", argv[0] + ": not installed")
    if status:
        raise CommandFailed(argv[0], status)
    return output


class CommandFailed(ReaderError):  # noqa: N818 - named after its reason
    """The command ended with ``status``; a negative one is the number of the signal that ended it."""

    def __init__(self, name: str, status: int) -> None:
        """Keep the exit status, which many commands give a meaning."""
        super().__init__("command_failed", name + ": ended with status " + str(status))
        self.status = status


async def _place(argv: list[str], limit_ms: int) -> int:
    """Wait for a place; return what is left of the limit."""
    left_ms = limit_ms
    while _taken(argv):
        if left_ms <= 0:
            raise ReaderError("command_timeout", argv[0] + ": an earlier command still hangs")
        await asyncio.sleep(_STEP_MS / 1000)
        left_ms -= _STEP_MS
    return left_ms


def _taken(argv: list[str]) -> bool:
    _sweep()
    hung = [other for other, child in _alive if child.killed]
    return len(_alive) >= MOST_AT_ONCE or argv in hung


def _sweep() -> None:
    """Forget, and so reap, the children that were told to end and are gone."""
    _alive[:] = [(argv, child) for argv, child in _alive if not (child.killed and child.gone())]


async def _reaped(child: Child) -> None:
    left_ms = _GRACE_MS
    while left_ms > 0 and not child.gone():
        await asyncio.sleep(_STEP_MS / 1000)
        left_ms -= _STEP_MS
