"""MicroPython only: a child process by ``os.system`` and the shell, which every build has.

``system`` returns as soon as the shell has put a supervisor into the background. The supervisor tells through
a named pipe, in lines, its own pid (``s``), the command's (``c``) and the exit status (``e``); the command's
output goes to a file on tmpfs, which the shell's ``ulimit`` bounds. The pipe is open for reading and writing,
so that opening it never waits, and each line is written at once, so that reading one never waits either.
"""

import asyncio
import os
import select

from agent.errors import ReaderError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK = 512  # what ulimit -f counts in (sh(1))
_CHUNK = 1024
_STEP_MS = 20

# The command does not inherit the agent's connections: one that hangs would keep them open. A shell
# can close descriptors of one digit only.
_CLOSED = " 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-"


class Slot:
    """A named pipe and a file for one child at a time."""

    def __init__(self, path: str) -> None:
        """Make the pipe ``path``."""
        if os.system("mkfifo -m 600 " + _quoted(path)):  # noqa: S605
            raise ReaderError("command_failed", "cannot make " + path)
        self.path = path
        self.pipe = open(path, "r+b")  # noqa: SIM115 - stays open for the next child
        self._poll = select.poll()
        self._poll.register(self.pipe, select.POLLIN)

    def lines(self) -> list[bytes]:
        """Return the lines that are there now."""
        found = []
        while self._poll.poll(0):
            found.append(self.pipe.readline())
        return found

    def parts(self, most_bytes: int) -> "Iterator[bytes]":
        """Give what the command wrote, at most one byte more than ``most_bytes``; then it is gone."""
        left = most_bytes + 1
        try:
            with open(self.path + ".out", "rb") as file:
                while left > 0:
                    part = file.read(min(left, _CHUNK))
                    if not part:
                        break
                    left -= len(part)
                    yield part
        finally:
            os.remove(self.path + ".out")


class Slots:
    """The slots of this process, in a folder of its own."""

    def __init__(self) -> None:
        """Begin without one."""
        self._folder = ""
        self._made = 0
        self._free: list[Slot] = []

    def take(self) -> Slot:
        """Return one that no child uses."""
        if self._free:
            return self._free.pop()
        if not self._folder:
            self._folder = _new_folder()
        self._made += 1
        return Slot(self._folder + "/" + str(self._made))

    def give(self, slot: Slot) -> None:
        """Take one back whose child is gone."""
        self._free.append(slot)


def _new_folder() -> str:
    """Make the folder of this process, and remove those of agents that are gone."""
    with open("/proc/self/stat") as file:
        pid = file.read(32).split(" ")[0]
    parent = os.getenv("TMPDIR") or "/tmp"  # noqa: S108 - tmpfs on OpenWrt
    prefix = "vigia-run-"
    gone = [name for name in os.listdir(parent) if name.startswith(prefix)]
    gone = [name for name in gone if name[len(prefix) :] == pid or not _lives(name[len(prefix) :])]
    folder = parent + "/" + prefix + pid
    remove = "".join([" " + _quoted(parent + "/" + name) for name in gone])
    if os.system("rm -rf --" + remove + "; mkdir -m 700 " + _quoted(folder)):  # noqa: S605
        raise ReaderError("command_failed", "cannot make " + folder)
    return folder


def _lives(pid: str) -> bool:
    try:
        os.stat("/proc/" + pid)
    except OSError:
        return False
    return True


def _quoted(text: str) -> str:
    """Return one word of the shell that stands for the text, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


_slots = Slots()


class Child:
    """A command that runs; ``killed``: it was told to end."""

    def __init__(self, argv: list[str], most_bytes: int) -> None:
        """Start it. Raises ReaderError when the machine cannot."""
        if any("\0" in word for word in argv):
            raise ReaderError("command_failed", argv[0] + ": an argument with a zero byte")
        self.killed = False
        self._most_bytes = most_bytes
        self._told: dict[str, int] = {}
        self._shot = False
        self._slot: Slot | None = _slots.take()
        if os.system(_line(argv, self._slot.path, most_bytes)):  # noqa: S605 - every word is quoted
            _slots.give(self._slot)
            self._slot = None
            raise ReaderError("command_failed", argv[0] + ": could not be started")

    async def output(self, take: "Callable[[bytes], None] | None" = None) -> tuple[int, int, bytes]:
        """Return exit status, size and output (what ``take`` has not), once the command has ended."""
        slot = self._slot
        if slot is None:
            raise ReaderError("command_failed", "has ended before")
        stream = asyncio.StreamReader(slot.pipe)  # type: ignore[arg-type]  # MicroPython's
        while "e" not in self._told:
            self._hear(await stream.readline())
        size = 0
        kept: list[bytes] = []
        parts = slot.parts(self._most_bytes)
        try:
            for part in parts:
                size += len(part)
                if take is None:
                    kept.append(part)
                else:
                    take(part)
                    await asyncio.sleep(0)  # what takes it may be slow
        finally:
            parts.close()  # type: ignore[attr-defined]  # a generator
        return self._told["e"], size, b"".join(kept)

    def kill(self) -> None:
        """End the command now, if it lives."""
        self.killed = True
        if not self.gone() and not self._shot:  # the supervisor has not yet told which process it is
            asyncio.create_task(self._bury())  # noqa: RUF006 - the loop keeps it; nobody waits for it

    def gone(self) -> bool:
        """Tell whether nothing is left of it."""
        if self._slot is None:
            return True
        for line in self._slot.lines():
            self._hear(line)
        if self.killed and not self._shot and "c" in self._told and "e" not in self._told:
            self._shot = True
            os.system("kill -9 " + str(self._told["c"]) + " 2>/dev/null")  # noqa: S605
        # a supervisor that somebody else killed says no more
        lives = "e" not in self._told and any(_lives(str(self._told[each])) for each in self._told)
        if not lives:
            _slots.give(self._slot)
            self._slot = None
        return not lives

    async def _bury(self) -> None:
        """Look again until the command is known and killed."""
        while not self.gone() and not self._shot:  # noqa: ASYNC110 - MicroPython cannot wait for a pipe twice
            await asyncio.sleep(_STEP_MS / 1000)

    def _hear(self, line: bytes) -> None:
        self._told[line[:1].decode()] = int(line[1:])


def _line(argv: list[str], path: str, most_bytes: int) -> str:
    command = " ".join([_quoted(word) for word in argv])
    path = _quoted(path)
    return (
        "{ ulimit -f " + str(most_bytes // _BLOCK + 1) + "; "
        "exec " + command + " >" + path + ".out 2>/dev/null </dev/null 3>&- & "
        "echo c$! >&3; wait $!; echo e$? >&3; } 3<>" + path + _CLOSED + " >/dev/null 2>&1 & "
        "echo s$! >" + path
    )  # fmt: skip
