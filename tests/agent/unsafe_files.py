"""A file system behind the spool's own port that fails as real ones do: cut, full, read-only, decaying.

Every method goes in the small steps that ``agent.ports.files`` takes on a machine, and may be cut between
any two. What a power cut leaves follows POSIX at its weakest: of data that were not synced any part of the
beginning (or, on some file systems, zeros instead), of names that were not synced any number of the first
changes. What lies under ``/ram`` is gone.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.ports.files import Files

if TYPE_CHECKING:
    import random

RAM, FLASH = "/ram", "/flash"


class CutError(Exception):
    """The process, or the power, ends here."""


@dataclass
class File:
    """Bytes, and how many of them are on the medium."""

    data: bytearray = field(default_factory=bytearray)
    synced: int = 0


class UnsafeFiles(Files):
    """A RAM folder and a flash folder. ``cut_after`` steps the process dies; ``None``: it lives."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._now: dict[str, File] = {}
        self._medium: dict[str, File] = {}  # names that are on flash for good
        self._journal: list[tuple[str, File | None]] = []  # changes of names that are not
        self.cut_after: int | None = None
        self.room: dict[str, int | None] = {RAM: None, FLASH: None}  # bytes left; None: enough
        self.read_only: set[str] = set()

    # --- what the spool sees ---

    def make_folder(self, path: str) -> None:
        """Both folders are there from the beginning."""

    def exists(self, path: str) -> bool:
        return path in self._now

    def names(self, folder: str) -> list[str]:
        return sorted(path.rsplit("/", 1)[1] for path in self._now if path.rsplit("/", 1)[0] == folder)

    def read(self, path: str, offset: int = 0, size: int = -1) -> bytes:
        file = self._found(path)
        return bytes(file.data[offset:] if size < 0 else file.data[offset : offset + size])

    def append(self, path: str, data: bytes, *, sync: bool) -> None:
        self._step()
        self._may_write(path)
        new = path not in self._now
        if new:
            self._name(path, File())
        self._write(path, data, sync=sync)
        if sync and new:
            self._step()
            self._sync_names()

    def write_new(self, path: str, data: bytes, *, sync: bool) -> None:
        self._step()
        self._may_write(path)
        beside = path + ".new"
        self._name(beside, File())
        try:
            self._write(beside, data, sync=sync)
        except OSError:
            self._free(beside)
            self._name(beside, None)
            raise
        self._step()
        if path in self._now:
            self._free(path)
        file = self._now[beside]
        self._name(beside, None)
        self._name(path, file)
        if sync:
            self._step()
            self._sync_names()

    def sync(self, path: str) -> None:
        self._step()
        file = self._found(path)
        file.synced = len(file.data)
        self._sync_names()

    def remove(self, path: str) -> None:
        self._step()
        self._may_write(path)
        self._found(path)
        self._free(path)
        self._name(path, None)

    # --- what happens to it ---

    def power_cut(self) -> None:
        """RAM is gone, and of flash what was not on the medium may be."""
        for path, file in self._journal[: self._chance.randint(0, len(self._journal))]:
            _set(self._medium, path, file)
        self._now = dict(self._medium)
        for file in self._now.values():
            unsynced = len(file.data) - file.synced
            kept = self._chance.randint(0, unsynced)
            zeros = self._chance.choice((0, 0, self._chance.randint(0, unsynced - kept)))
            file.data[file.synced + kept :] = bytes(zeros)
            file.synced = len(file.data)
        self._journal = []
        self.cut_after = None

    def kill(self) -> None:
        """The process died: what it handed to the kernel is there."""
        self.cut_after = None

    def decay(self) -> bool:
        """Flip a bit of a segment; False when there is none."""
        segments = [file for path, file in sorted(self._now.items()) if path.endswith(".seg") and file.data]
        if not segments:
            return False
        data = self._chance.choice(segments).data
        data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)
        return True

    # --- steps ---

    def _step(self) -> None:
        if self.cut_after is not None:
            self.cut_after -= 1
            if self.cut_after < 0:
                raise CutError

    def _write(self, path: str, data: bytes, *, sync: bool) -> None:
        file = self._now[path]
        room = self.room[_medium_of(path)]
        fits = data if room is None else data[:room]
        half = self._chance.randint(0, len(fits))
        file.data += fits[:half]
        self._step()
        file.data += fits[half:]
        if room is not None:
            self.room[_medium_of(path)] = room - len(fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        self._step()
        if sync:
            file.synced = len(file.data)

    def _found(self, path: str) -> File:
        if path not in self._now:
            raise OSError(errno.ENOENT, path)
        return self._now[path]

    def _may_write(self, path: str) -> None:
        if _medium_of(path) in self.read_only:
            raise OSError(errno.EROFS, "Read-only file system")

    def _free(self, path: str) -> None:
        medium = _medium_of(path)
        room = self.room[medium]
        if room is not None:
            self.room[medium] = room + len(self._now[path].data)

    def _name(self, path: str, file: File | None) -> None:
        _set(self._now, path, file)
        if _medium_of(path) == FLASH:
            self._journal.append((path, file))

    def _sync_names(self) -> None:
        for path, file in self._journal:
            _set(self._medium, path, file)
        self._journal = []


def _set(names: dict[str, File], path: str, file: File | None) -> None:
    if file is None:
        names.pop(path, None)
    else:
        names[path] = file


def _medium_of(path: str) -> str:
    return RAM if path.startswith(RAM) else FLASH
