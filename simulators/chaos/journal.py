"""What a device sealed and what it was told became of it, kept outside the system under test.

One JSON array a line, written with one write(2) to a file opened for appending, so that a SIGKILL loses
nothing: ``sealing`` before the spool sees a frame, ``kept`` after, ``outcome`` before the spool forgets it,
``flash`` after records are on flash, ``torn`` before a flash write that the power cut tears, ``boot`` at
every start, ``drained`` when nothing waits any more.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Id = tuple[str, int]  # incarnation (hex), seq


class Journal:
    """Appends to a device's journal."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, *what: Any) -> None:
        """Append a line; it is the kernel's when this returns."""
        os.write(self._file, (json.dumps(what) + "\n").encode())


@dataclass(slots=True)
class Sealed:
    """A frame that was sealed. ``kept``: the spool had it; a SIGKILL in between leaves that open."""

    kind: str
    digest: str
    counters: tuple[int, ...]
    at_ns: int
    kept: bool = False


@dataclass(slots=True)
class Boot:
    """A start of the agent and what it said then."""

    incarnation: str
    kernel_boot: str
    boot: int
    waiting: int
    dropped: dict[str, int]
    torn: int = 0  # bytes of the flash write that a power cut tore before this boot


@dataclass(slots=True)
class Account:
    """A journal read back."""

    device: str
    sealed: dict[Id, Sealed] = field(default_factory=dict)
    outcomes: dict[Id, set[str]] = field(default_factory=dict)
    on_flash: set[Id] = field(default_factory=set)
    torn: int = 0  # since the last boot
    boots: list[Boot] = field(default_factory=list)
    drained: int = 0
    twice: list[Id] = field(default_factory=list)  # sealed again under the same name


def read(path: Path, device: str) -> Account:
    """Read a journal; a device that never started has an empty one."""
    account = Account(device)
    if path.exists():
        for line in path.read_text(encoding="ascii").splitlines():
            what, *values = json.loads(line)
            _TAKERS[what](account, *values)
    return account


def _sealing(  # noqa: PLR0913, PLR0917 - the fields of the line
    account: Account, incarnation: str, seq: int, kind: str, digest: str, counters: list[int], at_ns: int
) -> None:
    name = (incarnation, seq)
    before = account.sealed.get(name)
    if before is not None and before.digest != digest:
        account.twice.append(name)
    account.sealed[name] = Sealed(kind, digest, tuple(counters), at_ns)


def _kept(account: Account, incarnation: str, seq: int) -> None:
    account.sealed[incarnation, seq].kept = True


def _outcome(account: Account, incarnation: str, seq: int, what: str) -> None:
    account.outcomes.setdefault((incarnation, seq), set()).add(what)


def _flash(account: Account, names: list[list[Any]]) -> None:
    account.on_flash |= {(incarnation, seq) for incarnation, seq in names}


def _torn(account: Account, size: int) -> None:
    account.torn += size


def _boot(
    account: Account, incarnation: str, kernel_boot: str, boot: int, waiting: int, dropped: dict[str, int]
) -> None:
    account.boots.append(Boot(incarnation, kernel_boot, boot, waiting, dropped, account.torn))
    account.torn = 0


def _drained(account: Account) -> None:
    account.drained += 1


_TAKERS: dict[str, Any] = {
    "sealing": _sealing,
    "kept": _kept,
    "outcome": _outcome,
    "flash": _flash,
    "torn": _torn,
    "boot": _boot,
    "drained": _drained,
}
